import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  diskType,
  fenceAndDetach,
  machineType,
  oldDisks,
  oldGroup,
  properties,
  putMachine,
  startTestWorld,
  type Answer,
  type TestWorld,
} from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

const oldMachine = (): string => world.id(oldGroup, machineType, 'nfsserver')
const attach = (machine: string, ...dataDisksToAttach: unknown[]): Promise<Answer> =>
  world.send('POST', `${machine}/attachDetachDataDisks`, { dataDisksToAttach })
const detach = (machine: string, ...ids: string[]): Promise<Answer> =>
  world.send('POST', `${machine}/attachDetachDataDisks`, { dataDisksToDetach: ids.map((diskId) => ({ diskId })) })
const outcome = ({ status, code }: Answer): [number, string] => [status, code]

async function emptyDisk(name: string, change: Record<string, unknown> = {}): Promise<string> {
  if (!world.world.group('more')) world.addGroup('more')
  const id = world.id('more', diskType, name)
  await world.send('PUT', id, { location: 'westus2', properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 8 }, ...change })
  world.clock.advance(world.world.durationOf('disk'))
  return id
}

describe('attaching a disk', () => {
  test('that another machine holds is refused (A23)', async () => {
    const machine = await putMachine(world)
    const [diskId] = oldDisks(world)
    expect(outcome(await attach(machine, { diskId }))).toEqual([409, 'OperationNotAllowed'])
  })

  test('of another zone or another place is refused, ZRS is not (A23)', async () => {
    const machine = await putMachine(world)
    const zonal = await emptyDisk('zonal', { zones: ['1'] })
    const spread = await emptyDisk('spread', { zones: ['1', '2', '3'], sku: { name: 'Premium_ZRS' } })
    const away = await emptyDisk('away', { location: 'eastus' })
    expect((await attach(machine, { diskId: zonal })).code).toBe('BadRequest')
    expect((await attach(machine, { diskId: away })).code).toBe('BadRequest')
    expect((await attach(machine, { diskId: spread })).status).toBe(202)
  })

  test('at a LUN that is taken is refused; without one it gets the first free (A23)', async () => {
    const diskId = await emptyDisk('d')
    expect(outcome(await attach(oldMachine(), { diskId, lun: 1 }))).toEqual([409, 'ConflictingUserInput'])
    await attach(oldMachine(), { diskId })
    world.clock.advance(world.world.durationOf('attach'))
    expect(properties(await world.send('GET', oldMachine()))['storageProfile']).toMatchObject({ dataDisks: [{ lun: 0 }, { lun: 1 }, { lun: 2, name: 'd' }] })
  })

  test('beyond what the size takes, or a premium one to a size without, is refused (A23)', async () => {
    const ids: string[] = []
    for (let at = 0; at < 15; at += 1) ids.push(await emptyDisk(`d${at}`))
    expect(outcome(await attach(oldMachine(), ...ids.map((diskId) => ({ diskId }))))).toEqual([409, 'OperationNotAllowed'])
    const machine = world.world.resource(oldMachine())
    if (machine) machine.properties['hardwareProfile'] = { vmSize: 'Standard_E8_v3' }
    expect(outcome(await attach(oldMachine(), { diskId: ids[0] }))).toEqual([409, 'OperationNotAllowed'])
  })

  test('that is not there, and detaching one that is not attached, is refused (A23)', async () => {
    const diskId = await emptyDisk('d')
    expect((await attach(oldMachine(), { diskId: `${diskId}x` })).status).toBe(404)
    expect((await detach(oldMachine(), diskId)).status).toBe(400)
    expect((await world.send('POST', `${oldMachine()}/attachDetachDataDisks`, {})).status).toBe(400)
  })

  test('lets nobody else have it meanwhile, and gives it back when it fails', async () => {
    const machine = await putMachine(world)
    const diskId = await emptyDisk('d')
    world.faults.plantInOperation({ operation: 'attach', times: 1, fail: { code: 'InternalDiskManagementError' } })
    await attach(machine, { diskId })
    expect((await attach(oldMachine(), { diskId })).code).toBe('OperationNotAllowed')
    world.clock.advance(world.world.durationOf('attach'))
    expect(world.world.resource(diskId)?.managedBy).toBeUndefined()
    expect((await attach(oldMachine(), { diskId })).status).toBe(202)
  })
})

