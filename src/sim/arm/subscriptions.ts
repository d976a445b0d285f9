import { shortened, within } from '../world/ids.js'
import { type World, WorldError } from '../world/world.js'
import { checkPolicyRestrictions } from './policy.js'
import { namespaces, registrationOf } from './providers.js'
import { grantsAt } from './rights.js'
import { assignmentsAt } from './role-assignments.js'
import { list, ok, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

const provider = (world: World, namespace: string): unknown => ({
  id: `/subscriptions/${world.spec.subscription}/providers/${namespace}`,
  namespace,
  registrationState: registrationOf(world, namespace),
  registrationPolicy: 'RegistrationRequired',
  resourceTypes: [],
})

/** Subscriptions, tenants, providers, and the checks that only read: permissions, policy, locks. */
export const subscriptionRoutes: readonly Route[] = [
  { method: 'GET', pattern: '/subscriptions', handle: ({ world }) => list([subscriptionBody(world)]) },
  { method: 'GET', pattern: '/subscriptions/{subscription}', handle: ({ world }) => ok(subscriptionBody(world)) },
  { method: 'GET', pattern: '/tenants', handle: ({ world }) => list([{ id: `/tenants/${world.spec.tenant}`, tenantId: world.spec.tenant }]) },
  {
    method: 'GET',
    pattern: '/subscriptions/{subscription}/locations',
    handle: ({ world }) =>
      list([{ id: `/subscriptions/${world.spec.subscription}/locations/${world.spec.location}`, name: world.spec.location, displayName: world.spec.location }]),
  },
  {
    method: 'GET',
    pattern: '/subscriptions/{subscription}/providers',
    handle: ({ world }) => list(namespaces.map((namespace) => provider(world, namespace))),
  },
  {
    method: 'GET',
    pattern: '/subscriptions/{subscription}/providers/{namespace}',
    handle: ({ world, params }) => ok(provider(world, params['namespace'] ?? '')),
  },
  {
    method: 'POST',
    pattern: '/subscriptions/{subscription}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions',
    writes: false,
    handle: checkPolicyRestrictions,
  },
  {
    method: 'POST',
    pattern: '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions',
    writes: false,
    handle: checkPolicyRestrictions,
  },
  {
    method: 'POST',
    pattern: '/subscriptions/{subscription}/providers/{namespace}/checkNameAvailability',
    writes: false,
    handle: () => ok({ nameAvailable: true }),
  },
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Authorization/{extension}', handle: extensionsAt },
  { method: 'GET', pattern: '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Authorization/{extension}', handle: extensionsAt },
]

const suffix = /\/providers\/Microsoft\.Authorization\/(permissions|locks|roleAssignments)$/i

/** Permissions, locks or role assignments at a scope, with those of what is inside it. */
export function extensionsAt(request: ArmRequest): ArmAnswer {
  const { world, path } = request
  const asked = suffix.exec(path)
  const scope = path.replace(suffix, '')
  if (asked?.[1]?.toLowerCase() === 'permissions') return list(grantsAt(world, scope))
  if (asked?.[1]?.toLowerCase() === 'roleassignments') return assignmentsAt(request, scope)
  const found = world.ofType(`Microsoft.Authorization/${asked?.[1] ?? ''}`).filter((one) => within(one.id, scope))
  return list(found.map(extensionBody))
}

/** Is this path a list of extensions of some resource? */
export function asksExtensions(path: string): boolean {
  return suffix.test(path)
}

function extensionBody(lock: { id: string; name: string; type: string; properties: Record<string, unknown> }): unknown {
  return { id: lock.id, name: lock.name, type: lock.type, properties: lock.properties }
}

/** A disabled subscription takes no writes; what runs in it runs on for a while (?). */
export function assertEnabled({ subscriptionState, spec, hindrances }: World, method: string, path: string): void {
  if (subscriptionState === 'Enabled') return
  hindrances.meets('subscription', spec.subscription, shortened(method, path))
  const message =
    `The subscription '${spec.subscription}' is disabled and therefore marked as read only. You cannot perform any write actions on this ` +
    'subscription until it is re-enabled.'
  throw new WorldError(409, 'ReadOnlyDisabledSubscription', message)
}

function subscriptionBody({ spec, subscriptionState }: World): unknown {
  return {
    id: `/subscriptions/${spec.subscription}`,
    subscriptionId: spec.subscription,
    tenantId: spec.tenant,
    displayName: spec.name,
    state: subscriptionState,
    authorizationSource: 'RoleBased',
    subscriptionPolicies: { locationPlacementId: 'Public_2014-09-01', quotaId: 'PayAsYouGo_2014-09-01', spendingLimit: 'Off' },
  }
}
