import { connect, type Socket } from 'node:net'
import { request } from 'node:http'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { join } from 'node:path'
import { decode, encode, streamDecode, streamEncode, RECURSION_DESIRED, type DecodedPacket, type Packet } from 'dns-packet'
import { createSocket } from 'node:dgram'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startNameServers } from '../../src/sim/dns/server.js'
import { Hubs, type ServedService } from '../../src/sim/hubs/hub.js'
import { HubServers } from '../../src/sim/hubs/server.js'
import { startProxy } from '../../src/sim/hubs/proxy.js'
import { makeAuthority } from '../../src/sim/pki.js'
import { virtualClock } from '../../src/sim/world/clock.js'
import { makeWorld, readWorldSpec } from '../../src/sim/world/load.js'
import { root } from '../helpers/cli.js'

const host = 'data100.datahub.berkeley.edu'
const oldAddress = '198.51.100.11'
const newAddress = '203.0.113.9'

async function edge() {
  const spec = await readWorldSpec(join(root, 'fixtures/worlds/data100.yaml'))
  const clock = virtualClock(Date.parse(spec.epoch))
  const world = makeWorld(spec, clock)
  const authority = makeAuthority('test world', Date.now())
  const services: ServedService[] = []
  const hubs = new Hubs({ world, services: () => services })
  const servers = new HubServers(world, hubs, authority)
  const refresh = async (): Promise<void> => {
    hubs.refresh()
    await servers.refresh()
  }
  await refresh()
  const [proxy, names] = await Promise.all([startProxy(world), startNameServers(world)])
  onTestFinished(async () => void (await Promise.all([servers.stop(), proxy.stop(), names.stop()])))
  return { world, clock, refresh, proxy, names, services }
}

/** HTTPS by name at an address, through the proxy; undefined if the proxy finds nobody there. */
async function get(proxy: string, address: string, name: string, path = '/hub/login') {
  const raw = await new Promise<Socket | undefined>((resolve, reject) => {
    const { hostname, port } = new URL(proxy)
    const call = request({ host: hostname, port, method: 'CONNECT', path: `${address}:443`, agent: false })
    call.on('connect', (answer, socket: Socket) => resolve(answer.statusCode === 200 ? socket : undefined))
    call.on('error', reject)
    call.end()
  })
  if (raw === undefined) return undefined
  const socket: TLSSocket = connectTls({ socket: raw, servername: name, rejectUnauthorized: false })
  return new Promise<{ status: number; text: string; certificate: string }>((resolve, reject) => {
    let text = ''
    socket.on('secureConnect', () => socket.write(`GET ${path} HTTP/1.1\r\nhost: ${name}\r\nconnection: close\r\n\r\n`))
    socket.on('data', (part: Buffer) => (text += part.toString()))
    socket.on('error', reject)
    socket.on('end', () => resolve({ status: Number(text.split(' ')[1]), text, certificate: socket.getPeerCertificate().subject.CN as string }))
  })
}

const question = (name: string): Packet => ({ type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ type: 'A', name }] })

async function askUdp(server: string, name: string): Promise<DecodedPacket> {
  const socket = createSocket('udp4')
  const [address, port] = server.split(':')
  const answer = new Promise<DecodedPacket>((resolve) => socket.on('message', (message) => resolve(decode(message))))
  socket.send(encode(question(name)), Number(port), address)
  return answer.finally(() => socket.close())
}

async function askTcp(server: string, name: string): Promise<DecodedPacket> {
  const [address, port] = server.split(':')
  const socket = connect(Number(port), address, () => socket.write(streamEncode(question(name))))
  const answer = new Promise<DecodedPacket>((resolve) => socket.on('data', (data: Buffer) => resolve(streamDecode(data) as DecodedPacket)))
  return answer.finally(() => socket.destroy())
}

const values = (packet: DecodedPacket): unknown[] => (packet.answers ?? []).map((one) => ('data' in one ? one.data : undefined))

