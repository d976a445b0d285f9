import { ResourceManagementClient } from '@azure/arm-resources'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  diskType,
  fenceAndDetach,
  machineBodyFor,
  machineType,
  oldDisks,
  oldGroup,
  properties,
  putInterface,
  putNetwork,
  startTestWorld,
  storageCloudInit,
  type Answer,
  type TestWorld,
} from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

function move(verb = 'moveResources', target = 'data100-disks'): Promise<Answer> {
  const targetResourceGroup = world.world.group(target)?.id ?? world.addGroup(target)
  return world.send('POST', `${world.groupPath(oldGroup)}/${verb}`, { resources: oldDisks(world), targetResourceGroup })
}

describe('while a move goes on', () => {
  test('a machine put in the target is refused, like every write in both groups, and reads go on (A9)', async () => {
    await fenceAndDetach(world)
    const network = await putNetwork(world)
    const nic = await putInterface(world, network, '10.240.0.7')
    world.clock.advance(60_000)
    expect((await move('moveResources', 'data100-nfs')).status).toBe(202)
    const machine = world.id('data100-nfs', machineType, 'nfsserver')
    const refusals = [
      await world.send('PUT', machine, machineBodyFor(String(nic.body['id']), storageCloudInit)),
      await world.send('PATCH', world.groupPath('data100-nfs'), { tags: { heartbeat: 'now' } }),
      await world.send('DELETE', world.id(oldGroup, machineType, 'nfsserver')),
      await world.send('POST', `${world.id(oldGroup, machineType, 'nfsserver')}/deallocate`),
      await move('moveResources', 'data100-nfs'),
    ]
    expect(refusals.map(({ status, code }) => [status, code])).toEqual(Array(5).fill([409, 'ScopeLocked']))
    expect((await world.send('GET', world.groupPath('data100-nfs'))).status).toBe(200)
    world.clock.advance(world.world.durationOf('move'))
    expect((await world.send('PUT', machine, machineBodyFor(String(nic.body['id']), storageCloudInit))).status).toBe(201)
  })

  test('its disks cannot be attached to a machine in a third group (A9)', async () => {
    await fenceAndDetach(world)
    await move()
    const [diskId] = oldDisks(world)
    const machine = world.id(oldGroup, machineType, 'nfsserver')
    const answer = await world.send('POST', `${machine}/attachDetachDataDisks`, { dataDisksToAttach: [{ diskId }] })
    expect([answer.status, answer.code]).toEqual([409, 'ScopeLocked'])
  })

  test('one disk is there before the other, and a move that fails leaves it there (A15)', async () => {
    await fenceAndDetach(world)
    world.faults.plantInOperation({ operation: 'move', times: 1, fail: { code: 'ResourceMoveFailed' } })
    const answer = await move()
    world.clock.advance(world.world.durationOf('move') / 2)
    const [first = '', second = ''] = oldDisks(world)
    const [arrived = ''] = oldDisks(world, 'data100-disks')
    expect((await world.send('GET', first)).status).toBe(404)
    expect((await world.send('GET', arrived)).status).toBe(200)
    expect((await world.send('GET', second)).status).toBe(200)
    world.clock.advance(world.world.durationOf('move') / 2)
    const end = await world.poll(answer, 'location')
    expect([end.status, end.code]).toEqual([409, 'ResourceMoveFailed'])
    expect((await world.send('GET', second)).status).toBe(200)
    expect((await world.send('GET', arrived)).status).toBe(200)
    // What is left can be moved on its own: the locks are gone.
    const rest = { resources: [second], targetResourceGroup: world.groupPath('data100-disks') }
    expect((await world.send('POST', `${world.groupPath(oldGroup)}/moveResources`, rest)).status).toBe(202)
  })
})

