import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { get, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ResourceManagementClient } from '@azure/arm-resources'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cloudSchema } from '../../src/platform/cloud/schema.js'
import { serveWorld } from '../../src/sim/serve.js'
import { clusterType, data100World, machineType, oldGroup, startTestWorld, until, type TestWorld } from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

const plant = (fault: unknown) => world.raw('POST', '/_world/faults', JSON.stringify(fault))
const groups = (): string => `/subscriptions/${world.subscription}/resourceGroups`

describe('faults', () => {
  test('on the wire answer instead of the world, so many times (A36)', async () => {
    await plant({ match: { method: 'GET', path: '/resourceGroups$' }, times: 2, answer: { status: 429, code: 'TooManyRequests', headers: { 'retry-after': '7' } } })
    const statuses = [await world.send('GET', groups()), await world.send('GET', groups()), await world.send('GET', groups())]
    expect(statuses.map((one) => one.status)).toEqual([429, 429, 200])
    expect(statuses[0]?.headers['retry-after']).toBe('7')
  })

  test('drop a connection before the request is looked at, or after it was carried out (A36)', async () => {
    world.addGroup('g')
    const id = world.id('g', 'Microsoft.Network/networkSecurityGroups', 'i')
    const put = () => world.send('PUT', id, { location: 'westus2' })
    await plant({ match: { method: 'PUT', path: 'networkSecurityGroups' }, drop: 'before' })
    await expect(put()).rejects.toThrow()
    expect(world.world.resource(id)).toBeUndefined()
    await plant({ match: { method: 'PUT', path: 'networkSecurityGroups' }, drop: 'after' })
    await expect(put()).rejects.toThrow()
    expect(world.world.resource(id)).toBeDefined()
  })

  test('let a request come long after it was sent (A36)', async () => {
    world.addGroup('g')
    const id = world.id('g', 'Microsoft.Network/networkSecurityGroups', 'i')
    world.faults.befall = (method) => (method === 'PUT' ? { lateMs: 60_000 } : undefined)
    const put = world.send('PUT', id, { location: 'westus2' })
    // A naive client gives up, looks, finds nothing, and takes it for refused.
    expect((await world.send('GET', id)).status).toBe(404)
    await until(() => world.clock.advanceToNext())
    await put
    expect(world.world.resource(id)).toBeDefined()
  })

  test('let an answer come long after it was given (A36)', async () => {
    world.addGroup('g')
    const id = world.id('g', 'Microsoft.Network/networkSecurityGroups', 'i')
    world.faults.befall = (method) => (method === 'PUT' ? { slowMs: 60_000 } : undefined)
    const put = world.send('PUT', id, { location: 'westus2' })
    // A naive client writes once more, and collides with what it has begun itself.
    await until(() => world.world.resource(id) !== undefined)
    let answered = 0
    const heard = put.then(({ status }) => (answered = status))
    expect(answered).toBe(0)
    await until(() => (world.clock.advanceToNext(), answered !== 0))
    await heard
    expect(answered).toBe(201)
  })

  test('put something else in place of an answer, or half of it (A101)', async () => {
    const path = `${groups()}/data100-19s`
    await plant({ match: { method: 'GET', path: 'data100-19s$' }, answer: { status: 200, text: '<html>', headers: { 'content-type': 'text/html' } } })
    expect(await world.send('GET', path)).toMatchObject({ status: 200, text: '<html>', headers: { 'content-type': 'text/html' } })
    await plant({ match: { method: 'GET', path: 'data100-19s$' }, drop: 'midway' })
    await expect(world.send('GET', path)).rejects.toThrow(/aborted|hang up/)
    // A naive client finds a group without a location, and makes one.
    await plant({ match: { method: 'GET', path: 'data100-19s$' }, answer: { status: 200, text: '{}' } })
    const client = new ResourceManagementClient(world.sdk().credential, world.subscription, world.sdk().options)
    expect((await client.resourceGroups.get('data100-19s')).location).toBeUndefined()
  })

  test('let somebody else come first (A102)', async () => {
    const zone = world.world.spec.zones[0]?.id ?? ''
    const mine = { properties: { TTL: 60, ARecords: [{ ipv4Address: '203.0.113.9' }] } }
    const others = { properties: { TTL: 60, ARecords: [{ ipv4Address: '203.0.113.8' }] } }
    const { body } = await world.send('GET', `${zone}/A/data100`)
    await plant({ match: { method: 'PUT', path: '/A/data100$' }, meanwhile: { method: 'PUT', path: `${zone}/A/data100`, body: others } })
    expect((await world.send('PUT', `${zone}/A/data100`, mine, { 'if-match': String(body['etag']) })).status).toBe(412)
    const values = (): unknown => world.world.recordSets.find(({ name }) => name === 'data100')?.values
    expect(values()).toEqual(['203.0.113.8'])
    // Without the etag, the naive client's own word is the last.
    await plant({ match: { method: 'PUT', path: '/A/data100$' }, meanwhile: { method: 'PUT', path: `${zone}/A/data100`, body: others } })
    await world.send('PUT', `${zone}/A/data100`, mine)
    expect(values()).toEqual(['203.0.113.9'])
    expect(world.world.violations).toEqual([])
  })

  test('silence a host, and reset takes everything back (A36)', async () => {
    const hostDown = world.id(oldGroup, machineType, 'nfsserver')
    await plant({ hostDown })
    await plant({ match: { path: '/resourceGroups$' }, times: 9, answer: { status: 503 } })
    await plant({ operation: 'group delete', times: 9, fail: { code: 'InternalExecutionError' }, durationMs: 3_600_000 })
    await plant({ login: 'refused' })
    expect(world.world.answers(hostDown)).toBe(false)
    await plant({ reset: true })
    expect(world.world.answers(hostDown)).toBe(true)
    expect(world.faults.secretRefused).toBe(false)
    expect((await world.send('GET', groups())).status).toBe(200)
    await world.send('DELETE', world.addGroup('g'))
    world.clock.advance(world.world.durationOf('group delete'))
    expect(world.world.operations.at(-1)).toMatchObject({ what: 'group delete', status: 'succeeded' })
  })

  test('that are no faults are refused (A36)', async () => {
    for (const odd of [{ hostDown: '/no/machine' }, { match: {} }, { surprise: 1 }]) expect((await plant(odd)).status).toBe(400)
    expect((await world.raw('POST', '/_world/faults', 'no json')).status).toBe(400)
  })
})

