import { ComputeManagementClient } from '@azure/arm-compute'
import { ContainerServiceClient } from '@azure/arm-containerservice'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  clusterBody,
  clusterType,
  diskType,
  fenceAndDetach,
  machineBodyFor,
  machineType,
  networkType,
  oldDisks,
  oldGroup,
  properties,
  putMachine,
  putNetwork,
  startTestWorld,
  type TestWorld,
} from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

/** Polls a real SDK poller to its end while the world's time goes on. */
async function finish<T extends { poll(): Promise<unknown>; isDone: boolean }>(poller: T): Promise<void> {
  while (!poller.isDone) {
    world.clock.advance(5000)
    await poller.poll()
  }
}

describe('an operation that takes time', () => {
  test('hints when to look again, in real milliseconds and in whole seconds (A2)', async () => {
    world.addGroup('g')
    const made = await world.send('PUT', world.id('g', clusterType, 'c'), clusterBody())
    const poll = await world.poll(made)
    for (const answer of [made, poll]) {
      expect(Number(answer.headers['x-ms-retry-after-ms'])).toBeGreaterThan(0)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(Number(answer.headers['x-ms-retry-after-ms'])).toBeLessThanOrEqual(30_000)
    }
    expect(poll.body['status']).toBe('InProgress')
  })

  test('is not found without the token of its URL (A4)', async () => {
    world.addGroup('g')
    const made = await world.send('PUT', world.id('g', clusterType, 'c'), clusterBody())
    const { pathname } = new URL(made.headers['azure-asyncoperation'] ?? '')
    expect((await world.send('GET', pathname)).status).toBe(404)
    expect((await world.poll(made)).status).toBe(200)
  })

  test('that fails tells code and message, and the resource reads Failed', async () => {
    world.addGroup('g')
    world.faults.plantInOperation({ operation: 'cluster create', times: 1, fail: { code: 'AllocationFailed', message: 'No room.' } })
    const id = world.id('g', clusterType, 'c')
    const made = await world.send('PUT', id, clusterBody())
    world.clock.advance(world.world.durationOf('cluster create'))
    expect((await world.poll(made)).body).toMatchObject({ status: 'Failed', error: { code: 'AllocationFailed', message: 'No room.' } })
    expect(properties(await world.send('GET', id))['provisioningState']).toBe('Failed')
  })

  test('to delete leaves the resource, Failed, and it can be deleted again (A124)', async () => {
    const id = world.id(oldGroup, machineType, 'nfsserver')
    world.faults.plantInOperation({ operation: 'vm delete', times: 1, fail: { code: 'InternalExecutionError' } })
    for (const left of ['Failed', undefined]) {
      await world.send('DELETE', id)
      expect(properties(await world.send('GET', id))['provisioningState']).toBe('Deleting')
      world.clock.advance(world.world.durationOf('vm delete'))
      expect(world.world.resource(id)?.properties['provisioningState']).toBe(left)
    }
  })

  test('to make what is deleted meanwhile is over, and nothing of it comes to what is made of the same name (A132)', async () => {
    world.addGroup('g')
    const id = world.id('g', clusterType, 'c')
    const ready: unknown[] = []
    world.world.onClusterReady.add((cluster) => ready.push(cluster))
    world.faults.plantInOperation({ operation: 'cluster create', times: 1, durationMs: 100 * 3_600_000 })
    const hung = await world.send('PUT', id, clusterBody())
    for (const deleted of [await world.send('DELETE', id), await world.send('DELETE', id)]) expect(deleted.status).toBe(202)
    const twice = world.world.operations.filter(({ what }) => what === 'cluster delete')
    world.clock.advance(world.world.durationOf('cluster delete'))
    expect(twice.map(({ status }) => status)).toEqual(['succeeded', 'succeeded'])
    expect((await world.poll(hung)).body).toMatchObject({ status: 'Canceled' })

    await world.send('PUT', id, clusterBody())
    world.clock.advance(101 * 3_600_000)
    expect(ready).toEqual([world.world.resource(id)])
  })

  test('to start leaves the machine as it was, and it can be started again (A126)', async () => {
    const id = world.id(oldGroup, machineType, 'nfsserver')
    await world.send('POST', `${id}/deallocate`)
    world.clock.advance(world.world.durationOf('deallocate'))
    world.faults.plantInOperation({ operation: 'start', times: 1, fail: { code: 'InternalExecutionError' } })
    for (const power of ['deallocated', 'running']) {
      await world.send('POST', `${id}/start`)
      expect(world.world.host(id)?.power).toBe('starting')
      world.clock.advance(world.world.durationOf('start'))
      expect(world.world.host(id)?.power).toBe(power)
    }
  })
})

