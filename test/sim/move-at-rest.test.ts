import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Change } from '../../src/contract/index.js'
import { WorldError } from '../../src/sim/world/world.js'
import { moveResources } from '../../src/steps/azure-move-resources.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import type { Driven } from '../helpers/steps.js'
import { fenceAndDetach, oldDisks, oldGroup } from '../helpers/world.js'

const newGroup = 'data100-disks'
const disks = [0, 1].map((lun) => ({ name: `nfsserver_DataDisk_${lun}`, lun }))

/** Before a way back calls disks home, it asks whether a move of an earlier life still has them in hand: nobody can see one. */
describe('a way back from a move that may never have begun', () => {
  let world: AzureWorld
  let step: Driven
  let planned: readonly Change[]
  beforeEach(async () => {
    world = await azureWorld()
    world.test.addGroup(newGroup)
    await fenceAndDetach(world.test)
    step = world.driven(moveResources, { from: oldGroup, to: newGroup, disks })
    planned = await step.plan()
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const putBack = (): Promise<void> => step.apply(step.module.invert(planned) as Change[])

  it('takes no trouble of Azure for the answer that nothing is being moved', async () => {
    let left = 1
    world.test.world.tamper.add(({ what }) =>
      what === 'validate move' && (left -= 1) === 0 ? new WorldError(409, 'InternalExecutionError', 'Please retry later.') : undefined,
    )
    await expect(putBack()).rejects.toMatchObject({ code: 'move.unknown', retry: {} })
    await putBack()
  })

  it('takes no page without a word, as of a proxy, for that answer either', async () => {
    world.test.faults.plantOnWire({ match: { method: 'GET', path: 'operationresults' }, times: 20, answer: { status: 200, text: '' } })
    await expect(putBack()).rejects.toMatchObject({ code: 'azure.garbled', retry: {} })
    world.test.faults.reset()
    await putBack()
  })

  it.each([
    ['at once', 'Microsoft.Network/networkInterfaces', 'nfsserver-nic', { provisioningState: 'Failed' }],
    ['having looked at them', 'Microsoft.Compute/disks', 'nfsserver_DataDisk_0', { encryptionSettingsCollection: { enabled: true } }],
  ])('takes it for that answer when Azure refuses the disks for what they are, %s', async (_when, type, name, spoilt) => {
    Object.assign(world.test.world.resource(world.test.id(oldGroup, type, name))!.properties, spoilt)
    await expect(world.azure.groups.validateMove(oldGroup, newGroup, oldDisks(world.test))).rejects.toThrow()
    await putBack()
  })
})

/** Names of groups know no case, and a runbook may leave disks where they are. */
describe('a move out of a group into itself', () => {
  let world: AzureWorld
  beforeEach(async () => {
    world = await azureWorld()
    await fenceAndDetach(world.test)
  })
  afterEach(() => world[Symbol.asyncDispose]())

  it.each([oldGroup, oldGroup.toLowerCase()])('to %s has nothing to do, nothing to choose and nothing in its way', async (to) => {
    const step = world.driven(moveResources, { from: oldGroup, to, disks })
    const [first, second] = oldDisks(world.test)
    expect(await step.see()).toMatchObject({ state: 'converged', outputs: { resourceGroup: to, disks: [{ id: first, lun: 0 }, { id: second, lun: 1 }] } })
    expect(step.module.plan(step.inputs, { state: 'absent' })).toEqual([])
    expect(step.module.variants?.(step.inputs, [], { resourceGroup: to, disks: [] })).toEqual([])
    const lock = `/subscriptions/${world.test.subscription}/resourceGroups/${oldGroup}/providers/Microsoft.Authorization/locks/keep`
    await world.test.send('PUT', lock, { properties: { level: 'CanNotDelete' } })
    expect(await step.module.preflight([], step.inputs, step.ctx)).toEqual([])
    world.test.world.remove(second!)
    expect(await step.see()).toMatchObject({ state: 'conflict', why: `disk nfsserver_DataDisk_1 is not in ${to}` })
  })
})
