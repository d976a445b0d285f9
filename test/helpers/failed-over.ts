import { expect } from 'vitest'
import type { WorldState } from './served.js'
import { sites, type FailedOver } from './sites.js'

const last = (id: string): string => id.split('/').at(-1) ?? id
const isIn = (id: string, group: string): boolean => id.toLowerCase().includes(`/resourcegroups/${group.toLowerCase()}/`)

/**
 * The world after a failover, however often it was interrupted: one new cluster and one new server, each disk in its group,
 * moved once if at all, and attached to the new server, the pools imported there alone, every hub released, and answering at
 * the address that DNS gives.
 */
export function expectFailedOver(state: WorldState, after: FailedOver = sites.data100.after): void {
  expect(state.violations).toEqual([])
  expect(state.clusters.map(({ id, provisioningState }) => [last(id), provisioningState]).sort()).toEqual(
    after.clusters.map((name) => [name, 'Succeeded']),
  )
  const servers = state.vms.filter(({ id }) => after.servers.name.test(last(id)))
  expect(servers).toHaveLength(after.servers.of)
  const fresh = servers.filter(({ id }) => isIn(id, after.servers.group))
  expect(Object.fromEntries(fresh.flatMap(({ dataDisks }) => dataDisks.map(({ id, lun }) => [last(id), lun])))).toEqual(after.disks)
  const dataDisks = state.disks.filter(({ id }) => last(id) in after.disks)
  expect(dataDisks.map(({ moves }) => moves)).toEqual(Object.keys(after.disks).map(() => after.moves))
  expect(dataDisks.filter(({ id }) => !isIn(id, after.diskGroup))).toEqual([])
  expect(state.snapshots.map(({ torn }) => torn)).toEqual(Object.keys(after.disks).map(() => false))
  for (const { name, importedOn } of state.pools) {
    expect(importedOn.map((id) => fresh.some((server) => server.id.toLowerCase() === id.toLowerCase())), `${name} is on one new server`).toEqual([true])
  }
  expect(state.releases.map(({ name, status }) => [name, status]).sort()).toEqual(after.releases.map((name) => [name, 'deployed']))
  for (const [name, host] of Object.entries(after.hosts)) {
    const values = state.recordSets.find((record) => record.name === name && record.type === 'A')?.values
    if (after.records !== undefined) expect(values).toEqual([after.records[name]])
    const hub = state.hubs.find((one) => one.host === host && one.answers && values?.includes(one.address))
    expect(hub, `${host} answers at the address that DNS gives`).toBeDefined()
  }
}
