import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lookUntilSettled } from '../../src/engine/look.js'
import { backwards } from '../../src/engine/undo.js'
import { attachDisks } from '../../src/steps/azure-attach-disks.js'
import { network } from '../../src/steps/azure-network.js'
import { moveResources } from '../../src/steps/azure-move-resources.js'
import { nfsVm } from '../../src/steps/azure-nfs-vm.js'
import { azureWorld, networkInputs, type AzureWorld } from '../helpers/azure.js'
import { Driven, names } from '../helpers/steps.js'
import { diskType, fenceAndDetach, machineType, networkType, oldGroup } from '../helpers/world.js'

/** What a failed operation leaves behind, and that a run gets over it by trying again where Azure lets it. */
let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const fail = (operation: string): void => world.test.faults.plantInOperation({ operation, times: 1, fail: { code: 'InternalExecutionError' } })

describe('a new server on which an operation has failed (A133)', () => {
  const disks = [0, 1].map((lun) => ({ name: `nfsserver_DataDisk_${lun}`, lun }))
  let step: Driven
  let machine = ''
  beforeEach(async () => {
    for (const group of ['data100-network', 'data100-nfs']) world.test.addGroup(group)
    const made = { resourceGroup: 'data100-network', location: 'westus2', name: 'data100', addressSpace: ['10.240.0.0/16'], subnets: { nfs: '10.240.0.0/28' } }
    await world.driven(network, { ...made, natGateway: { subnets: ['nfs'] } }).make()
    const subnet = `${world.test.id('data100-network', networkType, 'data100')}/subnets/nfs`
    const place = { resourceGroup: 'data100-nfs', location: 'westus2', name: 'nfsserver', size: 'Standard_E8s_v3', subnet, privateIp: '10.240.0.7' }
    step = world.driven(nfsVm, { ...place, adminUser: 'hubadmin', sshKey: world.key })
    machine = world.test.id('data100-nfs', machineType, 'nfsserver')
  })
  const state = (): unknown => world.test.world.resource(machine)?.properties['provisioningState']
  const attach = (): Driven => world.driven(attachDisks, { machine, resourceGroup: oldGroup, disks })
  const attachFails = async (): Promise<void> => {
    fail('attach')
    await expect(attach().make()).rejects.toMatchObject({ code: 'azure.operation-failed' })
    expect(state()).toBe('Failed')
  }

  it('is made and whole all the same: a resume goes on, and the next attach is taken', async () => {
    await step.make()
    await world.clock.sleep(10 * 60_000)
    await fenceAndDetach(world.test)
    await attachFails()
    expect(await step.see()).toEqual({ state: 'converged', outputs: { id: machine, privateIp: '10.240.0.7' } })
    await attach().make()
    expect([state(), (await attach().see()).state, (await step.see()).state]).toEqual(['Succeeded', 'converged', 'converged'])
  })

  it('is waited for while it boots; one that stays silent is told as failed, with what may be done', async () => {
    const changes = await step.make()
    await fenceAndDetach(world.test)
    await attachFails()
    // A storm passes, and so does a boot.
    const seen = await step.see()
    expect(seen).toMatchObject({ state: 'in-flight', halfMade: 'virtualMachine nfsserver' })
    expect((await lookUntilSettled(step.module, step.inputs, step.ctx)).state).toBe('converged')
    world.test.world.host(machine)!.answers = false
    const hint = expect.stringContaining('az vm delete --resource-group data100-nfs --name nfsserver') as string
    await expect(lookUntilSettled(step.module, step.inputs, step.ctx)).rejects.toMatchObject({ code: 'machine.failed', blame: 'user', hint })
    // Whoever made it takes it away without an answer of it.
    await new Driven(backwards(step.module, changes), world.doors, world.clock, step.given).make()
    expect(await step.see()).toEqual({ state: 'absent' })
  })

  it('is told as failed, too, where not even its agent has ever said anything', async () => {
    await step.make()
    await fenceAndDetach(world.test)
    await attachFails()
    world.test.world.host(machine)!.answers = false
    const hint = expect.stringContaining('az vm delete --resource-group data100-nfs --name nfsserver') as string
    await expect(lookUntilSettled(step.module, step.inputs, step.ctx)).rejects.toMatchObject({ code: 'machine.failed', hint })
  })

  it('is not taken for one that boots where a lock keeps its host keys from being read (A135)', async () => {
    await step.make()
    await world.clock.sleep(10 * 60_000)
    const lock = `/subscriptions/${world.test.subscription}/resourceGroups/data100-nfs/providers/Microsoft.Authorization/locks/freeze`
    await world.test.send('PUT', lock, { properties: { level: 'ReadOnly' } })
    const read: typeof world.doors.ssh.read = async (host, ...rest) => {
      await world.azure.machines.hostFacts(host.machine)
      return world.doors.ssh.read(host, ...rest)
    }
    const looking = new Driven(step.module, { ...world.doors, ssh: { ...world.doors.ssh, read } }, world.clock, step.given)
    expect(await looking.see()).toMatchObject({ state: 'unknown', cause: { code: 'azure.locked', blame: 'user', retry: undefined } })
  })

  it('is never to be deleted while it has disks, and is to be started where a start has failed', async () => {
    await step.make()
    await world.clock.sleep(10 * 60_000)
    await fenceAndDetach(world.test)
    await attach().make()
    await (await world.azure.machines.deallocate(machine)).done
    fail('start')
    await expect((await world.azure.machines.start(machine)).done).rejects.toThrow()
    expect(state()).toBe('Failed')
    expect(await step.see()).toMatchObject({ state: 'conflict', mend: expect.stringContaining('az vm start') as string })
    await (await world.azure.machines.start(machine)).done
    await world.clock.sleep(10 * 60_000)
    world.test.world.host(machine)!.answers = false
    fail('vm update')
    await world.test.send('PUT', machine, (await world.test.send('GET', machine)).body)
    await world.clock.sleep(10 * 60_000)
    expect(state()).toBe('Failed')
    const seen = await step.see()
    expect(seen).toMatchObject({ state: 'in-flight', patience: { error: { hint: expect.stringContaining('az vm reapply') as string } } })
    expect(seen).not.toHaveProperty('halfMade')
  })
})

