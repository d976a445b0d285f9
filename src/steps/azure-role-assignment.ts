import { z } from 'zod'
import { isPending, LifeboatError, type Finding, type PlanInputs } from '../contract/index.js'
import { durationMs, resourceId } from '../contract/inputs.js'
import { sameId } from '../platform/azure/ids.js'
import type { RoleAssignment } from '../platform/azure/roles-door.js'
import type { Platform } from '../platform/platform.js'
import { naming } from './parts/naming.js'
import { actionsFor, lockFindings, rightsFindings, together } from './parts/readiness.js'
import { assignmentName, isRole, knownRoles, roleGuid } from './parts/roles.js'
import { pathOf, written } from './parts/writes.js'
import { claim, defineStep, groupClaim, groupOf, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  /** Id of what the role is for: a subnet, a group. */
  scope: resourceId,
  /** GUID of who gets it: `principalId` of an azure/managed-identity. */
  principal: z.guid(),
  principalType: z.enum(['ServicePrincipal', 'User', 'Group']).default('ServicePrincipal'),
  role: z.string().refine((role) => roleGuid(role) !== undefined, `one of ${knownRoles.join(', ')}, or the GUID of a role's definition`),
  /**
   * How long after it was made others see it (Azure: usually a minute, up to ten). Until then the step is in flight. `0s` for
   * what comes long before its use: a cluster takes minutes before it needs its rights.
   */
  seenAfter: durationMs.default(60 * seconds),
})
type Inputs = z.infer<typeof inputs>
type Triple = Pick<Inputs, 'scope' | 'principal' | 'role'>

/**
 * A role for a principal at a scope. Whoever gave it the same role there or above has done it already. A PUT of a cluster by
 * API assigns none, so its identity needs this before it can put a load balancer into a network of one's own.
 */
export const roleAssignment = defineStep({
  uses: 'azure/role-assignment',
  summary: 'A role for an identity: rights at a subnet, a group, a resource',
  inputs,
  outputs: z.object({ id: z.string() }),
  identity: ['scope', 'principal', 'role'],
  verification: ({ seenAfter }) => ({ everyMs: 5 * seconds, withinMs: seenAfter + 10 * minutes }),
  preflight: (changes, wanted, { doors }) => {
    const actions = actionsFor(changes, { roleAssignment: 'Microsoft.Authorization/roleAssignments' })
    return together(assignFindings(doors, wanted, actions), lockFindings(doors, wanted.scope, changes))
  },
  async observe(wanted, { doors, clock }) {
    const found = await heldOf(wanted, doors)
    if (found === undefined) return { state: 'absent' }
    const sinceMs = clock.now().getTime() - found.createdAt.getTime()
    if (typeof wanted.seenAfter === 'number' && sinceMs < wanted.seenAfter) {
      const ago = Math.max(0, Math.round(sinceMs / 1000))
      return { state: 'in-flight', what: `${wanted.role} was assigned ${ago} s ago; others see it a while later` }
    }
    return { state: 'converged', outputs: { id: found.id } }
  },
  plan: ({ scope, principal, principalType, role }) => [
    { resource: `roleAssignment ${naming(role, 'role')}`, action: 'create', after: { scope, principal, principalType } },
  ],
  async apply(changes, wanted, { doors }) {
    const { roles } = doors.azure
    const { principal, principalType } = wanted
    for (const { action } of changes) {
      if (action === 'delete') await takeAway(wanted, doors)
      else await roles.assign(idOf(wanted), { principalId: principal, role: definitionOf(wanted), principalType })
    }
  },
  invert: (changes) => changes.map(inverted),
  writes(changes, { scope, principal, role }) {
    const place = isPending(scope) ? '*' : pathOf(scope, '')
    const name = isPending(scope) || isPending(principal) || isPending(role) ? '*' : assignmentName(scope, principal, guidOf({ role }))
    return changes.map(({ action }) => written(action, `${place}/providers/Microsoft.Authorization/roleAssignments/${name}`))
  },
  claims: ({ scope, role }) => [groupClaim(groupOf(known(scope))), claim('role', `${known(scope)}/${known(role)}`, 'shared')],
  estimateMs: ({ seenAfter }) => 5 * seconds + (typeof seenAfter === 'number' ? seenAfter : 0),
})

/** By its own name first: lists are behind what was made a moment ago. */
async function heldOf(wanted: Triple, doors: Platform): Promise<RoleAssignment | undefined> {
  const own = await doors.azure.roles.get(idOf(wanted))
  return own ?? (await othersOf(wanted, doors))[0]
}

async function othersOf(wanted: Triple, { azure }: Platform): Promise<readonly RoleAssignment[]> {
  const [own, guid] = [idOf(wanted), guidOf(wanted)]
  const held = await azure.roles.at(wanted.scope)
  return held.filter(({ id, principalId, role }) => sameId(principalId, wanted.principal) && isRole(role, guid) && !sameId(id, own))
}

/** Its own goes, and no other: whoever has given the same there or above knows why. Of others that are gone a list may be behind. */
async function takeAway(wanted: Triple, doors: Platform): Promise<void> {
  const { roles } = doors.azure
  await roles.delete(idOf(wanted))
  const others = await Promise.all((await othersOf(wanted, doors)).map(({ id }) => roles.get(id)))
  const other = others.find((one) => one !== undefined)
  if (other === undefined) return
  const what = `the principal ${wanted.principal} still has the role ${wanted.role}, by ${other.id}, which others gave`
  throw new LifeboatError('role.given-twice', what, {
    blame: 'user',
    leaves: true,
    hint: `If nobody needs it: az role assignment delete --ids ${other.id}`,
  })
}

/** A login that makes everything else in a group often may not do this: Contributor leaves it out. */
async function assignFindings(doors: Platform, wanted: PlanInputs<Inputs>, actions: readonly string[]): Promise<Finding[]> {
  const { scope, principal, role } = wanted
  const found = await rightsFindings(doors, [{ scope, actions }])
  const mend =
    'Contributor leaves this out. Have an owner give this login "Role Based Access Control Administrator" there, or make the assignment for you: ' +
    `az role assignment create --role '${String(role)}' --assignee-object-id ${argument(principal)} --scope ${argument(scope)}. Whoever made it, it is found.`
  return found.map((finding) => ({ ...finding, mend }))
}

function argument(value: Inputs['scope'] | PlanInputs<Inputs>['scope']): string {
  return typeof value === 'string' ? value : 'ID'
}

function guidOf({ role }: Pick<Triple, 'role'>): string {
  return roleGuid(role) ?? role
}

function idOf(wanted: Triple): string {
  return `${wanted.scope}/providers/Microsoft.Authorization/roleAssignments/${assignmentName(wanted.scope, wanted.principal, guidOf(wanted))}`
}

function definitionOf(wanted: Triple): string {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(wanted.scope)?.[0] ?? ''
  return `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${guidOf(wanted)}`
}
