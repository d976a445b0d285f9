import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError, type Change } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { network } from '../../src/steps/azure-network.js'
import { nfsVm } from '../../src/steps/azure-nfs-vm.js'
import { wireRule } from '../../src/steps/parts/network.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { Driven, names, undo } from '../helpers/steps.js'
import { machineType, networkType } from '../helpers/world.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const lookedAt = async (step: Driven) => {
  const before = world.test.world.requests.filter(({ writes }) => writes).length
  const seen = await step.see()
  expect(world.test.world.requests.filter(({ writes }) => writes)).toHaveLength(before)
  return seen
}

describe('azure/nfs-vm', () => {
  let subnet = ''
  beforeEach(async () => {
    world.test.addGroup('data100-network')
    world.test.addGroup('data100-nfs')
    const inputs = { resourceGroup: 'data100-network', location: 'westus2', name: 'data100', addressSpace: ['10.240.0.0/16'], subnets: { nfs: '10.240.0.0/28' }, natGateway: { subnets: ['nfs'] } }
    await world.driven(network, inputs).make()
    subnet = `${world.test.id('data100-network', networkType, 'data100')}/subnets/nfs`
  })
  const server = (changes: Record<string, unknown> = {}): Driven =>
    world.driven(nfsVm, {
      resourceGroup: 'data100-nfs',
      location: 'westus2',
      name: 'nfsserver',
      size: 'Standard_E8s_v3',
      subnet,
      privateIp: '10.240.0.7',
      adminUser: 'hubadmin',
      sshKey: world.key,
      ...changes,
    })

  /** Its machine could not be made. Answers what was to be. */
  const failed = async (step: Driven): Promise<readonly Change[]> => {
    const changes = await step.plan()
    world.test.faults.plantInOperation({ operation: 'vm create', times: 1, fail: { code: 'InternalExecutionError' } })
    await expect(step.apply(changes)).rejects.toMatchObject({ code: 'azure.operation-failed' })
    await world.clock.sleep(60_000)
    return changes
  }

  it('is converged only when SSH answers and its kernel has ZFS', async () => {
    const step = server()
    const changes = await step.plan()
    expect(names(changes)).toEqual(['create networkInterface nfsserver-nic', 'create virtualMachine nfsserver'])
    await step.apply(changes)
    const id = world.test.id('data100-nfs', machineType, 'nfsserver')
    const states = new Set<string>()
    for (let look = 0; look < 60; look += 1) {
      const seen = await lookedAt(step)
      states.add(seen.state === 'in-flight' ? seen.what.split(':')[0] ?? '' : seen.state)
      if (seen.state === 'converged') break
      await world.clock.sleep(10_000)
    }
    expect([...states].at(-1)).toBe('converged')
    expect(states).toContain('it answers by SSH; packages and ZFS are being installed')
    expect((await lookedAt(step))).toEqual({ state: 'converged', outputs: { id, privateIp: '10.240.0.7' } })
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('is put back by the run whose making of it failed, and by no other; and never with disks', async () => {
    const step = server()
    const changes = await failed(step)
    const backOf = (made: typeof changes): Driven => new Driven(backwards(step.module, made), world.doors, world.clock, step.given)
    expect((await backOf(changes.slice(0, 1)).see()).state).toBe('conflict')
    const machine = world.test.world.resource(world.test.id('data100-nfs', machineType, 'nfsserver'))!
    const profile = machine.properties['storageProfile'] as Record<string, unknown>
    machine.properties['storageProfile'] = { ...profile, dataDisks: [{ lun: 0, managedDisk: { id: 'of-somebody' } }] }
    expect(await backOf(changes).see()).toMatchObject({ state: 'conflict', mend: expect.stringContaining('leave it there') as string })
    machine.properties['storageProfile'] = profile
    expect(names(await backOf(changes).make())).toEqual(['delete networkInterface nfsserver-nic', 'delete virtualMachine nfsserver'])
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('that could not be made is made by a request that was given up and arrives late (A128)', async () => {
    const step = server()
    const changes = await failed(step)
    expect((await lookedAt(step)).state).toBe('conflict')
    await step.apply(changes.filter(({ resource }) => resource.startsWith('virtualMachine ')))
    await world.clock.sleep(60 * 60_000)
    expect((await lookedAt(step)).state).toBe('converged')
  })

  it('is put back without waiting for its first boot', async () => {
    const step = server()
    const changes = await step.plan()
    await step.apply(changes)
    await world.clock.sleep(60_000)
    expect((await lookedAt(step)).state).toBe('in-flight')
    const back = new Driven(backwards(step.module, changes), world.doors, world.clock, step.given)
    expect((await back.see()).state).toBe('drifted')
    await back.make()
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('is put back though it lets nobody in any more', async () => {
    const step = server()
    const changes = await step.make()
    await world.clock.sleep(60_000)
    const denied = new LifeboatError('ssh.denied', 'the server refuses the key', { blame: 'user' })
    const doors = { ...world.doors, ssh: { ...world.doors.ssh, read: () => Promise.reject(denied) } }
    const forward = new Driven(step.module, doors, world.clock, step.given)
    expect(await forward.see()).toMatchObject({ state: 'unknown', why: denied.message, cause: denied })
    await new Driven(backwards(step.module, changes), doors, world.clock, step.given).make()
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('is not made in a subnet without a way out, and says so before the first change', async () => {
    const inputs = { resourceGroup: 'data100-network', location: 'westus2', name: 'shut', addressSpace: ['10.240.0.0/16'], subnets: { nfs: '10.240.0.0/28' } }
    await world.driven(network, inputs).make()
    const step = server({ subnet: `${world.test.id('data100-network', networkType, 'shut')}/subnets/nfs` })
    const changes = await step.plan()
    const why = 'the subnet nfs has no way out: it is private, without a NAT gateway, so'
    const said = await step.module.preflight(changes, step.inputs, step.ctx)
    const mend = expect.stringContaining('natGateway') as string
    expect(said).toContainEqual({ level: 'stop', what: expect.stringContaining(why) as string, mend })
    await expect(step.apply(changes)).rejects.toMatchObject({ code: 'machine.no-way-out' })
    expect(world.test.world.resource(world.test.id('data100-nfs', machineType, 'nfsserver'))).toBeUndefined()
  })

  it('needs no way out where it is made from an image that has everything', async () => {
    const provider = `/subscriptions/${world.test.subscription}/resourceGroups/images/providers/Microsoft.Compute`
    const id = `${provider}/galleries/ours/images/nfs-server/versions/1.4.0`
    const inputs = { resourceGroup: 'data100-network', location: 'westus2', name: 'shut', addressSpace: ['10.240.0.0/16'], subnets: { nfs: '10.240.0.0/28' } }
    await world.driven(network, inputs).make()
    const step = server({ subnet: `${world.test.id('data100-network', networkType, 'shut')}/subnets/nfs`, image: { id } })
    const changes = await step.plan()
    const stops = async (): Promise<unknown[]> => (await step.module.preflight(changes, step.inputs, step.ctx)).filter((one) => 'level' in one)
    expect(await stops()).toMatchObject([{ level: 'stop', what: `there is no image ${id}` }])
    world.test.addGroup('images')
    const properties = { provisioningState: 'Succeeded' }
    world.test.world.put({ id, name: '1.4.0', type: 'Microsoft.Compute/galleries/images/versions', location: 'eastus', tags: {}, properties })
    expect(await stops()).toMatchObject([{ level: 'stop', what: 'the image 1.4.0 is not in westus2, only in eastus' }])
    world.test.world.resource(id)!.properties['publishingProfile'] = { targetRegions: [{ name: 'West US 2' }] }
    expect(await stops()).toEqual([])
    world.test.world.spec.preparedImages.push(id)
    await step.apply(changes)
    await world.clock.sleep(60_000)
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
  })

  it('has a public address where it is to have one, by which it gets out and is reached directly', async () => {
    const inputs = { resourceGroup: 'data100-network', location: 'westus2', name: 'shut', addressSpace: ['10.240.0.0/16'], subnets: { nfs: '10.240.0.0/28' } }
    await world.driven(network, inputs).make()
    const shut = `${world.test.id('data100-network', networkType, 'shut')}/subnets/nfs`
    const step = server({ subnet: shut, publicIp: true })
    const changes = await step.plan()
    expect(names(changes)).toEqual(['create publicIPAddress nfsserver-ip', 'create networkInterface nfsserver-nic', 'create virtualMachine nfsserver'])
    const said = await step.module.preflight(changes, step.inputs, step.ctx)
    expect(said.filter((one) => 'level' in one)).toEqual([])
    expect(said).toContainEqual(expect.objectContaining({ resource: 'Standard public addresses in westus2', wanted: 1 }))
    await step.apply(changes)
    await world.clock.sleep(5 * 60_000)
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    const address = world.test.world.resource(world.test.id('data100-nfs', 'Microsoft.Network/publicIPAddresses', 'nfsserver-ip'))
    const facts = await world.azure.machines.hostFacts(world.test.id('data100-nfs', machineType, 'nfsserver'))
    expect(facts).toMatchObject({ address: '10.240.0.7', publicAddress: address?.properties['ipAddress'] })
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('is given a public address later, and gives it back', async () => {
    await server().make()
    await world.clock.sleep(5 * 60_000)
    const step = server({ publicIp: true })
    const changes = await step.make()
    expect(names(changes)).toEqual(['create publicIPAddress nfsserver-ip', 'update networkInterface nfsserver-nic'])
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    await undo(step, changes)
    expect(names(await step.plan())).toEqual(names(changes))
  })

  const nicId = (): string => world.test.id('data100-nfs', 'Microsoft.Network/networkInterfaces', 'nfsserver-nic')
  const addressId = (): string => world.test.id('data100-nfs', 'Microsoft.Network/publicIPAddresses', 'nfsserver-ip')

  it('keeps what people have given its interface, when that is given a public address and when it is taken away', async () => {
    await server().make()
    await world.clock.sleep(5 * 60_000)
    const rule = { priority: 100, direction: 'Inbound', access: 'Allow', protocol: 'Tcp', port: '22', from: '*' }
    const guard = world.test.id('data100-nfs', 'Microsoft.Network/networkSecurityGroups', 'theirs')
    await world.test.send('PUT', guard, { location: 'westus2', properties: { securityRules: [wireRule('ssh', rule)] } })
    const theirs = { networkSecurityGroup: { id: guard }, enableAcceleratedNetworking: true, dnsSettings: { dnsServers: ['10.240.0.9'] } }
    const second = { name: 'theirs', properties: { subnet: { id: subnet }, privateIPAllocationMethod: 'Static', privateIPAddress: '10.240.0.9', primary: false } }
    const given = async (): Promise<void> => {
      const { ipConfigurations } = world.test.world.resource(nicId())!.properties as { ipConfigurations: { name: string }[] }
      const own = ipConfigurations.filter(({ name }) => name !== 'theirs')
      await world.test.send('PUT', nicId(), { location: 'westus2', tags: { team: 'data100' }, properties: { ipConfigurations: [...own, second], ...theirs } })
      await world.clock.sleep(60_000)
    }
    const isKept = (): void => {
      const { properties, tags } = world.test.world.resource(nicId())!
      expect({ properties, tags }).toMatchObject({ tags: { team: 'data100' }, properties: { ...theirs, ipConfigurations: [{ name: 'primary' }, second] } })
    }
    await given()
    const step = server({ publicIp: true })
    const changes = await step.plan()
    // What they do in the moment before the write is theirs, too.
    const meanwhile = { method: 'PUT', path: nicId(), body: { location: 'westus2', properties: { ipConfigurations: [{ name: 'primary', properties: { subnet: { id: subnet }, privateIPAllocationMethod: 'Static', privateIPAddress: '10.240.0.7' } }] } } }
    world.test.faults.plantOnWire({ match: { method: 'PUT', path: 'networkInterfaces' }, times: 1, meanwhile })
    await expect(step.apply(changes)).rejects.toMatchObject({ code: expect.stringMatching(/^azure\.(etag|in-flight)$/) as string, retry: {} })
    await world.clock.sleep(60_000)
    await given()
    await step.make()
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    isKept()
    await undo(step, changes)
    isKept()
    expect(names(await step.plan())).toEqual(names(changes))
  })

  it('makes a public address again that could not be made, before the interface at it', async () => {
    world.test.faults.plantInOperation({ operation: 'public address', times: 1, fail: { code: 'InternalExecutionError' } })
    const step = server({ publicIp: true })
    const all = await step.plan()
    await expect(step.apply(all)).rejects.toMatchObject({ code: 'azure.operation-failed' })
    const changes = await step.plan()
    expect(names(changes)).toEqual(['update publicIPAddress nfsserver-ip', 'create networkInterface nfsserver-nic', 'create virtualMachine nfsserver'])
    await step.apply(changes)
    await world.clock.sleep(5 * 60_000)
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    expect(world.test.world.resource(addressId())?.properties['provisioningState']).toBe('Succeeded')
    // The run has made it, whatever became of it first.
    const back = new Driven(backwards(step.module, all), world.doors, world.clock, step.given)
    await back.make()
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('says that an image has no ZFS, where it has none', async () => {
    const id = world.test.id('data100-nfs', 'Microsoft.Compute/images', 'bare')
    world.test.world.put({ id, name: 'bare', type: 'Microsoft.Compute/images', location: 'westus2', tags: {}, properties: {} })
    const step = server({ image: { id } })
    await step.make()
    await world.clock.sleep(5 * 60_000)
    const doors = { ...world.doors, ssh: { ...world.doors.ssh, read: async () => ({ exitCode: 0, stdout: 'status: done\n', stderr: '' }) } }
    expect(await step.module.observe(step.inputs, { ...step.ctx, doors })).toMatchObject({ state: 'conflict', why: expect.stringMatching(/its image bare has no ZFS$/) as string })
  })

  it.each([
    ['says itself that it failed', 'status: error\nerrors: package_update_upgrade_install\n', /^the first boot of .* failed: its packages for ZFS and NFS could not be installed \(the subnet nfs has no way out/],
    ['says after another start that it is done', 'status: done\n', /packages for ZFS and NFS could not be installed \(the subnet nfs has no way out/],
    ['failed at something else', 'status: error\nzfs: installed\n', /cloud-init ended with an error$/],
  ])('is not waited for where cloud-init %s', async (_what, stdout, why) => {
    const step = server()
    await step.make()
    await world.clock.sleep(5 * 60_000)
    const gateway = world.test.world.ofType('Microsoft.Network/natGateways')[0]!
    gateway.properties['publicIpAddresses'] = []
    const subnets = world.test.world.resource(subnet.replace(/\/subnets\/.*/, ''))!.properties['subnets'] as { properties: Record<string, unknown> }[]
    delete subnets[0]!.properties['natGateway']
    const doors = { ...world.doors, ssh: { ...world.doors.ssh, read: async () => ({ exitCode: 1, stdout, stderr: '' }) } }
    const seen = await step.module.observe(step.inputs, { ...step.ctx, doors })
    expect(seen).toMatchObject({ state: 'conflict', why: expect.stringMatching(why) as string })
  })

  it('makes the machine on an interface that is there already', async () => {
    const step = server()
    const [nic] = await step.plan()
    await step.apply([nic!])
    expect(names(await step.plan())).toEqual(['create virtualMachine nfsserver'])
  })

  it('makes an interface again that could not be made, before the machine at it', async () => {
    world.test.faults.plantInOperation({ operation: 'interface', times: 1, fail: { code: 'InternalExecutionError' } })
    const step = server()
    const [nic] = await step.plan()
    await expect(step.apply([nic!])).rejects.toMatchObject({ code: 'azure.operation-failed' })
    const changes = await step.plan()
    expect(names(changes)).toEqual(['update networkInterface nfsserver-nic', 'create virtualMachine nfsserver'])
    await step.apply(changes)
    expect((await step.see()).state).not.toBe('conflict')
  })

  it('has a machine that could not be made deleted, by a command that can be copied', async () => {
    world.test.faults.plantInOperation({ operation: 'vm create', times: 1, fail: { code: 'InternalExecutionError' } })
    const step = server()
    await expect(step.apply(await step.plan())).rejects.toMatchObject({ code: 'azure.operation-failed' })
    expect(await step.see()).toMatchObject({
      state: 'conflict',
      mend: expect.stringContaining('az vm delete --resource-group data100-nfs --name nfsserver') as string,
    })
  })

  it('conflicts with another address, another size, and a machine that is stopped', async () => {
    await server().make()
    await world.clock.sleep(10 * 60_000)
    expect(await lookedAt(server({ privateIp: '10.240.0.8' }))).toMatchObject({ state: 'conflict', why: expect.stringContaining('10.240.0.7') as string })
    expect(await lookedAt(server({ size: 'Standard_E4s_v3' }))).toMatchObject({ state: 'conflict', why: expect.stringContaining('Standard_E8s_v3') as string })
    world.test.world.host(world.test.id('data100-nfs', machineType, 'nfsserver'))!.power = 'deallocated'
    expect(await lookedAt(server())).toMatchObject({ state: 'conflict', mend: expect.stringContaining('az vm start') as string })
  })

  it('is never deleted while it has disks: somebody uses it', async () => {
    const step = server()
    const changes = await step.make()
    await world.clock.sleep(10 * 60_000)
    const id = world.test.id('data100-nfs', machineType, 'nfsserver')
    const profile = world.test.world.resource(id)?.properties['storageProfile'] as { dataDisks: object[] }
    profile.dataDisks = [{ lun: 0, name: 'homes', createOption: 'Attach', managedDisk: { id: world.test.id('data100-nfs', 'Microsoft.Compute/disks', 'homes') } }]
    await expect(undo(step, changes)).rejects.toMatchObject({ code: 'machine.has-disks', message: expect.stringContaining('homes') as string })
    expect(world.test.world.requests.filter(({ method }) => method === 'DELETE')).toEqual([])
    profile.dataDisks = []
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('says before anything is made that a key cannot be read', async () => {
    const step = server({ sshKey: '/nowhere/key' })
    const said = await step.module.preflight(await step.plan(), step.inputs, step.ctx)
    expect(said).toContainEqual(expect.objectContaining({ level: 'stop', what: 'the SSH key /nowhere/key cannot be read' }))
    // Deleting it needs none.
    expect(await step.module.preflight(step.module.invert(await step.plan()) as Change[], step.inputs, step.ctx)).toEqual([])
  })
})
