import { afterEach, describe, expect, test } from 'vitest'
import type { WorldSpec } from '../../src/sim/world/spec.js'
import {
  clusterBody,
  clusterType,
  fenceAndDetach,
  machineBodyFor,
  machineType,
  networkType,
  oldDisks,
  oldGroup,
  putInterface,
  putNetwork,
  startTestWorld,
  storageCloudInit,
  type Answer,
  type TestWorld,
} from '../helpers/world.js'

// What Azure refuses, met by a client that has not looked before: each of these a plan has to find (readiness-azure.test.ts).

let world: TestWorld
afterEach(() => world.stop())

async function given(change: Partial<WorldSpec>, ...groups: string[]): Promise<void> {
  world = await startTestWorld((spec) => ({ ...spec, ...change }))
  for (const group of groups) world.addGroup(group)
}

const outcome = ({ status, code }: Answer): [number, string] => [status, code]
const newCluster = (): string => world.id('data100-19s-2', clusterType, 'data100-19s-2')
const networkBody = { location: 'westus2', properties: { addressSpace: { addressPrefixes: ['10.0.0.0/8'] } } }

describe('a client without a role (A60)', () => {
  test('is refused the action itself, and reads all the same', async () => {
    await given({ permissions: [{ actions: ['*'], notActions: ['Microsoft.ContainerService/*/write', '*/delete'] }] }, 'data100-19s-2')
    expect(outcome(await world.send('PUT', newCluster(), clusterBody()))).toEqual([403, 'AuthorizationFailed'])
    expect(outcome(await world.send('DELETE', world.groupPath('data100-19s-2')))).toEqual([403, 'AuthorizationFailed'])
    expect((await world.send('GET', world.groupPath('data100-19s-2'))).status).toBe(200)
  })

  test('is refused what its request puts to use', async () => {
    const subscription = '5e1d1a2c-0100-4d47-9c19-201902251121'
    const permissions = [{ actions: ['*/write', '*/moveResources/action'], notActions: [] }]
    await given({ permissions }, 'data100-network')
    const nic = await putInterface(world, world.id('data100-network', networkType, 'data100'), '10.240.0.7')
    expect(outcome(nic)).toEqual([403, 'LinkedAuthorizationFailed'])
    expect(nic.text).toContain('Microsoft.Network/virtualNetworks/subnets/join/action')
    await world.stop()
    const scope = `/subscriptions/${subscription}/resourceGroups/${oldGroup}`
    await given({ permissions: [{ scope, actions: ['*'], notActions: [] }] }, 'data100-disks')
    const move = await world.send('POST', `${world.groupPath(oldGroup)}/moveResources`, {
      resources: oldDisks(world),
      targetResourceGroup: world.groupPath('data100-disks'),
    })
    expect(outcome(move)).toEqual([403, 'LinkedAuthorizationFailed'])
  })

  test('is told its roles at each scope', async () => {
    const subscription = '5e1d1a2c-0100-4d47-9c19-201902251121'
    const scope = `/subscriptions/${subscription}/resourceGroups/data100-19s-2`
    await given({ permissions: [{ actions: ['*/read'], notActions: [] }, { scope, actions: ['*'], notActions: ['*/delete'] }] }, 'data100-19s-2')
    const at = async (path: string): Promise<unknown> => (await world.send('GET', `${path}/providers/Microsoft.Authorization/permissions`)).body['value']
    expect(await at(`/subscriptions/${subscription}`)).toMatchObject([{ actions: ['*/read'] }])
    expect(await at(scope)).toMatchObject([{ actions: ['*/read'] }, { actions: ['*'], notActions: ['*/delete'] }])
    const network = world.id('data100-19s-2', networkType, 'v')
    expect((await world.send('PUT', network, networkBody)).status).toBe(201)
    expect(outcome(await world.send('DELETE', network))).toEqual([403, 'AuthorizationFailed'])
  })
})

describe('a management lock (A61)', () => {
  test('of the subscription holds for every group, and for those to be made', async () => {
    await given({ locks: [{ name: 'freeze', level: 'ReadOnly' }] }, 'g')
    expect(outcome(await world.send('PUT', world.id('g', networkType, 'v'), networkBody))).toEqual([409, 'ScopeLocked'])
    expect(outcome(await world.send('PUT', world.groupPath('new'), { location: 'westus2' }))).toEqual([409, 'ScopeLocked'])
    const listed = await world.send('GET', `/subscriptions/${world.subscription}/providers/Microsoft.Authorization/locks`)
    expect(listed.body['value']).toMatchObject([{ name: 'freeze', properties: { level: 'ReadOnly' } }])
  })

  test('keeps disks from being moved at once, though it only forbids deletion', async () => {
    const scope = `/subscriptions/5e1d1a2c-0100-4d47-9c19-201902251121/resourceGroups/${oldGroup}`
    await given({ locks: [{ name: 'keep', scope, level: 'CanNotDelete' }] }, 'data100-disks')
    const body = { resources: oldDisks(world), targetResourceGroup: world.groupPath('data100-disks') }
    expect(outcome(await world.send('POST', `${world.groupPath(oldGroup)}/moveResources`, body))).toEqual([409, 'ScopeLocked'])
    expect(outcome(await world.send('POST', `${world.groupPath(oldGroup)}/validateMoveResources`, body))).toEqual([409, 'ScopeLocked'])
  })
})

