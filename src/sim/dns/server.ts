import { createSocket, type Socket } from 'node:dgram'
import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net'
import { decode, encode, streamDecode, streamEncode, type Packet } from 'dns-packet'
import type { World } from '../world/world.js'
import { askedBySomebody } from './answers.js'

export interface NameServers {
  /** Name of each zone's name server -> `address:port` where it answers. */
  readonly nameServers: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** The zones' authoritative servers, each with an address of its own, UDP and TCP on the same port. */
export async function startNameServers(world: World): Promise<NameServers> {
  const names = new Set(world.spec.zones.flatMap((zone) => zone.nameServers.map((name) => name.toLowerCase())))
  const servers = await Promise.all([...names].map((name) => startNameServer(world, name)))
  return {
    nameServers: Object.fromEntries(servers.map(({ name, address }) => [name, address])),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

async function startNameServer(world: World, name: string): Promise<{ name: string; address: string; stop(): Promise<void> }> {
  const answer = (query: Packet): Packet | undefined => askedBySomebody(world, name, query)
  const tcp = createServer((socket) => serveStream(socket, answer))
  const port = await listen(tcp)
  const udp = await bind(port, answer)
  return {
    name,
    address: `127.0.0.1:${port}`,
    stop: async () => {
      udp.close()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function bind(port: number, answer: (query: Packet) => Packet | undefined): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const query = readPacket(() => decode(message))
    const reply = query && answer(query)
    if (reply !== undefined) socket.send(encode(reply), from.port, from.address)
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, '127.0.0.1', () => resolve(socket))
  })
}

/** DNS over TCP: each message behind its length (RFC 1035 4.2.2). */
function serveStream(socket: TcpSocket, answer: (query: Packet) => Packet | undefined): void {
  let waiting = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (part: Buffer) => {
    waiting = Buffer.concat([waiting, part])
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const end = 2 + waiting.readUInt16BE(0)
      const message = waiting.subarray(0, end)
      waiting = waiting.subarray(end)
      const query = readPacket(() => streamDecode(message))
      if (query === undefined) return void socket.destroy()
      const reply = answer(query)
      if (reply !== undefined) socket.write(streamEncode(reply))
    }
  })
}

/** What is no DNS message is dropped, as servers do. */
function readPacket(read: () => Packet): Packet | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