describe('the world’s name servers', () => {
  it('D1: answer with what is published, by UDP and TCP alike, and with authority', async () => {
    const { names } = await edge()
    const server = Object.values(names.nameServers)[0]!
    const [udp, tcp] = [await askUdp(server, host), await askTcp(server, host)]
    expect([values(udp), values(tcp), udp.flag_aa]).toEqual([[oldAddress], [oldAddress], true])
  })

  it('D2: tell a name that there is not from one without such a record, and refuse other zones', async () => {
    const { names } = await edge()
    const server = Object.values(names.nameServers)[0]!
    const codes = await Promise.all(
      ['nobody.datahub.berkeley.edu', 'datahub.berkeley.edu', 'example.org'].map(async (name) => ((await askUdp(server, name)).flags ?? 0) & 15),
    )
    expect(codes).toEqual([3, 0, 5])
  })

  it('D3: give the old answer until a change is published, whatever the control plane says', async () => {
    const { names, world } = await edge()
    const server = Object.values(names.nameServers)[0]!
    const record = world.recordSets.find(({ name }) => name === 'data100')!
    record.values = [newAddress]
    expect(values(await askUdp(server, host))).toEqual([oldAddress])
  })
})

describe('the world’s hubs', () => {
  it('H1: the old hub answers while its storage is served, though its API server is dead', async () => {
    const { proxy, world } = await edge()
    expect((await get(proxy.url, oldAddress, host))?.status).toBe(200)
    const server = [...world.hosts.values()].find(({ address }) => address === '10.240.0.7')!
    server.services.nfs = false
    expect((await get(proxy.url, oldAddress, host))?.status).toBe(503)
  })

  it('H2: nothing answers at an address that nothing has, nor under a name that is not served there', async () => {
    const { proxy } = await edge()
    expect(await get(proxy.url, newAddress, host)).toBeUndefined()
    expect((await get(proxy.url, oldAddress, 'elsewhere.example.org'))?.status).toBe(404)
  })

  it('H3: ready pods alone make no hub: its homes must be served where its pods are', async () => {
    const { proxy, refresh, services, world } = await edge()
    const service = { namespace: 'data100-prod', address: newAddress, volumes: [{ server: '10.240.0.7', path: '/pool0/homes/prod/home' }] }
    const [old] = world.hosts.values()
    services.push({ ...service, ready: false, from: { networks: [old!.network], nodes: [] } })
    await refresh()
    expect((await get(proxy.url, newAddress, host))?.text).toContain('not ready')
    services.splice(0, 1, { ...service, ready: true, from: { networks: ['/another/network'], nodes: [] } })
    expect((await get(proxy.url, newAddress, host))?.text).toContain('no host has the address')
    services.splice(0, 1, { ...service, ready: true, from: { networks: [old!.network], nodes: [] } })
    expect((await get(proxy.url, newAddress, host))?.status).toBe(200)
  })

  it('H6: a hub on which nobody can save is not whole, old or new; one that only reads is', async () => {
    const { proxy, refresh, services, world } = await edge()
    const [old] = world.hosts.values()
    const volume = { server: '10.240.0.7', path: '/pool0/homes/prod/home' }
    const service = { namespace: 'data100-prod', address: newAddress, ready: true, from: { networks: [old!.network], nodes: ['10.1.2.3'] } }
    services.push({ ...service, volumes: [volume] })
    await refresh()
    const [line] = old!.exports
    line!.options = line!.options.replace('rw', 'ro')
    for (const address of [oldAddress, newAddress]) expect(await get(proxy.url, address, host)).toMatchObject({ status: 503, text: expect.stringContaining('nobody can save') as string })
    services.splice(0, 1, { ...service, volumes: [{ ...volume, readOnly: true }] })
    expect((await get(proxy.url, newAddress, host))?.status).toBe(200)
  })

  it('H4: a hub shows a throw-away certificate until its own has come, long after DNS points at it', async () => {
    const { proxy, refresh, services, world, clock } = await edge()
    const [old] = world.hosts.values()
    const volumes = [{ server: '10.240.0.7', path: '/pool0/homes/prod/home' }]
    services.push({ namespace: 'data100-prod', address: newAddress, volumes, ready: true, from: { networks: [old!.network], nodes: [] } })
    await refresh()
    expect((await get(proxy.url, newAddress, host))?.certificate).not.toBe(host)
    world.published.set('datahub.berkeley.edu/data100/a', { ttl: 60, values: [newAddress] })
    await refresh()
    clock.advance(66 * 60_000)
    expect((await get(proxy.url, newAddress, host))?.certificate).not.toBe(host)
    clock.advance(2 * 60_000)
    expect((await get(proxy.url, newAddress, host))?.certificate).toBe(host)
  })
})
