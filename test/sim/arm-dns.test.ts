import { DnsManagementClient } from '@azure/arm-dns'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { properties, startTestWorld, type Answer, type TestWorld } from '../helpers/world.js'

let world: TestWorld
let zone: string
beforeEach(async () => {
  world = await startTestWorld()
  zone = world.id('datahub-dns', 'Microsoft.Network/dnszones', 'datahub.berkeley.edu')
})
afterEach(() => world.stop())

const put = (address: string, headers: Record<string, string> = {}, name = 'data100'): Promise<Answer> =>
  world.send('PUT', `${zone}/A/${name}`, { properties: { TTL: 60, ARecords: [{ ipv4Address: address }] } }, headers)
const published = (name = 'data100'): unknown => world.world.published.get(`datahub.berkeley.edu/${name}/a`)

describe('a record set', () => {
  test('is written only over the etag that was read: the second of two writers is refused (A34)', async () => {
    const read = await world.send('GET', `${zone}/A/data100`)
    const etag = String(read.body['etag'])
    expect((await put('203.0.113.1', { 'if-match': etag })).status).toBe(200)
    const late = await put('203.0.113.9', { 'if-match': etag })
    expect([late.status, late.body['code']]).toEqual([412, 'PreconditionFailed'])
    expect(properties(await world.send('GET', `${zone}/A/data100`))['ARecords']).toEqual([{ ipv4Address: '203.0.113.1' }])
  })

  test('is made only where there is none: If-None-Match * (A34)', async () => {
    expect((await put('203.0.113.1', { 'if-none-match': '*' })).status).toBe(412)
    expect((await put('203.0.113.1', { 'if-none-match': '*' }, 'new')).status).toBe(201)
    expect((await put('203.0.113.1', { 'if-match': 'gone' }, 'newer')).status).toBe(412)
  })

  test('is refused to the real client as a 412 with its code (A34)', async () => {
    const { credential, options } = world.sdk()
    const client = new DnsManagementClient(credential, world.subscription, options)
    const write = client.recordSets.createOrUpdate('datahub-dns', 'datahub.berkeley.edu', 'data100', 'A', { ttl: 60, aRecords: [{ ipv4Address: '1.2.3.4' }] }, { ifNoneMatch: '*' })
    await expect(write).rejects.toMatchObject({ statusCode: 412, code: 'PreconditionFailed' })
  })

  test('read back is not yet what name servers say (A35)', async () => {
    const before = published()
    await put('203.0.113.1')
    expect(properties(await world.send('GET', `${zone}/A/data100`))['ARecords']).toEqual([{ ipv4Address: '203.0.113.1' }])
    expect(published()).toEqual(before)
    world.clock.advance(world.world.durationOf('dns'))
    expect(published()).toEqual({ ttl: 60, values: ['203.0.113.1'] })
  })

  test('that is deleted goes from the name servers later too (A35)', async () => {
    expect((await world.send('DELETE', `${zone}/A/data100`, undefined, { 'if-match': 'wrong' })).status).toBe(412)
    expect((await world.send('DELETE', `${zone}/A/data100`)).status).toBe(200)
    expect(published()).toBeDefined()
    world.clock.advance(world.world.durationOf('dns'))
    expect(published()).toBeUndefined()
    expect((await world.send('GET', `${zone}/A/data100`)).status).toBe(404)
    expect((await world.send('DELETE', `${zone}/A/data100`)).status).toBe(204)
  })

  test('changed by PATCH keeps what is not named', async () => {
    const answer = await world.send('PATCH', `${zone}/A/data100`, { properties: { TTL: 30 } })
    expect(properties(answer)).toMatchObject({ TTL: 30, ARecords: [{ ipv4Address: '198.51.100.11' }] })
  })

  test('of other types keeps its values: TXT in pieces, CNAME alone', async () => {
    const long = 'x'.repeat(300)
    await world.send('PUT', `${zone}/TXT/_acme-challenge.data100`, { properties: { TTL: 60, TXTRecords: [{ value: [long.slice(0, 200), long.slice(200)] }] } })
    expect(world.world.recordSets.at(-1)).toMatchObject({ name: '_acme-challenge.data100', type: 'TXT', values: [long] })
    const alias = { properties: { TTL: 60, CNAMERecord: { cname: 'elsewhere.example.' } } }
    expect((await world.send('PUT', `${zone}/CNAME/www`, alias)).status).toBe(201)
    expect((await world.send('PUT', `${zone}/CNAME/data100`, alias)).status).toBe(400)
  })

  test.each([
    [{ TTL: 0, ARecords: [{ ipv4Address: '1.2.3.4' }] }],
    [{ ARecords: [{ ipv4Address: '1.2.3.4' }] }],
    [{ TTL: 60, ARecords: [{ ipv4Address: '1.2.3.400' }] }],
    [{ TTL: 60, ARecords: [] }],
  ])('is refused when it says %j', async (body) => {
    expect((await world.send('PUT', `${zone}/A/data100`, { properties: body })).status).toBe(400)
  })
})

describe('a zone', () => {
  test('names its own name servers, and lists its record sets', async () => {
    const { credential, options } = world.sdk()
    const client = new DnsManagementClient(credential, world.subscription, options)
    const found = await client.zones.get('datahub-dns', 'datahub.berkeley.edu')
    expect(found.nameServers).toEqual(['ns1-07.azure-dns.com', 'ns2-07.azure-dns.net'])
    const names: string[] = []
    for await (const set of client.recordSets.listByType('datahub-dns', 'datahub.berkeley.edu', 'A')) names.push(set.name ?? '')
    expect(names.sort()).toEqual(['data100', 'data100s'])
  })
})
