import { allows } from '../../src/sim/world/firewall.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clusterBody, clusterType, machineBodyFor, machineType, networkType, properties, putInterface, putMachine, putNetwork, startTestWorld, type TestWorld } from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

const put = (id: string, subnets: readonly unknown[] | undefined, prefixes = ['10.240.0.0/16']) =>
  world.send('PUT', id, { location: 'westus2', properties: { addressSpace: { addressPrefixes: prefixes }, ...(subnets ? { subnets } : {}) } })
const subnet = (name: string, addressPrefix: string): unknown => ({ name, properties: { addressPrefix } })

describe('a static address', () => {
  test.each(['10.240.0.0', '10.240.0.3', '10.240.0.15', '10.240.0.16', '10.240.1.7', 'no address'])('%s is refused in 10.240.0.0/28 (A18)', async (address) => {
    const network = await putNetwork(world)
    expect((await putInterface(world, network, address)).status).toBe(400)
  })

  test('10.240.0.7 is free in a subnet of its own, once (A18)', async () => {
    const network = await putNetwork(world)
    expect((await putInterface(world, network, '10.240.0.7')).status).toBe(201)
    expect((await putInterface(world, network, '10.240.0.7', 'another')).code).toBe('PrivateIPAddressInUse')
    // The same interface put again keeps it.
    world.clock.advance(60_000)
    expect((await putInterface(world, network, '10.240.0.7')).status).toBe(200)
  })

  test('may be taken by a node, where nodes and server share a subnet (A18)', async () => {
    const network = await putNetwork(world)
    world.addGroup('g')
    const agentPoolProfiles = [{ name: 'nodes', mode: 'System', count: 4, vmSize: 'Standard_E16s_v3', vnetSubnetID: `${network}/subnets/nfs` }]
    await world.send('PUT', world.id('g', clusterType, 'c'), clusterBody({ agentPoolProfiles }))
    expect((await putInterface(world, network, '10.240.0.7')).code).toBe('PrivateIPAddressInUse')
    expect((await putInterface(world, network, '10.240.0.9')).status).toBe(201)
  })

  test('is not needed: a dynamic one is the first that is free', async () => {
    const network = await putNetwork(world)
    world.addGroup('data100-nfs')
    const body = { location: 'westus2', properties: { ipConfigurations: [{ name: 'a', properties: { subnet: { id: `${network}/subnets/nfs` } } }] } }
    const answer = await world.send('PUT', world.id('data100-nfs', 'Microsoft.Network/networkInterfaces', 'n'), body)
    expect(properties(answer)['ipConfigurations']).toMatchObject([{ properties: { privateIPAddress: '10.240.0.4', privateIPAllocationMethod: 'Dynamic' } }])
  })
})

describe('a virtual network', () => {
  test('takes subnets that lie inside it and apart from each other only (A19)', async () => {
    world.addGroup('g')
    const id = world.id('g', networkType, 'v')
    const refusals = [
      await put(id, [subnet('a', '10.241.0.0/24')]),
      await put(id, [subnet('a', '10.240.0.0/24'), subnet('b', '10.240.0.128/25')]),
      await put(id, [subnet('a', '10.240.0.1/24')]),
      await put(id, [], ['10.240.0.0']),
    ]
    expect(refusals.map((one) => one.code)).toEqual(['NetcfgInvalidSubnet', 'NetcfgSubnetRangesOverlap', 'InvalidCIDRNotation', 'InvalidAddressPrefixFormat'])
    expect((await world.send('GET', id)).status).toBe(404)
  })

  test('changes one subnet at a time: two put side by side is one too many (A19)', async () => {
    const id = await putNetwork(world)
    const first = await world.send('PUT', `${id}/subnets/a`, { properties: { addressPrefix: '10.240.64.0/24' } })
    const second = await world.send('PUT', `${id}/subnets/b`, { properties: { addressPrefix: '10.240.65.0/24' } })
    expect([first.status, second.status, second.code]).toEqual([201, 409, 'AnotherOperationInProgress'])
    world.clock.advance(world.world.durationOf('subnet'))
    expect(properties(await world.send('GET', `${id}/subnets/a`))['provisioningState']).toBe('Succeeded')
    expect((await world.send('GET', `${id}/subnets`)).body['value']).toHaveLength(3)
  })

  test('loses a subnet that a list leaves out, unless it is in use, and none without a list (A19)', async () => {
    const id = await putNetwork(world)
    await putInterface(world, id, '10.240.0.7')
    expect((await put(id, [subnet('nodes', '10.240.16.0/20')])).code).toBe('InUseSubnetCannotBeDeleted')
    expect((await put(id, undefined)).status).toBe(200)
    world.clock.advance(60_000)
    expect((await put(id, [subnet('nfs', '10.240.0.0/28')])).status).toBe(200)
    expect((await world.send('GET', `${id}/subnets/nodes`)).status).toBe(404)
  })
})