describe('a subnet of which a change has failed (A124)', () => {
  const label = 'subnet data100/nfs'
  const wanted = (changes: Record<string, unknown> = {}): Driven => world.driven(network, { ...networkInputs, ...changes })
  beforeEach(() => void world.test.addGroup('data100-network'))

  it.each(['subnet', 'subnet delete'])('by %s is put again as it was read, and that it had failed is nothing to bring back', async (operation) => {
    await wanted({ subnets: { nodes: networkInputs.subnets.nodes }, securityGroup: undefined }).make()
    const step = wanted()
    if (operation === 'subnet') {
      fail('subnet')
      await expect(step.make()).rejects.toMatchObject({ code: 'azure.operation-failed' })
    } else {
      await step.make()
      fail('subnet delete')
      await expect(step.apply([{ resource: label, action: 'delete' }])).rejects.toMatchObject({ code: 'azure.operation-failed' })
    }
    const changes = await step.plan()
    const prefix = networkInputs.subnets.nfs
    expect(changes).toEqual([{ resource: label, action: 'update', before: { state: 'Failed', prefix }, after: { prefix } }])
    await step.apply(changes)
    expect((await step.see()).state).toBe('converged')
    expect(step.module.invert(changes)).toEqual([{ resource: label, kept: 'it had failed before this run, which has mended it' }])
  })

  it('is put back by the run whose making of it failed', async () => {
    await wanted({ subnets: { nodes: networkInputs.subnets.nodes }, securityGroup: undefined }).make()
    const step = wanted()
    const changes = await step.plan()
    fail('subnet')
    await expect(step.apply(changes)).rejects.toMatchObject({ code: 'azure.operation-failed' })
    const back = new Driven(backwards(step.module, changes), world.doors, world.clock, step.given)
    fail('subnet delete')
    await expect(back.make()).rejects.toMatchObject({ code: 'azure.operation-failed' })
    await back.make()
    expect(names(await step.plan())).toEqual(names(changes))
  })
})

describe('a ReadOnly lock over what is only asked (A135)', () => {
  const lockOn = async (group: string): Promise<string> => {
    const id = `/subscriptions/${world.test.subscription}/resourceGroups/${group}/providers/Microsoft.Authorization/locks/freeze`
    await world.test.send('PUT', id, { properties: { level: 'ReadOnly' } })
    return id
  }
  const locked = (id: string): object => ({ code: 'azure.locked', blame: 'user', retry: undefined, hint: expect.stringContaining(`az lock delete --ids ${id}`) as string })

  it('refuses the credentials of a cluster, and the host keys of a machine: told as that, and not tried again', async () => {
    const cluster = await lockOn('data100-19s')
    const credentials = world.azure.clusters.credentials(world.test.id('data100-19s', 'Microsoft.ContainerService/managedClusters', 'data100-19s'))
    await expect(credentials).rejects.toMatchObject(locked(cluster))
    const server = await lockOn(oldGroup)
    await expect(world.azure.machines.hostFacts(world.test.id(oldGroup, machineType, 'nfsserver'))).rejects.toMatchObject(locked(server))
  })

  it('refuses nothing that a list or a look asks, and says of what is not there that it is not', async () => {
    await lockOn('data100-19s')
    expect(await world.azure.groups.locks('data100-19s')).toHaveLength(1)
    const missing = world.azure.clusters.credentials(world.test.id('data100-20s', 'Microsoft.ContainerService/managedClusters', 'none'))
    await expect(missing).rejects.toMatchObject({ code: 'azure.no-credentials' })
  })
})

describe('a disk of somebody else’s by the same name in the target of a move (A136)', () => {
  it('is seen before the move; one that comes meanwhile is not overwritten, and both are named', async () => {
    world.test.addGroup('data100-disks')
    await fenceAndDetach(world.test)
    const disks = [{ name: 'nfsserver_DataDisk_0', lun: 0 }]
    const step = world.driven(moveResources, { from: oldGroup, to: 'data100-disks', disks })
    const path = world.test.id('data100-disks', diskType, 'nfsserver_DataDisk_0')
    const body = { location: 'westus2', properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 8 } }
    world.test.faults.plantOnWire({ match: { method: 'POST', path: '/moveResources$' }, times: 1, meanwhile: { method: 'PUT', path, body } })
    await expect(step.make()).rejects.toMatchObject({ code: 'move.refused', message: expect.stringContaining('ResourceAlreadyExists') as string })
    const why = `there is a disk nfsserver_DataDisk_0 in ${oldGroup} and another one in data100-disks`
    const mend = 'Find out which of them holds the data (`az disk show`), and move the other elsewhere, or delete it.'
    expect(await step.see()).toEqual({ state: 'conflict', why, mend })
    // Leaving the disk where it is does not tell which of them is meant.
    step.accepted.add('attach-across-groups')
    expect((await step.see()).state).toBe('conflict')
    expect(world.test.world.violations).toEqual([])
    expect([...world.test.world.moves.values()]).toEqual([])
  })
})
