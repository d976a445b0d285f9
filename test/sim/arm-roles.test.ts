import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { whyNoLoadBalancer } from '../../src/sim/arm/cluster-identity.js'
import { clusterBody, clusterType, putNetwork, startTestWorld, until, type Answer, type TestWorld } from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld((spec) => ({ ...spec, durations: { ...spec.durations, 'principal seen': 60_000 } }))
  world.addGroup('data100-19s-2')
})
afterEach(() => world.stop())

const networkContributor = '4d97b98b-1d4f-4787-a291-c67834d212e7'
const reader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
const named = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`
const outcome = ({ status, code }: Answer): [number, string] => [status, code]
const identityId = (): string => world.id('data100-19s-2', 'Microsoft.ManagedIdentity/userAssignedIdentities', 'hub')
const clusterId = (): string => world.id('data100-19s-2', clusterType, 'data100-19s-2')

/** Sends a PUT that is answered only when it is done, and lets its time pass. */
async function put(path: string, body: unknown): Promise<Answer> {
  const sent = world.send('PUT', path, body)
  let answered = false
  void sent.finally(() => (answered = true))
  await until(() => answered || world.world.operations.some(({ what, status }) => status === 'running' && /identity|role/.test(what)))
  world.clock.advance(5_000)
  return sent
}

async function principal(): Promise<string> {
  const made = await put(identityId(), { location: 'westus2' })
  return String((made.body['properties'] as { principalId?: string }).principalId)
}

const assign = (scope: string, name: number | string, principalId: string, more: Record<string, unknown> = { principalType: 'ServicePrincipal' }, role = networkContributor): Promise<Answer> =>
  put(`${scope}/providers/Microsoft.Authorization/roleAssignments/${typeof name === 'number' ? named(name) : name}`, {
    properties: { principalId, roleDefinitionId: `/subscriptions/${world.subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`, ...more },
  })

const groupId = (): string => `/subscriptions/${world.subscription}/resourceGroups/data100-network`

describe('a role assignment (A90)', () => {
  test('takes its time, has a GUID for a name, a role and a scope that exist', async () => {
    const subnet = `${await putNetwork(world)}/subnets/nodes`
    const id = await principal()
    expect(outcome(await assign(subnet, 'not-a-guid', id))).toEqual([400, 'InvalidRoleAssignmentId'])
    expect(outcome(await assign(`${subnet}-none`, 1, id))).toEqual([404, 'ResourceNotFound'])
    expect(outcome(await assign(subnet, 1, id, { principalType: 'ServicePrincipal' }, named(9)))).toEqual([404, 'RoleDefinitionDoesNotExist'])
    expect(outcome(await assign(subnet, 1, id, { principalType: 'User' }))).toEqual([400, 'UnmatchedPrincipalType'])
    const made = await assign(subnet, 1, id)
    expect([made.status, made.body['properties']]).toEqual([201, expect.objectContaining({ principalId: id, scope: subnet, createdOn: expect.any(String) as string })])
  })

  test('is there once: another name for the same is 409, another principal under the same name is refused', async () => {
    const subnet = `${await putNetwork(world)}/subnets/nodes`
    const id = await principal()
    await assign(subnet, 1, id)
    expect(outcome(await assign(subnet, 2, id))).toEqual([409, 'RoleAssignmentExists'])
    expect(outcome(await assign(subnet, 1, named(7)))).toEqual([400, 'RoleAssignmentUpdateNotPermitted'])
    expect((await assign(subnet, 1, id)).status).toBe(200)
    expect((await assign(subnet, 2, id, { principalType: 'ServicePrincipal' }, reader)).status).toBe(201)
  })

  test('is in lists a while later, those of a scope with what is above it', async () => {
    const subnet = `${await putNetwork(world)}/subnets/nodes`
    const id = await principal()
    await assign(groupId(), 1, id)
    const listed = async (scope: string, filter: string): Promise<unknown[]> => {
      const answer = await world.send('GET', `${scope}/providers/Microsoft.Authorization/roleAssignments?$filter=${encodeURIComponent(filter)}`)
      return (answer.body['value'] as { name: string }[]).map(({ name }) => name)
    }
    expect(await listed(subnet, 'atScope()')).toEqual([])
    world.clock.advance(world.world.durationOf('list lag'))
    await assign(subnet, 2, id)
    world.clock.advance(world.world.durationOf('list lag'))
    expect(await listed(subnet, 'atScope()')).toEqual([named(1), named(2)])
    expect(await listed(groupId(), 'atScope()')).toEqual([named(1)])
    expect(await listed(groupId(), `principalId eq '${id}'`)).toEqual([named(1), named(2)])
  })

  test('without a type of principal is refused for one that the directory has not seen yet (A91)', async () => {
    const subnet = `${await putNetwork(world)}/subnets/nodes`
    const id = await principal()
    expect(outcome(await assign(subnet, 1, id, {}))).toEqual([400, 'PrincipalNotFound'])
    world.clock.advance(60_000)
    expect((await assign(subnet, 1, id, {})).status).toBe(201)
  })
})

describe('a cluster in a subnet of one’s own (A92)', () => {
  const cluster = (subnet: string, identity: Record<string, unknown>): Promise<Answer> =>
    world.send('PUT', clusterId(), {
      ...clusterBody({ agentPoolProfiles: [{ name: 'nodepool1', mode: 'System', count: 1, vmSize: 'Standard_E16s_v3', vnetSubnetID: subnet }] }),
      identity,
    })
  const why = (): string | undefined => whyNoLoadBalancer(world.world, world.world.resource(clusterId())!)

  test('is made all the same, and has no load balancer until its identity has the right, and others have seen it', async () => {
    const subnet = `${await putNetwork(world)}/subnets/nodes`
    const id = await principal()
    const made = await cluster(subnet, { type: 'UserAssigned', userAssignedIdentities: { [identityId()]: {} } })
    expect(made.status).toBe(201)
    expect(made.body['identity']).toMatchObject({ type: 'UserAssigned', userAssignedIdentities: { [identityId()]: { principalId: id } } })
    world.clock.advance(world.world.durationOf('cluster create'))
    expect(why()).toContain('LinkedAuthorizationFailed')
    await assign(subnet, 1, id)
    expect(why()).toContain(subnet)
    world.clock.advance(world.world.durationOf('role assignment seen'))
    expect(why()).toBeUndefined()
  })

  test('with an identity of its own has no right there either', async () => {
    const subnet = `${await putNetwork(world)}/subnets/nodes`
    await cluster(subnet, { type: 'SystemAssigned' })
    expect(why()).toContain('LinkedAuthorizationFailed')
    await assign(groupId(), 1, String((world.world.resource(clusterId())?.identity ?? {})['principalId']), {})
    world.clock.advance(world.world.durationOf('role assignment seen'))
    expect(why()).toBeUndefined()
  })

  test('takes one identity, which exists and which the client may assign', async () => {
    const none = await world.send('PUT', clusterId(), { ...clusterBody(), identity: { type: 'UserAssigned', userAssignedIdentities: { [identityId()]: {} } } })
    expect(outcome(none)).toEqual([400, 'FailedIdentityOperation'])
    await world.stop()
    world = await startTestWorld((spec) => ({
      ...spec,
      permissions: [{ actions: ['*'], notActions: ['Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'] }],
    }))
    world.addGroup('data100-19s-2')
    await principal()
    const denied = await world.send('PUT', clusterId(), { ...clusterBody(), identity: { type: 'UserAssigned', userAssignedIdentities: { [identityId()]: {} } } })
    expect(outcome(denied)).toEqual([403, 'LinkedAuthorizationFailed'])
  })
})
