import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Pending } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { aksCluster } from '../../src/steps/azure-aks-cluster.js'
import { dnsRecord } from '../../src/steps/azure-dns-record.js'
import { network } from '../../src/steps/azure-network.js'
import { resourceGroup } from '../../src/steps/azure-resource-group.js'
import { azureWorld, networkInputs, type AzureWorld } from '../helpers/azure.js'
import { Driven, names, undo } from '../helpers/steps.js'
import { clusterBody, clusterType, networkType, until } from '../helpers/world.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const nothingWritten = (): void => expect(world.test.world.requests.filter(({ writes }) => writes)).toEqual([])
const lookedAt = async (step: Driven) => {
  const before = world.test.world.requests.filter(({ writes }) => writes).length
  const seen = await step.see()
  expect(world.test.world.requests.filter(({ writes }) => writes)).toHaveLength(before)
  return seen
}

describe('azure/resource-group', () => {
  const group = (location = 'West US 2'): Driven => world.driven(resourceGroup, { name: 'data100-nfs', location })

  it('makes a group, adopts it when run again, and deletes it only while it is empty', async () => {
    const step = group()
    expect(names(await step.plan())).toEqual(['create resourceGroup data100-nfs'])
    nothingWritten()
    const making = step.make()
    await until(() => world.test.world.operations.length > 0)
    world.test.clock.advance(60_000)
    const changes = await making
    expect(await lookedAt(step)).toMatchObject({ state: 'converged', outputs: { name: 'data100-nfs' } })
    expect(world.test.world.group('data100-nfs')?.tags).toMatchObject({ 'lifeboat-run': 'r1' })
    // Something of ours, taken away a moment ago: lists still show it.
    const identity = world.test.id('data100-nfs', 'Microsoft.ManagedIdentity/userAssignedIdentities', 'hub')
    world.test.world.put({ id: identity, name: 'hub', type: 'Microsoft.ManagedIdentity/userAssignedIdentities', location: 'westus2', tags: {}, etag: 'e', properties: {} })
    world.test.clock.advance(world.test.world.durationOf('list lag'))
    await expect(undo(step, changes)).rejects.toMatchObject({ code: 'group.not-empty', leaves: true, retry: undefined })
    await (await world.azure.resources.delete(identity)).done
    expect(await world.azure.groups.list('data100-nfs')).toEqual([identity])
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
    await expect(world.driven(resourceGroup, { name: 'data100-19s', location: 'westus2' }).apply([{ resource: 'x', action: 'delete' }])).rejects.toMatchObject({
      code: 'group.not-empty',
    })
  })

  it('that somebody else makes between the look and the PUT has lost its tags (A62): it is looked at again when they have had time to put them back', async () => {
    const { world: there } = world.test
    there.onRequest.add(({ method, path }) => {
      if (method === 'GET' && /resourcegroups\/data100-nfs$/i.test(path) && there.group('data100-nfs') === undefined) world.test.addGroup('data100-nfs')
    })
    const made = group('westus2').apply([{ resource: 'resourceGroup data100-nfs', action: 'create' }])
    await expect(made).rejects.toMatchObject({ code: 'group.put-over', retry: { afterMs: 30_000 } })
  })

  it('does not take one for empty whose disks, snapshots and machines its list does not show yet (A3)', async () => {
    world.test.world.spec.durations['list lag'] = 120_000
    for (const type of ['disks', 'snapshots', 'virtualMachines']) {
      world.test.addGroup('data100-nfs')
      const id = world.test.id('data100-nfs', `Microsoft.Compute/${type}`, 'fresh')
      world.test.world.put({ id, name: 'fresh', type: `Microsoft.Compute/${type}`, location: 'westus2', tags: {}, etag: 'e', properties: {} })
      expect(await world.azure.groups.list('data100-nfs')).not.toContain(id)
      await expect(group().apply([{ resource: 'x', action: 'delete' }])).rejects.toMatchObject({ code: 'group.not-empty', leaves: true, hint: expect.stringContaining(id) as string })
      world.test.world.resources.delete(id.toLowerCase())
    }
    expect(await world.azure.groups.holds('nowhere')).toEqual([])
  })

  it('conflicts with one that is elsewhere, and says what to do', async () => {
    world.test.addGroup('data100-nfs')
    expect(await lookedAt(group('eastus'))).toMatchObject({ state: 'conflict', why: expect.stringContaining('westus2') as string, mend: expect.any(String) as string })
  })
})

