import { balancerType, linkAddresses } from '../world/balancers.js'
import { gatewayType } from '../world/egress.js'
import { sameId, within } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { nodeGroupOf } from './node-group.js'

const lower = (type: string): string => type.toLowerCase()

export function resourcesIn(world: World, group: string): Resource[] {
  const scope = world.group(group)?.id
  return scope === undefined ? [] : [...world.resources.values()].filter((resource) => within(resource.id, scope))
}

/** What is left of a resource whose deletion has failed. */
export function stays(resource: Resource): void {
  resource.properties['provisioningState'] = 'Failed'
}

/** Refuses what Azure refuses to delete because something else still uses it. */
export function assertDeletable(world: World, resource: Resource): void {
  const users = usersOf(world, resource)
  if (users.length === 0) return
  const [first = ''] = users
  if (lower(resource.type) === 'microsoft.compute/disks') {
    throw new WorldError(409, 'OperationNotAllowed', `Disk ${resource.name} is attached to VM ${first}.`)
  }
  const code = lower(resource.type) === 'microsoft.network/networkinterfaces' ? 'NicInUse' : 'InUseResourceCannotBeDeleted'
  throw new WorldError(400, code, `${resource.id} is used by existing resource ${first} and cannot be deleted.`)
}

/** A group can go unless something outside it uses what is inside. */
export function assertGroupDeletable(world: World, group: string): void {
  const scope = world.group(group)?.id ?? ''
  for (const resource of resourcesIn(world, group)) {
    const outside = usersOf(world, resource).find((user) => !within(user, scope))
    if (outside !== undefined) {
      const message = `Deletion of resource group '${group}' failed: ${resource.id} is used by ${outside}.`
      throw new WorldError(409, 'ResourceGroupDeletionBlocked', message)
    }
  }
}

function usersOf(world: World, resource: Resource): string[] {
  const type = lower(resource.type)
  if (type === 'microsoft.compute/disks') return resource.managedBy === undefined ? [] : [resource.managedBy]
  if (type === 'microsoft.network/networkinterfaces') {
    const machine = resource.properties['virtualMachine'] as { id?: string } | undefined
    return machine?.id === undefined ? [] : [machine.id]
  }
  const using = (kind: string, user: string): string[] =>
    world.ofType(kind).filter((one) => mentions(one.properties, resource.id)).map((one) => (user === '' ? one.id : user))
  if (type === 'microsoft.network/virtualnetworks') {
    return [...using('Microsoft.Network/networkInterfaces', ''), ...using('Microsoft.ContainerService/managedClusters', '')]
  }
  if (type === 'microsoft.network/networksecuritygroups') {
    return [...using('Microsoft.Network/virtualNetworks', ''), ...using('Microsoft.Network/networkInterfaces', '')]
  }
  if (type === 'microsoft.network/publicipaddresses') {
    return [...using('Microsoft.Network/networkInterfaces', ''), ...using(balancerType, ''), ...using(gatewayType, '')]
  }
  if (type === gatewayType.toLowerCase()) return using('Microsoft.Network/virtualNetworks', '')
  return []
}

/** Does `value` hold the id of `target`, or of something inside it? */
export function mentions(value: unknown, target: string): boolean {
  if (typeof value === 'string') return within(value, target)
  if (Array.isArray(value)) return value.some((one) => mentions(one, target))
  if (typeof value === 'object' && value !== null) return Object.values(value).some((one) => mentions(one, target))
  return false
}

/** Takes a resource away, with what hangs on it. Records what it costs: a pool whose disk is deleted is data lost. */
export function removeResource(world: World, resource: Resource): void {
  const type = lower(resource.type)
  if (type === 'microsoft.compute/disks') noteDiskLoss(world, resource)
  if (type === 'microsoft.compute/virtualmachines') releaseMachine(world, resource)
  if (type === 'microsoft.network/dnszones') dropZone(world, resource.name)
  world.remove(resource.id)
  world.endOperationsOn(resource.id)
  if ([balancerType, gatewayType].some((one) => one.toLowerCase() === type)) linkAddresses(world)
  for (const child of [...world.resources.values()]) if (within(child.id, resource.id)) world.remove(child.id)
  if (type === 'microsoft.containerservice/managedclusters') {
    const nodes = nodeGroupOf(world, resource)
    if (nodes) removeGroup(world, nodes.name)
    for (const listener of world.onClusterGone) listener(resource)
  }
}

/** Takes a group away with everything in it, node groups of its clusters included. */
export function removeGroup(world: World, name: string): void {
  const order = ['microsoft.containerservice/managedclusters', 'microsoft.compute/virtualmachines']
  const rank = (resource: Resource): number => (order.indexOf(lower(resource.type)) + 3) % 3
  const doomed = resourcesIn(world, name).sort((one, other) => rank(one) - rank(other))
  for (const resource of doomed) if (world.resource(resource.id)) removeResource(world, resource)
  world.groups.delete(name.toLowerCase())
  world.changed()
}

function noteDiskLoss(world: World, disk: Resource): void {
  const pool = world.pools.find((one) => one.disks.includes(String(disk.properties['uniqueId'])))
  if (pool) world.violation(`disk ${disk.id} was deleted, and with it its part of pool ${pool.name}`)
}

function releaseMachine(world: World, machine: Resource): void {
  for (const pool of world.pools.filter((one) => one.importedOn.some((id) => sameId(id, machine.id)))) {
    world.violation(`machine ${machine.id} was deleted while pool ${pool.name} was imported on it`)
    pool.importedOn = pool.importedOn.filter((id) => !sameId(id, machine.id))
  }
  for (const disk of world.ofType('Microsoft.Compute/disks')) {
    if (disk.managedBy === undefined || !sameId(disk.managedBy, machine.id)) continue
    delete disk.managedBy
    disk.properties['diskState'] = 'Unattached'
  }
  for (const nic of world.ofType('Microsoft.Network/networkInterfaces')) {
    const user = nic.properties['virtualMachine'] as { id?: string } | undefined
    if (user?.id !== undefined && sameId(user.id, machine.id)) delete nic.properties['virtualMachine']
  }
}

function dropZone(world: World, zone: string): void {
  for (let at = world.recordSets.length - 1; at >= 0; at -= 1) {
    const set = world.recordSets[at]
    if (set?.zone.toLowerCase() === zone.toLowerCase()) world.recordSets.splice(at, 1)
  }
  for (const told of [world.published, world.publishedAhead]) {
    for (const key of [...told.keys()]) if (key.startsWith(`${zone.toLowerCase()}/`)) told.delete(key)
  }
}
