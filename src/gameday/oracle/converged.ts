import type { WorldView } from './world-view.js'

/**
 * What is missing from a failover that is over, in the words of whoever has to teach the next morning: hubs that answer where their names
 * lead, on storage that one server has, with nothing left half done. Not by which certificate they answer: it is issued long after the
 * failover is over, nobody promises it (`http/check` with `tls: any` says which one there is), and what a runbook checks is not told here.
 */
export function missingFrom(start: WorldView, end: WorldView): readonly string[] {
  return [...hubsMissing(start, end), ...storageMissing(start, end), ...leftHalfDone(start, end)]
}

function hubsMissing(start: WorldView, { hubs, recordSets }: WorldView): readonly string[] {
  // One that is nowhere any more is missing too.
  return [...new Set([...start.hubs, ...hubs].map(({ host }) => host))].flatMap((host) => {
    const record = recordSets.find(({ name, zone, type }) => type === 'A' && `${name}.${zone}`.toLowerCase() === host.toLowerCase())
    const addresses = record?.published?.values ?? []
    const served = hubs.filter((hub) => hub.host === host && hub.answers && addresses.includes(hub.address))
    return served.length > 0 ? [] : [`${host} leads to ${addresses.join(' ') || 'nowhere'}, where it does not answer`]
  })
}

function storageMissing(start: WorldView, { pools, vms, hosts }: WorldView): readonly string[] {
  return pools.flatMap(({ name, health, importedOn }) => {
    const before = start.pools.find((pool) => pool.name === name)?.importedOn ?? []
    const [server, ...others] = importedOn
    if (server === undefined || others.length > 0) return [`pool ${name} is imported on ${importedOn.join(' and ') || 'no server'}`]
    return [
      ...(before.includes(server) ? [`pool ${name} is still on the old server`] : []),
      ...(health === 'ONLINE' ? [] : [`pool ${name} is ${health}`]),
      ...(vms.some(({ id, powerState }) => id === server && powerState === 'running') ? [] : [`${server} does not run`]),
      ...(hosts.some(({ machine, nfs, exports }) => machine === server && nfs && exports.length > 0) ? [] : [`${server} exports nothing`]),
    ]
  })
}

function leftHalfDone(start: WorldView, { groups, releases, clusters, vms, disks, snapshots, violations }: WorldView): readonly string[] {
  // One that was so before is nobody's work here; one that was made must have come to be whole.
  const failedBefore = new Set([...start.clusters, ...start.vms].filter(({ provisioningState }) => provisioningState === 'Failed').map(({ id }) => id.toLowerCase()))
  // `Failed` is how the last operation on a machine went (A133): one that runs is whole all the same.
  const running = new Set(vms.filter(({ powerState }) => powerState === 'running').map(({ id }) => id))
  const isSettled = ({ id, provisioningState }: { readonly id: string; readonly provisioningState: string }): boolean =>
    provisioningState === 'Succeeded' || (provisioningState === 'Failed' && (failedBefore.has(id.toLowerCase()) || running.has(id)))
  return [
    ...groups.filter(({ locked }) => locked).map(({ id }) => `${id} is locked`),
    ...releases.filter(({ status }) => status !== 'deployed').map(({ namespace, name, status }) => `release ${namespace}/${name} is ${status}`),
    ...[...clusters, ...vms].filter((one) => !isSettled(one)).map(({ id, provisioningState }) => `${id} is ${provisioningState}`),
    ...disks.filter(({ moves }) => moves > 1).map(({ id, moves }) => `disk ${id} was moved ${moves} times`),
    ...tornCopies(start, snapshots),
    ...violations.map((violation) => `the world saw: ${violation}`),
  ]
}

/** What was made to fall back on has to be whole: of each disk one copy at least that was taken while nobody had its pool. */
function tornCopies(start: WorldView, snapshots: WorldView['snapshots']): readonly string[] {
  const before = new Set(start.snapshots.map(({ id }) => id.toLowerCase()))
  const made = snapshots.filter(({ id }) => !before.has(id.toLowerCase()))
  const whole = new Set(made.flatMap(({ of, torn }) => (torn ? [] : [of])))
  return [...new Set(made.map(({ of }) => of))].filter((of) => !whole.has(of)).map((of) => `of disk ${of} there are torn copies only`)
}
