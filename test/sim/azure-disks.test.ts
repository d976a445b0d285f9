import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Change, LifeboatError } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { attachDisks } from '../../src/steps/azure-attach-disks.js'
import { detachDisks } from '../../src/steps/azure-detach-disks.js'
import { moveResources } from '../../src/steps/azure-move-resources.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { Driven } from '../helpers/steps.js'
import { diskType, fenceAndDetach, machineType, oldDisks, oldGroup, putMachine } from '../helpers/world.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const disks = [0, 1].map((lun) => ({ name: `nfsserver_DataDisk_${lun}`, lun }))
const oldServer = (): string => world.test.id(oldGroup, machineType, 'nfsserver')
const names = (changes: readonly Change[]): string[] => changes.map(({ action, resource }) => `${action} ${resource}`)
const undo = (step: Driven, changes: readonly Change[]): Promise<void> => step.apply(step.module.invert(changes) as Change[])
/** Begins to detach the disks and leaves time standing still. */
const letGo = (): Promise<unknown> =>
  world.test.send('POST', `${oldServer()}/attachDetachDataDisks`, { dataDisksToDetach: oldDisks(world.test).map((diskId) => ({ diskId })) })
const stateOf = async (step: Driven): Promise<string> => (await step.see()).state
const both = ['update disk nfsserver_DataDisk_0', 'update disk nfsserver_DataDisk_1']

describe('azure/detach-disks', () => {
  const detach = (wanted = disks, more: object = {}): Driven =>
    world.driven(detachDisks, { machine: oldServer(), resourceGroup: oldGroup, disks: wanted, ...more })
  beforeEach(() => {
    for (const pool of world.test.world.pools) Object.assign(pool, { importedOn: [], exported: true })
  })

  it('detaches both, finds nothing left to do, and attaches them again at their LUNs', async () => {
    const step = detach()
    const changes = await step.plan()
    expect(names(changes)).toEqual(both)
    expect(changes[0]).toMatchObject({ before: { lun: 0 }, after: { attachedTo: null } })
    await step.apply(changes)
    expect(await step.see()).toEqual({ state: 'converged', outputs: { machine: oldServer() } })
    await undo(step, changes)
    expect((await world.azure.machines.get(oldServer()))?.dataDisks.map(({ lun }) => lun)).toEqual([0, 1])
    expect(world.test.world.violations).toEqual([])
  })

  const hang = (times = 1): void => world.test.faults.plantInOperation({ operation: 'detach', times, durationMs: 45 * 60_000 })

  it('that hangs offers to stop the machine, which lets go of them then (A83)', async () => {
    hang()
    const step = detach()
    const stuck = (await step.make().catch((error: unknown) => error)) as LifeboatError
    expect(stuck).toMatchObject({ code: 'detach.stuck', alternative: { id: 'deallocate' } })
    expect(await stateOf(step)).toBe('in-flight')
    step.accepted.add('deallocate')
    const changes = await step.make()
    expect(changes).toEqual(stuck.alternative?.changes)
    expect(changes[0]?.harm).toBeDefined()
    expect(await stateOf(step)).toBe('converged')
    expect(world.test.world.host(oldServer())?.power).toBe('deallocated')
    expect(world.test.world.violations).toEqual([])
  })

  it('that hung in an earlier life is offered the same after the same patience: first to stop the machine, then force', async () => {
    hang(2)
    await expect(detach().make()).rejects.toMatchObject({ code: 'detach.stuck' })
    const resumed = detach()
    const first = await resumed.see()
    expect(first).toMatchObject({ state: 'in-flight', patience: { ms: 10 * 60_000, error: { code: 'detach.stuck', alternative: { id: 'deallocate' } } } })
    resumed.accepted.add('deallocate')
    await expect(resumed.make()).rejects.toMatchObject({ code: 'detach.stuck' })
    const again = detach()
    again.accepted.add('deallocate')
    expect(await again.see()).toMatchObject({ state: 'in-flight', patience: { error: { alternative: { id: 'force' } } } })
  })

  it('is waited for without an offer where something else changes the machine', async () => {
    world.test.world.resource(oldServer())!.properties['provisioningState'] = 'Updating'
    expect(await detach().see()).toEqual({ state: 'in-flight', what: expect.stringContaining('is being changed') as string })
  })

  it('that hangs even then offers force, as the last resort and with what it may lose', async () => {
    hang(2)
    const step = detach()
    await expect(step.make()).rejects.toMatchObject({ code: 'detach.stuck', alternative: { id: 'deallocate' } })
    step.accepted.add('deallocate')
    const stuck = (await step.make().catch((error: unknown) => error)) as LifeboatError
    expect(stuck).toMatchObject({ code: 'detach.stuck', alternative: { id: 'force', offer: expect.stringContaining('last resort') as string } })
    step.accepted.add('force')
    const changes = await step.make()
    expect(changes).toEqual(stuck.alternative?.changes)
    expect(changes.every(({ harm }) => harm?.includes('not written'))).toBe(true)
    expect(await stateOf(step)).toBe('converged')
  })

  it('from a machine that was stopped and runs again is refused: its pool may be back there (A27)', async () => {
    const step = detach(disks, { fenced: 'deallocated' })
    await expect(step.make()).rejects.toMatchObject({ code: 'detach.not-fenced' })
    expect((await world.azure.machines.get(oldServer()))?.dataDisks).toHaveLength(2)
    await (await world.azure.machines.deallocate(oldServer())).done
    await step.make()
    expect(await stateOf(step)).toBe('converged')
  })

  it('is put back by one request: while that is at work, the disks look as if it had not been sent', async () => {
    const step = detach()
    const changes = await step.make()
    const back = new Driven(backwards(step.module, changes), world.doors, world.clock, step.given)
    expect((await back.see()).state).toBe('drifted')
    const dataDisksToAttach = oldDisks(world.test).map((diskId, lun) => ({ diskId, lun }))
    await world.test.send('POST', `${oldServer()}/attachDetachDataDisks`, { dataDisksToAttach })
    expect(await back.see()).toMatchObject({ state: 'in-flight', what: expect.stringContaining('is being changed') as string })
    world.test.clock.advance(10 * 60_000)
    expect((await back.see()).state).toBe('converged')
  })

  it('is in flight while the machine is being changed', async () => {
    await letGo()
    expect(await stateOf(detach())).toBe('in-flight')
  })

  it('stops before the first change when a LUN is not the one in the runbook', async () => {
    const step = detach([{ name: 'nfsserver_DataDisk_0', lun: 5 }])
    expect(await step.module.preflight(await step.plan(), step.inputs, step.ctx)).toMatchObject([{ level: 'stop', what: 'nfsserver_DataDisk_0 is at LUN 0, not 5' }])
  })

  it('leaves alone a disk of that name that is in another group', async () => {
    const step = world.driven(detachDisks, { machine: oldServer(), resourceGroup: 'elsewhere', disks })
    expect(await stateOf(step)).toBe('conflict')
  })
})

