import type { WorldView } from './world-view.js'

/** One line for each thing of a world that two failovers of the same site must agree on, sorted. */
export type EndState = readonly string[]

/**
 * Where a world stands, without what may differ between two ways to the same end: times, marks of runs, and how a release came about
 * (`revision`: one that was broken off and repaired has more than one). What the world itself saw go wrong stands in it too.
 */
export function endOf(view: WorldView): EndState {
  const lines = [
    ...view.clusters.map(({ id, provisioningState }) => `cluster ${id}: ${provisioningState}`),
    ...view.vms.map((vm) => `vm ${vm.id}: ${vm.powerState}, ${standingOf(vm)}, disks ${disksOf(vm.dataDisks)}`),
    ...view.disks.map(({ id, diskState, managedBy, moves }) => `disk ${id}: ${diskState}, of ${managedBy ?? 'nobody'}, moved ${moves} times`),
    ...view.snapshots.map(({ id, of, torn }) => `snapshot ${withoutTime(id)}: of ${of}${torn ? ', torn' : ''}`),
    // What has a line of its own needs no other.
    ...view.resources.filter(({ type }) => !told.has(type.toLowerCase())).map(({ id, type }) => `resource ${id}: ${type}`),
    ...view.groups.map(({ id, locked }) => `group ${id}${locked ? ': locked' : ''}`),
    ...view.recordSets.map(({ zone, name, type, ttl, values, published }) =>
      `record ${name}.${zone} ${type}: ${values.join(' ')} for ${ttl} s, published ${published?.values.join(' ') ?? 'nothing'}`,
    ),
    ...view.releases.map(({ cluster, namespace, name, status }) => `release ${namespace}/${name} on ${cluster}: ${status}`),
    ...view.pools.map(({ name, health, exported, importedOn }) =>
      `pool ${name}: ${health}, ${exported ? 'exported' : `imported on ${importedOn.join(' and ') || 'nobody'}`}`,
    ),
    ...view.hosts.map(({ machine, nfs, exports }) =>
      `host ${machine}: NFS ${nfs ? 'serves' : 'stopped'}, exports ${exports.map(({ path, clients }) => `${path} to ${clients}`).join(', ') || 'nothing'}`,
    ),
    ...view.hubs.map(({ host, address, answers, certificate }) => `hub ${host} at ${address}: ${answers ? 'answers' : 'does not answer'}, ${certificate}`),
    ...view.violations.map((violation) => `violation: ${violation}`),
  ]
  return lines.map((line) => line.toLowerCase()).sort()
}

/** Types that are told of with more than their ids. */
const told: ReadonlySet<string> = new Set([
  'microsoft.containerservice/managedclusters',
  'microsoft.compute/virtualmachines',
  'microsoft.compute/disks',
  'microsoft.compute/snapshots',
])

/**
 * `Failed` is how the last operation on a machine went, not how it is (A133): one that runs or is deallocated all the same stands as well
 * as after one that succeeded. One that never came to run has no such power state, and is told as it reads.
 */
function standingOf({ powerState, provisioningState }: WorldView['vms'][number]): string {
  return provisioningState === 'Failed' && /^(running|deallocated)$/.test(powerState) ? 'Succeeded' : provisioningState
}

function disksOf(dataDisks: WorldView['vms'][number]['dataDisks']): string {
  return dataDisks.map(({ id, lun }) => `${id} at ${lun}`).sort().join(', ') || 'none'
}

/** What is other in a world than where nothing disturbed the run, and what was done there more often; empty if all is well. */
export function otherThan(undisturbed: WorldView, found: WorldView): readonly string[] {
  return [...differencesBetween(endOf(undisturbed), endOf(found)), ...doneTwice(undisturbed, found)]
}

/** What one end state has and the other has not, as lines of a comparison. */
export function differencesBetween(expected: EndState, found: EndState): readonly string[] {
  return [...beyond(expected, found).map((line) => `- ${line}`), ...beyond(found, expected).map((line) => `+ ${line}`)]
}

/** Lines of the one that the other has not, or not as often. */
function beyond(one: EndState, other: EndState): readonly string[] {
  const left = [...other]
  return one.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** A safety copy bears the time of the run in its name: that of another way to the same end is another one. */
function withoutTime(id: string): string {
  return id.replace(/-\d{14}$/, '')
}

/**
 * What may be sent twice: looks, and what comes to the same however often it is sent and cannot be seen while it is under way (a group
 * or an identity is there or not; a role assignment has one name and is read late).
 */
const harmless: ReadonlySet<string> = new Set(['runCommand', 'validate move', 'group create', 'identity', 'role assignment', 'role assignment seen'])

/**
 * What was done more often than in a run that nothing disturbed, among what succeeded: `managedClusters.put ID: 2 instead of 1`. All
 * that is not harmless counts.
 */
export function doneTwice(expected: WorldView, found: WorldView): readonly string[] {
  const usual = countOf(expected)
  return [...countOf(found)].flatMap(([what, count]) => {
    const allowed = usual.get(what) ?? 0
    return count > allowed ? [`${what}: ${count} times instead of ${allowed}`] : []
  })
}

function countOf({ operations }: WorldView): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { what, resource, status } of operations) {
    if (status !== 'succeeded' || harmless.has(what)) continue
    const key = `${what} ${withoutTime(resource)}`.toLowerCase()
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}
