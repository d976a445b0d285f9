import type { WorldState } from '../../helpers/served.js'

/** What a failover is for, and nothing of how it came about: two that did the same work leave the same. */
export function endOf({ clusters, vms, disks, snapshots, pools, releases, recordSets, hubs, violations }: WorldState): unknown {
  const sorted = <T>(items: readonly T[]): T[] => [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  return {
    clusters: sorted(clusters),
    vms: sorted(vms.map(({ id, powerState, dataDisks }) => ({ id, powerState, dataDisks: sorted(dataDisks) }))),
    disks: sorted(disks.map(({ id, managedBy, moves }) => ({ id, managedBy, moves }))),
    // Named by the time of the record that they were made for.
    snapshots: sorted(snapshots.map(({ id, torn }) => ({ id: id.replace(/-\d{14}$/, ''), torn }))),
    pools: sorted(pools.map(({ guid, importedOn }) => ({ guid, importedOn }))),
    releases: sorted(releases.map(({ namespace, name, status }) => ({ namespace, name, status }))),
    recordSets: sorted(recordSets.map(({ zone, name, type, ttl, values }) => ({ zone, name, type, ttl, values }))),
    hubs: sorted(hubs.map(({ host, address, answers }) => ({ host, address, answers }))),
    violations,
  }
}
