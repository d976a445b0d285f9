import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError, type Change } from '../../src/contract/index.js'
import { nfsExports } from '../../src/steps/nfs-exports.js'
import { nfsFence } from '../../src/steps/nfs-fence.js'
import { zfsImportPool } from '../../src/steps/zfs-import-pool.js'
import { served, worldRequests, worldState, type Served } from '../helpers/served.js'
import { doorsTo, Driven, subscription } from '../helpers/steps.js'

const group = `/subscriptions/${subscription}/resourceGroups/MC_data100-19s_data100-19s_westus2`
const machine = `${group}/providers/Microsoft.Compute/virtualMachines/nfsserver`
const pool = { name: 'pool0', guid: '9464217329115420731', devices: 2 }
const options = 'rw,sync,no_subtree_check,all_squash,anonuid=1000,anongid=1000'
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'none', (error: unknown) => (error instanceof LifeboatError ? error.code : String(error)))

describe('the storage steps, by real SSH on the old server of data100', () => {
  let world: Served & AsyncDisposable
  let opened: Awaited<ReturnType<typeof doorsTo>>
  beforeEach(async () => {
    world = await served()
    opened = await doorsTo(world.cloudPath)
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const login = () => ({ machine, user: 'hubadmin', sshKey: opened.env('LIFEBOAT_SSH_KEY') })
  const driven = (module: typeof nfsFence, inputs: Record<string, unknown>) =>
    new Driven(module, opened.doors, opened.clock, { ...login(), ...inputs })
  const disks = async () => {
    const names = ['nfsserver_DataDisk_0', 'nfsserver_DataDisk_1']
    const found = await Promise.all(names.map((name) => opened.doors.azure.disks.get(`${group}/providers/Microsoft.Compute/disks/${name}`)))
    return found.map((disk, lun) => ({ name: names[lun], lun, id: disk?.id, uniqueId: disk?.uniqueId }))
  }

  it('fence, import and export, each planned by reading only, done once, and then as wanted', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    expect(await fence.see()).toMatchObject({ state: 'drifted', seen: { serving: true, imported: true } })
    const before = (await worldRequests(world)).filter(({ writes }) => writes).length
    expect((await fence.plan()).map(({ resource, action, harm }) => [resource, action, harm !== undefined])).toEqual([
      ['nfs-server', 'run', true],
      ['zpool pool0', 'run', false],
    ])
    expect(await fence.module.preflight(await fence.plan(), fence.inputs, fence.ctx)).toEqual([])
    expect((await worldRequests(world)).filter(({ writes }) => writes).length).toBe(before)
    await fence.make()
    expect(await fence.see()).toEqual({ state: 'converged', outputs: { how: 'exported' } })
    expect((await worldState(world)).pools).toMatchObject([{ importedOn: [] }])

    const wanted = { pool, disks: await disks() }
    const imported = driven(zfsImportPool, wanted)
    expect(await imported.see()).toEqual({ state: 'absent' })
    expect(await imported.module.preflight([], imported.inputs, imported.ctx)).toEqual([])
    await imported.make()
    expect(await imported.see()).toMatchObject({ state: 'converged', outputs: { pool: 'pool0', guid: pool.guid, health: 'ONLINE' } })
    expect((await worldState(world)).pools).toMatchObject([{ importedOn: [machine] }])

    const exports = driven(nfsExports, { exports: [{ path: '/pool0/homes', clients: '10.0.0.0/8', options }] })
    expect(await exports.plan()).toMatchObject([{ resource: 'nfs exports', action: 'create' }])
    await exports.make()
    expect(await exports.see()).toMatchObject({ state: 'converged', outputs: { exports: [{ path: '/pool0/homes', clients: '10.0.0.0/8' }] } })
    expect((await worldState(world)).violations).toEqual([])
    expect(opened.children.startedOnes.every(({ survivor }) => survivor === 'await')).toBe(true)
    expect(opened.children.endedOnes.length).toBe(opened.children.startedOnes.length)
  })

  it('nothing is imported while the control plane does not prove where the disks are', { timeout: 60_000 }, async () => {
    const [first, second] = await disks()
    const other = driven(zfsImportPool, { pool: { ...pool, guid: '1' }, disks: [first, { ...second, uniqueId: 'another' }] })
    expect(await codeOf(other.apply([{ resource: 'zpool pool0', action: 'run', after: { imported: true } }]))).toBe('zfs.no-proof')
  })

  const theImport: Change = { resource: 'zpool pool0', action: 'run', after: { imported: true } }

  it('a fence is put back in the other order: the pool, then NFS', { timeout: 60_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    const made = await fence.make()
    await fence.apply(fence.module.invert(made) as Change[])
    expect(await fence.see()).toMatchObject({ state: 'drifted', seen: { serving: true, imported: true } })
  })

  it('a server that does not answer is unknown, with what may be done about it; one that is deallocated is fenced', async () => {
    const fence = driven(nfsFence, { pool })
    world.world.host(machine)!.answers = false
    const silent = await fence.see().catch((error: unknown) => error as LifeboatError)
    expect(silent).toBeInstanceOf(LifeboatError)
    expect((silent as LifeboatError).hint).toContain('deallocate')
    await (await opened.doors.azure.machines.deallocate(machine)).done
    expect(await fence.see()).toEqual({ state: 'converged', outputs: { how: 'deallocated' } })
  })

  it('a pool of that name with another guid is a conflict', async () => {
    expect((await driven(nfsFence, { pool: { ...pool, guid: '1' } }).see()).state).toBe('conflict')
    expect((await driven(zfsImportPool, { pool: { ...pool, guid: '1' }, disks: await disks() }).see()).state).toBe('conflict')
  })

  it('a pool that was never exported is not imported by force', async () => {
    Object.assign(world.world.pools[0]!, { importedOn: [], exported: false, lastHostId: 'another' })
    const step = driven(zfsImportPool, { pool, disks: await disks() })
    expect(await step.see()).toEqual({ state: 'absent' })
    expect(await codeOf(step.apply([theImport]))).toBe('zfs.not-exported')
    expect((await worldState(world)).pools).toMatchObject([{ importedOn: [] }])
  })

  it('a pool with fewer devices than the runbook says is not imported', async () => {
    Object.assign(world.world.pools[0]!, { importedOn: [], exported: true })
    const [first] = await disks()
    const step = driven(zfsImportPool, { pool: { ...pool, devices: 1 }, disks: [first] })
    expect(await codeOf(step.apply([theImport]))).toBe('zfs.devices')
  })

  it('what lies on no mounted dataset is not exported', async () => {
    const exports = driven(nfsExports, { exports: [{ path: '/srv/homes', clients: '10.0.0.0/8', options }] })
    expect(await codeOf(exports.make())).toBe('nfs.not-mounted')
  })
})
