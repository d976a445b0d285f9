import { parseId, within } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { builtInRoles, coversAction } from './built-in-roles.js'
import { findSubnet } from './network.js'
import { list, textOf, type ArmAnswer, type ArmRequest } from './wire.js'

const type = 'Microsoft.Authorization/roleAssignments'
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** What an assignment is set on: a subscription, a group, a resource, or a part of one. */
export function scopeOf(assignment: { readonly id: string }): string {
  return assignment.id.slice(0, assignment.id.toLowerCase().lastIndexOf(`/providers/${type.toLowerCase()}/`))
}

/** Checks and completes an assignment that is being put; refuses what Azure refuses. */
export function prepareAssignment(world: World, assignment: Resource, before: Resource | undefined): void {
  const { properties: asked, name } = assignment
  const scope = scopeOf(assignment)
  const principalId = textOf(asked['principalId']) ?? ''
  const roleDefinitionId = textOf(asked['roleDefinitionId']) ?? ''
  if (!uuid.test(name)) throw new WorldError(400, 'InvalidRoleAssignmentId', `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`)
  if (!exists(world, scope)) throw new WorldError(404, 'ResourceNotFound', `The Resource '${scope}' was not found.`)
  if (!uuid.test(principalId)) throw new WorldError(400, 'InvalidPrincipalId', `The Principal ID '${principalId}' is not valid. Principal ID must be a GUID.`)
  if (roleOf(roleDefinitionId) === undefined) {
    throw new WorldError(404, 'RoleDefinitionDoesNotExist', `The specified role definition with ID '${roleDefinitionId.split('/').at(-1) ?? ''}' does not exist.`)
  }
  assertPrincipal(world, principalId, textOf(asked['principalType']))
  const triple = { scope, principalId, roleDefinitionId }
  if (before !== undefined && !sameTriple(before, triple)) {
    throw new WorldError(400, 'RoleAssignmentUpdateNotPermitted', 'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.')
  }
  const twin = world.ofType(type).find((one) => one.name.toLowerCase() !== name.toLowerCase() && sameTriple(one, triple))
  if (twin !== undefined) throw new WorldError(409, 'RoleAssignmentExists', 'The role assignment already exists.')
  const nowText = new Date(world.clock.nowMs()).toISOString()
  assignment.properties = {
    principalId,
    roleDefinitionId,
    principalType: textOf(asked['principalType']) ?? 'ServicePrincipal',
    scope,
    createdOn: textOf(before?.properties['createdOn']) ?? nowText,
    updatedOn: nowText,
  }
}

function exists(world: World, scope: string): boolean {
  const group = /^\/subscriptions\/[^/]+(?:\/resourceGroups\/([^/]+))?$/i.exec(scope)
  if (group) return group[1] === undefined || world.group(group[1]) !== undefined
  return world.resource(scope) !== undefined || findSubnet(world, scope) !== undefined
}

/**
 * Without a type the directory is asked, which knows a principal only some time after it was made. With one, Azure takes the
 * caller's word for it.
 */
function assertPrincipal(world: World, principalId: string, principalType: string | undefined): void {
  const identity = world.ofType('Microsoft.ManagedIdentity/userAssignedIdentities').find(({ properties }) => properties['principalId'] === principalId)
  if (principalType !== undefined) {
    if (identity === undefined || principalType === 'ServicePrincipal') return
    throw new WorldError(400, 'UnmatchedPrincipalType', `The PrincipalId '${principalId}' has type 'ServicePrincipal', which is different from specified PrincipalType '${principalType}'.`)
  }
  const system = world.ofType('Microsoft.ContainerService/managedClusters').some((one) => one.identity?.['principalId'] === principalId)
  if (system || (identity !== undefined && world.ageMs(identity) >= world.durationOf('principal seen'))) return
  const message =
    `Principal ${principalId.replaceAll('-', '')} does not exist in the directory ${world.spec.tenant}. Check that you have the correct principal ID. ` +
    'If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. ' +
    'In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.'
  throw new WorldError(400, 'PrincipalNotFound', message)
}

function roleOf(definition: string): (typeof builtInRoles)[string] | undefined {
  return builtInRoles[definition.split('/').at(-1)?.toLowerCase() ?? '']
}

function sameTriple(one: Resource, other: { scope: string; principalId: string; roleDefinitionId: string }): boolean {
  const last = (id: unknown): string => String(id).split('/').at(-1)?.toLowerCase() ?? ''
  return (
    scopeOf(one).toLowerCase() === other.scope.toLowerCase() &&
    String(one.properties['principalId']).toLowerCase() === other.principalId.toLowerCase() &&
    last(one.properties['roleDefinitionId']) === last(other.roleDefinitionId)
  )
}

/** Those of a scope, of what is above and of what is inside it; `atScope()` leaves out the last. Behind what was made, as lists are. */
export function assignmentsAt({ world, query }: ArmRequest, scope: string): ArmAnswer {
  const filter = query.get('$filter')?.trim() ?? ''
  const [, principal] = /^principalId eq '?([^']+)'?$/i.exec(filter) ?? []
  if (filter !== '' && principal === undefined && !/^atScope\(\)$/i.test(filter)) {
    throw new WorldError(400, 'UnsupportedFilter', `The filter '${filter}' is not supported.`)
  }
  const found = world.ofType(type).filter((one) => {
    const own = scopeOf(one)
    const applies = within(scope, own) || (!/^atScope/i.test(filter) && within(own, scope))
    return applies && world.isListed(one) && (principal === undefined || one.properties['principalId'] === principal)
  })
  return list(found.map(({ id, name, properties }) => ({ id, name, type, properties })))
}

/** Has a principal been given an action at a scope or above, long enough ago for others to have seen it? */
export function principalMay(world: World, principalId: string, action: string, scope: string): boolean {
  return world.ofType(type).some((one) => {
    const role = roleOf(String(one.properties['roleDefinitionId']))
    const covers = (patterns: readonly string[] = []): boolean => patterns.some((pattern) => coversAction(pattern, action))
    if (one.properties['principalId'] !== principalId || !within(scope, scopeOf(one))) return false
    if (!covers(role?.actions) || covers(role?.notActions)) return false
    return world.ageMs(one) >= world.durationOf('role assignment seen')
  })
}

/** Is this the path of an assignment? */
export function isAssignment(path: string): boolean {
  return parseId(path)?.type.toLowerCase() === type.toLowerCase()
}
