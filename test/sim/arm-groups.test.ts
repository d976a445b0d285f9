import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  clusterType,
  diskType,
  machineType,
  networkType,
  oldDisks,
  oldGroup,
  putInterface,
  putMachine,
  putNetwork,
  startTestWorld,
  until,
  type TestWorld,
} from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

describe('a resource group', () => {
  test('is made at once for its caller, keeps its tags, and cannot change its place (A13)', async () => {
    const making = world.send('PUT', world.groupPath('made'), { location: 'westus2', tags: { run: '1' } })
    await until(() => world.world.operations.some((one) => one.what === 'group create'))
    expect((await world.send('GET', world.groupPath('made'))).status).toBe(404)
    world.clock.advance(world.world.durationOf('group create'))
    expect(await making).toMatchObject({ status: 201, body: { tags: { run: '1' }, properties: { provisioningState: 'Succeeded' } } })
    expect((await world.send('PUT', world.groupPath('MADE'), { location: 'West US 2' })).body['id']).toBe(world.groupPath('made'))
    const moved = await world.send('PUT', world.groupPath('made'), { location: 'eastus' })
    expect([moved.status, moved.code]).toEqual([409, 'InvalidResourceGroupLocation'])
  })

  test('that is being deleted takes nothing new', async () => {
    world.addGroup('going')
    await world.send('DELETE', world.groupPath('going'))
    const again = await world.send('PUT', world.groupPath('going'), { location: 'westus2' })
    expect([again.status, again.code]).toEqual([409, 'ResourceGroupBeingDeleted'])
  })

  test('is not deleted while something outside uses what is inside', async () => {
    await putMachine(world)
    const answer = await world.send('DELETE', world.groupPath('data100-network'))
    expect([answer.status, answer.code]).toEqual([409, 'ResourceGroupDeletionBlocked'])
    expect((await world.send('GET', world.groupPath('data100-network'))).status).toBe(200)
  })
})

describe('tags of a group', () => {
  const path = (name: string): string => `${world.groupPath(name)}/providers/Microsoft.Resources/tags/default`
  const tagsOf = async (name: string): Promise<unknown> => (await world.send('GET', world.groupPath(name))).body['tags']
  const merge = (tags: Record<string, string>): Promise<{ status: number; code: string }> =>
    world.send('PATCH', path('g'), { operation: 'Merge', properties: { tags } })

  test('are dropped by a PUT that names none, and replaced by a PATCH of the group (A62)', async () => {
    world.addGroup('g')
    await merge({ run: '1', by: 'ann' })
    // A naive client makes sure that its group is there.
    await world.send('PUT', world.groupPath('g'), { location: 'westus2' })
    expect(await tagsOf('g')).toEqual({})
    await merge({ run: '1' })
    await world.send('PATCH', world.groupPath('g'), { tags: { by: 'bob' } })
    expect(await tagsOf('g')).toEqual({ by: 'bob' })
  })

  test('are merged by name, whatever its case, and taken away by name (A62)', async () => {
    world.addGroup('g')
    await merge({ run: '1', by: 'ann' })
    await merge({ RUN: '2' })
    expect(await tagsOf('g')).toEqual({ RUN: '2', by: 'ann' })
    await world.send('PATCH', path('g'), { operation: 'Delete', properties: { tags: { run: '2' } } })
    expect((await world.send('GET', path('g'))).body['properties']).toEqual({ tags: { by: 'ann' } })
  })

  test('cannot be written while the group is locked, nor be longer than Azure takes them (A9, A62)', async () => {
    world.addGroup('g')
    expect((await merge({ run: 'x'.repeat(257) })).code).toBe('InvalidTagValueLength')
    world.world.group('g')?.locks.add('a move')
    const refused = await merge({ run: '1' })
    expect([refused.status, refused.code]).toEqual([409, 'ScopeLocked'])
  })
})

