import { sameId } from '../world/ids.js'
import type { Host, Pool } from '../world/model.js'
import { dataDisksOf, type World } from '../world/world.js'

/** A data disk as the machine's kernel sees it. */
export interface Device {
  /** `sdc`: may differ after the next boot. */
  readonly kernel: string
  /** Azure's stable name: `lun0` in /dev/disk/azure/scsi1. */
  readonly stable: string
  readonly lun: number
  readonly uniqueId: string
  readonly sizeBytes: number
}

/** The stable names of data disks, made by the Azure agent's udev rules. */
export const stableFolder = '/dev/disk/azure/scsi1'

/** The data disks attached to this very machine, by LUN. sda is the system's disk, sdb the temporary one. */
export function devicesOf(world: World, host: Host): Device[] {
  const machine = world.resource(host.machine)
  if (!machine) return []
  const entries = [...dataDisksOf(machine)].sort((a, b) => a.lun - b.lun)
  return entries.flatMap((entry, at) => {
    const disk = world.resource(entry.managedDisk.id)
    if (!disk) return []
    return {
      kernel: `sd${String.fromCharCode(99 + at)}`,
      stable: `lun${entry.lun}`,
      lun: entry.lun,
      uniqueId: String(disk.properties['uniqueId']),
      sizeBytes: Number(disk.properties['diskSizeGB'] ?? 0) * 1024 ** 3,
    }
  })
}

/** The pool's devices that this machine sees. */
export function devicesOfPool(world: World, host: Host, pool: Pool): Device[] {
  return devicesOf(world, host).filter((device) => pool.disks.includes(device.uniqueId))
}

export function isImportedHere(pool: Pool, host: Host): boolean {
  return pool.importedOn.some((id) => sameId(id, host.machine))
}

export function poolsImportedOn(world: World, host: Host): Pool[] {
  return world.pools.filter((pool) => isImportedHere(pool, host))
}

/** What a pool is here and now: one that has lost too many of its disks under way can neither be read nor written. */
export function stateOf(world: World, host: Host, pool: Pool): Pool['health'] | 'SUSPENDED' {
  const there = devicesOfPool(world, host, pool).length
  const isSuspended = pool.layout === 'mirror' ? there === 0 : there < pool.disks.length
  return isSuspended ? 'SUSPENDED' : pool.health
}
