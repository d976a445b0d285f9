import { afterEach, beforeEach, expect, test } from 'vitest'
import { addressFor, releaseAddress } from '../../src/sim/service-address.js'
import { clusterBody, clusterType, oldGroup, properties, startTestWorld, until, type Answer, type TestWorld } from '../helpers/world.js'

const balancerType = 'Microsoft.Network/loadBalancers'
const addressType = 'Microsoft.Network/publicIPAddresses'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
  world.addGroup('addresses')
  await world.send('PUT', address(), { location: 'westus2', sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static' } })
  await world.send('PUT', old(), balancer(old(), address()))
  world.clock.advance(60_000)
})
afterEach(() => world.stop())

const address = (): string => world.id('addresses', addressType, 'hub')
const old = (): string => world.id(oldGroup, balancerType, 'kubernetes')

function balancer(id: string, publicIPAddress: string | undefined, rules = publicIPAddress !== undefined): unknown {
  const frontends = publicIPAddress === undefined ? [] : [{ name: 'hub', properties: { publicIPAddress: { id: publicIPAddress } } }]
  const rule = { name: 'https', properties: { frontendIPConfiguration: { id: `${id}/frontendIPConfigurations/hub` }, frontendPort: 443 } }
  return { location: 'westus2', sku: { name: 'Standard' }, properties: { frontendIPConfigurations: frontends, loadBalancingRules: rules ? [rule] : [] } }
}

/** Network Contributor at the addresses' group, and seen by all. */
async function giveRight(principalId: string): Promise<void> {
  const roles = '/providers/Microsoft.Authorization'
  const roleDefinitionId = `/subscriptions/${world.subscription}${roles}/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7`
  const scope = `/subscriptions/${world.subscription}/resourceGroups/addresses`
  const sent = world.send('PUT', `${scope}${roles}/roleAssignments/00000000-0000-4000-8000-000000000001`, {
    properties: { principalId, roleDefinitionId, principalType: 'ServicePrincipal' },
  })
  await until(() => world.world.operations.some(({ what, status }) => status === 'running' && what === 'role assignment'))
  world.clock.advance(5 * 60_000)
  await sent
}

const holder = async (): Promise<unknown> => properties(await world.send('GET', address()))['ipConfiguration']

test('A110: a public address has one holder, which it names; who takes it as well is refused', async () => {
  expect(await holder()).toEqual({ id: `${old()}/frontendIPConfigurations/hub` })
  const fresh = world.id('addresses', balancerType, 'fresh')
  const naive = await world.send('PUT', fresh, balancer(fresh, address()))
  expect([naive.status, naive.code]).toEqual([400, 'PublicIPAddressInUse'])
  expect((await world.send('DELETE', address())).status).toBe(400)

  await world.send('PUT', old(), balancer(old(), undefined))
  expect(await holder()).toBeUndefined()
  expect((await world.send('PUT', fresh, balancer(fresh, address()))).status).toBe(201)
  expect(await holder()).toEqual({ id: `${fresh}/frontendIPConfigurations/hub` })
})

test('A127: each part of a load balancer is read with the etag of the whole, another one once any part was changed', async () => {
  type Part = Readonly<Record<'etag' | 'type', unknown>>
  const read = async (): Promise<Part & { readonly part: Part }> => {
    const found = await world.send('GET', old())
    const [part] = properties(found)['frontendIPConfigurations'] as [Part]
    return { etag: found.body['etag'], type: found.body['type'], part }
  }
  const before = await read()
  expect(before.part).toMatchObject({ etag: before.etag, type: `${balancerType}/frontendIPConfigurations` })
  // What was read may be sent again as it is.
  const { properties: whole } = (await world.send('GET', old())).body as { readonly properties: Record<string, unknown> }
  await world.send('PUT', old(), { location: 'westus2', sku: { name: 'Standard' }, properties: { ...whole, probes: [{ name: 'p', properties: { port: 443 } }] } })
  world.clock.advance(60_000)
  const now = await read()
  expect(now.part).toMatchObject({ etag: now.etag })
  expect(now.etag).not.toBe(before.etag)
  expect(JSON.stringify(world.world.resource(old())?.properties)).not.toContain('etag')
})

test('A110: a frontend does not go without its rules', async () => {
  const naive: Answer = await world.send('PUT', old(), balancer(old(), undefined, true))
  expect([naive.status, naive.code]).toEqual([400, 'InvalidResourceReference'])
  expect(await holder()).toEqual({ id: `${old()}/frontendIPConfigurations/hub` })
})

test('A111: a Service gets the reserved address that it names once nobody else holds it, and leaves it when it goes', async () => {
  world.addGroup('g')
  const id = world.id('g', clusterType, 'fresh')
  await world.send('PUT', id, clusterBody())
  world.clock.advance(world.world.durationOf('cluster create'))
  const cluster = world.world.resource(id)!
  const asking = (annotations: Record<string, string>) => addressFor(world.world, cluster, { uid: 'u-1', namespace: 'hub', name: 'proxy-public', annotations })
  const named = { 'service.beta.kubernetes.io/azure-load-balancer-resource-group': 'addresses', 'service.beta.kubernetes.io/azure-pip-name': 'hub' }

  expect(asking({ 'service.beta.kubernetes.io/azure-pip-name': 'hub' })).toMatchObject({ refused: expect.stringContaining('failed to find PIP hub in resource group MC_g_fresh') as string })
  expect(asking(named)).toMatchObject({ refused: expect.stringMatching(/LinkedAuthorizationFailed.*publicIPAddresses\/join\/action/) as string })
  await giveRight(String(cluster.identity?.['principalId']))
  expect(asking(named)).toMatchObject({ refused: expect.stringMatching(/PublicIPAddressInUse.*already allocated to resource .*frontendIPConfigurations\/hub/) as string })
  await world.send('PUT', old(), balancer(old(), undefined))
  const ip = properties(await world.send('GET', address()))['ipAddress']
  expect(asking(named)).toMatchObject({ address: ip })
  // Asked again, it is its own.
  expect(asking(named)).toMatchObject({ address: ip })
  expect((await holder()) as object).toMatchObject({ id: expect.stringContaining('/MC_g_fresh') as string })
  releaseAddress(world.world, cluster, 'u-1')
  expect(await holder()).toBeUndefined()
})
