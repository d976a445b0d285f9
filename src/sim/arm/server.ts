import { randomUUID } from 'node:crypto'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Authority } from '../pki.js'
import { type World, WorldError } from '../world/world.js'
import { activityRoutes } from './activity.js'
import { capacityRoutes } from './capacity.js'
import { networkUsageRoutes } from './nat-gateways.js'
import { clusterRoutes } from './clusters.js'
import { diskRoutes } from './disks.js'
import { dnsRoutes } from './dns.js'
import type { Faults, Met } from './faults.js'
import { genericRoutes } from './generic.js'
import { groupRoutes } from './groups.js'
import { assertWritable } from './locks.js'
import { Operations } from './operations.js'
import { machineRoutes } from './machines.js'
import { assertAllowedByPolicy } from './policy.js'
import { assertRegistered } from './providers.js'
import { assertPermitted } from './rights.js'
import { makeRouter } from './router.js'
import { subscriptionRoutes } from './subscriptions.js'
import { tagRoutes } from './tags.js'
import { TokenDoor, type Client } from './token.js'
import { record, type Arm, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

export interface ArmServer {
  readonly origin: string
  readonly port: number
  readonly client: Client
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
  const certificate = options.authority.issue(['localhost', '127.0.0.1'])
  const server = createServer({ cert: certificate.cert, key: certificate.key })
  // Node's five seconds would reset connections that clients are about to use again; dropped connections are for faults to plant.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const port = (server.address() as AddressInfo).port
  const origin = `https://127.0.0.1:${port}`
  const tokens = new TokenDoor(origin, world.spec.tenant, { lifetimeMs: world.spec.tokenLifetime, faults: options.faults })
  const operations = new Operations(world, origin)
  const arm: Arm = { world, origin, authorityPem: options.authority.pem, operations }
  const answer = answering(arm, tokens, options.faults, options.beside)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('date', new Date(Date.now() + world.spec.clockAhead).toUTCString())
    void answer(request, response)
  })
  return {
    origin,
    port,
    client: tokens.client,
    secrets: () => [tokens.client.secret, ...tokens.given],
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function answering(arm: Arm, tokens: TokenDoor, faults: Faults, beside: Beside | undefined) {
  const find = makeRouter(allRoutes(arm))
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await bodyOf(request)
    const method = request.method ?? 'GET'
    // Clients send `//subscriptions/…` now and then, which must not be read as a host.
    const url = new URL(arm.origin + (request.url ?? '/'))
    const path = cleanPath(url.pathname)
    const query = new Map([...url.searchParams].map(([key, value]) => [key.toLowerCase(), value]))
    const own = await beside?.(method, path, query, text)
    if (own) return send(response, own)
    const login = tokens.answer(method, path, new URLSearchParams(text))
    const planted = faults.take(method, path)
    if (planted?.drop === 'before') return drop(request)
    if (planted?.meanwhile) await bySomebodyElse(arm, find, planted.meanwhile)
    if (planted?.answer) {
      arm.world.log({ door: login ? 'token' : 'arm', method, path, status: planted.answer.status, writes: false })
      return send(response, planted.answer, planted.drop)
    }
    if (login) {
      arm.world.log({ door: 'token', method, path, status: login.status, writes: false })
      return send(response, login, planted?.drop)
    }
    const raw = { method, path, query, headers: request.headers, text }
    const { answer, writes } = await handle(arm, find, raw, () => tokens.check(request.headers.authorization))
    arm.world.log({ door: 'arm', method, path, status: answer.status, writes })
    if (planted?.drop === 'after') return drop(request)
    send(response, answer, planted?.drop)
  }
}

/** Another client's request, past all faults; what it is answered is its own business, but it must be one that can be. */
async function bySomebodyElse(arm: Arm, find: ReturnType<typeof makeRouter>, wish: NonNullable<Met['meanwhile']>): Promise<void> {
  const raw = { method: wish.method, path: wish.path, query: new Map([['api-version', '2025-01-01']]), headers: {}, text: JSON.stringify(wish.body ?? {}) }
  const { answer } = await handle(arm, find, raw, () => undefined)
  if (answer.status >= 400) arm.world.violation(`somebody else could not ${wish.method} ${wish.path}: ${JSON.stringify(answer.body)}`)
}

