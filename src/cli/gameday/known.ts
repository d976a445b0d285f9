import type { Fault, Known } from '../../gameday/index.js'
import { isModulePath, resolveInputs, type Runbook } from '../../runbook/index.js'
import { wholeRegion } from '../../sim/arm/capacity.js'
import { familyOf, offeredSizes } from '../../sim/arm/sizes.js'
import type { WorldSpec } from '../../sim/world/spec.js'
import { registry } from '../../steps/registry.js'

interface Site {
  readonly runbook: Runbook
  readonly spec: WorldSpec
}

/** What a scenario may name of its site; `faults` are its own, which may make something, too. */
export function knownOf({ runbook, spec }: Site, faults: readonly Fault[]): Known {
  const ids = spec.resources.map(({ id }) => id)
  const ofType = (type: RegExp): string[] => ids.flatMap((id) => (type.test(id) ? [nameOf(id)] : []))
  const namespaces = runbook.nodes.flatMap((node) => (node.kind === 'step' && typeof node.with['namespace'] === 'string' ? [node.with['namespace']] : []))
  const machines = madeBy('azure/nfs-vm', 'name', runbook)
  const clusters = madeBy('azure/aks-cluster', 'name', runbook)
  const releases = madeBy('helm/release', 'release', runbook)
  const somebodys = faults.flatMap(({ do: { kind, with: how } }) => (kind === 'somebody' ? [how.does] : []))
  const there = [...ids, ...somebodys]
  return {
    steps: runbook.nodes.map(({ id }) => id),
    kinds: new Map(runbook.nodes.map(({ id, kind }) => [id, kind])),
    machines: namesOf(there, /\/virtualMachines\/[^/]+$/i, machines.found),
    pools: spec.pools.map(({ name }) => name),
    hubs: spec.hubs.map(({ host }) => host),
    nameServers: [...new Set(spec.zones.flatMap(({ nameServers }) => nameServers))],
    disks: ofType(/\/disks\/[^/]+$/i),
    clusters: namesOf(there, /\/managedClusters\/[^/]+$/i, clusters.found),
    groups: spec.groups.map(({ name }) => name),
    namespaces: [...new Set([...Object.keys(spec.podsReady), ...spec.hubs.map(({ namespace }) => namespace), ...namespaces])],
    releases: [...new Set(releases.found.map(({ name }) => name))],
    closed: new Set([...(machines.isAll ? ['machine' as const] : []), ...(clusters.isAll ? ['cluster' as const] : []), ...(releases.isAll ? ['release' as const] : [])]),
    folders: Object.entries(spec.env).flatMap(([name, value]) => (typeof value === 'object' && 'folder' in value ? [name] : [])),
    stocks: [...new Set([wholeRegion, ...offeredSizes.map(familyOf), ...Object.keys(spec.quota)])],
    sizes: offeredSizes,
    named: namesIn([runbook.vars, runbook.nodes.map((node) => (node.kind === 'step' ? node.with : {})), spec.resources, spec.groups, spec.hosts, spec.pools, spec.hubs, spec.zones]),
  }
}

interface Made {
  readonly name: string
  /** Undefined where it has none, or where that is only known when it is made. */
  readonly group: string | undefined
}

/** What steps of a kind make, by the input that names it. `isAll`: nothing else can be of that kind, since every name is written down. */
function madeBy(uses: string, key: string, runbook: Runbook): { readonly found: readonly Made[]; readonly isAll: boolean } {
  const steps = runbook.nodes.flatMap((node) => (node.kind === 'step' ? [node] : []))
  const makers = steps.filter((step) => step.uses === uses).map((step) => inputsOf(step, runbook))
  const found = makers.flatMap((inputs): Made[] => {
    const [name, group] = [inputs?.[key], inputs?.['resourceGroup']]
    return typeof name === 'string' ? [{ name, group: typeof group === 'string' ? group : undefined }] : []
  })
  const hasGroups = found.every(({ group }) => group !== undefined) || uses === 'helm/release'
  // What a module of the site makes is its own.
  return { found, isAll: hasGroups && found.length === makers.length && !steps.some((step) => isModulePath(step.uses)) }
}

type Step = Extract<Runbook['nodes'][number], { readonly kind: 'step' }>

/** Inputs as far as they are known before anything runs. A group is named by the step that makes it. */
function inputsOf(step: Step, runbook: Runbook): Readonly<Record<string, unknown>> | undefined {
  const schema = registry.get(step.uses)
  if (schema === undefined) return undefined
  const outputs = (id: string): { readonly name: string } | undefined => {
    const maker = runbook.nodes.find((node) => node.id === id)
    if (maker?.kind !== 'step' || maker.uses !== 'azure/resource-group') return undefined
    const name = inputsOf(maker, runbook)?.['name']
    return typeof name === 'string' ? { name } : undefined
  }
  try {
    return resolveInputs(step, runbook, { env: () => '', outputs }, schema)
  } catch {
    return undefined
  }
}

/** `NAME`, and `GROUP/NAME`. */
function namesOf(paths: readonly string[], type: RegExp, made: readonly Made[]): readonly string[] {
  const there = paths.filter((path) => type.test(path)).map((path): Made => ({ name: nameOf(path), group: /\/resourceGroups\/([^/]+)/i.exec(path)?.[1] }))
  return [...new Set([...there, ...made].flatMap(({ name, group }) => (group === undefined ? [name] : [name, `${group}/${name}`])))]
}

function nameOf(id: string): string {
  return id.split('/').at(-1) ?? ''
}

/** Texts among those values, keys and expressions left out, and the names of which a path consists. */
function namesIn(values: unknown): ReadonlySet<string> {
  const names = new Set<string>()
  const look = (value: unknown): void => {
    if (typeof value === 'string') for (const name of [value, ...value.split('/')]) names.add(name)
    else if (Array.isArray(value) || isMap(value)) Object.values(value).forEach(look)
  }
  look(values)
  return names
}

/** An expression is none. */
function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
