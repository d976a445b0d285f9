import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import type { WorldClock } from './clock.js'
import { timed } from './durations.js'
import { extended } from './extend.js'
import { parseId, sameId } from './ids.js'
import { makeSshKey, type MakeSshKey } from './keys.js'
import { populate } from './populate.js'
import { worldSchema, type WorldSpec } from './spec.js'
import { World } from './world.js'

/** A world file that cannot be used; every finding on a line of its own. */
export class WorldFileError extends Error {
  constructor(
    readonly file: string,
    readonly findings: readonly string[],
  ) {
    super(`the world ${file} cannot be used:\n${findings.map((one) => `  ${one}`).join('\n')}`)
    this.name = 'WorldFileError'
  }
}

/** A world file with `change` laid over it. Throws WorldFileError with all findings: not YAML, wrong shape, names that lead nowhere. */
export async function readWorldSpec(file: string, change: object = {}): Promise<WorldSpec> {
  return checked(extended(await readWhole(file, []), change), file)
}

/** The same for a text, which extends no other; `file` is only for messages. */
export function parseWorldSpec(text: string, file: string): WorldSpec {
  return checked(parsed(text, file), file)
}

/** What a file says on top of what the file says that it extends (`extends: FILE`, relative to it). */
async function readWhole(file: string, from: readonly string[]): Promise<unknown> {
  if (from.includes(file)) throw new WorldFileError(file, [`extends itself: ${[...from, file].join(' → ')}`])
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new WorldFileError(file, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`])
  }
  const own = parsed(text, file)
  if (typeof own !== 'object' || own === null || !('extends' in own) || typeof own.extends !== 'string') return own
  const { extends: base, ...patch } = own
  return extended(await readWhole(resolve(dirname(file), base), [...from, file]), patch)
}

function parsed(text: string, file: string): unknown {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const findings = document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0])
      return `${file}:${line}:${col}: ${error.message}`
    })
    throw new WorldFileError(file, findings)
  }
  return document.toJS()
}

function checked(world: unknown, file: string): WorldSpec {
  const result = worldSchema.safeParse(world)
  if (!result.success) {
    const findings = result.error.issues.map((issue) => `${place(issue.path)}: ${issue.message}`)
    throw new WorldFileError(file, findings)
  }
  const findings = checkNames(result.data)
  if (findings.length > 0) throw new WorldFileError(file, findings)
  return result.data
}

/** Makes the world that `spec` describes, at its epoch as `clock` has it. Key pairs are new each time, unless `makeKey` says otherwise. */
export function makeWorld(spec: WorldSpec, clock: WorldClock, makeKey: MakeSshKey = makeSshKey): World {
  const world = new World(spec, clock, makeKey)
  for (const [name, value] of Object.entries(spec.env)) {
    if (typeof value !== 'string' && 'sshKey' in value) world.keys.set(name, makeKey(name))
  }
  populate(world)
  world.started = true
  return world
}

function place(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return text === '' ? 'the file' : text.replace(/^\./, '')
}

/** Everything that one part of a world file says of another. */
function checkNames(spec: WorldSpec): string[] {
  const groups = new Set(spec.groups.map((group) => group.name.toLowerCase()))
  const machines = new Set<string>()
  const disks = new Map<string, number>()
  const findings: string[] = []
  spec.resources.forEach((resource, at) => {
    const id = parseId(resource.id)
    if (!id) return void findings.push(`resources[${at}]: ${resource.id} is no resource id`)
    if (!groups.has(id.group.toLowerCase())) findings.push(`resources[${at}]: group ${id.group} is not among groups`)
    if (!sameId(id.subscription, spec.subscription)) findings.push(`resources[${at}]: ${resource.id} is of another subscription`)
    if (/virtualMachines$/i.test(id.type)) machines.add(resource.id.toLowerCase())
    if (/\/disks$/i.test(id.type)) disks.set(id.name, (disks.get(id.name) ?? 0) + 1)
  })
  for (const image of spec.preparedImages) {
    const id = parseId(image)
    if (!/^Microsoft\.Compute\/(images|galleries\/images\/versions)$/i.test(id?.type ?? '')) findings.push(`preparedImages: ${image} is no id of an image`)
    else if (!groups.has(id?.group.toLowerCase() ?? '')) findings.push(`preparedImages: group ${id?.group ?? ''} is not among groups`)
  }
  spec.hosts.forEach((host, at) => {
    if (!machines.has(host.machine.toLowerCase())) findings.push(`hosts[${at}]: no such machine: ${host.machine}`)
    for (const key of host.authorizedKeys) {
      const value = spec.env[key]
      if (typeof value !== 'object' || !('sshKey' in value)) findings.push(`hosts[${at}]: env ${key} is not { sshKey: true }`)
    }
  })
  spec.pools.forEach((pool) => {
    for (const disk of pool.disks) {
      const count = disks.get(disk) ?? 0
      if (count !== 1) findings.push(`pool ${pool.name}: ${count === 0 ? 'no' : 'more than one'} disk is named ${disk}`)
    }
    if (pool.importedOn !== undefined && !machines.has(pool.importedOn.toLowerCase())) {
      findings.push(`pool ${pool.name}: importedOn is no machine: ${pool.importedOn}`)
    }
  })
  return [...findings, ...checkRest(spec, machines, groups)]
}

function checkRest(spec: WorldSpec, machines: ReadonlySet<string>, groups: ReadonlySet<string>): string[] {
  const findings = Object.keys(spec.durations).flatMap((what) => (timed.includes(what) ? [] : [`durations: a world does nothing that is called ${what}`]))
  const datasets = new Set(spec.pools.flatMap((pool) => pool.datasets.map((dataset) => dataset.name)))
  for (const zone of spec.zones) {
    const id = parseId(zone.id)
    if (!id || !/dnszones$/i.test(id.type)) findings.push(`zones: ${zone.id} is no id of a DNS zone`)
    else if (!groups.has(id.group.toLowerCase())) findings.push(`zone ${id.name}: group ${id.group} is not among groups`)
  }
  for (const cluster of spec.deadApiServers) {
    if (!spec.resources.some((resource) => sameId(resource.id, cluster))) {
      findings.push(`deadApiServers: no such cluster: ${cluster}`)
    }
  }
  for (const hub of spec.hubs) {
    if (!datasets.has(hub.dataset)) findings.push(`hub ${hub.host}: no pool has a dataset ${hub.dataset}`)
    if (hub.serving && !machines.has(hub.serving.machine.toLowerCase())) {
      findings.push(`hub ${hub.host}: no such machine: ${hub.serving.machine}`)
    }
    const { balancer } = hub.serving ?? {}
    if (balancer !== undefined && !spec.resources.some((resource) => sameId(resource.id, balancer))) {
      findings.push(`hub ${hub.host}: no such load balancer: ${balancer}`)
    }
  }
  return findings
}
