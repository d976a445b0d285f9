import { parseId, within } from '../world/ids.js'
import { type World, WorldError } from '../world/world.js'
import { coversAction } from './built-in-roles.js'
import { userAssigned } from './cluster-identity.js'
import { textOf, type ArmRequest } from './wire.js'

/** One action of the provider's, at the scope that it concerns. */
interface Need {
  readonly action: string
  readonly scope: string
}

/** Types that need a right of their own when something is put on them: `join`, at the one that is named in the body. */
const joined = /^Microsoft\.Network\/(virtualNetworks\/subnets|networkSecurityGroups|networkInterfaces|publicIPAddresses|natGateways)$/i

/** Roles as `permissions` lists them at a scope: those given there or above. */
export function grantsAt(world: World, scope: string): { actions: readonly string[]; notActions: readonly string[] }[] {
  const above = (granted: string | undefined): boolean => within(scope, granted ?? `/subscriptions/${world.spec.subscription}`)
  return world.spec.permissions
    .filter((grant) => above(grant.scope))
    .map(({ actions, notActions }) => ({ actions, notActions, dataActions: [], notDataActions: [] }))
}

/** Refuses what the client has no role for: the action itself, and those at what its body refers to. */
export function assertPermitted(world: World, request: ArmRequest): void {
  const own = ownNeed(request)
  if (own === undefined) return
  if (!isGranted(world, own)) {
    const message =
      `The client 'lifeboat' with object id '${world.spec.tenant}' does not have authorization to perform action '${own.action}' ` +
      `over scope '${own.scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`
    throw new WorldError(403, 'AuthorizationFailed', message)
  }
  const missing = linkedNeeds(request).find((need) => !isGranted(world, need))
  if (missing === undefined) return
  const message =
    `The client 'lifeboat' with object id '${world.spec.tenant}' has permission to perform action '${own.action}' on scope '${own.scope}'; ` +
    `however, it does not have permission to perform action(s) '${missing.action}' on the linked scope(s) '${missing.scope}'.`
  throw new WorldError(403, 'LinkedAuthorizationFailed', message)
}

function isGranted(world: World, { action, scope }: Need): boolean {
  const fits = (pattern: string): boolean => coversAction(pattern, action)
  return grantsAt(world, scope).some(({ actions, notActions }) => actions.some(fits) && !notActions.some(fits))
}

/** Undefined for reads, and for the questions that are asked of a provider as a whole. */
function ownNeed({ method, path }: ArmRequest): Need | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined
  const [, group, called] = /^(\/subscriptions\/[^/]+\/resourceGroups\/[^/]+)(?:\/([^/]+))?$/i.exec(path) ?? []
  const groups = 'Microsoft.Resources/subscriptions/resourceGroups'
  if (group !== undefined) return { action: called === undefined ? `${groups}/${verb(method)}` : `${groups}/${called}/action`, scope: group }
  if (method !== 'POST') {
    const id = parseId(path)
    return id && { action: `${id.type}/${verb(method)}`, scope: path }
  }
  const scope = path.split('/').slice(0, -1).join('/')
  const id = parseId(scope)
  return id && { action: `${id.type}/${path.split('/').at(-1) ?? ''}/action`, scope }
}

function verb(method: string): string {
  return method === 'DELETE' ? 'delete' : 'write'
}

function linkedNeeds({ method, path, body }: ArmRequest): Need[] {
  const target = textOf(body['targetResourceGroup'])
  if (target !== undefined) return [{ action: 'Microsoft.Resources/subscriptions/resourceGroups/write', scope: target }]
  if (method !== 'PUT') return []
  const joins = [...textsIn(body)].flatMap((text) => {
    const type = parseId(text)?.type
    return type === undefined || !joined.test(type) || within(text, path) ? [] : [{ action: `${type}/join/action`, scope: text }]
  })
  const assigned = userAssigned(body['identity']).map((scope) => ({ action: 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action', scope }))
  return [...joins, ...assigned]
}

function textsIn(value: unknown): Set<string> {
  if (typeof value === 'string') return new Set([value])
  if (typeof value !== 'object' || value === null) return new Set()
  return new Set(Object.values(value).flatMap((one) => [...textsIn(one)]))
}
