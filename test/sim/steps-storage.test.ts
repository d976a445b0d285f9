import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError, type Change } from '../../src/contract/index.js'
import type { DataDisk, Machine } from '../../src/platform/azure/door.js'
import { ask } from '../../src/platform/host/ask.js'
import { nfsState } from '../../src/platform/host/nfs.js'
import { importedPools, importPool } from '../../src/platform/host/pools.js'
import { WorldError } from '../../src/sim/world/world.js'
import { backwards } from '../../src/engine/undo.js'
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

  it('an import that found the pool there, with something unmounted, leaves it there on the way back', () => {
    const invert = (change: Change): readonly unknown[] => zfsImportPool.invert([change])
    const after = { on: 'data100-nfs/nfsserver', imported: true }
    expect(invert({ resource: 'zpool pool0', action: 'run', before: { imported: true, unmounted: ['pool0/homes'] }, after })).toMatchObject([{ kept: expect.any(String) as string }])
    expect(invert({ resource: 'zpool pool0', action: 'run', before: { imported: false }, after })).toMatchObject([{ action: 'run', after: { imported: false } }])
  })

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
    expect(await fence.see()).toEqual({ state: 'converged', outputs: { how: 'exported', machine, since: null } })
    expect((await worldState(world)).pools).toMatchObject([{ importedOn: [] }])

    const wanted = { pool, disks: await disks() }
    const imported = driven(zfsImportPool, wanted)
    expect(await imported.see()).toEqual({ state: 'absent' })
    expect(await imported.module.preflight([], imported.inputs, imported.ctx)).toEqual([])
    // As somebody may have looked at one that was damaged: nobody could save anything.
    const typed = (...command: string[]) => opened.doors.ssh.write({ machine, user: 'hubadmin', key: opened.env('LIFEBOAT_SSH_KEY') }, [command])
    await typed('zpool', 'import', '-N', '-d', '/dev/disk/azure/scsi1', '-o', 'cachefile=none', '-o', 'readonly=on', 'pool0')
    expect(await imported.see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('pool0 is imported read-only on') as string })
    await typed('zpool', 'export', 'pool0')
    await imported.make()
    expect(await imported.see()).toMatchObject({ state: 'converged', outputs: { pool: 'pool0', guid: pool.guid, health: 'ONLINE' } })
    expect((await worldState(world)).pools).toMatchObject([{ importedOn: [machine] }])

    const exports = driven(nfsExports, { exports: [{ path: '/pool0/homes', clients: '10.0.0.0/8', options }] })
    // They stand in its own file, and only NFS is stopped.
    expect(await exports.plan()).toMatchObject([{ resource: 'nfs exports', action: 'create', before: { active: false, own: true } }])
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
    const commands = (await worldRequests(world)).map(({ path }) => /zpool import|systemctl enable/.exec(path)?.[0])
    expect(commands.filter((one) => one !== undefined)).toEqual(['zpool import', 'systemctl enable'])
  })

  it('a way back that ended between its import and its mount mounts before it serves', { timeout: 60_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    const [serving] = fence.module.invert(await fence.make()) as Change[]
    const { user, sshKey } = login()
    await importPool({ ssh: opened.doors.ssh, at: { machine, user, key: sshKey } }, pool)
    // What is imported would be exported again going forward: only NFS is left to be put back.
    await fence.apply([serving!])
    expect(world.world.host(machine)).toMatchObject({ services: { nfs: true }, exports: [{ path: '/pool0/homes' }] })
  })

  it('a pool whose server is fenced by another step waits until NFS is stopped there, and has no harm of its own', { timeout: 120_000 }, async () => {
    const other = driven(nfsFence, { pool, stopsNfs: false })
    const changes = await other.plan()
    expect(changes).toMatchObject([{ resource: 'zpool pool0', after: { imported: false, nfs: 'stopped by another step' } }])
    expect(changes[0]).not.toHaveProperty('harm')
    expect(await codeOf(other.apply(changes))).toBe('nfs.still-active')
    expect((await worldState(world)).pools).toMatchObject([{ importedOn: [machine] }])

    const fence = driven(nfsFence, { pool })
    await fence.apply((await fence.plan()).slice(0, 1))
    const made = await other.make()
    expect(await other.see()).toEqual({ state: 'converged', outputs: { how: 'exported', machine, since: null } })
    await other.apply(other.module.invert(made) as Change[])
    expect(await other.see()).toMatchObject({ state: 'drifted', seen: { serving: false, imported: true } })
  })

  it('a pool that is in no list while somebody who is gone still imports it is not taken for let go (S21)', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    await fence.make()
    const { user, sshKey } = login()
    const host = { ssh: opened.doors.ssh, at: { machine, user, key: sshKey } }
    world.world.spec.durations['zpool import'] = 20 * 60_000
    const late = importPool(host, pool)
    while ((world.world.host(machine)?.running.size ?? 0) === 0) await setTimeout(20)
    // Whoever goes by the lists alone believes it.
    expect(await ask(host, importedPools, nfsState)).toEqual([[], 'inactive'])
    expect(await fence.see()).toEqual({ state: 'in-flight', what: expect.stringContaining('still at work') as string })
    const others = [driven(zfsImportPool, { pool, disks: await disks() }), driven(nfsExports, { exports: [{ path: '/pool0/homes', clients: '*', options }] })]
    for (const other of others) expect((await other.see()).state).toBe('in-flight')
    await late
    expect(await fence.see()).toMatchObject({ state: 'drifted', seen: { imported: true } })
  })

  const labels = (changes: readonly Change[]): string[] => changes.map(({ action, resource }) => `${action} ${resource}`)
  const silence = (): void => void (world.world.host(machine)!.answers = false)

  it('a server that does not answer is unknown: stopping it is offered, with whom that harms, and not done by itself', async () => {
    const fence = driven(nfsFence, { pool })
    silence()
    const silent = (await fence.see().catch((error: unknown) => error)) as LifeboatError
    expect(silent).toMatchObject({ code: 'fence.silent', alternative: { id: 'deallocate', offer: expect.stringContaining('not exported') as string } })
    expect(labels(silent.alternative?.changes ?? [])).toEqual(['run nfs-server', 'run zpool pool0', 'update old server'])
    expect(silent.alternative?.changes[2]?.harm).toContain('not written')
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])
  })

  it('once that is chosen its machine is stopped, and only what the control plane calls deallocated is fenced', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    fence.accepted.add('deallocate')
    silence()
    const changes = await fence.make()
    expect(labels(changes)).toEqual(['update old server'])
    expect(await fence.see()).toEqual({ state: 'converged', outputs: { how: 'deallocated', machine, since: null } })
    // It comes back to life: fenced it is no more, though nobody of ours has touched it.
    await world.world.take('start', machine, 0, () => undefined)
    Object.assign(world.world.host(machine)!, { power: 'running', answers: true })
    world.world.pools[0]!.importedOn.push(machine)
    expect((await fence.see()).state).toBe('drifted')
  })

  it('one that was stopped is started on the way back, and serves its pool again', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    fence.accepted.add('deallocate')
    silence()
    const changes = await fence.make()
    const back = new Driven(backwards(fence.module, changes), opened.doors, opened.clock, { ...login(), pool })
    expect(await back.see()).toMatchObject({ state: 'drifted' })
    world.world.host(machine)!.answers = true
    expect(await back.make()).toMatchObject([{ resource: 'old server', before: { power: 'deallocated' }, after: { power: 'running' } }])
    expect(await back.see()).toEqual({ state: 'converged', outputs: {} })
    expect(await driven(nfsFence, { pool }).see()).toMatchObject({ state: 'drifted', seen: { serving: true, imported: true } })
    const { pools, violations, vms } = await worldState(world)
    expect([pools[0]?.importedOn, violations, vms.find(({ id }) => id === machine)?.powerState]).toEqual([[machine], [], 'running'])
  })

  it('a clean fence is put back on a server that had to be stopped for its disks afterwards', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    const changes = await fence.make()
    await (await opened.doors.azure.machines.deallocate(machine)).done
    const back = new Driven(backwards(fence.module, changes), opened.doors, opened.clock, { ...login(), pool })
    expect(await back.module.preflight(await back.plan(), back.inputs, back.ctx)).toEqual([])
    await back.make()
    expect(await back.see()).toEqual({ state: 'converged', outputs: {} })
    expect(await fence.see()).toMatchObject({ state: 'drifted', seen: { serving: true, imported: true } })
  })

  it('a server that answers again is fenced as usual, though stopping it was chosen', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    fence.accepted.add('deallocate')
    expect(labels(await fence.make())).toEqual(['run nfs-server', 'run zpool pool0'])
    expect(await fence.see()).toEqual({ state: 'converged', outputs: { how: 'exported', machine, since: null } })
  })

  it('one that cannot be stopped either stops the run, with nothing detached', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence, { pool })
    fence.accepted.add('deallocate')
    silence()
    world.world.tamper.add(({ what }) => (what === 'deallocate' ? new WorldError(409, 'VMAgentStuck', 'The host does not respond.') : undefined))
    const failure = await fence.make().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'fence.not-stopped', alternative: undefined, hint: expect.stringContaining('nothing has been detached') as string })
    await expect(fence.see()).resolves.toMatchObject({ state: 'drifted', seen: { silent: true } })
  })

  it('a pool that is nearly full or has lost a device is told before the fence', { timeout: 120_000 }, async () => {
    Object.assign(world.world.pools[0]!, { allocatedBytes: world.world.pools[0]!.sizeBytes * 0.94, health: 'DEGRADED' })
    const fence = driven(nfsFence, { pool })
    const findings = await fence.module.preflight(await fence.plan(), fence.inputs, fence.ctx)
    expect(findings).toMatchObject([
      { level: 'warn', what: expect.stringContaining('DEGRADED') as string },
      { level: 'warn', what: expect.stringMatching(/94 % full|93 % full/) as string },
    ])
  })

  it('a dataset that the new server would not mount stops before the fence', async () => {
    Object.assign(world.world.pools[0]!.datasets[1]!, { mountpoint: '/etc/ssh' })
    const fence = driven(nfsFence, { pool })
    expect(await fence.module.preflight(await fence.plan(), fence.inputs, fence.ctx)).toMatchObject([
      { level: 'stop', what: expect.stringContaining('pool0/homes at /etc/ssh') as string },
    ])
  })

  describe('a pool that uses what the new server does not know (S17)', () => {
    const future = ['lz4_compress', 'org.example:future']
    /** In the hands of a server that is older than the one that made it. */
    const importing = async (record?: object) => {
      Object.assign(world.world.pools[0]!, { importedOn: [], exported: true, features: future })
      return driven(zfsImportPool, { pool, disks: await disks(), ...(record === undefined ? {} : { record }) })
    }

    it('is told before the old one is fenced, once that has been asked', async () => {
      const step = await importing({ takenAt: '2019-02-25T19:40:00Z', layout: ['mirror-0 of 2'], datasets: [], exports: [], features: future })
      const findings = await step.module.preflight([theImport], step.inputs, step.ctx)
      expect(findings).toMatchObject([{ level: 'stop', what: expect.stringMatching(/does not know: org\.example:future$/) as string }])
    })

    it('is not imported, and what it is that is missing is told, not that disks are', async () => {
      const failure = await (await importing()).apply([theImport]).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'zfs.features', message: expect.stringMatching(/does not know: org\.example:future$/) as string, retry: undefined })
      expect((await worldState(world)).pools).toMatchObject([{ importedOn: [] }])
    })
  })

  describe('a pool whose last state cannot be read (S21)', () => {
    const importing = async () => {
      const lying = world.world.pools[0]!
      const datasets = lying.datasets.map((one) => ({ ...one, mounted: false }))
      Object.assign(lying, { importedOn: [], exported: true, damage: { seconds: 12 }, datasets })
      return driven(zfsImportPool, { pool, disks: await disks() })
    }
    const scripts = async () => (await worldRequests(world)).filter(({ method }) => method === 'EXEC').map(({ path }) => path)
    /** A command that a person may type, and what it costs. */
    const ways = [[/-F -n /, 'nothing'], [/-o readonly=on /, 'time'], [/-F -N /, 'what was written last, for good'], [/-F -X /, 'hours']] as const

    it('stops with what a person could do, what costs least first, and does none of it', async () => {
      const step = await importing()
      const failure: unknown = await step.apply([theImport]).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'zfs.damaged', blame: 'user', retry: undefined, alternative: undefined })
      const offered = [...((failure as LifeboatError).hint ?? '').matchAll(/\(\d\) `(sudo zpool import [^`]*)` costs ([^;:(]+)/g)]
      expect(offered).toHaveLength(ways.length)
      ways.forEach(([command, cost], at) => {
        expect(offered[at]?.[1]).toMatch(command)
        expect(offered[at]?.[1]).toContain(pool.guid)
        expect(offered[at]?.[2]).toContain(cost)
      })
      expect((await scripts()).filter((line) => /import.* -\w*[FX]/.test(line))).toEqual([])
      expect((await worldState(world)).pools).toMatchObject([{ importedOn: [] }])
      expect(world.world.pools[0]?.lostSeconds).toBe(undefined)
    })

    it('goes on from where a person has imported it', async () => {
      const step = await importing()
      const failure: unknown = await step.apply([theImport]).catch((error: unknown) => error)
      const typed = /\(3\) `sudo ([^`]+)`/.exec((failure as LifeboatError).hint ?? '')?.[1] ?? ''
      expect(await opened.doors.ssh.write({ machine, user: 'hubadmin', key: opened.env('LIFEBOAT_SSH_KEY') }, [typed.split(' ')])).toMatchObject({ exitCode: 0 })
      expect(await step.see()).toMatchObject({ state: 'drifted' })
      await step.make()
      expect(await step.see()).toMatchObject({ state: 'converged', outputs: { health: 'ONLINE' } })
    })
  })

  it('a pool of that name with another guid is a conflict', async () => {
    expect((await driven(nfsFence, { pool: { ...pool, guid: '1' } }).see()).state).toBe('conflict')
    expect((await driven(zfsImportPool, { pool: { ...pool, guid: '1' }, disks: await disks() }).see()).state).toBe('conflict')
  })

  describe('a pool that was never exported', () => {
    const previous = machine.replace(/nfsserver$/, 'before')
    /** The step on a server that has the disks, after `other` had the pool, as the control plane tells of that one. */
    const importing = async (other: Partial<Machine> | undefined, wanted: object = { previous }) => {
      Object.assign(world.world.pools[0]!, { importedOn: [], exported: false, lastHostId: 'another' })
      const step = driven(zfsImportPool, { pool, disks: await disks(), ...wanted })
      const { machines } = opened.doors.azure
      const get: typeof machines.get = async (id) => (id === previous ? (other as Machine | undefined) : machines.get(id))
      const doors = { ...opened.doors, azure: { ...opened.doors.azure, machines: { ...machines, get } } }
      return new Driven(zfsImportPool, doors, opened.clock, step.inputs)
    }
    const forced = async () => (await worldRequests(world)).filter(({ path }) => /zpool import (-\S+ )*-f/.test(path)).length
    const ours = async (): Promise<DataDisk[]> => (await disks()).map(({ id, lun }) => ({ id: id ?? '', lun }))

    it.each<[string, Partial<Machine> | undefined]>([
      ['is gone', undefined],
      ['is deallocated', { id: previous, powerState: 'deallocated', dataDisks: [] }],
      ['runs without any of the disks', { id: previous, powerState: 'running', dataDisks: [] }],
    ])('is imported with -f where the server that had it %s, and what is on it is mounted', { timeout: 120_000 }, async (_, other) => {
      const step = await importing(other)
      const [change] = await step.make()
      expect(change?.after).toMatchObject({ force: expect.stringContaining('only if it was not exported') as string })
      expect(await step.see()).toMatchObject({ state: 'converged', outputs: { health: 'ONLINE' } })
      expect(await forced()).toBe(1)
      expect((await worldState(world)).violations).toEqual([])
    })

    it.each(['running', undefined])('is left alone where that server is %s and still has a disk of it', { timeout: 120_000 }, async (powerState) => {
      const step = await importing({ id: previous, ...(powerState === undefined ? {} : { powerState }), dataDisks: await ours() })
      expect(await codeOf(step.make())).toBe('zfs.not-exported')
      expect(await forced()).toBe(0)
    })

    it('is left alone where nothing says which server that was', { timeout: 120_000 }, async () => {
      expect(await codeOf((await importing(undefined, {})).make())).toBe('zfs.not-exported')
      expect(await forced()).toBe(0)
      expect((await worldState(world)).pools).toMatchObject([{ importedOn: [] }])
    })
  })

  it('a degraded pool is imported only if that is chosen, and said again afterwards', { timeout: 120_000 }, async () => {
    Object.assign(world.world.pools[0]!, { importedOn: [], exported: true, health: 'DEGRADED', allocatedBytes: world.world.pools[0]!.sizeBytes * 0.95 })
    const step = driven(zfsImportPool, { pool, disks: await disks() })
    await expect(step.make()).rejects.toMatchObject({ code: 'zfs.devices', alternative: { id: 'degraded', changes: [] } })
    expect((await worldState(world)).pools).toMatchObject([{ importedOn: [] }])
    step.accepted.add('degraded')
    await step.make()
    expect(await step.see()).toMatchObject({ state: 'converged', outputs: { health: 'DEGRADED', remark: expect.stringMatching(/DEGRADED.*full/) as string } })
    // A later run that knows nothing of that choice asks too.
    await expect(driven(zfsImportPool, { pool, disks: await disks() }).see()).rejects.toMatchObject({ code: 'zfs.health', alternative: { id: 'degraded' } })
  })

  it('a dataset that would be mounted over the system stays unmounted', { timeout: 120_000 }, async () => {
    Object.assign(world.world.pools[0]!, { importedOn: [], exported: true })
    for (const dataset of world.world.pools[0]!.datasets) Object.assign(dataset, { mounted: false, mountpoint: '/etc/ssh' })
    expect(await codeOf(driven(zfsImportPool, { pool, disks: await disks() }).make())).toBe('zfs.mountpoint')
    expect(world.world.pools[0]!.datasets.some(({ mounted }) => mounted)).toBe(false)
  })

  it('disks of another pool are told with its name and guid', { timeout: 120_000 }, async () => {
    Object.assign(world.world.pools[0]!, { importedOn: [], exported: true, name: 'another', guid: '77' })
    const failure = await driven(zfsImportPool, { pool, disks: await disks() }).apply([theImport]).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'zfs.not-found', message: expect.stringContaining('another (guid 77)') as string })
  })

  it('a pool with fewer devices than the runbook says is not imported', async () => {
    Object.assign(world.world.pools[0]!, { importedOn: [], exported: true })
    const [first] = await disks()
    const step = driven(zfsImportPool, { pool: { ...pool, devices: 1 }, disks: [first] })
    expect(await codeOf(step.apply([theImport]))).toBe('zfs.devices')
  })

  it('an export that stands in the file of the server’s own with other options is told with the plan, before anything is written', async () => {
    const host = world.world.host(machine)!
    host.files.set('/etc/exports', '/pool0/homes 10.0.0.0/8(ro)\n')
    host.exports = []
    const exports = driven(nfsExports, { exports: [{ path: '/pool0/homes', clients: '10.0.0.0/8', options }] })
    const findingsOf = async (step: typeof exports) => step.module.preflight(await step.plan(), step.inputs, step.ctx)
    expect(await findingsOf(exports)).toMatchObject([
      { level: 'stop', what: expect.stringMatching(/^\/etc\/exports on \S+ exports \/pool0\/homes to 10\.0\.0\.0\/8 with other options/) as string, mend: expect.stringContaining('Take the line out') as string },
    ])
    expect(await findingsOf(driven(nfsExports, { exports: [{ path: '/pool0/homes', clients: '10.9.0.0/16', options }] }))).toEqual([])
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])
  })

  it('what lies on no mounted dataset is not exported', async () => {
    const exports = driven(nfsExports, { exports: [{ path: '/srv/homes', clients: '10.0.0.0/8', options }] })
    expect(await codeOf(exports.make())).toBe('nfs.not-mounted')
  })
})
