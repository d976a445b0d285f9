import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clusterBody, clusterType, oldGroup, machineType, properties, putNetwork, startTestWorld, type Answer, type TestWorld } from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
  world.addGroup('data100-19s-2')
})
afterEach(() => world.stop())

const newCluster = (): string => world.id('data100-19s-2', clusterType, 'data100-19s-2')
const put = (changes: Record<string, unknown>): Promise<Answer> => world.send('PUT', newCluster(), clusterBody(changes))
const pool = { name: 'nodepool1', mode: 'System', count: 2, vmSize: 'Standard_E16s_v3' }

describe('a definition copied whole (A93)', () => {
  test('is refused for what an old cluster has and a new one may not, one after the other', async () => {
    const old = await world.send('GET', world.id('data100-19s', clusterType, 'data100-19s'))
    const { etag: _etag, ...body } = old.body
    const asked = { ...properties(old) }
    const naive = (): Promise<Answer> => world.send('PUT', newCluster(), { ...body, properties: asked })
    expect((await naive()).code).toBe('NodeResourceGroupAlreadyExists')
    delete asked['nodeResourceGroup']
    expect((await naive()).code).toBe('K8sVersionNotSupported')
    asked['kubernetesVersion'] = '1.33.2'
    expect((await naive()).text).toContain('Agent pool nodepool1: version 1.11.7')
    asked['agentPoolProfiles'] = [pool]
    expect((await naive()).status).toBe(201)
  })

  test('may hold what Azure says of a cluster, and it means nothing', async () => {
    const networkProfile = { loadBalancerProfile: { managedOutboundIPs: { count: 1 }, effectiveOutboundIPs: [{ id: '/old' }] } }
    const made = properties(await put({ fqdn: 'old.hcp', provisioningState: 'Succeeded', resourceUID: 'old', currentKubernetesVersion: '1.11.7', networkProfile }))
    expect(made).toMatchObject({ provisioningState: 'Creating', currentKubernetesVersion: '1.33.2', networkProfile: { loadBalancerProfile: { managedOutboundIPs: { count: 1 } } } })
    expect([made['fqdn'], JSON.stringify(made).includes('effectiveOutboundIPs'), made['resourceUID']]).toEqual([expect.not.stringContaining('old.hcp'), false, undefined])
  })

  test.each([
    [{ networkProfile: { loadBalancerSku: 'basic' } }, 'BasicLoadBalancerNotAllowed'],
    [{ networkProfile: { loadBalancerProfile: { managedOutboundIPs: { count: 1 }, outboundIPs: {} } } }, 'InvalidLoadBalancerProfile'],
    [{ aadProfile: { serverAppID: 's', clientAppID: 'c' } }, 'AADLegacyNotSupported'],
    [{ disableLocalAccounts: true }, 'InvalidParameter'],
    [{ agentPoolProfiles: [{ ...pool, minCount: 1, maxCount: 3 }] }, 'InvalidParameter'],
    [{ agentPoolProfiles: [{ ...pool, enableAutoScaling: true, minCount: 3, maxCount: 5 }] }, 'InvalidParameter'],
    [{ agentPoolProfiles: [pool, { ...pool, name: 'win', osType: 'Windows' }] }, 'InvalidParameter'],
  ])('is refused with %o', async (changes, code) => {
    const refused = await put(changes)
    expect([refused.status, refused.code]).toEqual([400, code])
  })

  test('is refused where addresses of services or pods lie in the subnet of its nodes', async () => {
    const vnetSubnetID = `${await putNetwork(world)}/subnets/nodes`
    const agentPoolProfiles = [{ ...pool, vnetSubnetID }]
    const ranges = (networkProfile: Record<string, string>): Promise<Answer> => put({ networkProfile, agentPoolProfiles })
    expect((await ranges({ serviceCidr: '10.240.0.0/16' })).code).toBe('ServiceCidrOverlapExistingSubnetsCidr')
    expect((await ranges({ podCidr: '10.240.16.0/24' })).code).toBe('PodCidrOverlapExistingSubnetsCidr')
    expect((await ranges({ podCidr: '10.244.0.0/16', serviceCidr: '10.0.0.0/16' })).status).toBe(201)
  })
})

describe('the activity log (A94)', () => {
  const path = (): string => `/subscriptions/${world.subscription}/providers/Microsoft.Insights/eventtypes/management/values`
  interface Event {
    readonly status: { readonly value: string }
    readonly properties: { readonly statusMessage?: string }
  }
  const asked = async (filter: string): Promise<Event[]> =>
    (await world.send('GET', `${path()}?$filter=${encodeURIComponent(filter)}`)).body['value'] as Event[]
  const from = (): string => `eventTimestamp ge '${new Date(world.clock.nowMs() - 3_600_000).toISOString()}'`

  test('wants to be told from when, and knows no other filters than Azure’s', async () => {
    for (const filter of ['', "resourceUri eq '/x'", `${from()} and status eq 'Failed'`]) {
      expect((await world.send('GET', `${path()}?$filter=${encodeURIComponent(filter)}`)).status).toBe(400)
    }
  })

  test('tells some minutes later why a cluster failed, wrapped in that it failed', async () => {
    world.faults.plantInOperation({ operation: 'cluster create', times: 1, fail: { code: 'AllocationFailed', message: 'no room' } })
    await put({})
    world.clock.advance(world.world.durationOf('cluster create'))
    const failed = async (): Promise<Event[]> => (await asked(`${from()} and resourceUri eq '${newCluster()}'`)).filter(({ status }) => status.value === 'Failed')
    expect(await failed()).toEqual([])
    world.clock.advance(world.world.durationOf('activity log'))
    const [event] = await failed()
    expect(JSON.parse(event?.properties.statusMessage ?? '')).toMatchObject({ error: { code: 'ResourceOperationFailure', details: [{ code: 'AllocationFailed', message: 'no room' }] } })
    expect(await asked(`${from()} and resourceUri eq '${world.id(oldGroup, machineType, 'nfsserver')}'`)).toEqual([])
  })

  test('tells of a cluster that hangs in the group of its nodes', async () => {
    world.faults.plantInOperation({ operation: 'cluster create', times: 1, durationMs: 36_000_000, because: { code: 'ZonalAllocationFailed' } })
    const group = String(properties(await put({}))['nodeResourceGroup'])
    world.clock.advance(600_000)
    const [event] = await asked(`${from()} and resourceGroupName eq '${group}'`)
    expect([event?.status.value, event?.properties.statusMessage]).toEqual(['Failed', expect.stringContaining('ZonalAllocationFailed')])
    expect((await asked(`${from()} and resourceUri eq '${newCluster()}'`)).map(({ status }) => status.value)).toEqual(['Started'])
  })
})