describe('a machine on which an operation has failed', () => {
  const machine = (): string => world.id(oldGroup, machineType, 'nfsserver')
  const state = async (): Promise<unknown> => properties(await world.send('GET', machine()))['provisioningState']
  const update = async (): Promise<unknown> => world.send('PUT', machine(), (await world.send('GET', machine())).body)
  const disk = async (name: string): Promise<string> => {
    const id = world.id(oldGroup, diskType, name)
    await world.send('PUT', id, { location: 'westus2', properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 8 } })
    world.clock.advance(60_000)
    return id
  }
  const change = (wish: object): Promise<unknown> => world.send('POST', `${machine()}/attachDetachDataDisks`, wish)

  test.each([
    ['attach', async () => change({ dataDisksToAttach: [{ diskId: await disk('extra') }] })],
    ['detach', () => change({ dataDisksToDetach: [{ diskId: oldDisks(world)[0] }] })],
    ['vm update', update],
    ['deallocate', () => world.send('POST', `${machine()}/deallocate`)],
    ['power off', () => world.send('POST', `${machine()}/powerOff`)],
    ['start', () => world.send('POST', `${machine()}/start`)],
  ])('reads Failed after %s, takes the next one, and reads Succeeded after that (A133)', async (operation, again) => {
    if (world.world.pools[0]) world.world.pools[0].importedOn = []
    world.faults.plantInOperation({ operation, times: 1, fail: { code: 'InternalExecutionError' } })
    await again()
    world.clock.advance(world.world.durationOf(operation))
    expect([await state(), world.world.host(machine())?.power]).toEqual(['Failed', 'running'])
    await again()
    world.clock.advance(world.world.durationOf(operation))
    expect(await state()).toBe('Succeeded')
    expect(world.world.violations).toEqual([])
  })

  test('is said to be so by the one that ended last; what goes on still reads Updating (A133)', async () => {
    world.faults.plantInOperation({ operation: 'deallocate', times: 1, fail: { code: 'InternalExecutionError' } })
    world.faults.plantInOperation({ operation: 'detach', times: 1, durationMs: 45 * 60_000 })
    if (world.world.pools[0]) world.world.pools[0].importedOn = []
    await change({ dataDisksToDetach: [{ diskId: oldDisks(world)[0] }] })
    await world.send('POST', `${machine()}/deallocate`)
    world.clock.advance(world.world.durationOf('deallocate'))
    expect(await state()).toBe('Updating')
    world.clock.advance(45 * 60_000)
    expect(await state()).toBe('Succeeded')
  })

  test('right after it was made is not said to be well when reads have caught up (A3, A133)', async () => {
    const id = await putMachine(world)
    const fresh = world.id('data100-nfs', machineType, 'second')
    await world.send('DELETE', id)
    world.clock.advance(60 * 60_000)
    for (const one of world.world.ofType(diskType)) if (one.id.includes('data100-nfs')) world.world.remove(one.id)
    const nic = world.id('data100-nfs', 'Microsoft.Network/networkInterfaces', 'nfs-nic')
    await world.send('PUT', fresh, machineBodyFor(nic, ''))
    world.clock.advance(world.world.durationOf('vm create'))
    await world.send('DELETE', fresh)
    world.clock.advance(world.world.durationOf('read lag'))
    expect(properties(await world.send('GET', fresh))['provisioningState']).toBe('Deleting')
  })
})

describe('a change that fails', () => {
  const fail = (operation: string): void => world.faults.plantInOperation({ operation, times: 1, fail: { code: 'InternalExecutionError' } })
  const state = async (id: string): Promise<unknown> => {
    const answer = await world.send('GET', id)
    return answer.status === 404 ? 'gone' : properties(answer)['provisioningState']
  }

  test.each(['disks', 'snapshots'])('of %s is told by their state, from its beginning to its end (A124)', async (kind) => {
    world.addGroup('g')
    const id = world.id('g', `Microsoft.Compute/${kind}`, 'one')
    await world.send('PUT', id, { location: 'westus2', properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 8 } })
    world.clock.advance(60_000)
    fail('disk')
    await world.send('PATCH', id, { properties: { diskSizeGB: 16 } })
    expect(await state(id)).toBe('Updating')
    world.clock.advance(world.world.durationOf('disk'))
    expect(await state(id)).toBe('Failed')
    fail('disk delete')
    for (const end of ['Failed', 'gone']) {
      await world.send('DELETE', id)
      expect(await state(id)).toBe('Deleting')
      world.clock.advance(world.world.durationOf('disk'))
      expect(await state(id)).toBe(end)
    }
  })

  test('of a subnet is told by its state, each with another etag (A124, A127)', async () => {
    const id = `${await putNetwork(world)}/subnets/theirs`
    world.clock.advance(60_000)
    const etags = new Set<unknown>()
    const told = async (): Promise<unknown> => {
      const { body } = await world.send('GET', id)
      if (body['etag'] !== undefined) etags.add(body['etag'])
      return state(id)
    }
    fail('subnet')
    await world.send('PUT', id, { properties: { addressPrefix: '10.240.99.0/24' } })
    const states = [await told()]
    world.clock.advance(world.world.durationOf('subnet'))
    states.push(await told())
    fail('subnet delete')
    for (let time = 0; time < 2; time += 1) {
      await world.send('DELETE', id)
      states.push(await told())
      world.clock.advance(world.world.durationOf('subnet'))
      states.push(await told())
    }
    expect(states).toEqual(['Updating', 'Failed', 'Deleting', 'Failed', 'Deleting', 'gone'])
    expect(etags.size).toBe(5)
  })
})

