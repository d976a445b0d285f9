import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { LifeboatError } from '../../contract/index.js'
import type { TrialSite } from './trial-site.js'

/** The site that drawn ones are made after: one server with a pool, a hub for staging, hubs for prod. */
const model = fileURLToPath(new URL('../../../runbooks/data100.yaml', import.meta.url))

interface Drawn {
  /** Disks of the pool, 1 to 8. */
  readonly disks: number
  /** 1 to 6: the first is staging. */
  readonly hubs: number
  readonly zone: string | undefined
  readonly move: 'before-attach' | 'after-cutover' | 'never'
}

/**
 * Small sites rather than large ones: what goes wrong with many disks and hubs mostly goes wrong with few, and costs less there. All sizes
 * come.
 */
function draw(random: () => number): Drawn {
  const upTo = (most: number): number => 1 + Math.floor(random() ** 1.5 * most)
  return {
    disks: upTo(8),
    hubs: upTo(6),
    zone: random() < 0.4 ? '1' : undefined,
    move: random() < 0.6 ? 'before-attach' : random() < 0.5 ? 'after-cutover' : 'never',
  }
}

interface Step {
  id: string
  uses: string
  needs?: string[]
  with: Record<string, unknown>
}

interface Runbook {
  name: string
  rehearsal: { world: string }
  vars: Record<string, unknown> & { disks: unknown; pool: Record<string, unknown> }
  steps: Step[]
}

interface Resource {
  id: string
  zones?: string[]
  sku?: Record<string, unknown>
  properties: Record<string, unknown>
}

interface World {
  name: string
  resources: Resource[]
  pools: { disks: string[]; layout: string }[]
  zones: { records: { name: string; type: string; ttl: number; values: string[] }[] }[]
  hubs: { host: string; namespace: string; serving: { address: string } }[]
  podsReady: Record<string, string>
}

/** The shipped site that the others are drawn after; read once, and never changed. */
let modelled: ReturnType<typeof readModel> | undefined

async function readModel(): Promise<{ readonly runbook: Runbook; readonly world: World }> {
  const runbook = parse(await readFile(model, 'utf8')) as Runbook
  const world = parse(await readFile(resolve(dirname(model), runbook.rehearsal.world), 'utf8')) as World
  return { runbook, world }
}

/** A site of its own, and a world for it, written into `folder`; the same out of the same numbers. `name` tells them apart. */
export async function drawSite(name: string, folder: string, random: () => number): Promise<TrialSite> {
  const drawn = draw(random)
  modelled ??= readModel().catch((error: unknown) => {
    modelled = undefined
    throw error
  })
  const { runbook, world } = await modelled
  const site = { runbook: { name, path: join(folder, `${name}.yaml`) }, world: join(folder, `${name}-world.yaml`) }
  await writeFile(site.runbook.path, stringify(runbookOf({ ...runbook, name }, drawn)))
  await writeFile(site.world, stringify(worldOf({ ...world, name }, drawn)))
  return site
}

const prodSteps: ReadonlySet<string> = new Set(['prod', 'prod-answers', 'prod-dns', 'prod-seen', 'prod-live'])

function runbookOf(runbook: Runbook, drawn: Drawn): object {
  const { rehearsal: _, ...rest } = runbook
  const disks = numbers(drawn.disks).map((lun) => ({ name: diskName(lun), lun }))
  const ofProd = runbook.steps.filter(({ id }) => prodSteps.has(id))
  const others = runbook.steps.filter(({ id }) => !prodSteps.has(id))
  const prods = numbers(drawn.hubs - 1).flatMap((hub) => ofProd.map((step) => stepOfHub(step, hub)))
  const steps = [...others, ...prods].map((step) => adapted(step, drawn))
  return { ...rest, vars: { ...runbook.vars, disks, pool: { ...runbook.vars.pool, devices: disks.length } }, steps }
}

/** A prod hub's step, for another hub. */
function stepOfHub(step: Step, hub: number): Step {
  if (hub === 0) return step
  const text = JSON.stringify(step)
    .replaceAll(/"prod((-(answers|dns|seen|live))?)"/g, (_all, rest: string) => `"prod-${hub}${rest}"`)
    .replaceAll('steps.prod.', `steps.prod-${hub}.`)
    .replaceAll('data100-prod', `data100-prod-${hub}`)
    .replaceAll('data100.datahub', `${hubName(hub)}.datahub`)
    .replaceAll('"name":"data100"', `"name":"${hubName(hub)}"`)
  return JSON.parse(text) as Step
}

