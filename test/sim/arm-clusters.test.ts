import { ContainerServiceClient } from '@azure/arm-containerservice'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { networksOf } from '../../src/sim/arm/node-group.js'
import { clusterBody, clusterType, properties, putNetwork, startTestWorld, type Answer, type TestWorld } from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
  world.addGroup('data100-19s-2')
})
afterEach(() => world.stop())

const newCluster = (): string => world.id('data100-19s-2', clusterType, 'data100-19s-2')
const oldCluster = (): string => world.id('data100-19s', clusterType, 'data100-19s')
const put = (changes: Record<string, unknown> = {}): Promise<Answer> => world.send('PUT', newCluster(), clusterBody(changes))
const ready = (): void => world.clock.advance(world.world.durationOf('cluster create') + world.world.durationOf('read lag'))

describe('a cluster', () => {
  test('takes its twenty minutes, and cannot be put again meanwhile (A29)', async () => {
    expect((await put()).status).toBe(201)
    const again = await put()
    expect([again.status, again.code]).toEqual([409, 'OperationNotAllowed'])
    world.clock.advance(19 * 60_000)
    expect(properties(await world.send('GET', newCluster()))['provisioningState']).toBe('Creating')
    ready()
    expect(properties(await world.send('GET', newCluster()))).toMatchObject({
      provisioningState: 'Succeeded',
      fqdn: expect.stringMatching(/^data100-19s-2-[0-9a-f]{8}\.hcp\.westus2\.azmk8s\.io$/) as string,
      agentPoolProfiles: [{ name: 'nodepool1', provisioningState: 'Succeeded' }],
    })
  })

  test('is announced once when its API server stands, with its fqdn', async () => {
    const seen: unknown[] = []
    world.world.onClusterReady.add((cluster) => seen.push(cluster.properties['fqdn']))
    const made = await put()
    expect(seen).toEqual([])
    ready()
    await put()
    ready()
    expect(seen).toEqual([properties(made)['fqdn']])
  })

  test('that exists is updated, but not in what is for ever (A29)', async () => {
    await put()
    ready()
    expect((await put({ dnsPrefix: 'other' })).code).toBe('PropertyChangeNotAllowed')
    const agentPoolProfiles = [{ name: 'nodepool1', mode: 'System', count: 2, vmSize: 'Standard_D4s_v3' }]
    expect((await put({ agentPoolProfiles })).code).toBe('PropertyChangeNotAllowed')
    const update = await put()
    expect([update.status, properties(update)['provisioningState']]).toEqual([200, 'Updating'])
  })

  test('brings its node group, managed by it, with a name of 80 characters at most (A33)', async () => {
    const made = await put()
    const name = String(properties(made)['nodeResourceGroup'])
    expect(name).toBe('MC_data100-19s-2_data100-19s-2_westus2')
    const group = await world.send('GET', `/subscriptions/${world.subscription}/resourceGroups/${name}`)
    expect(group.body['managedBy']).toBe(newCluster())
    const long = world.id('data100-19s-2', clusterType, 'a'.repeat(63))
    expect(String(properties(await world.send('PUT', long, clusterBody()))['nodeResourceGroup'])).toHaveLength(80)
  })

  test('is refused without pool, identity, prefix, with a subnet that is not there', async () => {
    const network = await putNetwork(world)
    const pool = { name: 'nodepool1', mode: 'System', count: 1, vmSize: 'Standard_E16s_v3' }
    const { identity: _none, ...anonymous } = clusterBody()
    const refusals = [
      await put({ agentPoolProfiles: [] }),
      await put({ agentPoolProfiles: [{ ...pool, mode: 'User' }] }),
      await put({ dnsPrefix: undefined }),
      await world.send('PUT', newCluster(), anonymous),
      await put({ agentPoolProfiles: [{ ...pool, vnetSubnetID: `${network}/subnets/none` }] }),
      await put({ agentPoolProfiles: [{ ...pool, name: 'Not-A-Name' }] }),
    ]
    expect(refusals.map((one) => one.status)).toEqual(Array(6).fill(400))
    expect((await world.send('GET', newCluster())).status).toBe(404)
  })

  test('over the quota of its family is refused: two clusters at once are the classic way there (A28)', async () => {
    await world.stop()
    world = await startTestWorld((spec) => ({ ...spec, quota: { standardESv3Family: 100 } }))
    world.addGroup('data100-19s-2')
    // 72 are in use: four nodes of 16, and the server's 8.
    expect((await put()).code).toBe('ErrCode_InsufficientVCPUQuota')
    const usages = await world.send('GET', `/subscriptions/${world.subscription}/providers/Microsoft.Compute/locations/westus2/usages`)
    expect(usages.body['value']).toContainEqual({ name: { value: 'standardESv3Family', localizedValue: 'standardESv3Family' }, unit: 'Count', currentValue: 72, limit: 100 })
    const small = [{ name: 'nodepool1', mode: 'System', count: 1, vmSize: 'Standard_E16s_v3' }]
    expect((await put({ agentPoolProfiles: small })).status).toBe(201)
  })

  test('has a version on offer, or none: a clone of 1.11 is refused (A31)', async () => {
    const old = properties(await world.send('GET', oldCluster()))
    expect((await put({ kubernetesVersion: old['kubernetesVersion'] })).code).toBe('K8sVersionNotSupported')
    expect(properties(await put({ kubernetesVersion: '1.33' }))['currentKubernetesVersion']).toBe('1.33.2')
    const { credential, options } = world.sdk()
    const client = new ContainerServiceClient(credential, world.subscription, options)
    const { values } = await client.managedClusters.listKubernetesVersions('westus2')
    expect(values?.map((one) => one.version)).toEqual(['1.32', '1.33', '1.34'])
  })
})