describe('a client that trusts the poller alone', () => {
  test('gets a cluster that reads Creating (A3)', async () => {
    world.addGroup('g')
    const { credential, options } = world.sdk()
    const client = new ContainerServiceClient(credential, world.subscription, options)
    const definition = clusterBody()['properties'] as Record<string, never>
    const poller = client.managedClusters.createOrUpdate('g', 'c', { location: 'westus2', identity: { type: 'SystemAssigned' }, ...definition })
    await poller.submitted()
    await finish(poller)
    // The poller is done, and what it brings is not.
    expect(poller.result?.provisioningState).toBe('Creating')
    world.clock.advance(world.world.durationOf('read lag'))
    expect((await client.managedClusters.get('g', 'c')).provisioningState).toBe('Succeeded')
  })

  test('of lists does not see what was just made (A3)', async () => {
    await putNetwork(world)
    const list = `/subscriptions/${world.subscription}/resourceGroups/data100-network/resources`
    world.addGroup('fresh')
    const fresh = `/subscriptions/${world.subscription}/resourceGroups/fresh/resources`
    await world.send('PUT', world.id('fresh', networkType, 'v'), { location: 'westus2', properties: { addressSpace: { addressPrefixes: ['10.1.0.0/16'] } } })
    expect((await world.send('GET', fresh)).body['value']).toEqual([])
    world.clock.advance(world.world.durationOf('list lag'))
    expect((await world.send('GET', fresh)).body['value']).toHaveLength(1)
    expect((await world.send('GET', list)).body['value']).toHaveLength(1)
  })
})

describe('the end of an operation (A5)', () => {
  test('of attaching and detaching is a storage profile, by the real client', async () => {
    await putMachine(world)
    await fenceAndDetach(world)
    const { credential, options } = world.sdk()
    const client = new ComputeManagementClient(credential, world.subscription, options)
    const [diskId = ''] = oldDisks(world)
    const poller = client.virtualMachines.attachDetachDataDisks('data100-nfs', 'nfsserver', { dataDisksToAttach: [{ diskId, lun: 3 }] })
    await poller.submitted()
    await finish(poller)
    expect(poller.result?.dataDisks).toMatchObject([{ lun: 3, name: 'nfsserver_DataDisk_0', createOption: 'Attach' }])
  })

  test('of power operations is 200 with a body', async () => {
    const answer = await world.send('POST', `${world.id(oldGroup, machineType, 'nfsserver')}/deallocate`)
    expect([answer.status, (await world.poll(answer, 'location')).status]).toEqual([202, 202])
    world.clock.advance(world.world.durationOf('deallocate'))
    expect((await world.poll(answer, 'location')).status).toBe(200)
    expect((await world.poll(answer)).body['status']).toBe('Succeeded')
  })

  test('of snapshots and disks is 202 first, then the resource', async () => {
    const [sourceResourceId = ''] = oldDisks(world)
    world.addGroup('copies')
    const id = world.id('copies', 'Microsoft.Compute/snapshots', 's')
    const answer = await world.send('PUT', id, { location: 'westus2', properties: { creationData: { createOption: 'Copy', sourceResourceId }, incremental: true } })
    expect(answer.status).toBe(202)
    world.clock.advance(world.world.durationOf('snapshot'))
    expect((await world.poll(answer, 'location')).body).toMatchObject({ id, properties: { provisioningState: 'Succeeded', diskSizeGB: 1024 } })
    const disk = await world.send('PUT', world.id('copies', diskType, 'd'), { location: 'westus2', properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 8 } })
    expect([disk.status, properties(disk)['diskState']]).toEqual([202, 'Unattached'])
  })

  test('of a move and of a group delete is a Location that ends in 204', async () => {
    await fenceAndDetach(world)
    const targetResourceGroup = world.addGroup('t')
    const move = await world.send('POST', `/subscriptions/${world.subscription}/resourceGroups/${oldGroup}/moveResources`, { resources: oldDisks(world), targetResourceGroup })
    expect([move.status, move.headers['azure-asyncoperation'], move.headers['location'] !== undefined]).toEqual([202, undefined, true])
    expect((await world.poll(move, 'location')).status).toBe(202)
    world.clock.advance(world.world.durationOf('move'))
    expect((await world.poll(move, 'location')).status).toBe(204)
    const path = world.addGroup('gone')
    const removal = await world.send('DELETE', path)
    world.clock.advance(world.world.durationOf('group delete'))
    expect((await world.poll(removal, 'location')).status).toBe(204)
    expect((await world.send('GET', path)).status).toBe(404)
  })
})