function adapted(step: Step, { zone, move, hubs }: Drawn): Step {
  const more = (further: Record<string, unknown>): Step => ({ ...step, with: { ...step.with, ...further } })
  switch (step.id) {
    case 'nfs':
      return zone === undefined ? step : more({ zone })
    case 'move':
      return more({ move })
    case 'ttl':
      return more({ records: [{ name: 'data100s' }, ...numbers(hubs - 1).map((hub) => ({ name: hubName(hub) }))] })
    default:
      // Charts are found from where the runbook is.
      return step.uses === 'helm/release' ? more({ chart: resolve(dirname(model), String(step.with['chart'])) }) : step
  }
}

function worldOf(world: World, drawn: Drawn): object {
  const names = numbers(drawn.disks).map(diskName)
  const [pool] = world.pools
  const [zone] = world.zones
  const [staging, prod] = world.hubs
  if (pool === undefined || zone === undefined || staging === undefined || prod === undefined) throw otherShape()
  const hubs = numbers(drawn.hubs - 1)
  return {
    ...world,
    resources: resourcesOf(world.resources, names, drawn),
    pools: [{ ...pool, disks: names, layout: names.length > 1 ? pool.layout : 'stripe' }],
    zones: [{ ...zone, records: [...zone.records.slice(0, 1), ...hubs.map((hub) => ({ name: hubName(hub), type: 'A', ttl: 300, values: [addressOf(hub)] }))] }],
    hubs: [
      staging,
      ...hubs.map((hub) => ({
        ...prod,
        host: `${hubName(hub)}.datahub.berkeley.edu`,
        namespace: namespaceOf(hub),
        serving: { ...prod.serving, address: addressOf(hub) },
      })),
    ],
    podsReady: { 'data100-staging': '14m', ...Object.fromEntries(hubs.map((hub) => [namespaceOf(hub), `${5 + hub}m`])) },
  }
}

function resourcesOf(resources: readonly Resource[], names: readonly string[], { zone, hubs }: Drawn): readonly Resource[] {
  const isDataDisk = ({ id }: Resource): boolean => /\/disks\/nfsserver_DataDisk_\d+$/.test(id)
  const isProdAddress = ({ id }: Resource): boolean => id.endsWith('/kubernetes-data100-prod')
  const disk = resources.find(isDataDisk)
  const address = resources.find(isProdAddress)
  if (disk === undefined || address === undefined) throw otherShape()
  const disks = names.map((name) => ({ ...disk, id: disk.id.replace(/[^/]+$/, name) }))
  const addresses = numbers(hubs - 1).map((hub) => ({
    ...address,
    id: `${address.id}${hub === 0 ? '' : `-${hub}`}`,
    properties: { ...address.properties, ipAddress: addressOf(hub) },
  }))
  // Machines name their disks: those come first.
  const others = resources.filter((one) => !isDataDisk(one) && !isProdAddress(one)).map((one) => withDisks(one, disks))
  const zonal = ({ id }: Resource): boolean => /\/(disks|virtualMachines)\/nfsserver/.test(id)
  return [...addresses, ...disks, ...others].map((one) => (zone !== undefined && zonal(one) ? { ...one, zones: [zone] } : one))
}

function withDisks(resource: Resource, disks: readonly Resource[]): Resource {
  if (!resource.id.endsWith('/virtualMachines/nfsserver')) return resource
  const profile = resource.properties['storageProfile'] as Record<string, unknown>
  const dataDisks = disks.map(({ id }, lun) => ({ lun, name: diskName(lun), createOption: 'Attach', caching: 'None', managedDisk: { id } }))
  return { ...resource, properties: { ...resource.properties, storageProfile: { ...profile, dataDisks } } }
}

function otherShape(): LifeboatError {
  return new LifeboatError('trial.failed', `sites cannot be drawn after ${model}: it has another shape now`, { blame: 'tool' })
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at)
const diskName = (lun: number): string => `nfsserver_DataDisk_${lun}`
const hubName = (hub: number): string => (hub === 0 ? 'data100' : `data10${hub}`)
const namespaceOf = (hub: number): string => `data100-prod${hub === 0 ? '' : `-${hub}`}`
const addressOf = (hub: number): string => `198.51.100.${11 + hub}`
