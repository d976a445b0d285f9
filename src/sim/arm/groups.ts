import type { Group, Resource } from '../world/model.js'
import { groupId } from '../world/ids.js'
import { WorldError } from '../world/world.js'
import { bodyOf } from './bodies.js'
import { assertGroupDeletable, removeGroup, resourcesIn } from './remove.js'
import { assertTags, setTags } from './tags.js'
import { list, ok, tagsOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'
import { moveResources, validateMoveResources } from './move.js'

const one = '/subscriptions/{subscription}/resourceGroups/{group}'

/** Resource groups: create, read, tag, delete, list what is inside, move. */
export const groupRoutes: readonly Route[] = [
  { method: 'GET', pattern: '/subscriptions/{subscription}/resourceGroups', handle: ({ world }) => list([...world.groups.values()].map(groupBody)) },
  { method: 'GET', pattern: one, handle: (request) => ok(groupBody(groupOf(request))) },
  { method: 'HEAD', pattern: one, handle: ({ world, params }) => ({ status: world.group(params['group'] ?? '') ? 204 : 404 }) },
  { method: 'PUT', pattern: one, handle: putGroup },
  { method: 'PATCH', pattern: one, handle: patchGroup },
  { method: 'DELETE', pattern: one, handle: deleteGroup },
  { method: 'GET', pattern: `${one}/resources`, handle: (request) => list(listedIn(request)) },
  {
    method: 'GET',
    pattern: '/subscriptions/{subscription}/resources',
    handle: (request) => list(listed(request, [...request.world.resources.values()])),
  },
  { method: 'POST', pattern: `${one}/moveResources`, inLockedGroup: true, handle: moveResources },
  { method: 'POST', pattern: `${one}/validateMoveResources`, inLockedGroup: true, handle: validateMoveResources },
]

function groupOf({ world, params }: ArmRequest): Group {
  const group = world.group(params['group'] ?? '')
  if (!group) throw new WorldError(404, 'ResourceGroupNotFound', `Resource group '${params['group'] ?? ''}' could not be found.`)
  return group
}

async function putGroup({ world, params, body }: ArmRequest): Promise<ArmAnswer> {
  const name = params['group'] ?? ''
  const location = textOf(body['location'])?.toLowerCase().replaceAll(' ', '')
  if (location === undefined) throw new WorldError(400, 'LocationRequired', 'The location property is required for this definition.')
  if (!/^[-\w._()]{1,90}$/.test(name) || name.endsWith('.')) {
    throw new WorldError(400, 'InvalidResourceGroup', `The resource group name '${name}' is not valid.`)
  }
  const existing = world.group(name)
  if (existing) {
    if (existing.location !== location) {
      const message = `Invalid resource group location '${location}'. The group already exists in location '${existing.location}'.`
      throw new WorldError(409, 'InvalidResourceGroupLocation', message)
    }
    if (existing.provisioningState === 'Deleting') throw beingDeleted(existing)
    // Put whole: one that names no tags has none afterwards.
    setTags(world, existing, tagsOf(body['tags']))
    return ok(groupBody(existing))
  }
  const id = groupId(world.spec.subscription, name)
  assertTags(tagsOf(body['tags']))
  await world.take('group create', id, world.durationOf('group create'), () => {
    if (world.group(name)) return
    const made = { id, name, location, tags: tagsOf(body['tags']), provisioningState: 'Succeeded', locks: new Set<string>() }
    world.groups.set(name.toLowerCase(), made)
  })
  const made = world.group(name)
  return { status: 201, body: made && groupBody(made) }
}

function patchGroup(request: ArmRequest): ArmAnswer {
  const group = groupOf(request)
  if (request.body['tags'] !== undefined) setTags(request.world, group, tagsOf(request.body['tags']))
  return ok(groupBody(group))
}

function deleteGroup(request: ArmRequest): ArmAnswer {
  const { world, arm } = request
  const group = groupOf(request)
  if (group.provisioningState === 'Deleting') throw beingDeleted(group)
  assertGroupDeletable(world, group.name)
  const before = group.provisioningState
  group.provisioningState = 'Deleting'
  const operation = world.begin(
    'group delete',
    group.id,
    world.durationOf('group delete'),
    () => removeGroup(world, group.name),
    () => void (group.provisioningState = before),
  )
  return { status: 202, headers: arm.operations.track({ operation }, ['location']) }
}

function beingDeleted(group: Group): WorldError {
  const message = `The resource group '${group.name}' is in deprovisioning state and cannot perform this operation.`
  return new WorldError(409, 'ResourceGroupBeingDeleted', message)
}

/** Of a group also what was deleted a moment ago; what hangs on another resource (a subnet, a role assignment) is in no list. */
function listedIn(request: ArmRequest): unknown[] {
  const { world } = request
  const { id, name } = groupOf(request)
  const own = new RegExp(`^${id}/providers/[^/]+/[^/]+/[^/]+$`, 'i')
  const gone = world.lingering().filter((one) => own.test(one.id) && world.resource(one.id) === undefined)
  return listed(request, [...resourcesIn(world, name), ...gone])
}

/**
 * What lists show, which is a while behind what is made. `$filter=resourceType eq '…'` is what clients send; another filter is
 * refused rather than ignored.
 */
function listed({ world, query }: ArmRequest, all: readonly Resource[]): unknown[] {
  const filter = query.get('$filter')
  const states = (query.get('$expand') ?? '').toLowerCase().split(',').includes('provisioningstate')
  const listedBody = (resource: Resource): unknown => bodyInList(resource, states)
  const shown = all.filter((resource) => world.isListed(resource))
  if (filter === undefined || filter === '') return shown.map(listedBody)
  const found = /^\s*(resourceType|name) eq '([^']+)'\s*$/i.exec(filter)
  if (!found) throw new WorldError(400, 'InvalidFilterInQueryString', `The filter '${filter}' is not supported.`)
  const [, field = '', wanted = ''] = found
  const key = field.toLowerCase() === 'name' ? 'name' : 'type'
  return shown.filter((resource) => resource[key].toLowerCase() === wanted.toLowerCase()).map(listedBody)
}

/** A list tells states only to who asks for them by `$expand=provisioningState`. */
function bodyInList(resource: Resource, states: boolean): unknown {
  const { properties, ...rest } = bodyOf(resource)
  const provisioningState = (properties as Record<string, unknown>)['provisioningState']
  return { ...rest, ...(provisioningState === undefined || !states ? {} : { provisioningState }) }
}

function groupBody(group: Group): unknown {
  return {
    id: group.id,
    name: group.name,
    type: 'Microsoft.Resources/resourceGroups',
    location: group.location,
    tags: group.tags,
    ...(group.managedBy === undefined ? {} : { managedBy: group.managedBy }),
    properties: { provisioningState: group.provisioningState },
  }
}
