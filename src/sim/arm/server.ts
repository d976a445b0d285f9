import { randomUUID } from 'node:crypto'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Authority } from '../pki.js'
import type { World } from '../world/world.js'
import type { Faults } from './faults.js'
import { addressOf, makeManager, type Manager } from './manager.js'
import type { Client } from './token.js'
import type { ArmAnswer } from './wire.js'

export interface ArmServer {
  readonly origin: string
  readonly port: number
  readonly client: Client
  readonly manager: Manager
  secrets(): readonly string[]
  stop(): Promise<void>
}

/** Something else that is served on the same port (the world's control); undefined: not mine. */
export type Beside = (method: string, path: string, query: ReadonlyMap<string, string>, body: string) => Promise<ArmAnswer | undefined>

export interface ArmOptions {
  readonly authority: Authority
  /** 0 takes a free one. */
  readonly port?: number
  readonly faults: Faults
  readonly beside?: Beside
}

/** Serves a world's Azure Resource Manager and its token endpoint over HTTPS on loopback. */
export async function startArm(world: World, options: ArmOptions): Promise<ArmServer> {
  const { authority, faults, beside } = options
  const certificate = authority.issue(['localhost', '127.0.0.1'])
  const server = createServer({ cert: certificate.cert, key: certificate.key })
  // Node's five seconds would reset connections that clients are about to use again; dropped connections are for faults to plant.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const port = (server.address() as AddressInfo).port
  const origin = `https://127.0.0.1:${port}`
  const manager = makeManager(world, { origin, authorityPem: authority.pem, faults })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('date', new Date(Date.now() + world.spec.clockAhead).toUTCString())
    void respond(request, response, { manager, origin, ...(beside && { beside }) })
  })
  return {
    origin,
    port,
    client: manager.client,
    manager,
    secrets: () => manager.secrets(),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

interface Served {
  readonly manager: Manager
  readonly origin: string
  readonly beside?: Beside
}

async function respond(request: IncomingMessage, response: ServerResponse, { manager, origin, beside }: Served): Promise<void> {
  const text = await bodyOf(request)
  const { method = 'GET', url = '/', headers } = request
  const { path, query } = addressOf(url, origin)
  const own = await beside?.(method, path, query, text)
  if (own) return send(response, own)
  const reply = await manager.answer({ method, url, headers, text })
  if ('lost' in reply) request.socket.destroy()
  else send(response, reply.answer, reply.broken)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** `broken`: only the first half of the body is sent; then the connection breaks (`midway`), or nothing more comes (`never`). */
function send(response: ServerResponse, answer: ArmAnswer, broken?: 'midway' | 'never'): void {
  const text = typeof answer.body === 'string' ? answer.body : answer.body === undefined ? '' : JSON.stringify(answer.body)
  const id = randomUUID()
  response.writeHead(answer.status, {
    ...(text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-cache',
    'x-ms-request-id': id,
    'x-ms-correlation-request-id': id,
    ...answer.headers,
  })
  if (broken === undefined) return void response.end(text)
  response.write(text.slice(0, Math.ceil(text.length / 2)), () => {
    if (broken === 'midway') response.destroy()
  })
}
