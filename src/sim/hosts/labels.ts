import type { Host, Pool } from '../world/model.js'
import type { World } from '../world/world.js'
import { devicesOfPool } from './disks.js'

/** What ZFS writes on every disk of a pool that is there: who has it, and whether they have let it go. */
export interface Label {
  readonly hostId?: string
  readonly exported: boolean
}

const seenBy = (world: World, host: Host, pool: Pool): string[] => devicesOfPool(world, host, pool).map(({ uniqueId }) => uniqueId)

/** What the disks that this machine sees make of the pool. */
export function stateHere(world: World, host: Host, pool: Pool): 'ONLINE' | 'DEGRADED' | 'UNAVAIL' {
  const seen = seenBy(world, host, pool).length
  if (seen === pool.disks.length) return pool.health === 'DEGRADED' ? 'DEGRADED' : 'ONLINE'
  return pool.layout === 'mirror' && seen > 0 ? 'DEGRADED' : 'UNAVAIL'
}

/** What they say of who has it: a half that was left behind knows nothing of what has become of the other. */
export function labelHere(world: World, host: Host, pool: Pool): Label {
  const seen = seenBy(world, host, pool)
  const behind = pool.behind ?? new Map<string, Label>()
  const newest = seen.find((disk) => !behind.has(disk)) ?? seen[0] ?? ''
  return behind.get(newest) ?? { exported: pool.exported, ...(pool.lastHostId === undefined ? {} : { hostId: pool.lastHostId }) }
}

/** An import: this host's name goes to the disks that it sees, the others keep what they have. */
export function takeIn(world: World, host: Host, pool: Pool): void {
  const state = stateHere(world, host, pool)
  const seen = seenBy(world, host, pool)
  const before = pool.behind ?? new Map<string, Label>()
  const last: Label = { exported: pool.exported, ...(pool.lastHostId === undefined ? {} : { hostId: pool.lastHostId }) }
  pool.behind = new Map(pool.disks.filter((disk) => !seen.includes(disk)).map((disk) => [disk, before.get(disk) ?? last]))
  pool.importedOn.push(host.machine)
  pool.exported = false
  pool.lastHostId = host.hostId
  pool.health = state === 'DEGRADED' ? 'DEGRADED' : 'ONLINE'
}
