import { parseId, sameId, within, type ResourceId } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { bodyOf } from './bodies.js'
import { assertMatches } from './etag.js'
import { kindOf, type Kind } from './kinds.js'
import { assertSubnetFree, availabilityIn, subnetsOf, withSubnet, type Subnet } from './network.js'
import { isAssignment, scopeOf } from './role-assignments.js'
import { assertDeletable, removeResource, stays } from './remove.js'
import { asksExtensions, extensionsAt } from './subscriptions.js'
import { list, ok, record, tagsOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

const inGroup = '/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}'
const subnets = `${inGroup}/virtualNetworks/{network}/subnets`

/** Every resource that has no rules of its own beyond those of `kinds.ts`. The last routes to be asked. */
export const genericRoutes: readonly Route[] = [
  { method: 'GET', pattern: subnets, handle: (request) => list(subnetsOf(networkOf(request)).map(subnetBody)) },
  { method: 'GET', pattern: `${subnets}/{subnet}`, handle: getSubnet },
  { method: 'PUT', pattern: `${subnets}/{subnet}`, handle: putSubnet },
  { method: 'DELETE', pattern: `${subnets}/{subnet}`, handle: deleteSubnet },
  { method: 'GET', pattern: `${inGroup}/virtualNetworks/{network}/CheckIPAddressAvailability`, handle: addressAvailability },
  { method: 'GET', pattern: `${inGroup}/{rest*}`, handle: getOrList },
  { method: 'HEAD', pattern: `${inGroup}/{rest*}`, handle: (request) => ({ status: request.world.resource(request.path) ? 204 : 404 }) },
  { method: 'PUT', pattern: `${inGroup}/{rest*}`, handle: put },
  { method: 'PATCH', pattern: `${inGroup}/{rest*}`, handle: patch },
  { method: 'DELETE', pattern: `${inGroup}/{rest*}`, handle: remove },
  {
    method: 'GET',
    pattern: '/subscriptions/{subscription}/providers/{namespace}/{type}',
    handle: ({ world, params }) => list(world.ofType(`${params['namespace'] ?? ''}/${params['type'] ?? ''}`).map(bodyOf)),
  },
]

function getOrList(request: ArmRequest): ArmAnswer {
  const { world, path, params } = request
  if (asksExtensions(path)) return extensionsAt(request)
  if (parseId(path)) {
    const resource = existing(world, path)
    assertMatches(request, resource)
    return ok(bodyOf(resource))
  }
  const group = world.group(params['group'] ?? '')
  const type = `${params['namespace'] ?? ''}/${params['rest'] ?? ''}`
  return list(world.ofType(type).filter((one) => group && within(one.id, group.id)).map(bodyOf))
}

export function existing(world: World, id: string): Resource {
  const resource = world.resource(id)
  if (resource) return resource
  throw notFound(id)
}

export function notFound(id: string): WorldError {
  const parsed = parseId(id)
  const message = `The Resource '${parsed?.type ?? ''}/${parsed?.name ?? id}' under resource group '${parsed?.group ?? ''}' was not found.`
  return new WorldError(404, 'ResourceNotFound', message)
}

/** Is something already being done to this resource? */
export function busy(world: World, id: string): boolean {
  return world.operations.some((operation) => operation.status === 'running' && operation.exclusive === true && sameId(operation.resource, id))
}

export function assertIdle(world: World, id: string): void {
  if (!busy(world, id)) return
  throw new WorldError(409, 'AnotherOperationInProgress', `Another operation on ${id} or a dependent resource is in progress.`)
}

function put(request: ArmRequest): ArmAnswer | Promise<ArmAnswer> {
  const { world, path } = request
  const id = parseId(path)
  if (!id) throw new WorldError(405, 'MethodNotAllowed', `PUT is not supported on ${path}.`)
  const before = world.resource(path)
  const kind = kindOf(id.type)
  assertMatches(request, before)
  assertIdle(world, path)
  const resource = made(request, id, kind, before)
  kind.prepare?.(world, resource, before)
  if (kind.takesTime) return putInTime(world, kind, resource)
  const state = before ? 'Updating' : (kind.creating ?? 'Updating')
  if (!kind.atOnce) resource.properties['provisioningState'] = state
  else resource.properties['provisioningState'] = 'Succeeded'
  world.put(resource)
  kind.done?.(world)
  const status = before ? 200 : 201
  if (kind.atOnce) return { status, body: bodyOf(resource) }
  const operation = world.begin(
    kind.what,
    resource.id,
    world.durationOf(kind.what),
    () => settle(world, resource.id, 'Succeeded'),
    () => settle(world, resource.id, 'Failed'),
  )
  const headers = request.arm.operations.track({ operation, namespace: id.type.split('/')[0] ?? '' }, ['async'])
  return { status, body: bodyOf(resource), headers }
}

/** Answered when it is there. Another may have come first meanwhile, so it is looked at again. */
async function putInTime(world: World, kind: Kind, resource: Resource): Promise<ArmAnswer> {
  const isThere = world.resource(resource.id) !== undefined
  await world.take(kind.what, scopeOfExtension(resource), world.durationOf(kind.what), () => {
    const before = world.resource(resource.id)
    kind.prepare?.(world, resource, before)
    // What has been there keeps its age: only a new one is unknown to others for a while.
    if (before === undefined) world.put(resource)
    else Object.assign(before, resource)
  })
  return { status: isThere ? 200 : 201, body: bodyOf(resource) }
}

/** An extension's operation is told of what it is set on. */
function scopeOfExtension({ id }: Resource): string {
  return isAssignment(id) ? scopeOf({ id }) : id
}

function settle(world: World, id: string, state: string): void {
  const resource = world.resource(id)
  if (!resource) return
  resource.properties['provisioningState'] = state
  // A state is part of what was read.
  resource.etag = world.unique(resource.name)
}

function made({ world, path, body }: ArmRequest, id: ResourceId, kind: Kind, before: Resource | undefined): Resource {
  const location = textOf(body['location'])?.toLowerCase().replaceAll(' ', '')
  if (before && location !== undefined && location !== before.location) {
    const message = `The resource '${id.name}' already exists in location '${before.location}'. A resource with the same name cannot be created in location '${location}'.`
    throw new WorldError(409, 'InvalidResourceLocation', message)
  }
  if (location === undefined && kind.located) {
    throw new WorldError(400, 'LocationRequired', 'The location property is required for this definition.')
  }
  const zones = body['zones']
  const group = world.group(id.group)
  return {
    id: before?.id ?? canonical(path, group?.id ?? '', kind.type ?? id.type, id.name),
    name: before?.name ?? id.name,
    type: kind.type ?? id.type,
    location: before?.location ?? location ?? '',
    tags: tagsOf(body['tags']),
    etag: world.unique(id.name),
    ...(Array.isArray(zones) && zones.length > 0 ? { zones: zones.map(String) } : {}),
    ...(body['sku'] === undefined ? {} : { sku: record(body['sku']) }),
    ...(body['identity'] === undefined ? {} : { identity: record(body['identity']) }),
    properties: structuredClone(record(body['properties'])),
  }
}

/** One spelling for an id: the group as it was made, the type as its provider writes it. Deeper ids are taken as they are. */
function canonical(path: string, group: string, type: string, name: string): string {
  if (type.split('/').length !== 2) return path
  const nested = (path.match(/\/providers\//gi) ?? []).length > 1
  return nested ? path : `${group}/providers/${type}/${name}`
}

/** Tags only; the rest is put whole. */
function patch({ world, path, body }: ArmRequest): ArmAnswer {
  const resource = existing(world, path)
  if (body['tags'] !== undefined) resource.tags = tagsOf(body['tags'])
  resource.etag = world.unique(resource.name)
  world.changed()
  return ok(bodyOf(resource))
}

function remove(request: ArmRequest): ArmAnswer {
  const { world, path, arm } = request
  const resource = world.resource(path)
  if (!resource) return { status: 204 }
  assertMatches(request, resource)
  assertDeletable(world, resource)
  assertIdle(world, resource.id)
  const kind = kindOf(resource.type)
  if (kind.atOnce) {
    removeResource(world, resource)
    return { status: 200 }
  }
  resource.properties['provisioningState'] = 'Deleting'
  const what = `${kind.what} delete`
  const operation = world.begin(what, resource.id, world.durationOf(what), () => removeResource(world, resource), () => stays(resource))
  return { status: 202, headers: arm.operations.track({ operation, namespace: resource.type.split('/')[0] ?? '' }, ['async', 'location']) }
}

function addressAvailability({ world, path, query }: ArmRequest): ArmAnswer {
  return ok(availabilityIn(world, existing(world, path.replace(/\/CheckIPAddressAvailability$/i, '')), query.get('ipaddress') ?? ''))
}

function networkOf({ world, path }: ArmRequest): Resource {
  return existing(world, path.replace(/\/subnets(\/[^/]+)?$/i, ''))
}

function subnetOf(request: ArmRequest): ReturnType<typeof subnetsOf>[number] {
  const found = subnetsOf(networkOf(request)).find((one) => sameId(one.name, request.params['subnet'] ?? ''))
  if (!found) throw new WorldError(404, 'NotFound', `Resource ${request.path} not found.`)
  return found
}

function getSubnet(request: ArmRequest): ArmAnswer {
  const subnet = subnetOf(request)
  assertMatches(request, subnet)
  return ok(subnetBody(subnet))
}

function putSubnet(request: ArmRequest): ArmAnswer {
  const { world, params, body, arm } = request
  const network = networkOf(request)
  const before = subnetsOf(network).find((one) => sameId(one.name, params['subnet'] ?? ''))
  assertMatches(request, before)
  // One change of a network at a time: two subnets put side by side is a classic refusal.
  assertIdle(world, network.id)
  const subnet = withSubnet(world, network, params['subnet'] ?? '', body)
  network.properties['subnets'] = [...subnetsOf(network).filter((one) => !sameId(one.id, subnet.id)), subnet]
  settleSubnet(world, network, subnet, 'Updating')
  world.changed()
  const operation = world.begin(
    'subnet',
    network.id,
    world.durationOf('subnet'),
    () => settleSubnet(world, network, subnet, 'Succeeded'),
    () => settleSubnet(world, network, subnet, 'Failed'),
  )
  const headers = arm.operations.track({ operation, namespace: 'Microsoft.Network' }, ['async'])
  return { status: before ? 200 : 201, body: subnetBody(subnet), headers }
}

/** A state is part of what was read, of the subnet and of its network. */
function settleSubnet(world: World, network: Resource, subnet: Subnet, state: string): void {
  subnet.properties['provisioningState'] = state
  for (const one of [subnet, network]) one.etag = world.unique(one.name)
}

function deleteSubnet(request: ArmRequest): ArmAnswer {
  const { world, arm, params } = request
  const network = networkOf(request)
  const subnet = subnetsOf(network).find((one) => sameId(one.name, params['subnet'] ?? ''))
  if (!subnet) return { status: 204 }
  assertMatches(request, subnet)
  assertIdle(world, network.id)
  assertSubnetFree(world, subnet)
  settleSubnet(world, network, subnet, 'Deleting')
  const operation = world.begin(
    'subnet delete',
    network.id,
    world.durationOf('subnet'),
    () => {
      network.properties['subnets'] = subnetsOf(network).filter((one) => !sameId(one.id, subnet.id))
      network.etag = world.unique(network.name)
    },
    () => settleSubnet(world, network, subnet, 'Failed'),
  )
  return { status: 202, headers: arm.operations.track({ operation, namespace: 'Microsoft.Network' }, ['async', 'location']) }
}

function subnetBody(subnet: { id: string; name: string; etag?: string; properties: Record<string, unknown> }): unknown {
  return { id: subnet.id, name: subnet.name, type: 'Microsoft.Network/virtualNetworks/subnets', etag: `W/"${subnet.etag ?? ''}"`, properties: subnet.properties }
}
