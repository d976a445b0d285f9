import { resourceId } from '../world/ids.js'
import type { Operation, Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { bodyOf } from './bodies.js'
import { assertIdle, existing } from './generic.js'
import { assertDeletable, removeResource, stays } from './remove.js'
import { record, tagsOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

const namespace = 'Microsoft.Compute'
const base = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute'

/** Managed disks and snapshots: their writes are 202, with an operation; reads and lists are the generic ones. */
export const diskRoutes: readonly Route[] = (['disks', 'snapshots'] as const).flatMap((kind): Route[] => [
  { method: 'PUT', pattern: `${base}/${kind}/{name}`, handle: (request) => put(request, kind) },
  { method: 'PATCH', pattern: `${base}/${kind}/{name}`, handle: patch },
  { method: 'DELETE', pattern: `${base}/${kind}/{name}`, handle: remove },
])

function put(request: ArmRequest, kind: 'disks' | 'snapshots'): ArmAnswer {
  const { world, params, body, arm } = request
  const group = world.group(params['group'] ?? '')?.name ?? ''
  const id = resourceId(world.spec.subscription, group, `Microsoft.Compute/${kind}`, params['name'] ?? '')
  assertIdle(world, id)
  const before = world.resource(id)
  const location = textOf(body['location'])?.toLowerCase().replaceAll(' ', '')
  if (location === undefined) throw new WorldError(400, 'LocationRequired', 'The location property is required for this definition.')
  const asked = record(body['properties'])
  const sizeGB = sizeFor(world, asked, before)
  const source = world.resource(textOf(record(asked['creationData'])['sourceResourceId']) ?? '')
  const zones = body['zones']
  const name = before?.name ?? params['name'] ?? ''
  const resource: Resource = {
    id: before?.id ?? id,
    name,
    type: `Microsoft.Compute/${kind}`,
    location: before?.location ?? location,
    tags: tagsOf(body['tags']),
    ...(Array.isArray(zones) && zones.length > 0 ? { zones: zones.map(String) } : {}),
    sku: Object.keys(record(body['sku'])).length > 0 ? record(body['sku']) : (before?.sku ?? { name: kind === 'disks' ? 'Premium_LRS' : 'Standard_ZRS' }),
    ...(before?.managedBy === undefined ? {} : { managedBy: before.managedBy }),
    properties: {
      ...asked,
      ...(source ? { creationData: { ...record(asked['creationData']), sourceUniqueId: source.properties['uniqueId'] } } : {}),
      diskSizeGB: sizeGB,
      diskState: before?.properties['diskState'] ?? 'Unattached',
      uniqueId: before?.properties['uniqueId'] ?? world.unique(`${kind} ${id}`),
      timeCreated: before?.properties['timeCreated'] ?? new Date(world.clock.nowMs()).toISOString(),
      provisioningState: before ? 'Updating' : 'Creating',
    },
  }
  world.put(resource)
  if (kind === 'snapshots' && !before && source && isInUse(world, source)) world.torn.add(resource.id.toLowerCase())
  const what = kind === 'disks' ? 'disk' : 'snapshot'
  const operation = changed(world, resource, what)
  const headers = arm.operations.track({ operation, namespace, result: () => bodyOf(resource) }, ['async', 'location'])
  return { status: 202, body: bodyOf(resource), headers }
}

/** What has been changed, or made, says in the end how that went. */
function changed(world: World, { id, properties }: Resource, what: string): Operation {
  const settle = (state: string) => (): void => void (properties['provisioningState'] = state)
  return world.begin(what, id, world.durationOf(what), settle('Succeeded'), settle('Failed'))
}

/** A pool that is imported is written all the time, each of its disks at its own moment. */
function isInUse(world: World, disk: Resource): boolean {
  return world.pools.some((pool) => pool.importedOn.length > 0 && pool.disks.includes(String(disk.properties['uniqueId'])))
}

/** The size of what is being made: said, or that of what it is made from, which must exist. */
function sizeFor(world: World, asked: Record<string, unknown>, before: Resource | undefined): number {
  const creation = record(asked['creationData'])
  const option = textOf(creation['createOption'])
  if (!before && option === undefined) throw new WorldError(400, 'InvalidParameter', "Required parameter 'creationData.createOption' is missing (null).")
  const sourceId = textOf(creation['sourceResourceId'])
  const source = sourceId === undefined ? undefined : world.resource(sourceId)
  if (!before && sourceId !== undefined && !source) throw new WorldError(404, 'ResourceNotFound', `Source resource ${sourceId} was not found.`)
  const size = asked['diskSizeGB'] ?? source?.properties['diskSizeGB'] ?? before?.properties['diskSizeGB']
  if (typeof size !== 'number') throw new WorldError(400, 'InvalidParameter', "Required parameter 'diskSizeGB' is missing (null).")
  return size
}

function patch(request: ArmRequest): ArmAnswer {
  const { world, arm, body } = request
  const resource = existing(world, request.path)
  assertIdle(world, resource.id)
  if (body['tags'] !== undefined) resource.tags = tagsOf(body['tags'])
  const { diskState: _readOnly, uniqueId: _neither, ...properties } = record(body['properties'])
  Object.assign(resource.properties, properties, { provisioningState: 'Updating' })
  const operation = changed(world, resource, 'disk')
  const headers = arm.operations.track({ operation, namespace, result: () => bodyOf(resource) }, ['async', 'location'])
  return { status: 202, body: bodyOf(resource), headers }
}

function remove(request: ArmRequest): ArmAnswer {
  const { world, arm } = request
  const resource = world.resource(request.path)
  if (!resource) return { status: 204 }
  assertIdle(world, resource.id)
  assertDeletable(world, resource)
  resource.properties['provisioningState'] = 'Deleting'
  const gone = (): void => removeResource(world, resource)
  const operation = world.begin('disk delete', resource.id, world.durationOf('disk'), gone, () => stays(resource))
  return { status: 202, headers: arm.operations.track({ operation, namespace }, ['async', 'location']) }
}