describe('azure/network', () => {
  const { securityGroup: guard } = networkInputs
  const wanted = (changes: Record<string, unknown> = {}): Driven =>
    world.driven(network, { ...networkInputs, ...changes })
  beforeEach(() => void world.test.addGroup('data100-network'))

  it('makes network, subnets and security group, and finds nothing left to do', async () => {
    const step = wanted()
    expect(names(await step.plan())).toEqual([
      'create virtualNetwork data100',
      'create subnet data100/nodes',
      'create subnet data100/nfs',
      'create networkSecurityGroup data100-nfs',
    ])
    nothingWritten()
    const changes = await step.make()
    const id = world.test.id('data100-network', networkType, 'data100')
    expect(await lookedAt(step)).toEqual({
      state: 'converged',
      outputs: { id, subnets: { nodes: `${id}/subnets/nodes`, nfs: `${id}/subnets/nfs` } },
    })
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('gives a subnet a way out by a gateway and an address of its own, and takes them away again', async () => {
    const step = wanted({ natGateway: { subnets: ['nfs'] } })
    const changes = await step.plan()
    expect(names(changes).slice(-2)).toEqual(['create publicIPAddress data100-nat', 'create natGateway data100-nat'])
    expect(changes).toContainEqual(
      expect.objectContaining({ resource: 'subnet data100/nfs', after: { prefix: '10.240.0.0/28', defaultOutboundAccess: false, securityGroup: 'data100-nfs', natGateway: 'data100-nat' } }),
    )
    const said = await step.module.preflight(changes, step.inputs, step.ctx)
    expect(said).toEqual([expect.objectContaining({ resource: 'Standard public addresses in westus2', wanted: 1, left: 998 })])
    await step.apply(changes)
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    // Security group and address are made side by side: the network waits for neither longer than it must.
    const begun = world.test.world.operations.filter(({ what }) => what === 'security group' || what === 'public address')
    expect(new Set(begun.map(({ startedAtMs }) => startedAtMs)).size).toBe(1)
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('gives a way out to a subnet that is there, takes a gateway of ours that has lost its address, and leaves another’s alone', async () => {
    await wanted().make()
    const step = wanted({ natGateway: { subnets: ['nfs'] } })
    const first = await step.make()
    expect(names(first)).toEqual(['update subnet data100/nfs', 'create publicIPAddress data100-nat', 'create natGateway data100-nat'])
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    const gateway = world.test.id('data100-network', 'Microsoft.Network/natGateways', 'data100-nat')
    await world.test.send('PUT', gateway, { location: 'westus2', sku: { name: 'Standard' }, properties: {} })
    await world.clock.sleep(60_000)
    expect(names(await step.make())).toEqual(['update natGateway data100-nat'])
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    expect(await lookedAt(wanted({ name: 'other', natGateway: { subnets: ['nfs'] } }))).toEqual({ state: 'absent' })
    const there = world.test.world.resource(world.test.id('data100-network', networkType, 'data100'))
    const nfs = (there?.properties['subnets'] as { name: string; properties: Record<string, unknown> }[]).find(({ name }) => name === 'nfs')
    nfs!.properties['natGateway'] = { id: `${gateway}-of-others` }
    expect(await lookedAt(step)).toMatchObject({ state: 'conflict', why: 'subnet nfs has another NAT gateway, data100-nat-of-others' })
  })

  it('makes an address again that could not be made, before the gateway that goes out by it', async () => {
    world.test.faults.plantInOperation({ operation: 'public address', times: 1, fail: { code: 'InternalExecutionError' } })
    const step = wanted({ natGateway: { subnets: ['nfs'] } })
    await expect(step.apply(await step.plan())).rejects.toMatchObject({ code: 'azure.operation-failed' })
    await world.clock.sleep(60_000)
    const changes = await step.make()
    expect(names(changes)).toContain('update publicIPAddress data100-nat')
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    // That it could not be made is nothing to bring back.
    await new Driven(backwards(step.module, changes), world.doors, world.clock, step.given).make()
    expect(await lookedAt(step)).toMatchObject({ state: 'drifted', seen: { subnets: {}, nat: { address: true, addressFailed: false } } })
    const back = backwards(step.module, changes)
    expect((await back.observe(step.inputs, step.ctx)).state).toBe('converged')
  })

  it.each(['public address', 'nat gateway', 'network'])('is put back whose %s could not be made, and once it could not be deleted', async (operation) => {
    const fail = (what: string): void => world.test.faults.plantInOperation({ operation: what, times: 1, fail: { code: 'InternalExecutionError' } })
    const step = wanted({ natGateway: { subnets: ['nfs'] } })
    const changes = await step.plan()
    fail(operation)
    await expect(step.apply(changes)).rejects.toMatchObject({ code: 'azure.operation-failed' })
    await world.clock.sleep(60_000)
    const back = new Driven(backwards(step.module, changes), world.doors, world.clock, step.given)
    fail(`${operation} delete`)
    await expect(back.make()).rejects.toMatchObject({ code: 'azure.operation-failed' })
    await world.clock.sleep(60_000)
    await back.make()
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('conflicts with an address of the gateway’s name that is Basic or held by another', async () => {
    const id = world.test.id('data100-network', 'Microsoft.Network/publicIPAddresses', 'data100-nat')
    await world.test.send('PUT', id, { location: 'westus2', sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static' } })
    await world.clock.sleep(60_000)
    const step = wanted({ natGateway: { subnets: ['nfs'] } })
    const address = world.test.world.resource(id)!
    address.sku = { name: 'Basic' }
    expect(await lookedAt(step)).toMatchObject({ state: 'conflict', why: expect.stringContaining('has the SKU Basic') as string })
    address.sku = { name: 'Standard' }
    address.properties['ipConfiguration'] = { id: '/of/others' }
    expect(await lookedAt(step)).toMatchObject({ state: 'conflict', why: 'public address data100-nat is held by /of/others' })
  })

  it('stops before the first change at a subnet that the runbook does not have', async () => {
    const step = wanted({ natGateway: { subnets: ['nsf'] } })
    expect(await step.module.preflight(await step.plan(), step.inputs, step.ctx)).toContainEqual(
      { level: 'stop', what: 'there is no subnet nsf under `subnets`', mend: 'Write one of these: nodes, nfs.' },
    )
  })

  it('adds what is missing to a network of others, and leaves theirs as it is', async () => {
    const id = world.test.id('data100-network', networkType, 'data100')
    const theirs = { name: 'theirs', properties: { addressPrefix: '10.240.99.0/24', serviceEndpoints: [{ service: 'Microsoft.Storage' }] } }
    const nfs = { name: 'nfs', properties: { addressPrefix: '10.240.0.0/28', privateEndpointNetworkPolicies: 'Disabled' } }
    const properties = { addressSpace: { addressPrefixes: ['10.240.0.0/16'] }, subnets: [theirs, nfs] }
    await world.test.send('PUT', id, { location: 'westus2', tags: { owner: 'others' }, properties })
    const step = wanted()
    expect(await lookedAt(step)).toMatchObject({ state: 'in-flight' })
    await world.clock.sleep(60_000)
    expect(names(await step.plan())).toEqual(['create subnet data100/nodes', 'update subnet data100/nfs', 'create networkSecurityGroup data100-nfs'])
    const changes = await step.make()
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    const there = world.test.world.resource(id)
    expect(there?.tags).toEqual({ owner: 'others' })
    const subnets = there?.properties['subnets'] as { name: string; properties: Record<string, unknown> }[]
    expect(subnets.find(({ name }) => name === 'theirs')?.properties).toMatchObject(theirs.properties)
    expect(subnets.find(({ name }) => name === 'nfs')?.properties).toMatchObject({ privateEndpointNetworkPolicies: 'Disabled' })
    await undo(step, changes)
    expect(names(await step.plan())).toEqual(names(changes))
  })

  it('mends a rule that lets others in, and keeps the rules of others', async () => {
    await wanted().make()
    const id = world.test.id('data100-network', 'Microsoft.Network/networkSecurityGroups', 'data100-nfs')
    const there = world.test.world.resource(id)
    const rules = there?.properties['securityRules'] as { name: string; properties: Record<string, unknown> }[]
    rules.find(({ name }) => name === 'ssh')!.properties['sourceAddressPrefix'] = '*'
    rules.push({ name: 'monitoring', properties: { ...rules[0]!.properties, priority: 300, destinationPortRange: '9100' } })
    const step = wanted()
    const changes = await step.plan()
    expect(changes).toMatchObject([{ action: 'update', before: { rules: { ssh: { from: '*' } } }, after: { rules: { ssh: { from: '10.250.0.0/24' } } } }])
    await step.apply(changes)
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    const after = world.test.world.resource(id)?.properties['securityRules'] as { name: string }[]
    expect(after.map(({ name }) => name).sort()).toEqual(['monitoring', 'nfs', 'ssh'])
  })

  const at = (type: string, name: string): string => world.test.id('data100-network', `Microsoft.Network/${type}`, name)
  it.each([
    ['publicIPAddresses', 'data100-nat'],
    ['natGateways', 'data100-nat'],
    ['networkSecurityGroups', 'data100-nfs'],
  ])('looks again where a write that was given up has come since: %s', async (type, name) => {
    const body = { location: 'westus2', sku: { name: 'Standard' }, properties: type === 'publicIPAddresses' ? { publicIPAllocationMethod: 'Static' } : {} }
    if (type === 'natGateways') await world.test.send('PUT', at('publicIPAddresses', name), { ...body, properties: { publicIPAllocationMethod: 'Static' } })
    await world.clock.sleep(60_000)
    const step = wanted({ natGateway: { subnets: ['nfs'] } })
    const changes = await step.plan()
    const id = at(type, name)
    await world.test.send('PUT', id, body)
    await expect(step.apply(changes)).rejects.toMatchObject({ code: 'network.changing', retry: {} })
    await world.clock.sleep(60_000)
    expect(world.test.world.operations.filter(({ resource }) => resource.toLowerCase() === id.toLowerCase())).toHaveLength(1)
    await step.make()
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
  })

  it.each([
    ['a network', { addressSpace: ['10.240.0.0/16', '10.241.0.0/16'] }, 'virtualNetworks', 'data100'],
    ['a subnet', { securityGroup: guard }, 'virtualNetworks', 'data100/subnets/nfs'],
    ['a security group', { securityGroup: { ...guard, sshFrom: '10.251.0.0/24' } }, 'networkSecurityGroups', 'data100-nfs'],
    ['a gateway', { natGateway: { subnets: ['nfs'] } }, 'natGateways', 'data100-nat'],
  ])('does not put %s back as it was read where somebody has changed it since, and looks again', async (_, changes, type, name) => {
    await wanted({ securityGroup: undefined }).make()
    const id = at(type, name)
    const isThere = type !== 'virtualNetworks'
    if (type === 'networkSecurityGroups') await wanted().make()
    if (isThere) await world.test.send('PUT', id, { location: 'westus2', sku: { name: 'Standard' }, properties: {} })
    await world.clock.sleep(60_000)
    const theirs = { addressPrefix: '10.240.0.0/28', addressSpace: { addressPrefixes: ['10.240.0.0/16', '10.249.0.0/16'] }, idleTimeoutInMinutes: 9 }
    world.test.faults.plantOnWire({
      match: { method: 'PUT', path: `${type}/${name}$` },
      times: 1,
      meanwhile: { method: 'PUT', path: id, body: { location: 'westus2', sku: { name: 'Standard' }, properties: theirs } },
    })
    const step = wanted(changes)
    const { resources } = world.azure
    await expect(step.make()).rejects.toMatchObject({ code: 'azure.etag', retry: {} })
    await world.clock.sleep(60_000)
    await step.make()
    expect(await lookedAt(step)).toMatchObject({ state: 'converged' })
    expect((await resources.get(id))?.properties).toMatchObject({ idleTimeoutInMinutes: 9 })
  })

  it('conflicts with a subnet of other addresses', async () => {
    await wanted({ subnets: { nodes: '10.240.32.0/20', nfs: '10.240.0.0/28' } }).make()
    expect(await lookedAt(wanted())).toMatchObject({ state: 'conflict', why: 'subnet nodes exists as 10.240.32.0/20, not 10.240.16.0/20' })
  })
})

describe('azure/aks-cluster', () => {
  const like = (): string => world.test.id('data100-19s', clusterType, 'data100-19s')
  const place = { resourceGroup: 'data100-19s-2', location: 'westus2', name: 'data100-19s-2', kubernetesVersion: '1.33.2' }
  let subnet = ''
  beforeEach(async () => {
    world.test.addGroup('data100-network')
    world.test.addGroup('data100-19s-2')
    const space = { addressSpace: ['10.240.0.0/16'], subnets: { nodes: '10.240.16.0/20' } }
    await world.driven(network, { resourceGroup: 'data100-network', location: 'westus2', name: 'data100', ...space }).make()
    subnet = `${world.test.id('data100-network', networkType, 'data100')}/subnets/nodes`
  })
  const cluster = (changes: Record<string, unknown> = {}): Driven =>
    world.driven(aksCluster, { ...place, like: like(), subnet, ...changes })

  it('is made like the dead one, once, and adopted from then on', async () => {
    const step = cluster()
    const changes = await step.plan()
    expect(names(changes)).toEqual(['create managedCluster data100-19s-2'])
    // No finding; what it takes of the quota is for the engine to add up.
    const said = await step.module.preflight(changes, step.inputs, step.ctx)
    expect(said).toMatchObject([{ resource: expect.stringContaining('standardESv3Family') as string, wanted: 64 }, { wanted: 64 }])
    await step.apply(changes)
    await world.clock.sleep(60_000)
    expect(await lookedAt(step)).toMatchObject({ state: 'converged', outputs: { fqdn: expect.stringContaining('azmk8s.io') as string } })
    const pools = world.test.world.resource(world.test.id('data100-19s-2', clusterType, 'data100-19s-2'))?.properties['agentPoolProfiles']
    expect(pools).toMatchObject([{ name: 'nodepool1', count: 4, vmSize: 'Standard_E16s_v3', maxPods: 110, vnetSubnetID: subnet }])
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })

  it('is in flight while it is being made, and while reads are behind', async () => {
    const step = cluster()
    await world.test.send('PUT', world.test.id('data100-19s-2', clusterType, 'data100-19s-2'), clusterBody())
    expect(await lookedAt(step)).toMatchObject({ state: 'in-flight', what: 'cluster data100-19s-2 is creating' })
    const again = step.apply([{ resource: 'managedCluster data100-19s-2', action: 'create' }])
    await expect(again).rejects.toMatchObject({ code: 'azure.in-flight', retry: {} })
    world.test.clock.advance(world.test.world.durationOf('cluster create'))
    expect(await lookedAt(step)).toMatchObject({ state: 'in-flight' })
  })

  it('conflicts when it failed, is older, or is in another subnet', async () => {
    await cluster().make()
    await world.clock.sleep(60_000)
    expect(await lookedAt(cluster({ subnet: `${subnet}-2` }))).toMatchObject({ state: 'conflict', why: expect.stringContaining('another subnet') as string })
    expect(await lookedAt(cluster({ kubernetesVersion: '1.40.1' }))).toMatchObject({ state: 'conflict', why: expect.stringContaining('older than 1.40.1') as string })
    const there = world.test.world.resource(world.test.id('data100-19s-2', clusterType, 'data100-19s-2'))
    there!.properties['provisioningState'] = 'Failed'
    expect(await lookedAt(cluster())).toMatchObject({ state: 'conflict', mend: expect.stringContaining('activity log') as string })
  })

  it('stops before the first change when the cluster to copy is not there', async () => {
    const step = cluster({ like: `${like()}-gone` })
    expect(await step.module.preflight(await step.plan(), step.inputs, step.ctx)).toMatchObject([{ level: 'stop' }])
    nothingWrittenSince()
  })
  const nothingWrittenSince = (): void =>
    expect(world.test.world.requests.filter(({ writes, path }) => writes && /managedClusters/i.test(path))).toEqual([])
})

describe('azure/dns-record', () => {
  const wanted = (changes: Record<string, unknown> = {}): Driven =>
    world.driven(dnsRecord, { zone: world.test.world.spec.zones[0]!.id, name: 'data100', type: 'A', ttl: '60s', values: ['203.0.113.7'], ...changes })
  const current = () => world.test.world.recordSets.find(({ name, type }) => name === 'data100' && type === 'A')

  it('is converged only when the zone’s own name servers answer with it', async () => {
    const before = [...current()!.values]
    const step = wanted()
    const changes = await step.plan()
    expect(changes).toMatchObject([{ action: 'update', before: { values: before }, after: { values: ['203.0.113.7'] } }])
    await step.apply(changes)
    expect(await lookedAt(step)).toMatchObject({ state: 'in-flight', what: expect.stringContaining('still gives 198') as string })
    await world.clock.sleep(world.test.world.durationOf('dns'))
    expect(await lookedAt(step)).toEqual({ state: 'converged', outputs: { fqdn: 'data100.datahub.berkeley.edu', values: ['203.0.113.7'] } })
    await undo(step, changes)
    expect(current()?.values).toEqual(before)
  })

  it('looks while its values are pending, and plans from the old to what is not known yet', async () => {
    const step = wanted()
    const inputs = { ...step.inputs, values: new Pending(['staging']) }
    const seen = await step.module.observe(inputs, step.ctx)
    expect(seen).toMatchObject({ state: 'drifted' })
    const [change] = step.module.plan(inputs, seen as never)
    expect(change).toMatchObject({ action: 'update', before: { values: current()?.values } })
    expect(JSON.stringify(change?.after)).toContain('$pending')
  })

  it('does not overwrite what somebody else has written since it looked', async () => {
    const step = wanted()
    const changes = await step.plan()
    const etag = current()!.etag
    await world.azure.zones.putRecord(world.test.world.spec.zones[0]!.id, { name: 'data100', type: 'A', ttlSeconds: 60, values: ['203.0.113.99'] }, etag)
    await expect(step.apply(changes)).rejects.toMatchObject({ code: 'dns.changed', retry: {} })
    await expect(
      world.azure.zones.putRecord(world.test.world.spec.zones[0]!.id, { name: 'data100', type: 'A', ttlSeconds: 60, values: ['203.0.113.1'] }, etag),
    ).rejects.toMatchObject({ code: 'azure.etag', retry: {} })
    expect(current()?.values).toEqual(['203.0.113.99'])
  })

  it('makes a record that is not there, tagged, and takes it away again', async () => {
    const step = wanted({ name: 'new' })
    const changes = await step.make()
    expect(names(changes)).toEqual(['create record A new.datahub.berkeley.edu'])
    expect(world.test.world.recordSets.find(({ name }) => name === 'new')?.metadata).toMatchObject({ 'lifeboat-step': 's1' })
    await undo(step, changes)
    expect(await lookedAt(step)).toEqual({ state: 'absent' })
  })
})