const pools = (...wanted: Record<string, unknown>[]): Record<string, unknown> => ({
  agentPoolProfiles: wanted.map((pool, at) => ({ name: `pool${at + 1}`, mode: 'System', count: 2, vmSize: 'Standard_E16s_v3', ...pool })),
})

describe('capacity (A28, R5)', () => {
  test('the pools of a cluster count together, by family and by region, with what is there already', async () => {
    // The old cluster and its server use 72 vCPUs of this family.
    await given({ quota: { standardESv3Family: 72 + 63 } }, 'data100-19s-2')
    expect(outcome(await world.send('PUT', newCluster(), clusterBody(pools({}, {}))))).toEqual([400, 'ErrCode_InsufficientVCPUQuota'])
    await world.stop()
    await given({ quota: { cores: 72 + 31 } }, 'data100-19s-2')
    const cluster = await world.send('PUT', newCluster(), clusterBody(pools({ vmSize: 'Standard_D16s_v5' })))
    expect(outcome(cluster)).toEqual([400, 'ErrCode_InsufficientVCPUQuota'])
    expect(cluster.text).toContain('Total Regional Cores quota')
    const usages = await world.send('GET', `/subscriptions/${world.subscription}/providers/Microsoft.Compute/locations/westus2/usages`)
    expect(usages.body['value']).toContainEqual(expect.objectContaining({ name: { value: 'cores', localizedValue: 'cores' }, currentValue: 72, limit: 103 }))
  })

  test('a size that is restricted, in a zone or wholly, cannot be had', async () => {
    const unavailableSizes = [{ size: 'Standard_E16s_v3', zones: ['2'] }, { size: 'Standard_E8s_v3' }]
    await given({ unavailableSizes }, 'data100-19s-2', 'data100-nfs')
    const put = async (pool: Record<string, unknown>): Promise<[number, string]> => outcome(await world.send('PUT', newCluster(), clusterBody(pools(pool))))
    expect(await put({ vmSize: 'Standard_E16' })).toEqual([400, 'InvalidParameter'])
    expect(await put({ vmSize: 'Standard_E8s_v3' })).toEqual([400, 'BadRequest'])
    expect(await put({ availabilityZones: ['1', '2'] })).toEqual([400, 'AvailabilityZoneNotSupported'])
    expect(await put({ availabilityZones: ['1', '3'] })).toEqual([201, ''])
    const nic = await putInterface(world, await putNetwork(world), '10.240.0.7')
    const machine = world.id('data100-nfs', machineType, 'nfsserver')
    expect(outcome(await world.send('PUT', machine, machineBodyFor(String(nic.body['id']), storageCloudInit)))).toEqual([409, 'SkuNotAvailable'])
  })
})

describe('a node group (R6)', () => {
  test('that is there already, or is the cluster’s own, is in the way', async () => {
    await given({}, 'data100-19s-2', 'MC_data100-19s-2_data100-19s-2_westus2')
    expect(outcome(await world.send('PUT', newCluster(), clusterBody()))).toEqual([400, 'NodeResourceGroupAlreadyExists'])
    const own = clusterBody({ nodeResourceGroup: 'data100-19s-2' })
    expect(outcome(await world.send('PUT', newCluster(), own))).toEqual([400, 'NodeResourceGroupSameAsResourceGroup'])
  })
})