describe('what is put back whole', () => {
  const read = async (id: string) => {
    const { body } = await world.send('GET', id)
    return { etag: String(body['etag']), location: 'westus2', properties: properties({ status: 200, body } as Awaited<ReturnType<TestWorld['send']>>) }
  }
  const names = async (id: string): Promise<string[]> => ((await read(id)).properties['subnets'] as { name: string }[]).map(({ name }) => name)
  const othersSubnet = async (id: string): Promise<void> => {
    await world.send('PUT', `${id}/subnets/theirs`, { properties: { addressPrefix: '10.240.99.0/24' } })
    world.clock.advance(60_000)
  }

  test('as it was read a while ago takes a subnet away that was made since, but for an If-Match (A127)', async () => {
    const id = await putNetwork(world)
    world.clock.advance(60_000)
    const { etag, ...old } = await read(id)
    await othersSubnet(id)
    const guarded = await world.send('PUT', id, old, { 'If-Match': etag })
    expect([guarded.status, guarded.code]).toEqual([412, 'PreconditionFailed'])
    expect(await names(id)).toContain('theirs')
    expect((await world.send('PUT', id, old)).status).toBe(200)
    expect(await names(id)).not.toContain('theirs')
  })

  test('must be what is there now, in each of its states, read by whomever, and be there at all (A127)', async () => {
    const id = await putNetwork(world)
    await put(id, undefined)
    const making = (await read(id)).etag
    world.clock.advance(60_000)
    const { etag, ...now } = await read(id)
    expect((await world.send('PUT', id, now, { 'If-Match': making })).status).toBe(412)
    expect((await world.send('PUT', `${id}-none`, now, { 'If-Match': '*' })).status).toBe(412)
    expect((await world.send('PUT', id, now, { 'If-Match': etag })).status).toBe(200)
    expect((await world.send('GET', id, undefined, { 'If-Match': etag })).status).toBe(412)
    world.clock.advance(60_000)
    expect((await world.send('PUT', id, now, { 'If-Match': '*' })).status).toBe(200)
  })

  test('is guarded for a subnet by itself, and for its deletion too (A127)', async () => {
    const id = await putNetwork(world)
    world.clock.advance(60_000)
    const nfs = (await world.send('GET', `${id}/subnets/nfs`)).body
    const body = { properties: { addressPrefix: '10.240.0.0/28', serviceEndpoints: [] } }
    expect((await world.send('PUT', `${id}/subnets/nfs`, body, { 'If-Match': String(nfs['etag']) })).status).toBe(200)
    world.clock.advance(60_000)
    expect((await world.send('PUT', `${id}/subnets/nfs`, body, { 'If-Match': String(nfs['etag']) })).status).toBe(412)
    expect((await world.send('DELETE', `${id}/subnets/nfs`, undefined, { 'If-Match': String(nfs['etag']) })).status).toBe(412)
  })
})

