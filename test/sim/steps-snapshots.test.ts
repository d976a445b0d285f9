import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isKept, LifeboatError, Pending, type Change } from '../../src/contract/index.js'
import { nameOf } from '../../src/platform/azure/ids.js'
import type { SshDoor } from '../../src/platform/ssh/door.js'
import { diskSnapshots } from '../../src/steps/azure-disk-snapshots.js'
import { stateOf } from '../../src/sim/control/state.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { Driven } from '../helpers/steps.js'
import { fenceAndDetach, machineType, oldDisks, oldGroup, putMachine } from '../helpers/world.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
  world.test.addGroup('data100-snapshots')
  world.test.addGroup('data100-disks')
})
afterEach(() => world[Symbol.asyncDispose]())

const hour = 3_600_000
const pool = { name: 'pool0', guid: '9464217329115420731', devices: 2 }
const newServer = (): string => world.test.id('data100-nfs', machineType, 'nfsserver')
/** What `zpool list` says on the new server; an error stands for its silence. */
const answering = (answer: string | LifeboatError): SshDoor => {
  const say: SshDoor['read'] = async () => {
    if (typeof answer !== 'string') throw answer
    return { exitCode: 0, stdout: answer, stderr: '' }
  }
  return { ...world.doors.ssh, read: say, write: (host) => say(host, []) }
}
const recordOf = (takenAt: string) => ({ takenAt, layout: ['mirror-0 of 2'], datasets: [], exports: [], features: [] })
const snapshots = (ssh: SshDoor = answering(''), record?: ReturnType<typeof recordOf> | null, since?: unknown): Driven =>
  new Driven(diskSnapshots, { ...world.doors, ssh }, world.clock, {
    resourceGroup: 'data100-snapshots',
    disks: [0, 1].map((lun) => ({ name: `nfsserver_DataDisk_${lun}`, lun })),
    from: oldGroup,
    to: 'data100-disks',
    machine: newServer(),
    user: 'hubadmin',
    sshKey: world.key,
    pool,
    ...(record === undefined ? {} : { record }),
    ...(since === undefined ? {} : { since }),
  })
const exported = (): void => void Object.assign(world.test.world.pools[0]!, { importedOn: [], exported: true })
const kept = () => stateOf(world.test.world).snapshots
const labels = (changes: readonly Change[]): string[] => changes.map(({ action, resource }) => `${action} ${resource}`)
const both = ['create snapshot of disk nfsserver_DataDisk_0', 'create snapshot of disk nfsserver_DataDisk_1']