describe('PUTs of clusters', () => {
  test('are throttled after twenty, with a time to wait that is true (A30)', async () => {
    for (let count = 0; count < 20; count += 1) await put()
    const throttled = await put()
    expect([throttled.status, Number(throttled.headers['retry-after']) > 0]).toEqual([429, true])
    world.clock.advance(Number(throttled.headers['x-ms-retry-after-ms']))
    expect((await put()).status).toBe(409)
    expect((await put()).status).toBe(429)
  })
})

describe('credentials', () => {
  test('of a cluster lead to its name with its authority and a token', async () => {
    await put()
    expect((await world.send('POST', `${newCluster()}/listClusterUserCredential`)).status).toBe(409)
    ready()
    const { credential, options } = world.sdk()
    const client = new ContainerServiceClient(credential, world.subscription, options)
    const { kubeconfigs } = await client.managedClusters.listClusterUserCredentials('data100-19s-2', 'data100-19s-2')
    const config = JSON.parse(Buffer.from(kubeconfigs?.[0]?.value ?? '').toString()) as Record<string, unknown>
    const cluster = world.world.resource(newCluster())
    expect(config).toMatchObject({
      'current-context': 'data100-19s-2',
      clusters: [{ cluster: { server: `https://${String(cluster?.properties['fqdn'])}:443` } }],
      users: [{ user: { token: world.world.clusterToken(newCluster()) } }],
    })
    const text = JSON.stringify(config)
    expect(text).toContain(Buffer.from(world.ca).toString('base64'))
    const admin = await world.send('POST', `${newCluster()}/listClusterAdminCredential`)
    expect(admin.body['kubeconfigs']).toMatchObject([{ name: 'clusterAdmin' }])
  })

  test('of the dead cluster are listed too: to Azure it looks alive (A32)', async () => {
    expect(properties(await world.send('GET', oldCluster()))).toMatchObject({ provisioningState: 'Succeeded', powerState: { code: 'Running' } })
    const answer = await world.send('POST', `${oldCluster()}/listClusterUserCredential`)
    expect(answer.status).toBe(200)
    const fqdn = String(world.world.resource(oldCluster())?.properties['fqdn'])
    expect(world.world.routes.has(`${fqdn}:443`)).toBe(false)
  })
})

describe('the nodes of a cluster', () => {
  test('stand in the network of their subnet, or in one that the cluster brought', async () => {
    const network = await putNetwork(world)
    const pool = { name: 'nodepool1', mode: 'System', count: 1, vmSize: 'Standard_E16s_v3' }
    await put({ agentPoolProfiles: [{ ...pool, vnetSubnetID: `${network}/subnets/nodes` }] })
    const other = world.id('data100-19s-2', clusterType, 'other')
    await world.send('PUT', other, clusterBody({ agentPoolProfiles: [pool] }))
    const networks = (id: string): string[] => {
      const cluster = world.world.resource(id)
      return cluster ? networksOf(world.world, cluster) : []
    }
    expect(networks(newCluster())).toEqual([network])
    expect(networks(other)).toEqual([expect.stringContaining('/MC_data100-19s-2_other_westus2/')])
  })
})