describe('the state', () => {
  test('has the lists of the design, and the truth in them (A37)', async () => {
    const { body } = await world.raw('GET', '/_world/state')
    const lists = ['clusters', 'vms', 'disks', 'snapshots', 'recordSets', 'releases', 'pools', 'hubs', 'operations', 'violations']
    for (const name of lists) expect(Array.isArray(body[name])).toBe(true)
    const machine = world.id(oldGroup, machineType, 'nfsserver')
    const disk = (name: string): string => world.id(oldGroup, 'Microsoft.Compute/disks', name)
    expect(body).toMatchObject({
      clusters: [{ id: world.id('data100-19s', clusterType, 'data100-19s'), provisioningState: 'Succeeded' }],
      vms: [{ id: machine, powerState: 'running', dataDisks: [{ id: disk('nfsserver_DataDisk_0'), lun: 0 }, { id: disk('nfsserver_DataDisk_1'), lun: 1 }] }],
      disks: [{ id: disk('nfsserver_OsDisk'), moves: 0 }, { managedBy: machine, diskState: 'Attached' }, { diskState: 'Attached' }],
      pools: [{ guid: '9464217329115420731', name: 'pool0', importedOn: [machine] }],
      recordSets: [{ zone: 'datahub.berkeley.edu', name: 'data100s', type: 'A', ttl: 300, values: ['198.51.100.10'] }, { name: 'data100' }],
      violations: [],
    })
  })

  test('and the access log need no token, and leave no trace in it', async () => {
    const before = world.world.requests.length
    const log = await world.raw('GET', '/_world/requests')
    expect(log.text.trim().split('\n').map((line) => Object.keys(JSON.parse(line) as object))).toContainEqual(['t', 'door', 'method', 'path', 'status', 'writes'])
    expect(world.world.requests).toHaveLength(before)
    expect((await world.raw('GET', '/_world/none')).status).toBe(404)
  })
})

describe('a served world', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'lifeboat-world-'))
    folders.push(made)
    return made
  }

  test('writes a cloud file that production reads, with its files beside it, for nobody else to read', async () => {
    const stateDir = folder()
    const accessLog = join(stateDir, 'access.ndjson')
    const served = await serveWorld({ world: data100World, speed: 30, stateDir, accessLog })
    const cloud = cloudSchema.parse(JSON.parse(readFileSync(served.cloudPath, 'utf8')))
    expect(cloud).toMatchObject({ tenant: served.world.spec.tenant, instanceDiscovery: false, clock: { rate: 30 }, pollEveryMs: 10_000 })
    expect(statSync(served.cloudPath).mode & 0o777).toBe(0o600)
    const key = served.world.spec.env['LIFEBOAT_SSH_KEY'] && JSON.stringify(cloud.env?.['LIFEBOAT_SSH_KEY']).slice(1, -1)
    expect(readFileSync(key ?? '', 'utf8')).toContain('OPENSSH PRIVATE KEY')
    const ca = readFileSync(served.caPath, 'utf8')
    await new Promise<void>((resolve, reject) => {
      get(`${cloud.authority}/adfs/.well-known/openid-configuration`, { ca, agent: false }, (answer) => answer.resume().on('end', resolve)).on('error', reject)
    })
    await served.stop()
    expect(readFileSync(accessLog, 'utf8')).toContain('"door":"token"')
  })

  test('ends when it is told to, and by itself when nobody asks (A38)', async () => {
    const told = await serveWorld({ world: data100World, speed: 30, stateDir: folder() })
    const ca = readFileSync(told.caPath, 'utf8')
    await new Promise<void>((resolve, reject) => {
      request(`${told.control}/stop`, { method: 'POST', ca, agent: false }, (answer) => answer.resume().on('end', resolve)).on('error', reject).end()
    })
    expect(await told.ended).toBe('told to stop')
    const idle = await serveWorld({ world: data100World, speed: 30, stateDir: folder(), idleMs: 20 })
    expect(await idle.ended).toBe('idle')
  })
})