describe('a machine put whole', () => {
  test('with another list of data disks attaches and detaches, and names what has no name (A24)', async () => {
    const diskId = await emptyDisk('extra')
    if (world.world.pools[0]) world.world.pools[0].importedOn = []
    const read = await world.send('GET', oldMachine())
    const body = structuredClone(read.body) as { properties: { storageProfile: { dataDisks: unknown[] } } }
    body.properties.storageProfile.dataDisks.splice(0, 1, { lun: 5, createOption: 'Attach', managedDisk: { id: diskId } })
    const put = await world.send('PUT', oldMachine(), body)
    expect([put.status, properties(put)['provisioningState']]).toEqual([200, 'Updating'])
    world.clock.advance(world.world.durationOf('detach'))
    const after = properties(await world.send('GET', oldMachine()))['storageProfile']
    expect(after).toMatchObject({ dataDisks: [{ name: 'nfsserver_DataDisk_1', lun: 1 }, { name: 'extra', lun: 5 }] })
    expect(properties(await world.send('GET', oldDisks(world)[0] ?? ''))['diskState']).toBe('Unattached')
  })

  test('as it was read changes nothing, and cannot change what is for ever', async () => {
    const read = await world.send('GET', oldMachine())
    expect((await world.send('PUT', oldMachine(), read.body)).status).toBe(200)
    world.clock.advance(60_000)
    expect(properties(await world.send('GET', oldMachine()))['storageProfile']).toEqual(properties(read)['storageProfile'])
    expect((await world.send('PUT', oldMachine(), { ...read.body, zones: ['2'] })).code).toBe('PropertyChangeNotAllowed')
    expect((await world.send('PUT', oldMachine(), { ...read.body, location: 'westus2', properties: { networkProfile: { networkInterfaces: [] } } })).code).toBe('PropertyChangeNotAllowed')
  })

  test('or changed twice at once is refused (A25)', async () => {
    const [one = '', other = ''] = oldDisks(world)
    expect((await detach(oldMachine(), one)).status).toBe(202)
    expect(outcome(await detach(oldMachine(), other))).toEqual([409, 'AnotherOperationInProgress'])
    const read = await world.send('GET', oldMachine())
    expect(outcome(await world.send('PUT', oldMachine(), read.body))).toEqual([409, 'AnotherOperationInProgress'])
  })

  test('keeps a disk until the detach has ended; force takes the place of one that does not end (A25)', async () => {
    const [diskId = ''] = oldDisks(world)
    world.faults.plantInOperation({ operation: 'detach', times: 1, durationMs: 45 * 60_000 })
    await detach(oldMachine(), diskId)
    world.clock.advance(10 * 60_000)
    expect(world.world.resource(diskId)?.managedBy).toBe(oldMachine())
    const force = { dataDisksToDetach: [{ diskId, detachOption: 'ForceDetach' }] }
    expect((await world.send('POST', `${oldMachine()}/attachDetachDataDisks`, force)).status).toBe(202)
    world.clock.advance(world.world.durationOf('detach'))
    expect(world.world.resource(diskId)?.managedBy).toBeUndefined()
  })
})