describe('azure/move-resources', () => {
  const move = (machine?: string): Driven =>
    world.driven(moveResources, { from: oldGroup, to: 'data100-disks', disks, ...(machine === undefined ? {} : { machine }) })
  beforeEach(async () => {
    world.test.addGroup('data100-disks')
    await fenceAndDetach(world.test)
  })

  it('moves both, tells where each is, and moves them back', async () => {
    const before = await Promise.all(oldDisks(world.test).map((id) => world.azure.disks.get(id)))
    const step = move()
    const changes = await step.plan()
    expect(names(changes)).toEqual(both)
    await step.apply(changes)
    expect(await step.see()).toEqual({
      state: 'converged',
      outputs: {
        resourceGroup: 'data100-disks',
        disks: disks.map((disk, at) => ({ ...disk, id: world.test.id('data100-disks', diskType, disk.name), uniqueId: before[at]?.uniqueId })),
      },
    })
    await undo(step, changes)
    expect(names(await step.plan())).toEqual(both)
  })

  it('plans only what is still in the source when a move ended half-way', async () => {
    await world.azure.groups.move(oldGroup, 'data100-disks', oldDisks(world.test).slice(0, 1)).then(({ done }) => done)
    const step = move()
    const changes = await step.plan()
    expect(names(changes)).toEqual(['update disk nfsserver_DataDisk_1'])
    expect(await step.module.preflight(changes, step.inputs, step.ctx)).toEqual([])
    await step.apply(changes)
    expect(await stateOf(step)).toBe('converged')
    expect([...world.test.world.moves.values()]).toEqual([1, 1])
  })

  it('waits for a move of an earlier life and moves nothing twice', async () => {
    const target = `/subscriptions/${world.test.subscription}/resourceGroups/data100-disks`
    await world.test.send('POST', `${target.replace('data100-disks', oldGroup)}/moveResources`, { resources: oldDisks(world.test), targetResourceGroup: target })
    const step = move()
    expect(await stateOf(step)).toBe('drifted')
    await step.make()
    expect(await stateOf(step)).toBe('converged')
    expect([...world.test.world.moves.values()]).toEqual([1, 1])
  })

  it('does not wait for a lock that people have set', async () => {
    const lock = `/subscriptions/${world.test.subscription}/resourceGroups/data100-disks/providers/Microsoft.Authorization/locks/keep`
    await world.test.send('PUT', lock, { properties: { level: 'ReadOnly' } })
    const step = move()
    expect(await step.module.preflight(await step.plan(), step.inputs, step.ctx)).toMatchObject([{ level: 'stop', what: expect.stringContaining('keep') as string }])
    world.test.faults.plantOnWire({ match: { method: 'POST', path: 'validateMoveResources' }, times: 1, answer: { status: 409, code: 'ScopeLocked' } })
    await expect(step.make()).rejects.toMatchObject({ code: 'move.locked', retry: undefined })
  })

  it('does not move a disk that is attached', async () => {
    const [first] = oldDisks(world.test)
    await (await world.azure.machines.attach(oldServer(), [{ id: first!, lun: 0 }])).done
    await expect(move().make()).rejects.toMatchObject({ code: 'move.attached', retry: {} })
  })

  it('finds a disk that comes home between two looks', async () => {
    const step = move()
    const changes = await step.make()
    const { disks: door } = world.azure
    let isBack = false
    const get: typeof door.get = async (id) => {
      const found = await door.get(id)
      // Nothing of it is at home yet; in the next moment it is.
      if (!isBack) await undo(step, changes)
      isBack = true
      return found
    }
    const doors = { ...world.doors, azure: { ...world.azure, disks: { ...door, get } } }
    const looking = new Driven(step.module, doors, world.clock, { ...step.given, disks: disks.slice(0, 1) })
    expect((await looking.see()).state).toBe('drifted')
  })

  it('names a disk that is in neither group, and two of one name', async () => {
    const [first, second] = oldDisks(world.test)
    const copy = world.test.id('data100-disks', diskType, 'nfsserver_DataDisk_1')
    await world.test.send('PUT', copy, { location: 'westus2', properties: { diskSizeGB: 8, creationData: { createOption: 'Empty' } } })
    expect(await move().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('another one in data100-disks') as string })
    world.test.world.remove(first!)
    world.test.world.remove(second!)
    expect(await move().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('nfsserver_DataDisk_0 is neither in') as string })
  })

  it('counts a disk that is attached to the server they are for as moved later, and says where it stayed', async () => {
    const machine = await putMachine(world.test)
    const [first, second] = oldDisks(world.test)
    const step = move(machine)
    await (await world.azure.machines.attach(machine, [{ id: first!, lun: 0 }])).done
    expect(names(await step.plan())).toEqual(['update disk nfsserver_DataDisk_1'])
    await (await world.azure.machines.attach(machine, [{ id: second!, lun: 1 }])).done
    expect(await step.see()).toMatchObject({
      state: 'converged',
      outputs: { resourceGroup: oldGroup, disks: [{ id: first }, { id: second }], remark: expect.stringContaining(`stayed in ${oldGroup}`) as string },
    })
    // Without a word of whom they are for, they are to be moved, and cannot be while something has them.
    await expect(move().make()).rejects.toMatchObject({ code: 'move.attached' })
  })

  const fail = (code: string, durationMs?: number): void =>
    world.test.faults.plantInOperation({ operation: 'move', times: 1, fail: { code }, ...(durationMs === undefined ? {} : { durationMs }) })

  it('that ends in part is told disk by disk, offers the rest where it is, and what follows finds each', async () => {
    fail('ResourceMoveFailed')
    const step = move()
    const failure = await step.make().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'move.refused', alternative: { id: 'attach-across-groups', changes: [] } })
    expect(names(await step.plan())).toEqual(['update disk nfsserver_DataDisk_1'])

    step.accepted.add('attach-across-groups')
    const [here, there] = [oldDisks(world.test)[1], oldDisks(world.test, 'data100-disks')[0]]
    expect(await step.see()).toMatchObject({
      state: 'converged',
      outputs: { resourceGroup: 'data100-disks', disks: [{ id: there }, { id: here }], remark: expect.stringMatching(/^nfsserver_DataDisk_1 stayed/) as string },
    })
    const machine = await putMachine(world.test)
    const attach = world.driven(attachDisks, { machine, resourceGroup: 'data100-disks', from: oldGroup, disks })
    await attach.make()
    expect(await attach.see()).toMatchObject({ state: 'converged', outputs: { disks: [{ id: there, lun: 0 }, { id: here, lun: 1 }] } })
  })

  it('is refused for one disk that the target has no room for, and moves nothing then', async () => {
    world.test.faults.plantOnWire({
      match: { method: 'POST', path: 'validateMoveResources' },
      times: 1,
      answer: { status: 409, code: 'ResourceMoveProviderValidationFailed', message: 'nfsserver_DataDisk_1 is not allowed in data100-disks by policy' },
    })
    await expect(move().make()).rejects.toMatchObject({ code: 'move.refused', message: expect.stringContaining('DataDisk_1') as string })
    expect([...world.test.world.moves.values()]).toEqual([])
  })

  it('is validated right before it is made, each time', async () => {
    await move().make()
    const verbs = world.test.world.requests.flatMap(({ path, method }) => (method === 'POST' ? [/(validateMove|move)Resources/.exec(path)?.[0]] : []))
    expect(verbs.filter((verb) => verb !== undefined)).toEqual(['validateMoveResources', 'moveResources'])
  })

  it('that outlasts patience says that nothing else can be done meanwhile, and goes on when it is asked again', async () => {
    world.test.faults.plantInOperation({ operation: 'move', times: 1, durationMs: 3 * 3_600_000 })
    const step = world.driven(moveResources, { from: oldGroup, to: 'data100-disks', disks, patience: '30m' })
    const failure = (await step.make().catch((error: unknown) => error)) as LifeboatError
    expect(failure).toMatchObject({ code: 'move.overrun', alternative: undefined, hint: expect.stringContaining('until then the disks can neither') as string })
    // What it says is so: the world refuses to attach what is being moved (A9).
    const machine = world.test.id(oldGroup, machineType, 'nfsserver')
    await expect(world.azure.machines.attach(machine, [{ id: oldDisks(world.test)[1]!, lun: 0 }])).rejects.toMatchObject({ code: 'azure.locked' })
    await expect(step.make()).rejects.toMatchObject({ code: 'move.overrun' })
    world.test.clock.advance(2 * 3_600_000)
    await step.make()
    expect([...world.test.world.moves.values()]).toEqual([1, 1])
  })

  it.each([0, 150_000])('that is cut off %i ms after it was asked for, and goes on, is put back whole', async (sinceMs) => {
    const step = move()
    const changes = await step.plan()
    const target = `/subscriptions/${world.test.subscription}/resourceGroups/data100-disks`
    await world.test.send('POST', `${target.replace('data100-disks', oldGroup)}/moveResources`, { resources: oldDisks(world.test), targetResourceGroup: target })
    world.test.clock.advance(sinceMs)
    const back = new Driven(backwards(step.module, changes, true), world.doors, world.clock, { from: oldGroup, to: 'data100-disks', disks })
    expect(names(await back.plan())).toEqual(names(changes))
    await back.make()
    expect(await stateOf(back)).toBe('converged')
    expect(oldDisks(world.test).map((id) => world.test.world.resource(id) === undefined)).toEqual([false, false])
    expect([...world.test.world.moves.values()]).toEqual([2, 2])
  })

  it('that is cut off, and ends between the look at the disks and the request to put them back, is put back whole', async () => {
    const step = move()
    const changes = await step.plan()
    const target = `/subscriptions/${world.test.subscription}/resourceGroups/data100-disks`
    await world.test.send('POST', `${target.replace('data100-disks', oldGroup)}/moveResources`, { resources: oldDisks(world.test), targetResourceGroup: target })
    // The first disk is there, and the second one on its way.
    world.test.clock.advance(3.5 * 60_000)
    const { groups } = world.azure
    const late: typeof groups.validateMove = (...asked) => {
      world.test.clock.advance(10 * 60_000)
      return groups.validateMove(...asked)
    }
    const doors = { ...world.doors, azure: { ...world.azure, groups: { ...groups, validateMove: late } } }
    const back = new Driven(backwards(step.module, changes, true), doors, world.clock, { from: oldGroup, to: 'data100-disks', disks })
    await back.make()
    expect(await stateOf(back)).toBe('converged')
    expect([...world.test.world.moves.values()]).toEqual([2, 2])
  })

  it('offers nothing on the way back, where the disks must come home', async () => {
    const step = move()
    const changes = await step.make()
    fail('ResourceMoveFailed')
    await expect(undo(step, changes)).rejects.toMatchObject({ code: 'move.refused', alternative: undefined })
  })

  it('is foreseen to be refused where an interface of the group has failed', async () => {
    const id = world.test.id(oldGroup, 'Microsoft.Network/networkInterfaces', 'nfsserver-nic')
    world.test.world.resource(id)!.properties['provisioningState'] = 'Failed'
    const step = move()
    expect(await step.module.preflight(await step.plan(), step.inputs, step.ctx)).toMatchObject([
      { level: 'warn', what: expect.stringContaining('nfsserver-nic') as string, mend: expect.stringContaining('attach-across-groups') as string },
    ])
    await expect(step.make()).rejects.toMatchObject({ code: 'move.refused', hint: expect.stringContaining('provisioningState Failed') as string })
  })

  it('claims both groups alone', () => {
    const step = move()
    expect(step.module.claims(step.inputs).map(({ mode }) => mode)).toEqual(['alone', 'alone'])
  })
})

