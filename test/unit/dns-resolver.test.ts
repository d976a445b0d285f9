import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import dnsPacket, { type Answer, type DecodedPacket, type Packet } from 'dns-packet'
import { afterEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { openDns } from '../../src/platform/dns/resolver.js'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

/** A name server on loopback that answers what `answer` says, or nothing. */
async function nameServer(answer: (query: DecodedPacket) => Partial<Packet> | undefined): Promise<string> {
  const socket = createSocket('udp4')
  sockets.push(socket)
  socket.on('message', (message, from) => {
    const query = dnsPacket.decode(message)
    const said = answer(query)
    if (said === undefined) return
    const packet: Packet = { type: 'response', id: query.id ?? 0, questions: query.questions ?? [], ...said }
    socket.send(dnsPacket.encode(packet), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return `127.0.0.1:${socket.address().port}`
}

const door = (address: string) => openDns({ 'ns1.example.': address }, { timeoutMs: 50 })
const records = (...answers: Answer[]) => nameServer(() => ({ flags: dnsPacket.AUTHORITATIVE_ANSWER, answers }))
const nxDomain = 3
const refused = 5

describe('asking a name server', () => {
  it('gives the addresses in order, with their TTL', async () => {
    const server = await records(
      { type: 'A', name: 'hub.example', ttl: 60, data: '10.0.0.2' },
      { type: 'A', name: 'hub.example', ttl: 60, data: '10.0.0.1' },
    )
    expect(await door(server).ask('NS1.example', 'hub.example', 'A')).toEqual({ values: ['10.0.0.1', '10.0.0.2'], ttlSeconds: 60 })
  })

  it('gives names without their last dot, and texts whole', async () => {
    const cname = await records({ type: 'CNAME', name: 'hub.example', ttl: 60, data: 'other.example.' })
    expect((await door(cname).ask('ns1.example', 'hub.example', 'CNAME')).values).toEqual(['other.example'])
    const txt = await records({ type: 'TXT', name: 'hub.example', ttl: 60, data: ['one ', 'text'] })
    expect((await door(txt).ask('ns1.example', 'hub.example', 'TXT')).values).toEqual(['one text'])
  })

  it('gives nothing for a name that there is not, and for one without such a record', async () => {
    const none = await nameServer(() => ({ flags: dnsPacket.AUTHORITATIVE_ANSWER | nxDomain }))
    expect((await door(none).ask('ns1.example', 'hub.example', 'A')).values).toEqual([])
    expect((await door(await records()).ask('ns1.example', 'hub.example', 'A')).values).toEqual([])
  })

  it.each([
    ['is silent', 'dns.unreachable', () => undefined],
    ['refuses', 'dns.refused', () => ({ flags: refused })],
  ])('that %s is an error worth another try, not an empty answer', async (_, code, answer) => {
    const failure = await door(await nameServer(answer)).ask('ns1.example', 'hub.example', 'A').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(LifeboatError)
    expect(failure).toMatchObject({ code, retry: {} })
  })

  it('says so when the cloud file gives no usable address for it', async () => {
    const failure = await door('localhost:53').ask('ns1.example', 'hub.example', 'A').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'dns.address' })
  })
})