describe('a change of disks that a deallocation or a ForceDetach ends (A83)', () => {
  const force = (diskId: string): unknown => ({ dataDisksToDetach: [{ diskId, detachOption: 'ForceDetach' }] })
  test.each([
    ['deallocate', () => world.send('POST', `${oldMachine()}/deallocate`)],
    ['detach', () => world.send('POST', `${oldMachine()}/attachDetachDataDisks`, force(oldDisks(world)[0] ?? ''))],
  ])('leaves to others what it was attaching: %s', async (what, other) => {
    const diskId = await emptyDisk('d')
    if (world.world.pools[0]) world.world.pools[0].importedOn = []
    world.faults.plantInOperation({ operation: 'detach', times: 1, durationMs: 45 * 60_000 })
    const wish = { dataDisksToAttach: [{ diskId }], dataDisksToDetach: [{ diskId: oldDisks(world)[0] }] }
    expect((await world.send('POST', `${oldMachine()}/attachDetachDataDisks`, wish)).status).toBe(202)
    expect((await other()).status).toBe(202)
    world.clock.advance(world.world.durationOf(what))
    expect(world.world.resource(diskId)?.managedBy).toBeUndefined()
    expect(world.world.resource(oldDisks(world)[1] ?? '')?.managedBy).toBe(oldMachine())
    expect(properties(await world.send('GET', oldMachine()))['provisioningState']).toBe('Succeeded')
  })

  test('is given up also where the ForceDetach itself is refused, since the machine is being deallocated', async () => {
    if (world.world.pools[0]) world.world.pools[0].importedOn = []
    world.faults.plantInOperation({ operation: 'detach', times: 1, durationMs: 45 * 60_000 })
    const [diskId = ''] = oldDisks(world)
    await world.send('POST', `${oldMachine()}/attachDetachDataDisks`, { dataDisksToDetach: [{ diskId }] })
    await world.send('POST', `${oldMachine()}/deallocate`)
    await world.send('POST', `${oldMachine()}/attachDetachDataDisks`, force('/nobody/has/it'))
    world.clock.advance(world.world.durationOf('deallocate'))
    expect(properties(await world.send('GET', oldMachine()))['provisioningState']).toBe('Succeeded')
  })

  test('is none that only attaches: it goes on, and the machine reads Updating', async () => {
    const diskId = await emptyDisk('d')
    world.faults.plantInOperation({ operation: 'attach', times: 1, durationMs: 45 * 60_000 })
    await attach(oldMachine(), { diskId })
    await world.send('POST', `${oldMachine()}/deallocate`)
    world.clock.advance(world.world.durationOf('deallocate'))
    expect(properties(await world.send('GET', oldMachine()))['provisioningState']).toBe('Updating')
    expect(world.world.resource(diskId)?.managedBy).toBe(oldMachine())
  })
})

describe('the world sees, and Azure does not', () => {
  test('a disk detached under its pool (A26)', async () => {
    const [diskId = ''] = oldDisks(world)
    expect((await detach(oldMachine(), diskId)).status).toBe(202)
    world.clock.advance(world.world.durationOf('detach'))
    expect(world.world.violations).toEqual([expect.stringContaining('detached from')])
    expect(world.world.pools[0]?.health).toBe('DEGRADED')
  })

  test('a disk attached while its pool is imported elsewhere (A26)', async () => {
    const machine = await putMachine(world)
    await fenceAndDetach(world)
    const pool = world.world.pools[0]
    if (pool) pool.importedOn = [oldMachine()]
    const [diskId = ''] = oldDisks(world)
    expect((await attach(machine, { diskId })).status).toBe(202)
    world.clock.advance(world.world.durationOf('attach'))
    expect(world.world.violations).toEqual([expect.stringContaining('still imported on')])
  })

  test('a machine deleted under its pool (A26)', async () => {
    await world.send('DELETE', oldMachine())
    world.clock.advance(world.world.durationOf('vm delete'))
    expect(world.world.violations).toEqual([expect.stringContaining('deleted while pool pool0')])
    expect(properties(await world.send('GET', oldDisks(world)[0] ?? ''))['diskState']).toBe('Unattached')
  })

  test('nothing at all in a fence, a detach and an attach in their order (A26)', async () => {
    const machine = await putMachine(world)
    await fenceAndDetach(world)
    await attach(machine, ...oldDisks(world).map((diskId, lun) => ({ diskId, lun })))
    world.clock.advance(world.world.durationOf('attach'))
    expect(world.world.violations).toEqual([])
    expect(world.world.operations.at(-1)).toMatchObject({ what: 'attach', resource: machine, also: oldDisks(world) })
  })
})