interface Raw {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

async function handle(
  arm: Arm,
  find: ReturnType<typeof makeRouter>,
  raw: Raw,
  checkToken: () => void,
): Promise<{ answer: ArmAnswer; writes: boolean }> {
  let writes = raw.method !== 'GET' && raw.method !== 'HEAD'
  try {
    checkToken()
    const found = find(raw.method, raw.path)
    if (found === 'method') throw new WorldError(405, 'MethodNotAllowed', `${raw.method} is not supported here.`)
    if (found === undefined) throw new WorldError(404, 'InvalidResourceType', `Nothing is served at ${raw.path}.`)
    const request: ArmRequest = { arm, world: arm.world, ...raw, params: found.params, body: parseBody(raw.text) }
    writes = judge(found.route, request)
    checkCommon(request)
    assertPermitted(arm.world, request)
    assertRegistered(arm.world, request)
    assertAllowedByPolicy(arm.world, request)
    if (writes && found.route.inLockedGroup !== true) assertWritable(arm.world, request.method, request.path)
    return { answer: await found.route.handle(request), writes }
  } catch (error) {
    if (!(error instanceof WorldError)) return { answer: bug(arm.world, raw, error), writes }
    const flat = /\/dnszones\//i.test(raw.path)
    const body = { code: error.code, message: error.message, ...(error.details ? { details: error.details } : {}) }
    return { answer: { status: error.status, body: flat ? body : { error: body }, headers: error.headers }, writes }
  }
}

/** A mistake of the world itself must be loud, and must not end it. */
function bug(world: World, raw: Raw, error: unknown): ArmAnswer {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  world.violation(`the world itself failed at ${raw.method} ${raw.path}: ${text}`)
  return { status: 500, body: { error: { code: 'InternalServerError', message: `The world itself failed: ${text}` } } }
}

/** What Azure asks of every request: an api-version, and a subscription that exists. */
function checkCommon(request: ArmRequest): void {
  if (!request.query.has('api-version')) {
    const message = 'The api-version query parameter (?api-version=) is required for all requests.'
    throw new WorldError(400, 'MissingApiVersionParameter', message)
  }
  const subscription = request.params['subscription']
  if (subscription !== undefined && subscription.toLowerCase() !== request.world.spec.subscription.toLowerCase()) {
    throw new WorldError(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`)
  }
  const group = request.params['group']
  const makesIt = request.method === 'PUT' || request.method === 'HEAD'
  const ofGroupItself = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+$/i.test(request.path)
  if (group !== undefined && !request.world.group(group) && !(ofGroupItself && makesIt)) {
    throw new WorldError(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`)
  }
}

function judge(route: Route, request: ArmRequest): boolean {
  if (typeof route.writes === 'function') return route.writes(request)
  return route.writes ?? (request.method !== 'GET' && request.method !== 'HEAD')
}

function allRoutes(arm: Arm): Route[] {
  return [
    ...arm.operations.routes(),
    ...activityRoutes,
    ...subscriptionRoutes,
    ...tagRoutes,
    ...groupRoutes,
    ...clusterRoutes,
    ...dnsRoutes,
    ...capacityRoutes,
    ...networkUsageRoutes,
    ...machineRoutes,
    ...diskRoutes,
    ...genericRoutes,
  ]
}

function parseBody(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  try {
    return record(JSON.parse(text))
  } catch {
    throw new WorldError(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.')
  }
}

/** `Microsoft.Compute//disks` is met in the wild: empty segments mean nothing. */
function cleanPath(pathname: string): string {
  const segments = pathname.split('/').filter((segment) => segment !== '')
  return `/${segments.map((segment) => tryDecode(segment)).join('/')}`
}

function tryDecode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function drop(request: IncomingMessage): void {
  request.socket.destroy()
}

/** `broken`: only the first half of the body is sent; then the connection breaks (`midway`), or nothing more comes (`never`). */
function send(response: ServerResponse, answer: ArmAnswer, broken?: Met['drop']): void {
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
  if (broken !== 'midway' && broken !== 'never') return void response.end(text)
  response.write(text.slice(0, Math.ceil(text.length / 2)), () => {
    if (broken === 'midway') response.destroy()
  })
}
