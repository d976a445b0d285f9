import { z } from 'zod'
import { LifeboatError } from '../contract/index.js'
import { samePlace } from '../platform/azure/ids.js'
import { naming } from './parts/naming.js'
import { actionsFor, lockFindings, rightsFindings, together } from './parts/readiness.js'
import { pathIn, written } from './parts/writes.js'
import { claim, defineStep, ended, groupClaim, idIn, inverted, known, minutes, seconds } from './step.js'

const type = 'Microsoft.ManagedIdentity/userAssignedIdentities'

/**
 * A user-assigned identity: what a cluster acts as, there before the cluster is, so that it can be given its rights first.
 * One of that name in the same place is adopted.
 */
export const managedIdentity = defineStep({
  uses: 'azure/managed-identity',
  summary: 'A user-assigned identity, for a cluster to act as',
  inputs: z.strictObject({ resourceGroup: z.string(), location: z.string(), name: z.string().regex(/^[A-Za-z0-9][\w-]{2,127}$/, '3 to 128 letters, digits, _ and -') }),
  outputs: z.object({ id: z.string(), principalId: z.string() }),
  identity: ['resourceGroup', 'name'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 10 * minutes }),
  preflight: (changes, { resourceGroup }, { doors }) =>
    together(
      rightsFindings(doors, [{ scope: resourceGroup, actions: actionsFor(changes, { managedIdentity: type }) }]),
      lockFindings(doors, resourceGroup, changes),
    ),
  async observe({ resourceGroup, location, name }, { doors }) {
    const { groups, resources } = doors.azure
    const found = await resources.get(idIn(groups.idOf(resourceGroup), type, name))
    if (found === undefined) return { state: 'absent' }
    if (typeof location === 'string' && !samePlace(found.location, location)) {
      return {
        state: 'conflict',
        why: `identity ${name} exists in ${found.location}, not in ${location}`,
        mend: 'An identity cannot change its place: use another name in the runbook.',
      }
    }
    const { principalId } = found.properties
    if (typeof principalId !== 'string') return { state: 'in-flight', what: `identity ${name} has no principal yet` }
    return { state: 'converged', outputs: { id: found.id, principalId } }
  },
  plan: ({ name, location }) => [{ resource: `managedIdentity ${naming(name, 'name')}`, action: 'create', after: { location } }],
  async apply(changes, { resourceGroup, location, name }, { doors, signal }) {
    const { groups, resources } = doors.azure
    const group = await groups.get(resourceGroup)
    if (group === undefined) throw new LifeboatError('identity.no-group', `there is no resource group ${resourceGroup}`)
    const id = idIn(group.id, type, name)
    for (const { action } of changes) {
      await ended(action === 'delete' ? await resources.delete(id) : await resources.put({ id, location, properties: {} }), signal)
    }
  },
  invert: (changes) => changes.map(inverted),
  writes: (changes, { resourceGroup, name }) => changes.map(({ action }) => written(action, pathIn(resourceGroup, type, name))),
  claims: ({ resourceGroup, name }) => [groupClaim(known(resourceGroup)), claim('managed-identity', `${known(resourceGroup)}/${known(name)}`)],
  estimateMs: () => 5 * seconds,
})
