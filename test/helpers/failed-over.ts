import { expect } from 'vitest'
import type { WorldState } from './served.js'

const last = (id: string): string => id.split('/').at(-1) ?? id

/**
 * The world after a failover of data100, however often it was interrupted: one new cluster and one new server, each disk
 * moved once and attached to the new server, the pool imported there alone, both hubs released, DNS at the new addresses.
 */
export function expectFailedOver(state: WorldState): void {
  expect(state.violations).toEqual([])
  expect(state.clusters.map(({ id, provisioningState }) => [last(id), provisioningState]).sort()).toEqual([
    ['data100-19s', 'Succeeded'],
    ['data100-19s-2', 'Succeeded'],
  ])
  const servers = state.vms.filter(({ id }) => last(id) === 'nfsserver')
  expect(servers).toHaveLength(2)
  const fresh = servers.find(({ id }) => id.toLowerCase().includes('/data100-nfs/'))
  expect(fresh?.dataDisks.map(({ id, lun }) => [last(id), lun]).sort()).toEqual([
    ['nfsserver_DataDisk_0', 0],
    ['nfsserver_DataDisk_1', 1],
  ])
  const dataDisks = state.disks.filter(({ id }) => last(id).startsWith('nfsserver_DataDisk_'))
  expect(dataDisks.map(({ moves }) => moves)).toEqual([1, 1])
  expect(dataDisks.every(({ id }) => id.toLowerCase().includes('/data100-disks/'))).toBe(true)
  expect(state.snapshots.map(({ torn }) => torn)).toEqual([false, false])
  expect(state.pools.map(({ importedOn }) => importedOn.map((id) => id.toLowerCase()))).toEqual([
    [fresh?.id.toLowerCase()],
  ])
  expect(state.releases.map(({ name, status }) => [name, status]).sort()).toEqual([
    ['data100-prod', 'deployed'],
    ['data100-staging', 'deployed'],
  ])
  for (const [name, host] of [
    ['data100', 'data100.datahub.berkeley.edu'],
    ['data100s', 'data100s.datahub.berkeley.edu'],
  ]) {
    const values = state.recordSets.find((record) => record.name === name && record.type === 'A')?.values
    const hub = state.hubs.find((one) => one.host === host && one.answers && values?.includes(one.address))
    expect(hub, `${host} answers at the address that DNS gives`).toBeDefined()
  }
}
