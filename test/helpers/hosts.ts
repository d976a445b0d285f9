import { makeSshKey } from '../../src/sim/world/keys.js'
import { makeWorld, readWorldSpec } from '../../src/sim/world/load.js'
import type { WorldClock } from '../../src/sim/world/clock.js'
import type { Host, Pool } from '../../src/sim/world/model.js'
import { dataDisksOf, type World } from '../../src/sim/world/world.js'
import { data100World } from './world.js'

const spec = await readWorldSpec(data100World)
export const guid = '9464217329115420731'
export const newNetwork = spec.jumpHosts[1]?.network ?? ''

export const only = <T>(items: Iterable<T>): T => {
  for (const item of items) return item
  throw new TypeError('nothing there')
}

/** The world of data100 with a clock of the test's, and nothing of it served. */
export function makeData100(clockAt: (epochMs: number) => WorldClock): World {
  const own = structuredClone(spec)
  return makeWorld(own, clockAt(Date.parse(own.epoch)))
}

/** A second machine with the address of the first one in the new network; up, ready, without disks. */
export function addSecond(world: World, change: Partial<Host> = {}): Host {
  const first = only(world.hosts.values())
  const old = world.resource(first.machine)
  if (!old) throw new TypeError('no machine')
  const id = old.id.replace(/resourceGroups\/[^/]+/, 'resourceGroups/data100-storage').replace(/nfsserver$/, 'nfs2')
  world.put({ ...structuredClone(old), id, name: 'nfs2', properties: { ...structuredClone(old.properties), storageProfile: { dataDisks: [] } } })
  const host: Host = {
    ...first,
    machine: id,
    network: newNetwork,
    hostId: 'beef0001',
    hostKey: makeSshKey('root@nfs2'),
    services: { nfs: false },
    exports: [],
    files: new Map(),
    running: new Map(),
    locks: new Map(),
    ...change,
  }
  world.hosts.set(id.toLowerCase(), host)
  return host
}

/** Puts disks of the first machine to the second one, as far as machines' profiles say. */
export function moveDisks(world: World, from: Host, to: Host, count = 2): void {
  const [source, target] = [world.resource(from.machine), world.resource(to.machine)]
  if (!source || !target) throw new TypeError('no machine')
  const disks = dataDisksOf(source)
  const profile = (machine: typeof source): { dataDisks: unknown[] } => machine.properties['storageProfile'] as { dataDisks: unknown[] }
  profile(target).dataDisks = disks.slice(0, count)
  profile(source).dataDisks = disks.slice(count)
}

/** The world's end of a machine that is switched off, as the resource manager does it. */
export function switchOff(host: Host, pool: Pool): void {
  host.power = 'deallocated'
  host.running.clear()
  for (const lock of host.locks.values()) Object.assign(lock, { held: false, sharers: 0 })
  host.services.nfs = false
  pool.importedOn = pool.importedOn.filter((id) => id !== host.machine)
  for (const dataset of pool.datasets) dataset.mounted = false
}