describe('a management lock', () => {
  const lock = (level: string): Promise<unknown> =>
    world.send('PUT', `${world.groupPath('g')}/providers/Microsoft.Authorization/locks/l`, { properties: { level } })
  const body = { location: 'westus2', properties: { addressSpace: { addressPrefixes: ['10.0.0.0/8'] } } }

  test('CanNotDelete lets writes through and refuses deletes, of the group too (A10)', async () => {
    world.addGroup('g')
    await lock('CanNotDelete')
    const id = world.id('g', networkType, 'v')
    expect((await world.send('PUT', id, body)).status).toBe(201)
    world.clock.advance(60_000)
    for (const path of [id, world.groupPath('g')]) {
      const refused = await world.send('DELETE', path)
      expect([refused.status, refused.code]).toEqual([409, 'ScopeLocked'])
    }
    await world.send('DELETE', `${world.groupPath('g')}/providers/Microsoft.Authorization/locks/l`)
    expect((await world.send('DELETE', id)).status).toBe(202)
  })

  test('ReadOnly refuses every write and no read (A10)', async () => {
    world.addGroup('g')
    await lock('ReadOnly')
    const refused = await world.send('PUT', world.id('g', networkType, 'v'), body)
    expect([refused.status, refused.code]).toEqual([409, 'ScopeLocked'])
    expect((await world.send('GET', `${world.groupPath('g')}/providers/Microsoft.Authorization/locks`)).body['value']).toHaveLength(1)
  })

  test.each([
    ['ReadOnly', 409, 'ScopeLocked'],
    ['CanNotDelete', 200, ''],
  ])('%s on what is asked by a POST: runCommand, and the credentials of a cluster (A135)', async (level, status, code) => {
    const script = { commandId: 'RunShellScript', script: ['cat /etc/ssh/ssh_host_ed25519_key.pub'] }
    const questions = [
      ['data100-19s', `${world.id('data100-19s', clusterType, 'data100-19s')}/listClusterUserCredential`, {}],
      ['data100-19s', `${world.id('data100-19s', clusterType, 'data100-19s')}/listClusterAdminCredential`, {}],
      [oldGroup, `${world.id(oldGroup, machineType, 'nfsserver')}/runCommand`, script],
    ] as const
    for (const [group, path, body] of questions) {
      await world.send('PUT', `${world.groupPath(group)}/providers/Microsoft.Authorization/locks/l`, { properties: { level } })
      const answer = await world.send('POST', path, body)
      const expected = status === 200 && path.endsWith('runCommand') ? 202 : status
      expect([answer.status, answer.code]).toEqual([expected, code])
    }
  })

  test('is more than a move locks: a script runs under it, one that writes too (A135)', async () => {
    world.world.group(oldGroup)?.locks.add('a move')
    const path = `${world.id(oldGroup, machineType, 'nfsserver')}/runCommand`
    expect((await world.send('POST', path, { commandId: 'RunShellScript', script: ['touch /root/x'] })).status).toBe(202)
  })
})

describe('deleting', () => {
  test('a cluster takes its node group along, data disks and all, and the world sees the loss (A11)', async () => {
    const answer = await world.send('DELETE', world.id('data100-19s', clusterType, 'data100-19s'))
    expect(answer.status).toBe(202)
    expect((await world.send('GET', world.groupPath(oldGroup))).status).toBe(200)
    world.clock.advance(world.world.durationOf('cluster delete'))
    expect((await world.send('GET', world.groupPath(oldGroup))).status).toBe(404)
    for (const disk of oldDisks(world)) expect((await world.send('GET', disk)).status).toBe(404)
    expect(world.world.violations.join('\n')).toMatch(/nfsserver_DataDisk_0 was deleted.*\n.*nfsserver_DataDisk_1 was deleted/)
  })

  test('what something else uses is refused (A12)', async () => {
    await putMachine(world)
    const refusals = [
      await world.send('DELETE', oldDisks(world)[0] ?? ''),
      await world.send('DELETE', world.id('data100-nfs', 'Microsoft.Network/networkInterfaces', 'nfs-nic')),
      await world.send('DELETE', world.id('data100-network', networkType, 'data100')),
      await world.send('DELETE', `${world.id('data100-network', networkType, 'data100')}/subnets/nfs`),
    ]
    expect(refusals.map(({ status, code }) => [status, code])).toEqual([
      [409, 'OperationNotAllowed'],
      [400, 'NicInUse'],
      [400, 'InUseResourceCannotBeDeleted'],
      [400, 'InUseSubnetCannotBeDeleted'],
    ])
  })

  test('what is free works, and what is not there is 204', async () => {
    const network = await putNetwork(world)
    await putInterface(world, network, '10.240.0.7')
    world.clock.advance(60_000)
    const nic = world.id('data100-nfs', 'Microsoft.Network/networkInterfaces', 'nfs-nic')
    await world.send('DELETE', nic)
    world.clock.advance(60_000)
    expect((await world.send('GET', nic)).status).toBe(404)
    expect((await world.send('DELETE', nic)).status).toBe(204)
    expect((await world.send('DELETE', world.id(oldGroup, machineType, 'none'))).status).toBe(204)
    expect((await world.send('DELETE', world.id(oldGroup, diskType, 'none'))).status).toBe(204)
  })
})
