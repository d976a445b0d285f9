import { afterEach, describe, expect, test } from 'vitest'
import type { WorldSpec } from '../../src/sim/world/spec.js'
import { clusterBody, clusterType, networkType, oldDisks, oldGroup, putInterface, startTestWorld, type Answer, type TestWorld } from '../helpers/world.js'

// What Azure refuses, met by a client that has not looked before: each of these a plan has to find (readiness-azure.test.ts).

let world: TestWorld
afterEach(() => world.stop())

async function given(change: Partial<WorldSpec>, ...groups: string[]): Promise<void> {
  world = await startTestWorld((spec) => ({ ...spec, ...change }))
  for (const group of groups) world.addGroup(group)
}

const outcome = ({ status, code }: Answer): [number, string] => [status, code]
const groupPath = (name: string): string => `/subscriptions/${world.subscription}/resourceGroups/${name}`
const newCluster = (): string => world.id('data100-19s-2', clusterType, 'data100-19s-2')
const networkBody = { location: 'westus2', properties: { addressSpace: { addressPrefixes: ['10.0.0.0/8'] } } }

describe('a client without a role (A60)', () => {
  test('is refused the action itself, and reads all the same', async () => {
    await given({ permissions: [{ actions: ['*'], notActions: ['Microsoft.ContainerService/*/write', '*/delete'] }] }, 'data100-19s-2')
    expect(outcome(await world.send('PUT', newCluster(), clusterBody()))).toEqual([403, 'AuthorizationFailed'])
    expect(outcome(await world.send('DELETE', groupPath('data100-19s-2')))).toEqual([403, 'AuthorizationFailed'])
    expect((await world.send('GET', groupPath('data100-19s-2'))).status).toBe(200)
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
    const move = await world.send('POST', `${groupPath(oldGroup)}/moveResources`, {
      resources: oldDisks(world),
      targetResourceGroup: groupPath('data100-disks'),
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
    expect(outcome(await world.send('PUT', groupPath('new'), { location: 'westus2' }))).toEqual([409, 'ScopeLocked'])
    const listed = await world.send('GET', `/subscriptions/${world.subscription}/providers/Microsoft.Authorization/locks`)
    expect(listed.body['value']).toMatchObject([{ name: 'freeze', properties: { level: 'ReadOnly' } }])
  })

  test('keeps disks from being moved at once, though it only forbids deletion', async () => {
    const scope = `/subscriptions/5e1d1a2c-0100-4d47-9c19-201902251121/resourceGroups/${oldGroup}`
    await given({ locks: [{ name: 'keep', scope, level: 'CanNotDelete' }] }, 'data100-disks')
    const body = { resources: oldDisks(world), targetResourceGroup: groupPath('data100-disks') }
    expect(outcome(await world.send('POST', `${groupPath(oldGroup)}/moveResources`, body))).toEqual([409, 'ScopeLocked'])
    expect(outcome(await world.send('POST', `${groupPath(oldGroup)}/validateMoveResources`, body))).toEqual([409, 'ScopeLocked'])
  })
})