describe('a move', () => {
  test('of disks that are still attached is accepted, and fails: 202 is no success (A14)', async () => {
    const targetResourceGroup = world.addGroup('data100-disks')
    const { credential, options } = world.sdk()
    const client = new ResourceManagementClient(credential, world.subscription, options)
    const poller = await client.resources.beginMoveResources(oldGroup, { resources: oldDisks(world), targetResourceGroup })
    world.clock.advance(world.world.durationOf('move'))
    await expect(poller.poll()).rejects.toMatchObject({ statusCode: 409, code: 'ResourceMoveProviderValidationFailed' })
    for (const disk of oldDisks(world)) expect((await world.send('GET', disk)).status).toBe(200)
    expect(world.world.group(oldGroup)?.locks.size).toBe(0)
  })

  test('of a disk that is about to be attached fails, too (A14)', async () => {
    await fenceAndDetach(world)
    const machine = world.id(oldGroup, machineType, 'nfsserver')
    const [diskId = ''] = oldDisks(world)
    await world.send('POST', `${machine}/attachDetachDataDisks`, { dataDisksToAttach: [{ diskId }] })
    expect(properties(await world.send('GET', diskId))['diskState']).toBe('Unattached')
    const answer = await move('validateMoveResources')
    world.clock.advance(world.world.durationOf('validate move'))
    const end = await world.poll(answer, 'location')
    expect([end.code, end.text]).toEqual(['ResourceMoveProviderValidationFailed', expect.stringContaining('MissingMoveDependentResources')])
  })

  test.each(['moveResources', 'validateMoveResources'])('overwrites nothing: %s fails where the target has one of that name (A136)', async (verb) => {
    await fenceAndDetach(world)
    world.addGroup('data100-disks')
    const [theirs = ''] = oldDisks(world, 'data100-disks')
    const body = { location: 'westus2', properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 8 } }
    const uniqueId = properties(await world.send('PUT', theirs.toUpperCase().replace('/SUBSCRIPTIONS', '/subscriptions'), body))['uniqueId']
    world.clock.advance(60_000)
    const answer = await move(verb)
    world.clock.advance(world.world.durationOf('move'))
    const end = await world.poll(answer, 'location')
    expect([end.status, end.code]).toEqual([409, 'ResourceMoveProviderValidationFailed'])
    expect(end.text).toContain('ResourceAlreadyExists')
    expect(properties(await world.send('GET', theirs))['uniqueId']).toBe(uniqueId)
    for (const disk of oldDisks(world)) expect((await world.send('GET', disk)).status).toBe(200)
  })

  test('is validated without moving anything: 204 when it could be, 409 when not (A14)', async () => {
    const attached = await move('validateMoveResources')
    world.clock.advance(world.world.durationOf('validate move'))
    expect((await world.poll(attached, 'location')).code).toBe('ResourceMoveProviderValidationFailed')
    await fenceAndDetach(world)
    const free = await move('validateMoveResources')
    expect(world.world.group(oldGroup)?.locks.size).toBe(0)
    world.clock.advance(world.world.durationOf('validate move'))
    expect((await world.poll(free, 'location')).status).toBe(204)
    expect((await world.send('GET', oldDisks(world)[0] ?? '')).status).toBe(200)
  })

  test('gives a disk another id, and leaves it the same disk of the same pool (A16)', async () => {
    await fenceAndDetach(world)
    const [before = ''] = oldDisks(world)
    const unique = properties(await world.send('GET', before))['uniqueId']
    await move()
    world.clock.advance(world.world.durationOf('move'))
    const [after = ''] = oldDisks(world, 'data100-disks')
    expect((await world.send('GET', before)).status).toBe(404)
    expect(properties(await world.send('GET', after))['uniqueId']).toBe(unique)
    expect(world.world.pools[0]?.disks).toContain(unique)
    expect(world.world.moves.get(String(unique))).toBe(1)
    expect(world.world.violations).toEqual([])
  })

  test('out of a group whose network has a dependent that failed is refused at once (A17)', async () => {
    await fenceAndDetach(world)
    const nic = world.world.resource(world.id(oldGroup, 'Microsoft.Network/networkInterfaces', 'nfsserver-nic'))
    if (nic) nic.properties['provisioningState'] = 'Failed'
    const answer = await move()
    expect(answer.status).toBe(409)
    expect(answer.text).toContain('MoveCannotProceedWithResourcesNotInSucceededState')
  })

  test('of what is elsewhere, is not there, or goes nowhere new is refused', async () => {
    const targetResourceGroup = world.addGroup('t')
    const send = (resources: string[], target = targetResourceGroup): Promise<Answer> =>
      world.send('POST', `${world.groupPath(oldGroup)}/moveResources`, { resources, targetResourceGroup: target })
    const answers = [
      await send([world.id('data100-19s', diskType, 'x')]),
      await send([world.id(oldGroup, diskType, 'none')]),
      await send(oldDisks(world), world.groupPath('none')),
      await send(oldDisks(world), world.groupPath(oldGroup)),
      await send([]),
    ]
    expect(answers.map(({ status }) => status)).toEqual([400, 404, 404, 400, 400])
  })
})
