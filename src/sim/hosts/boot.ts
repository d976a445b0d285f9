import { sameId } from '../world/ids.js'
import type { Host } from '../world/model.js'
import { dataDisksOf, type World } from '../world/world.js'
import { folderMark, seedFiles } from './files.js'
import { isNfsEnabled, startNfs } from './nfs.js'
import { isImportEnabled, remembers } from './pool-cache.js'

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
      dataset.mounted = false
    }
  }
}

/**
 * What a system does by itself when it comes up: first the pools of its cache file, if their disks are there and nobody else has had them
 * since (openzfs #15290), then the NFS server with what its files say.
 */
export function comeUp(world: World, host: Host): void {
  seedFiles(world, host)
  const machine = world.resource(host.machine)
  const attached = machine ? dataDisksOf(machine).map((disk) => world.resource(disk.managedDisk.id)?.properties['uniqueId']) : []
  for (const pool of isImportEnabled(host) ? world.pools : []) {
    if (!remembers(host, pool) || pool.exported || pool.lastHostId !== host.hostId) continue
    if (!pool.disks.every((disk) => attached.includes(disk))) continue
    pool.importedOn.push(host.machine)
    if (pool.importedOn.length > 1) world.violation(`pool ${pool.name} is imported on ${pool.importedOn.join(' and ')} at once`)
    for (const dataset of pool.datasets) dataset.mounted = true
  }
  if (isNfsEnabled(host) && Number.isFinite(host.readyFromMs)) startNfs({ world, host })
}