describe('azure/attach-disks', () => {
  let machine = ''
  const attach = (): Driven => world.driven(attachDisks, { machine, resourceGroup: oldGroup, disks })
  beforeEach(async () => {
    machine = await putMachine(world.test)
  })

  it('attaches at the LUNs of the runbook, across groups, and takes them off again', async () => {
    await fenceAndDetach(world.test)
    const step = attach()
    const changes = await step.plan()
    expect(changes).toMatchObject([{ after: { attachedTo: 'data100-nfs/nfsserver', lun: 0 } }, { after: { attachedTo: 'data100-nfs/nfsserver', lun: 1 } }])
    await step.apply(changes)
    expect(await step.see()).toMatchObject({ state: 'converged', outputs: { disks: [{ lun: 0 }, { lun: 1 }] } })
    await undo(step, changes)
    expect(names(await step.plan())).toEqual(both)
  })

  it('leaves a disk where another machine holds it', async () => {
    const held = [0, 1].map((lun) => ({ resource: `disk nfsserver_DataDisk_${lun}`, before: { attachedTo: `${oldGroup}/nfsserver` } }))
    expect(await attach().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining(`attached to ${oldGroup}/nfsserver`) as string, until: { changes: held } })
  })

  it('waits while another machine is letting go of it', async () => {
    for (const pool of world.test.world.pools) Object.assign(pool, { importedOn: [], exported: true })
    await letGo()
    expect(await attach().see()).toMatchObject({ state: 'in-flight', what: expect.stringContaining('which holds') as string })
  })

  it('conflicts when the LUN is taken, or the disk is at another one', async () => {
    await fenceAndDetach(world.test)
    const [first] = oldDisks(world.test)
    await (await world.azure.machines.attach(machine, [{ id: first!, lun: 1 }])).done
    expect(await attach().see()).toMatchObject({ state: 'conflict', why: 'disk nfsserver_DataDisk_0 is attached at LUN 1, not 0' })
  })

  it('conflicts when a zonal disk and the machine are in different zones', async () => {
    await fenceAndDetach(world.test)
    world.test.world.resource(oldDisks(world.test)[0]!)!.zones = ['2']
    expect(await attach().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('in zone 2') as string })
  })
})
