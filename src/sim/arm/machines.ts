import { sameId, within } from '../world/ids.js'
import type { Host, Resource } from '../world/model.js'
import { dataDisksOf, type World, WorldError } from '../world/world.js'
import { onlyReads } from '../world/shell.js'
import { abandonDiskChange, beginDiskChange, finishDiskChange, planDiskChange } from './attach.js'
import { instanceView, machineBody } from './bodies-machine.js'
import { assertIdle, existing } from './generic.js'
import { bootHost, haltHost } from './hosts.js'
import { putMachine, updateMachine } from './machine-put.js'
import { removeResource, stays } from './remove.js'
import { runCommand, scriptOf } from './run-command.js'
import { list, ok, record, records, tagsOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

const type = 'Microsoft.Compute/virtualMachines'
const namespace = 'Microsoft.Compute'
const inGroup = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${type}`
const one = `${inGroup}/{machine}`

/** Virtual machines: make, read, change, stop, start, delete, attach and detach disks, run a script. */
export const machineRoutes: readonly Route[] = [
  {
    method: 'GET',
    pattern: `/subscriptions/{subscription}/providers/${type}`,
    handle: ({ world }) => list(world.ofType(type).map((machine) => machineBody(world, machine))),
  },
  { method: 'GET', pattern: inGroup, handle: listInGroup },
  { method: 'GET', pattern: one, handle: getMachine },
  { method: 'PUT', pattern: one, handle: putMachine },
  { method: 'PATCH', pattern: one, handle: patchMachine },
  { method: 'DELETE', pattern: one, handle: deleteMachine },
  { method: 'GET', pattern: `${one}/instanceView`, handle: (request) => ok(instanceView(request.world, machineOf(request))) },
  { method: 'POST', pattern: `${one}/attachDetachDataDisks`, handle: attachDetach },
  { method: 'POST', pattern: `${one}/deallocate`, handle: (request) => stop(request, 'deallocate') },
  { method: 'POST', pattern: `${one}/powerOff`, handle: (request) => stop(request, 'power off') },
  { method: 'POST', pattern: `${one}/start`, handle: start },
  {
    method: 'POST',
    pattern: `${one}/runCommand`,
    writes: (request) => !onlyReads(scriptOf(request.body)),
    refusedLikeWrite: 'locked-or-disabled',
    // A move holds resources, not what goes on inside a machine (A135).
    inLockedGroup: true,
    handle: (request) => runCommand(request, machineOf(request)),
  },
]

function machineOf({ world, path }: ArmRequest): Resource {
  return existing(world, path.split('/').slice(0, 9).join('/'))
}

/** A machine whose making has failed has none, and can only be made anew or deleted (A128). */
function instanceOf(world: World, machine: Resource): Host {
  const host = world.host(machine.id)
  if (!host) throw new WorldError(409, 'OperationNotAllowed', `Machine ${machine.name} has no instance.`)
  return host
}

function listInGroup({ world, params }: ArmRequest): ArmAnswer {
  const scope = world.group(params['group'] ?? '')?.id ?? ''
  return list(world.ofType(type).filter((machine) => within(machine.id, scope)).map((machine) => machineBody(world, machine)))
}

function getMachine(request: ArmRequest): ArmAnswer {
  const expand = (request.query.get('$expand') ?? '').toLowerCase().includes('instanceview')
  return ok(machineBody(request.world, machineOf(request), expand))
}

function patchMachine(request: ArmRequest): ArmAnswer {
  const machine = machineOf(request)
  const properties = record(request.body['properties'])
  if (Object.keys(properties).length > 0) {
    assertIdle(request.world, machine.id)
    return updateMachine(request, machine)
  }
  if (request.body['tags'] !== undefined) machine.tags = tagsOf(request.body['tags'])
  request.world.changed()
  return ok(machineBody(request.world, machine))
}

function deleteMachine(request: ArmRequest): ArmAnswer {
  const { world, arm } = request
  const machine = world.resource(request.path)
  if (!machine) return { status: 204 }
  machine.properties['provisioningState'] = 'Deleting'
  const host = world.host(machine.id)
  if (host) host.power = 'stopping'
  const gone = (): void => {
    const companions = deletedWith(machine)
    removeResource(world, machine)
    for (const id of companions) {
      const companion = world.resource(id)
      if (companion) removeResource(world, companion)
    }
  }
  const operation = world.begin('vm delete', machine.id, world.durationOf('vm delete'), gone, () => stays(machine))
  return { status: 202, headers: arm.operations.track({ operation, namespace }, ['async', 'location']) }
}

/** Ids of what has `deleteOption: Delete`. */
function deletedWith(machine: Resource): string[] {
  const storage = record(machine.properties['storageProfile'])
  const disks = [record(storage['osDisk']), ...records(storage['dataDisks'])]
    .filter((disk) => disk['deleteOption'] === 'Delete')
    .map((disk) => record(disk['managedDisk']))
  const nics = records(record(machine.properties['networkProfile'])['networkInterfaces']).filter(
    (nic) => record(nic['properties'])['deleteOption'] === 'Delete',
  )
  return [...disks, ...nics].flatMap((each) => textOf(each['id']) ?? [])
}

function attachDetach(request: ArmRequest): ArmAnswer {
  const { world, body, arm } = request
  const machine = machineOf(request)
  const toDetach = records(body['dataDisksToDetach'])
  const force = toDetach.length > 0 && toDetach.every((each) => each['detachOption'] === 'ForceDetach')
  if (force) cancelDetach(request, machine)
  assertIdle(world, machine.id)
  instanceOf(world, machine)
  const attach = records(body['dataDisksToAttach']).map((each) => {
    const caching = textOf(each['caching'])
    return {
      diskId: textOf(each['diskId']) ?? '',
      ...(typeof each['lun'] === 'number' ? { lun: each['lun'] } : {}),
      ...(caching === undefined ? {} : { caching }),
    }
  })
  const detach = toDetach.map((each) => textOf(each['diskId']) ?? '')
  if (attach.length + detach.length === 0) {
    throw new WorldError(400, 'InvalidParameter', 'Neither dataDisksToAttach nor dataDisksToDetach names a disk.')
  }
  const change = planDiskChange(world, machine, attach, detach)
  machine.properties['provisioningState'] = 'Updating'
  beginDiskChange(world, machine, change)
  const what = detach.length > 0 ? 'detach' : 'attach'
  const durationMs = (detach.length > 0 ? world.durationOf('detach') : 0) + (attach.length > 0 ? world.durationOf('attach') : 0)
  const operation = world.begin(
    what,
    machine.id,
    durationMs,
    () => {
      finishDiskChange(world, machine, change)
      machine.properties['provisioningState'] = 'Succeeded'
    },
    () => {
      abandonDiskChange(world, change)
      machine.properties['provisioningState'] = 'Failed'
    },
    [...change.attach, ...change.detach].map((entry) => entry.managedDisk.id),
  )
  const result = (): unknown => record(machineBody(world, machine)['properties'])['storageProfile']
  return { status: 202, headers: arm.operations.track({ operation, namespace, result }, ['async', 'location']) }
}

/**
 * `ForceDetach` is the way out of a detach that does not end: it takes its place. The disks are still the machine's own then, and can be
 * detached anew; what the same change was attaching is not, and is free for others.
 */
function cancelDetach({ world }: ArmRequest, machine: Resource): void {
  const canceled = world.operations.filter((one) => one.status === 'running' && one.what === 'detach' && one.resource === machine.id)
  for (const one of canceled) {
    one.status = 'canceled'
    for (const id of one.also ?? []) {
      if (!dataDisksOf(machine).some(({ managedDisk }) => sameId(managedDisk.id, id))) delete world.resource(id)?.managedBy
    }
  }
  if (canceled.length === 0) return
  for (const entry of dataDisksOf(machine)) delete (entry as { toBeDetached?: boolean }).toBeDetached
  machine.properties['provisioningState'] = 'Succeeded'
}

/** How the last operation went. A change that still goes on says so itself when it ends. */
function settleAfterPower({ properties }: Resource, state: 'Succeeded' | 'Failed'): void {
  if (/^(Succeeded|Failed)$/.test(String(properties['provisioningState']))) properties['provisioningState'] = state
}

function stop(request: ArmRequest, what: 'deallocate' | 'power off'): ArmAnswer {
  const { world, arm } = request
  const machine = machineOf(request)
  const host = instanceOf(world, machine)
  const before = host.power
  host.power = what === 'deallocate' ? 'deallocating' : 'stopping'
  world.changed()
  const finish = (): void => {
    haltHost(world, host)
    host.power = what === 'deallocate' ? 'deallocated' : 'stopped'
    // It gives up what it was detaching. Any other change goes on, and says itself how it ends.
    if (what === 'deallocate') cancelDetach(request, machine)
    setDisks(request, machine, what === 'deallocate' ? 'Reserved' : 'Attached')
    settleAfterPower(machine, 'Succeeded')
  }
  const failed = (): void => {
    host.power = before
    settleAfterPower(machine, 'Failed')
  }
  const operation = world.begin(what, machine.id, world.durationOf(what), finish, failed)
  return { status: 202, headers: arm.operations.track({ operation, namespace, endsEmpty: true }, ['async', 'location']) }
}

function start(request: ArmRequest): ArmAnswer {
  const { world, arm } = request
  const machine = machineOf(request)
  assertIdle(world, machine.id)
  const host = instanceOf(world, machine)
  const before = host.power
  const alreadyUp = before === 'running'
  if (!alreadyUp) host.power = 'starting'
  const finish = (): void => {
    host.power = 'running'
    if (!alreadyUp) bootHost(world, host)
    setDisks(request, machine, 'Attached')
    settleAfterPower(machine, 'Succeeded')
  }
  const failed = (): void => {
    host.power = before
    settleAfterPower(machine, 'Failed')
  }
  const operation = world.begin('start', machine.id, alreadyUp ? 1000 : world.durationOf('start'), finish, failed)
  return { status: 202, headers: arm.operations.track({ operation, namespace, endsEmpty: true }, ['async', 'location']) }
}

function setDisks({ world }: ArmRequest, machine: Resource, state: string): void {
  for (const disk of world.ofType('Microsoft.Compute/disks')) {
    if (disk.managedBy?.toLowerCase() === machine.id.toLowerCase()) disk.properties['diskState'] = state
  }
}
