import { parseId, sameId, within } from '../world/ids.js'
import type { Group, Operation, Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { assertMovable } from './locks.js'
import { mentions, resourcesIn } from './remove.js'
import { record, textOf, type ArmAnswer, type ArmRequest } from './wire.js'

/** Types that move, among those the world keeps. Clusters never do. */
const movable = new Set([
  'microsoft.compute/disks',
  'microsoft.compute/snapshots',
  'microsoft.network/publicipaddresses',
  'microsoft.network/networksecuritygroups',
  'microsoft.network/dnszones',
  'microsoft.managedidentity/userassignedidentities',
])

interface Wish {
  readonly source: Group
  readonly target: Group
  readonly resources: Resource[]
}

/** `moveResources`: 202 with a Location; both groups are locked for writes and deletes until it ends. */
export function moveResources(request: ArmRequest): ArmAnswer {
  const { world, arm } = request
  const wish = read(request)
  assertNetworkSettled(world, wish.source)
  const problem = refusal(world, wish)
  const durationMs = problem ? Math.min(world.durationOf('validate move'), world.durationOf('move')) : world.durationOf('move')
  const cancels: (() => void)[] = []
  const unlock = (operation: Operation): void => {
    wish.source.locks.delete(operation.id)
    wish.target.locks.delete(operation.id)
  }
  const operation = world.begin(
    'move',
    wish.source.id,
    durationMs,
    (ended) => {
      unlock(ended)
      if (problem) throw problem
      for (const resource of wish.resources) relocate(world, resource, wish)
    },
    () => {
      unlock(operation)
      for (const cancel of cancels) cancel()
    },
    wish.resources.map((resource) => resource.id),
  )
  wish.source.locks.add(operation.id)
  wish.target.locks.add(operation.id)
  // One after the other, as it happens: whoever looks in between sees some here and some there.
  if (!problem) {
    wish.resources.slice(0, -1).forEach((resource, at) => {
      const afterMs = (operation.durationMs * (at + 1)) / wish.resources.length
      cancels.push(world.clock.schedule(afterMs, () => relocate(world, resource, wish)))
    })
  }
  return { status: 202, headers: arm.operations.track({ operation }, ['location']) }
}

/** `validateMoveResources`: the same checks, nothing moved; 202, then 204 or 409. */
export function validateMoveResources(request: ArmRequest): ArmAnswer {
  const { world, arm } = request
  const wish = read(request)
  assertNetworkSettled(world, wish.source)
  const problem = refusal(world, wish)
  const operation = world.begin('validate move', wish.source.id, world.durationOf('validate move'), () => {
    if (problem) throw problem
  })
  return { status: 202, headers: arm.operations.track({ operation, exclusive: false }, ['location']) }
}

function read({ world, params, body }: ArmRequest): Wish {
  const source = world.group(params['group'] ?? '')
  const targetId = textOf(body['targetResourceGroup']) ?? ''
  const target = world.group(targetId.split('/').at(-1) ?? '')
  const ids = Array.isArray(body['resources']) ? body['resources'].map(String) : []
  if (!source || !target) {
    throw new WorldError(404, 'ResourceGroupNotFound', `Resource group '${source ? targetId : (params['group'] ?? '')}' could not be found.`)
  }
  for (const group of [source, target]) {
    if (group.locks.size > 0) {
      throw new WorldError(409, 'ScopeLocked', `A move of resources is in progress in resource group '${group.name}'. Try again when it has ended.`)
    }
  }
  if (ids.length === 0 || sameId(source.id, target.id)) {
    throw new WorldError(400, 'InvalidResourceMoveRequest', 'The request names no resources, or the group they are in already.')
  }
  const resources = ids.map((id) => {
    if (!within(id, source.id)) {
      throw new WorldError(400, 'InvalidResourceMoveRequest', `The resource '${id}' is not in resource group '${source.name}'.`)
    }
    const resource = world.resource(id)
    if (!resource) throw new WorldError(404, 'ResourceNotFound', `The resource '${id}' to be moved could not be found.`)
    return resource
  })
  assertMovable(world, [source.id, target.id], ids)
  return { source, target, resources }
}

/** A virtual network with a dependent that has failed, or is still being changed, holds up every move out of its group. */
function assertNetworkSettled(world: World, source: Group): void {
  const inside = resourcesIn(world, source.name)
  const networks = inside.filter((one) => one.type.toLowerCase() === 'microsoft.network/virtualnetworks')
  for (const network of networks) {
    const dependents = [...world.resources.values()].filter((one) => one === network || mentions(one.properties, network.id))
    const unsettled = dependents.find((one) => (one.properties['provisioningState'] ?? 'Succeeded') !== 'Succeeded')
    if (!unsettled) continue
    const message = 'One of the resources being migrated or its dependency is not in Succeeded state.'
    throw validationFailed([{ code: 'MoveCannotProceedWithResourcesNotInSucceededState', target: unsettled.id, message }])
  }
}

function refusal(world: World, { resources, target }: Wish): WorldError | undefined {
  const details = resources.flatMap((resource) => {
    const type = resource.type.toLowerCase()
    if (!movable.has(type)) {
      return [{ code: 'ResourceTypeNotSupportedForMove', target: resource.id, message: `${resource.type} cannot be moved.` }]
    }
    if (world.resource(placeIn(target, resource)) !== undefined) {
      const message = `There is already a resource ${resource.name} of type ${resource.type} in resource group '${target.name}'.`
      return [{ code: 'ResourceAlreadyExists', target: resource.id, message }]
    }
    if (type === 'microsoft.compute/disks' && isHeld(world, resource)) {
      const message = `Disk ${resource.name} is attached to ${resource.managedBy ?? 'a virtual machine'}, which is not part of the move.`
      return [{ code: 'MissingMoveDependentResources', target: resource.id, message }]
    }
    if (type === 'microsoft.compute/disks' && record(resource.properties['encryptionSettingsCollection'])['enabled'] === true) {
      return [{ code: 'MoveOfEncryptedResourceNotSupported', target: resource.id, message: `Disk ${resource.name} is encrypted by way of a key vault and cannot be moved.` }]
    }
    if (type === 'microsoft.compute/snapshots' && resource.properties['incremental'] === true) {
      return [{ code: 'CannotMoveIncrementalSnapshot', target: resource.id, message: `Incremental snapshot ${resource.name} cannot be moved.` }]
    }
    return []
  })
  return details.length === 0 ? undefined : validationFailed(details, `to ${target.name}`)
}

/** Attached, or about to be: that it has a holder is known before the attach is over. */
function isHeld({ operations }: World, { id, managedBy, properties }: Resource): boolean {
  const isChanging = operations.some(({ status, also }) => status === 'running' && also?.some((one) => sameId(one, id)) === true)
  return properties['diskState'] !== 'Unattached' || managedBy !== undefined || isChanging
}

/** What its id will be. */
function placeIn(target: Group, { type, name }: Resource): string {
  return `${target.id}/providers/${type}/${name}`
}

function validationFailed(details: { code: string; target: string; message: string }[], where = ''): WorldError {
  const text = details.map((one) => `${one.code}: ${one.message}`).join(' ')
  return new WorldError(409, 'ResourceMoveProviderValidationFailed', `Resource move validation ${where} failed. ${text}`.replace('  ', ' '), details)
}

/** Gives a resource its place in the target group: another id, the same thing. */
function relocate(world: World, resource: Resource, { target }: Wish): void {
  const from = resource.id
  const id = parseId(from)
  if (!id || !world.resource(from) || within(from, target.id)) return
  world.resources.delete(from.toLowerCase())
  resource.id = placeIn(target, resource)
  const unique = textOf(resource.properties['uniqueId'])
  if (unique !== undefined) world.moves.set(unique, (world.moves.get(unique) ?? 0) + 1)
  world.put(resource)
}
