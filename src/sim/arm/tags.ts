import type { Group } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { ok, record, tagsOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

const pattern = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Resources/tags/default'
const mostTags = 50
const longestValue = 256

/** The tags of a resource group by themselves: what does not name the group's other properties cannot drop them. */
export const tagRoutes: readonly Route[] = [
  { method: 'GET', pattern, handle: (request) => ok(tagsBody(groupOf(request))) },
  { method: 'PUT', pattern, handle: (request) => settled(request, tagsOf(record(request.body['properties'])['tags'])) },
  { method: 'PATCH', pattern, handle: patchTags },
  { method: 'DELETE', pattern, handle: (request) => settled(request, {}) },
]

function groupOf({ world, params }: ArmRequest): Group {
  const group = world.group(params['group'] ?? '')
  if (!group) throw new WorldError(404, 'ResourceGroupNotFound', `Resource group '${params['group'] ?? ''}' could not be found.`)
  return group
}

function patchTags(request: ArmRequest): ArmAnswer {
  const { tags } = groupOf(request)
  const named = tagsOf(record(request.body['properties'])['tags'])
  const others = Object.entries(tags).filter(([key]) => !Object.keys(named).some((one) => one.toLowerCase() === key.toLowerCase()))
  switch (textOf(request.body['operation'])?.toLowerCase()) {
    case 'merge':
      return settled(request, { ...Object.fromEntries(others), ...named })
    case 'replace':
      return settled(request, named)
    case 'delete':
      return settled(request, Object.fromEntries(others))
    default:
      throw new WorldError(400, 'InvalidRequestContent', "The 'operation' must be one of Replace, Merge, Delete.")
  }
}

function settled(request: ArmRequest, tags: Record<string, string>): ArmAnswer {
  const group = groupOf(request)
  setTags(request.world, group, tags)
  return ok(tagsBody(group))
}

/** Sets a group's tags whole, as far as Azure takes them. */
export function setTags(world: World, group: Pick<Group, 'tags'>, tags: Record<string, string>): void {
  assertTags(tags)
  group.tags = tags
  world.changed()
}

export function assertTags(tags: Readonly<Record<string, string>>): void {
  const names = Object.keys(tags)
  if (names.length > mostTags) throw new WorldError(400, 'InvalidTags', `The number of tags ${names.length} is above the limit of ${mostTags}.`)
  const long = names.find((name) => (tags[name] ?? '').length > longestValue)
  if (long === undefined) return
  throw new WorldError(400, 'InvalidTagValueLength', `Tag value too large. The tag '${long}' has more than ${longestValue} characters.`)
}

function tagsBody(group: Group): unknown {
  return {
    id: `${group.id}/providers/Microsoft.Resources/tags/default`,
    name: 'default',
    type: 'Microsoft.Resources/tags',
    properties: { tags: group.tags },
  }
}