describe('a policy (R7)', () => {
  test('denies what is put in its scope, and says so beforehand to who asks with the same content', async () => {
    const policies = [{ name: 'no-clusters-here', type: clusterType, locations: ['eastus'] }, { name: 'owner', tag: 'owner' }]
    await given({ policies }, 'data100-19s-2')
    const check = (content: object, at = ''): Promise<Answer> =>
      world.send('POST', `/subscriptions/${world.subscription}${at}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions`, { resourceDetails: { resourceContent: content } })
    const content = { type: clusterType, name: 'data100-19s-2', location: 'westus2', tags: { owner: 'staff' } }
    const denied = await check(content, '/resourceGroups/data100-19s-2')
    expect(denied.text).toContain('policyAssignments/no-clusters-here')
    expect(denied.text).not.toContain('policyAssignments/owner')
    expect(outcome(await world.send('PUT', newCluster(), { ...clusterBody(), tags: { owner: 'staff' } }))).toEqual([403, 'RequestDisallowedByPolicy'])
    expect((await check({ type: 'Microsoft.Resources/subscriptions/resourceGroups', location: 'westus2' })).text).toContain('policyAssignments/owner')
    expect(outcome(await world.send('PUT', world.groupPath('new'), { location: 'westus2' }))).toEqual([403, 'RequestDisallowedByPolicy'])
    const network = world.id('data100-19s-2', networkType, 'v')
    expect((await world.send('PUT', network, { ...networkBody, tags: { owner: 'staff' } })).status).toBe(201)
  })
})

describe('a resource provider (R8)', () => {
  test('that is not registered writes nothing; one that is being registered does', async () => {
    await given({ providers: { 'Microsoft.Network': 'NotRegistered', 'Microsoft.ContainerService': 'Registering' } }, 'data100-19s-2')
    expect(outcome(await world.send('PUT', world.id('data100-19s-2', networkType, 'v'), networkBody))).toEqual([409, 'MissingSubscriptionRegistration'])
    expect((await world.send('PUT', newCluster(), clusterBody())).status).toBe(201)
    const network = await world.send('GET', `/subscriptions/${world.subscription}/providers/Microsoft.Network`)
    expect(network.body).toMatchObject({ registrationState: 'NotRegistered' })
  })
})

describe('a list (R9)', () => {
  test('tells states only when asked', async () => {
    await given({})
    const list = async (query: string): Promise<string> => (await world.send('GET', `${world.groupPath(oldGroup)}/resources${query}`)).text
    expect(await list('')).not.toContain('provisioningState')
    expect(await list('?$expand=provisioningState')).toContain('"provisioningState":"Succeeded"')
  })
})

describe('a disk that is encrypted by way of a key vault (R10)', () => {
  test('does not move', async () => {
    await given({}, 'data100-disks')
    await fenceAndDetach(world)
    Object.assign(world.world.resource(oldDisks(world)[0] ?? '')?.properties ?? {}, { encryptionSettingsCollection: { enabled: true } })
    const body = { resources: oldDisks(world), targetResourceGroup: world.groupPath('data100-disks') }
    const asked = await world.send('POST', `${world.groupPath(oldGroup)}/validateMoveResources`, body)
    world.clock.advance(world.world.durationOf('validate move'))
    expect(outcome(await world.poll(asked, 'location'))).toEqual([409, 'ResourceMoveProviderValidationFailed'])
  })
})

describe('an address (A18)', () => {
  test('is told to be free or not before anybody takes it', async () => {
    await given({})
    const network = await putNetwork(world)
    const ask = (address: string): Promise<Answer> => world.send('GET', `${network}/CheckIPAddressAvailability?ipAddress=${address}`)
    expect((await ask('10.240.0.7')).body).toMatchObject({ available: true })
    await putInterface(world, network, '10.240.0.7')
    expect((await ask('10.240.0.7')).body).toMatchObject({ available: false, isPlatformReserved: false, availableIPAddresses: expect.arrayContaining(['10.240.0.8']) as string[] })
    expect((await ask('10.240.0.1')).body).toMatchObject({ available: false, isPlatformReserved: true })
    expect(outcome(await ask('10.1.0.1'))).toEqual([400, 'PrivateIPAddressNotInAnySubnet'])
  })
})

test('a subscription that is disabled only reads, until it is enabled again (R11)', async () => {
  await given({}, 'data100-19s-2')
  world.world.subscriptionState = 'Disabled'
  const put = () => world.send('PUT', world.id('data100-19s-2', networkType, 'n'), networkBody)
  expect([outcome(await put()), outcome(await put())]).toEqual(Array(2).fill([409, 'ReadOnlyDisabledSubscription']))
  const subscription = await world.send('GET', `/subscriptions/${world.subscription}`)
  expect([subscription.status, subscription.body['state']]).toEqual([200, 'Disabled'])
  const script = { commandId: 'RunShellScript', script: ['cat /etc/hostname'] }
  const asked = await world.send('POST', `${world.id(oldGroup, machineType, 'nfsserver')}/runCommand`, script)
  expect(outcome(asked)).toEqual([409, 'ReadOnlyDisabledSubscription'])
  world.world.subscriptionState = 'Enabled'
  expect((await put()).status).toBe(201)
})
