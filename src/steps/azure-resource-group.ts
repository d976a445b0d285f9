import { z } from 'zod'
import { LifeboatError } from '../contract/index.js'
import { sameId, samePlace } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { governanceFindings } from './parts/governance.js'
import { naming } from './parts/naming.js'
import { actionsFor, lockFindings, rightsFindings, together } from './parts/readiness.js'
import { groupPath, written } from './parts/writes.js'
import { defineStep, ended, groupClaim, inverted, known, minutes, seconds } from './step.js'

const types = { resourceGroup: 'Microsoft.Resources/subscriptions/resourceGroups' }

/** A resource group. One that exists in the same place is adopted, whoever made it. */
export const resourceGroup = defineStep({
  uses: 'azure/resource-group',
  summary: 'A resource group',
  inputs: z.strictObject({ name: z.string().min(1).max(90), location: z.string().min(1) }),
  outputs: z.object({ id: z.string(), name: z.string() }),
  identity: ['name', 'location'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 10 * minutes }),
  preflight: (changes, { name, location }, { doors }) =>
    together(
      rightsFindings(doors, [{ scope: name, actions: actionsFor(changes, types) }]),
      lockFindings(doors, name, changes),
      governanceFindings(doors, changes, undefined, [{ type: types.resourceGroup, name, location }]),
    ),
  async observe({ name, location }, { doors }) {
    const group = await doors.azure.groups.get(name)
    if (group === undefined) return { state: 'absent' }
    // One that is being deleted is waited for, wherever it is: only then is its name free.
    if (group.provisioningState !== 'Succeeded') {
      return { state: 'in-flight', what: `resource group ${name} is ${group.provisioningState.toLowerCase()}` }
    }
    if (!samePlace(group.location, location)) {
      return {
        state: 'conflict',
        why: `resource group ${name} exists in ${group.location}, not in ${location}`,
        mend: 'A group cannot change its place: use another name in the runbook.',
      }
    }
    return { state: 'converged', outputs: { id: group.id, name: group.name } }
  },
  plan: ({ name, location }) => [{ resource: `resourceGroup ${naming(name, 'name')}`, action: 'create', after: { location } }],
  async apply(changes, { name, location }, { doors, signal }) {
    for (const { action } of changes) {
      if (action === 'create' && (await doors.azure.groups.create(name, location)) === 'put-over') throw putOver(name)
      if (action === 'delete') await deleteIfEmpty(name, doors, signal)
    }
  },
  // With what is in it by then a group stays: what others have put there, or safety copies.
  invert: (changes) =>
    changes.map((change) => (change.action === 'create' ? { ...inverted(change), after: { onlyIf: 'nothing is in it by then' } } : inverted(change))),
  writes: (changes, { name }) => changes.map(({ action }) => written(action, groupPath(name))),
  claims: ({ name }) => [groupClaim(known(name))],
  group: ({ name }) => name,
  estimateMs: () => 10 * seconds,
})

/** Runs look at the marks of their groups every ten seconds, and put back one that is gone; on a slow line it takes twice as long. */
function putOver(name: string): LifeboatError {
  const message = `somebody else made resource group ${name} at the same moment; it is looked at again when they have had time to say who they are`
  return new LifeboatError('group.put-over', message, { retry: { afterMs: 30 * seconds } })
}

/** Deleting a group deletes everything in it, also what others have put there since. */
async function deleteIfEmpty(name: string, { azure }: Platform, signal: AbortSignal): Promise<void> {
  const behind = await azure.groups.list(name)
  if (behind === undefined) return
  // The group's own list does not show what was just made: of what holds data, whoever provides it is asked.
  const held = await azure.groups.holds(name)
  const listed = [...behind, ...held.filter((id) => !behind.some((one) => sameId(one, id)))]
  // A list still names what was deleted a moment ago; what has an address of its own stays, and is not ours to delete.
  const there = await Promise.all(listed.map((id) => azure.resources.exists(id)))
  const left = listed.filter((_, index) => there[index] === true)
  if (left.length > 0) {
    throw new LifeboatError('group.not-empty', `resource group ${name} still holds ${left.length} resources`, {
      blame: 'user',
      leaves: true,
      hint: `Look at what they are before you delete it by hand: ${left.slice(0, 3).join(', ')}`,
    })
  }
  await ended(await azure.groups.delete(name), signal)
}
