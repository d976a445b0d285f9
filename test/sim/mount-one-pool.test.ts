import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mountPool } from '../../src/platform/host/pools.js'
import type { Host } from '../../src/platform/host/run.js'
import type { Dataset, Pool } from '../../src/sim/world/model.js'
import { nfsFence } from '../../src/steps/nfs-fence.js'
import { zfsImportPool } from '../../src/steps/zfs-import-pool.js'
import { served, worldRequests, type Served } from '../helpers/served.js'
import { doorsTo, Driven, subscription } from '../helpers/steps.js'

const group = `/subscriptions/${subscription}/resourceGroups/MC_data100-19s_data100-19s_westus2`
const machine = `${group}/providers/Microsoft.Compute/virtualMachines/nfsserver`
const pool = { name: 'pool0', guid: '9464217329115420731', devices: 2 }

describe('a pool beside another one that was imported and is kept back, not mounted (S23)', () => {
  let at: Served & AsyncDisposable
  let opened: Awaited<ReturnType<typeof doorsTo>>
  let host: Host
  let other: Dataset
  beforeEach(async () => {
    at = await served()
    opened = await doorsTo(at.cloudPath)
    host = { ssh: opened.doors.ssh, at: { machine, user: 'hubadmin', key: opened.env('LIFEBOAT_SSH_KEY') } }
    other = { name: 'pool1', mountpoint: '/pool1', usedBytes: 1, properties: {}, mounted: false }
    const kept: Pool = { ...structuredClone(at.world.pools[0]!), name: 'pool1', guid: '22', disks: [], importedOn: [machine], datasets: [other] }
    at.world.pools.push(kept)
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const mine = (): Dataset[] => at.world.pools[0]!.datasets
  const dataset = (name: string, mountpoint: string, canmount = 'on'): Dataset =>
    ({ name, mountpoint, usedBytes: 1, properties: { canmount }, mounted: false })
  const inputs = async () => {
    const names = ['nfsserver_DataDisk_0', 'nfsserver_DataDisk_1']
    const found = await Promise.all(names.map((name) => opened.doors.azure.disks.get(`${group}/providers/Microsoft.Compute/disks/${name}`)))
    const disks = found.map((disk, lun) => ({ name: names[lun], lun, id: disk?.id, uniqueId: disk?.uniqueId }))
    return { pool, disks, machine, user: 'hubadmin', sshKey: opened.env('LIFEBOAT_SSH_KEY') }
  }

  it('is mounted alone, by an import and by the way back of a fence', { timeout: 60_000 }, async () => {
    for (const one of mine()) one.mounted = false
    const imported = new Driven(zfsImportPool, opened.doors, opened.clock, await inputs())
    await imported.make()
    expect(await imported.see()).toMatchObject({ state: 'converged' })
    expect(other.mounted).toBe(false)

    const { disks: _, ...fenced } = await inputs()
    const fence = new Driven(nfsFence, opened.doors, opened.clock, fenced)
    const made = await fence.make()
    await fence.apply(fence.module.invert(made) as typeof made)
    expect([mine().every(({ mounted }) => mounted), other.mounted]).toEqual([true, false])
    expect(at.world.violations).toEqual([])
  })

  it('is mounted from the outermost folder inwards, and only what wants to be mounted and is not yet', { timeout: 60_000 }, async () => {
    mine().push(dataset('pool0/a', '/srv/outer/inner'), dataset('pool0/b b', '/srv/outer'), dataset('pool0/c', 'legacy'), dataset('pool0/d', '/d', 'off'))
    await mountPool(host, 'pool0')
    const sent = (await worldRequests(at)).filter(({ path }) => path.includes('zfs mount'))
    expect(sent).toMatchObject([{ path: expect.stringContaining('zfs mount') as string, status: 0 }])
    expect(sent[0]?.path).toMatch(/zfs mount .*pool0\/b b.* && zfs mount pool0\/a'$/)
    expect(mine().filter(({ mounted }) => !mounted).map(({ name }) => name)).toEqual(['pool0/c', 'pool0/d'])
    await mountPool(host, 'pool0')
    expect((await worldRequests(at)).filter(({ path }) => path.includes('zfs mount'))).toHaveLength(1)
  })
})