describe('azure/disk-snapshots', () => {
  it('copies every disk side by side, is adopted by a fresh run, and keeps the copies on the way back', async () => {
    exported()
    const step = snapshots()
    const changes = await step.plan()
    expect(labels(changes)).toEqual(both)
    expect(kept()).toEqual([])
    await step.apply(changes)
    const seen = await snapshots().see()
    expect(seen).toMatchObject({ state: 'converged', outputs: { snapshots: [{ disk: 'nfsserver_DataDisk_0' }, { disk: 'nfsserver_DataDisk_1' }] } })
    const disks = oldDisks(world.test).map((id) => world.test.world.resource(id)?.properties['uniqueId'])
    expect(kept().map(({ of, torn }) => [of, torn])).toEqual(disks.map((of) => [of, false]))
    const [first, second] = world.test.world.operations.filter(({ what }) => what === 'snapshot')
    expect(first?.startedAtMs).toBe(second?.startedAtMs)
    expect(step.module.invert(changes).every(isKept)).toBe(true)
  })

  it('is under way until the last of them is whole, and failed where one has', async () => {
    exported()
    await snapshots().make()
    const [, second] = world.test.world.ofType('Microsoft.Compute/snapshots')
    second!.properties['provisioningState'] = 'Creating'
    expect(await snapshots().see()).toMatchObject({ state: 'in-flight', what: expect.stringContaining('is being made') as string })
    second!.properties['provisioningState'] = 'Failed'
    expect(await snapshots().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('has failed') as string })
  })

  it('names the copy that has failed as it is called, for whichever fence it was made', async () => {
    exported()
    await snapshots(answering(''), undefined, '2019-02-25T19:50:22Z').make()
    const [first] = world.test.world.ofType('Microsoft.Compute/snapshots')
    first!.properties['provisioningState'] = 'Failed'
    expect(first!.name).toMatch(/-20190225195022$/)
    expect(await snapshots().see()).toMatchObject({ state: 'conflict', mend: expect.stringContaining(`--name ${first!.name})`) as string })
  })

  it('fails only once what it has sent beside is answered: the next look sees it, and it is not sent again', async () => {
    exported()
    const { snapshots: door } = world.azure
    const lost = new LifeboatError('azure.unreachable', 'the connection broke', { retry: {} })
    let isSent = (): void => undefined
    const sent = new Promise<void>((resolve) => void (isSent = resolve))
    const answered: string[] = []
    const create: typeof door.create = async (id, disk) => {
      if (id.includes('DataDisk_0')) return sent.then(() => Promise.reject(lost))
      isSent()
      const operation = await door.create(id, disk)
      answered.push(nameOf(id))
      return operation
    }
    const step = snapshots()
    const doors = { ...world.doors, azure: { ...world.azure, snapshots: { ...door, create } } }
    await expect(step.module.apply(await step.plan(), step.inputs, { ...step.ctx, doors })).rejects.toBe(lost)
    expect(answered).toEqual([expect.stringContaining('DataDisk_1')])
    expect(labels(await step.plan())).toEqual(both.slice(0, 1))
  })

  it('A81: taken before the fence they are torn, and the world knows', async () => {
    await snapshots().make()
    expect(kept().map(({ torn }) => torn)).toEqual([true, true])
  })

  it('makes only what is missing, wherever a move has taken the disk to', async () => {
    await fenceAndDetach(world.test)
    const step = snapshots()
    await step.apply((await step.plan()).slice(0, 1))
    await (await world.azure.groups.move(oldGroup, 'data100-disks', oldDisks(world.test))).done
    expect(labels(await step.plan())).toEqual(both.slice(1))
    await step.make()
    expect((await step.see()).state).toBe('converged')
    expect(kept()).toHaveLength(2)
  })

  it('does not take another day’s copy for one of now', async () => {
    exported()
    await snapshots().make()
    world.test.clock.advance(25 * hour)
    expect(await snapshots().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('too old') as string })
  })

  it('does not take the copy of an earlier failover that was put back for one of now; without a record, the newest goes', async () => {
    exported()
    const [first, second] = ['2019-02-25T19:40:00.000Z', '2019-02-25T21:00:00.000Z'].map((at) => snapshots(answering(''), recordOf(at)))
    await first!.make()
    expect((await first!.see()).state).toBe('converged')
    expect(labels(await second!.plan())).toEqual(both)
    await second!.make()
    expect((await second!.see()).state).toBe('converged')
    expect(kept()).toHaveLength(4)
    const lost = await snapshots(answering(''), null).see()
    const named = expect.stringMatching(/-20190225210000$/) as string
    expect(lost).toMatchObject({ state: 'converged', outputs: { snapshots: [{ id: named }, { id: named }] } })
  })

  it('does not take a copy of before the last fence for one of now, whatever was recorded', async () => {
    exported()
    const [early, late] = ['2019-02-25T19:40:00.000Z', '2019-02-25T21:00:00.000Z']
    const at = (since: unknown, record = recordOf(early)): Driven => snapshots(answering(''), record, since)
    await at(null).make()
    const fenced = at(late)
    expect(labels(await fenced.plan())).toEqual(both)
    await fenced.make()
    // A resume in which nothing was fenced anew finds its own; so does one of several fences, of which the last counts.
    for (const again of [late, [early, late], [late, null]]) expect((await at(again).see()).state).toBe('converged')
    expect(kept()).toHaveLength(4)
    // Silent servers leave no record: this morning's copies of a failover that was put back are none of now.
    const silent = snapshots(answering(''), null, '2019-02-25T22:00:00.000Z')
    expect(labels(await silent.plan())).toEqual(both)
    expect((await snapshots(answering(''), null, null).see()).state).toBe('converged')
    const pending = { ...silent.inputs, since: new Pending(['fence']) }
    expect(silent.module.plan(pending, (await silent.module.observe(pending, silent.ctx)) as never)).toEqual(await silent.plan())
  })

  it('is looked at while its group and the server are still to be made', async () => {
    const step = snapshots()
    const inputs = { ...step.inputs, resourceGroup: new Pending(['group']), to: new Pending(['disks']), machine: new Pending(['nfs']) }
    const seen = await step.module.observe(inputs, step.ctx)
    expect(seen.state).toBe('drifted')
    const [shown] = step.module.plan(inputs, seen as never)
    const [now] = await step.plan()
    expect({ ...now, after: {} }).toEqual({ ...shown, after: {} })
  })

  describe('once the disks are on the new server', () => {
    beforeEach(async () => {
      await putMachine(world.test)
      await fenceAndDetach(world.test)
      await (await world.azure.machines.attach(newServer(), oldDisks(world.test).map((id, lun) => ({ id, lun })))).done
    })

    it('makes none of a pool that is imported there', async () => {
      expect(await snapshots(answering(`pool0\t${pool.guid}\tONLINE\toff\n`)).see()).toEqual({ state: 'converged', outputs: { snapshots: [] } })
    })

    it('still makes them of one that is not', async () => {
      expect(labels(await snapshots(answering('')).plan())).toEqual(both)
    })

    it('does not know when that server does not answer', async () => {
      const silent = new LifeboatError('ssh.unreachable', 'no answer', { retry: {} })
      await expect(snapshots(answering(silent)).see()).rejects.toBe(silent)
    })
  })
})
