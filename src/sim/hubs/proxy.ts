import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { World } from '../world/world.js'

export interface Proxy {
  /** `http://127.0.0.1:port` */
  readonly url: string
  stop(): Promise<void>
}

/**
 * The CONNECT proxy behind which the world's public addresses and API servers lie. What nothing answers at ends in 504, at
 * once: a client that waits for a dead API server learns nothing more by waiting.
 */
export async function startProxy(world: World): Promise<Proxy> {
  const open = new Set<Socket>()
  const server = createServer((_request, response) => void response.writeHead(405).end())
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    const target = (request.url ?? '').toLowerCase()
    const port = world.routes.get(target)
    world.log({ door: 'proxy', method: 'CONNECT', path: target, status: port === undefined ? 504 : 200, writes: false })
    client.on('error', () => client.destroy())
    if (port === undefined) return void client.end('HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n')
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (head.length > 0) upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    upstream.on('error', () => client.destroy())
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