describe('a security group', () => {
  const rule = (name: string, priority: number, access: string, sourceAddressPrefix: string, port: string): unknown => ({
    name,
    properties: { priority, access, direction: 'Inbound', protocol: 'Tcp', sourceAddressPrefix, sourcePortRange: '*', destinationAddressPrefix: '*', destinationPortRange: port },
  })

  test('lets in whom its rules name, the lowest number first, and else its own network only (A39)', async () => {
    const machine = await putMachine(world)
    const guard = world.id('data100-network', 'Microsoft.Network/networkSecurityGroups', 'nfs')
    const securityRules = [
      rule('late', 400, 'Deny', '*', '*'),
      rule('nfs', 100, 'Allow', '10.240.16.0/20', '2049'),
      rule('ssh', 200, 'Allow', '10.250.0.0/24', '22-23'),
      rule('never', 300, 'Deny', 'VirtualNetwork', '2049'),
    ]
    expect(allows(world.world, machine, '10.250.0.4', 22)).toBe(true)
    await world.send('PUT', guard, { location: 'westus2', properties: { securityRules: securityRules.slice(1) } })
    const network = world.id('data100-network', networkType, 'data100')
    await world.send('PUT', `${network}/subnets/nfs`, { properties: { addressPrefix: '10.240.0.0/28', networkSecurityGroup: { id: guard } } })
    const comes = (from: string, port: number): boolean => allows(world.world, machine, from, port)
    expect([comes('10.240.16.9', 2049), comes('10.250.0.4', 22), comes('10.240.0.9', 111)]).toEqual([true, true, true])
    expect([comes('10.250.0.4', 2049), comes('10.240.0.9', 2049), comes('10.251.0.4', 22)]).toEqual([false, false, false])
    world.clock.advance(60_000)
    await world.send('PUT', guard, { location: 'westus2', properties: { securityRules } })
    expect([comes('10.240.16.9', 2049), comes('10.240.0.9', 111)]).toEqual([true, false])
  })
})

describe('what refers to something else', () => {
  test('is refused when that is not there (A20)', async () => {
    const id = await putNetwork(world)
    const withGuard = [{ name: 'nfs', properties: { addressPrefix: '10.240.0.0/28', networkSecurityGroup: { id: `${id}-none` } } }]
    expect((await put(id, withGuard)).code).toBe('InvalidResourceReference')
    expect((await putInterface(world, `${id}x`, '10.240.0.7')).code).toBe('InvalidResourceReference')
  })

  test('is refused while that is not finished (A20)', async () => {
    world.addGroup('data100-network')
    const id = world.id('data100-network', networkType, 'data100')
    await put(id, [subnet('nfs', '10.240.0.0/28')])
    expect((await putInterface(world, id, '10.240.0.7')).code).toBe('ReferencedResourceNotProvisioned')
    world.clock.advance(world.world.durationOf('network'))
    const nic = await putInterface(world, id, '10.240.0.7')
    expect(nic.status).toBe(201)
    const machine = world.id('data100-nfs', machineType, 'm')
    const early = await world.send('PUT', machine, machineBodyFor(String(nic.body['id']), ''))
    expect([early.status, early.code]).toEqual([409, 'ReferencedResourceNotProvisioned'])
  })

  test('is refused at a public address that is not finished, or has failed (A20)', async () => {
    const network = await putNetwork(world)
    world.addGroup('data100-nfs')
    const address = world.id('data100-nfs', 'Microsoft.Network/publicIPAddresses', 'ip')
    world.faults.plantInOperation({ operation: 'public address', times: 1, fail: { code: 'InternalExecutionError' } })
    await world.send('PUT', address, { location: 'westus2', sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static' } })
    const configuration = { subnet: { id: `${network}/subnets/nfs` }, publicIPAddress: { id: address } }
    const body = { location: 'westus2', properties: { ipConfigurations: [{ name: 'primary', properties: configuration }] } }
    const naive = () => world.send('PUT', world.id('data100-nfs', 'Microsoft.Network/networkInterfaces', 'nic'), body)
    expect((await naive()).code).toBe('ReferencedResourceNotProvisioned')
    world.clock.advance(60_000)
    expect(properties(await world.send('GET', address))['provisioningState']).toBe('Failed')
    expect((await naive()).code).toBe('ReferencedResourceNotProvisioned')
    await world.send('PUT', address, { location: 'westus2', sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static' } })
    world.clock.advance(60_000)
    expect((await naive()).status).toBe(201)
  })

  test('keeps one spelling of its id, whatever a request writes', async () => {
    world.addGroup('Mixed')
    const id = world.id('Mixed', networkType, 'v')
    await put(id.replace('Mixed', 'MIXED').replace('virtualNetworks', 'VirtualNetworks'), [])
    expect((await world.send('GET', id.toLowerCase())).body['id']).toBe(id)
  })

  test('in another place than the one it has is refused', async () => {
    const id = await putNetwork(world)
    const answer = await world.send('PUT', id, { location: 'eastus', properties: { addressSpace: { addressPrefixes: ['10.240.0.0/16'] } } })
    expect([answer.status, answer.code]).toEqual([409, 'InvalidResourceLocation'])
  })
})
