import { sameId } from '../world/ids.js'
import type { Host, Pool } from '../world/model.js'
import type { World } from '../world/world.js'
import { poolsImportedOn } from './disks.js'
import { unknownOf } from './features.js'
import { folderMark, seedFiles } from './files.js'
import { labelHere, stateHere, takeIn } from './labels.js'
import { isNfsEnabled, startNfs } from './nfs.js'
import { isImportEnabled, remembers } from './pool-cache.js'
import { mounts } from './zfs-mount.js'

/** What goes on when a system goes down, however it does: nothing is exported, and mountpoints are folders of its own disk from now on. */
export function goDown(world: World, host: Host): void {
  seedFiles(world, host)
  host.services.nfs = false
  host.exports = []
  for (const pool of world.pools) {
    if (!pool.importedOn.some((id) => sameId(id, host.machine))) continue
    pool.importedOn = pool.importedOn.filter((id) => !sameId(id, host.machine))
    for (const dataset of pool.datasets) {
      if (dataset.mounted && dataset.mountpoint.startsWith('/')) host.files.set(folderMark(dataset.mountpoint), '')
      // The world knows of one mount: where the pool is on two hosts, which it has noted, it is the other's from now on.
      if (pool.importedOn.length === 0) dataset.mounted = false
    }
  }
}

/**
 * What a system does by itself when it comes up: first the pools of its cache file, if it can import them and their disks say that nobody
 * else has had them since (openzfs #15290), then the NFS server with what its files say. Half a mirror is enough.
 */
export function comeUp(world: World, host: Host): void {
  seedFiles(world, host)
  for (const pool of isImportEnabled(host) ? world.pools : []) {
    if (!remembers(host, pool) || !canImport(world, host, pool)) continue
    takeIn(world, host, pool)
    pool.readOnly = false
    if (pool.importedOn.length > 1) world.violation(`pool ${pool.name} is imported on ${pool.importedOn.join(' and ')} at once`)
    for (const dataset of pool.datasets) if (mounts(dataset)) dataset.mounted = true
  }
  if (isNfsEnabled(host) && Number.isFinite(host.readyFromMs)) startNfs({ world, host })
}

function canImport(world: World, host: Host, pool: Pool): boolean {
  if (stateHere(world, host, pool) === 'UNAVAIL' || pool.damage !== undefined || unknownOf(world, host, pool).length > 0) return false
  const { exported, hostId } = labelHere(world, host, pool)
  return !exported && hostId === host.hostId && !poolsImportedOn(world, host).some(({ name }) => name === pool.name)
}
