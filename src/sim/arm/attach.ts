import { sameId } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type DataDiskEntry, dataDisksOf, type World, WorldError } from '../world/world.js'
import { sizeOf } from './capacity.js'
import { assertNotMoving } from './locks.js'
import { dataDiskLimit, takesPremium } from './sizes.js'
import { record, textOf } from './wire.js'

/** One disk that is to be attached; without a LUN it gets the first free one. */
export interface AttachWish {
  readonly diskId: string
  readonly lun?: number
  readonly caching?: string
}

/** What a change of a machine's disks will come to, once checked. */
export interface DiskChange {
  readonly attach: readonly DataDiskEntry[]
  readonly detach: readonly DataDiskEntry[]
}

const refused = (message: string, status = 409, code = 'OperationNotAllowed'): WorldError => new WorldError(status, code, message)

/** Checks a wish against everything Azure checks before it starts. Throws a WorldError. */
export function planDiskChange(
  world: World,
  machine: Resource,
  attach: readonly AttachWish[],
  detachIds: readonly string[],
): DiskChange {
  const detach = detachIds.map((id) => {
    const entry = dataDisksOf(machine).find((one) => sameId(one.managedDisk.id, id))
    if (!entry) throw refused(`Disk ${id} is not attached to VM ${machine.name}.`, 400, 'InvalidParameter')
    assertNotMoving(world, id)
    return entry
  })
  const stays = dataDisksOf(machine).filter((one) => !detach.includes(one))
  const added: DataDiskEntry[] = []
  for (const wish of attach) added.push(planAttach(world, machine, wish, [...stays, ...added]))
  const limit = dataDiskLimit(sizeOf(machine))
  if (stays.length + added.length > limit) {
    throw refused(`The maximum number of data disks allowed to be attached to a VM of this size is ${limit}.`)
  }
  return { attach: added, detach }
}

function planAttach(world: World, machine: Resource, wish: AttachWish, others: readonly DataDiskEntry[]): DataDiskEntry {
  const disk = world.resource(wish.diskId)
  if (!disk || disk.type.toLowerCase() !== 'microsoft.compute/disks') {
    throw refused(`Disk ${wish.diskId} is not found.`, 404, 'ResourceNotFound')
  }
  assertNotMoving(world, disk.id)
  if (disk.managedBy !== undefined) {
    throw refused(`Disk '${disk.name}' cannot be attached as the disk is already owned by VM '${disk.managedBy}'.`)
  }
  if (disk.location !== machine.location) {
    throw refused(`Disk ${disk.name} is in ${disk.location} and cannot be attached to a VM in ${machine.location}.`, 400, 'BadRequest')
  }
  assertZones(machine, disk)
  const sku = textOf(record(disk.sku)['name']) ?? ''
  if (sku.startsWith('Premium') && !takesPremium(sizeOf(machine))) {
    throw refused(`Requested operation cannot be performed because VM size ${sizeOf(machine)} does not support the storage account type ${sku} of disk '${disk.name}'.`)
  }
  const lun = wish.lun ?? firstFreeLun(others)
  if (!Number.isInteger(lun) || lun < 0 || lun > 63) throw refused(`LUN ${lun} is not valid.`, 400, 'InvalidParameter')
  const holder = others.find((one) => one.lun === lun)
  if (holder) throw refused(`Cannot attach data disk '${disk.name}': LUN ${lun} is in use by '${holder.name}'.`, 409, 'ConflictingUserInput')
  return { lun, name: disk.name, createOption: 'Attach', caching: wish.caching ?? 'None', managedDisk: { id: disk.id } }
}

/** A zonal disk goes to a machine of its zone only, a regional one to a machine without zone; ZRS goes anywhere. */
function assertZones(machine: Resource, disk: Resource): void {
  if ((textOf(record(disk.sku)['name']) ?? '').endsWith('ZRS')) return
  const own = machine.zones?.[0]
  const needed = disk.zones?.[0]
  if (own === needed) return
  const where = (zone: string | undefined): string => (zone === undefined ? 'no zone' : `zone ${zone}`)
  throw refused(`Disk ${disk.name} is in ${where(needed)} and cannot be attached to VM ${machine.name}, which is in ${where(own)}.`, 400, 'BadRequest')
}

function firstFreeLun(others: readonly DataDiskEntry[]): number {
  let lun = 0
  while (others.some((one) => one.lun === lun)) lun += 1
  return lun
}

/** Marks what is about to happen, so that nobody else can take the disks meanwhile. */
export function beginDiskChange(world: World, machine: Resource, change: DiskChange): void {
  for (const entry of change.attach) {
    const disk = world.resource(entry.managedDisk.id)
    if (disk) disk.managedBy = machine.id
  }
  for (const entry of change.detach) Object.assign(entry, { toBeDetached: true })
  world.changed()
}

/** Puts everything back where a change has failed. */
export function abandonDiskChange(world: World, change: DiskChange): void {
  for (const entry of change.attach) delete world.resource(entry.managedDisk.id)?.managedBy
  for (const entry of change.detach) delete (entry as { toBeDetached?: boolean }).toBeDetached
}

/** Makes the change; records what must never happen to a pool's disks. */
export function finishDiskChange(world: World, machine: Resource, change: DiskChange): void {
  const gone = new Set(change.detach.map((one) => one.managedDisk.id.toLowerCase()))
  const stays = dataDisksOf(machine).filter((one) => !gone.has(one.managedDisk.id.toLowerCase()))
  const profile = record(machine.properties['storageProfile'])
  machine.properties['storageProfile'] = { ...profile, dataDisks: [...stays, ...change.attach] }
  for (const entry of change.detach) {
    const disk = world.resource(entry.managedDisk.id)
    if (disk) detached(world, machine, disk)
  }
  for (const entry of change.attach) {
    const disk = world.resource(entry.managedDisk.id)
    if (disk) attached(world, machine, disk)
  }
}

function detached(world: World, machine: Resource, disk: Resource): void {
  delete disk.managedBy
  disk.properties['diskState'] = 'Unattached'
  const pool = poolOf(world, disk)
  if (!pool?.importedOn.some((id) => sameId(id, machine.id))) return
  world.violation(`disk ${disk.id} was detached from ${machine.id} while pool ${pool.name} was imported there`)
  const left = pool.disks.some((unique) => dataDisksOf(machine).some((one) => world.resource(one.managedDisk.id)?.properties['uniqueId'] === unique))
  pool.health = pool.layout === 'mirror' && left ? 'DEGRADED' : 'FAULTED'
}

function attached(world: World, machine: Resource, disk: Resource): void {
  disk.managedBy = machine.id
  disk.properties['diskState'] = world.host(machine.id)?.power === 'deallocated' ? 'Reserved' : 'Attached'
  const pool = poolOf(world, disk)
  const elsewhere = pool?.importedOn.find((id) => !sameId(id, machine.id))
  if (pool && elsewhere !== undefined) {
    world.violation(`disk ${disk.id} was attached to ${machine.id} while pool ${pool.name} was still imported on ${elsewhere}`)
  }
}

function poolOf(world: World, disk: Resource): World['pools'][number] | undefined {
  return world.pools.find((pool) => pool.disks.includes(String(disk.properties['uniqueId'])))
}
