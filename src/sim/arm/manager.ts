import type { IncomingHttpHeaders } from 'node:http'
import { type World, WorldError } from '../world/world.js'
import { activityRoutes } from './activity.js'
import { capacityRoutes } from './capacity.js'
import { networkUsageRoutes } from './nat-gateways.js'
import { clusterRoutes } from './clusters.js'
import { diskRoutes } from './disks.js'
import { dnsRoutes } from './dns.js'
import type { Faults, OthersRequest } from './faults.js'
import { genericRoutes } from './generic.js'
import { groupRoutes } from './groups.js'
import { assertUnlocked, assertWritable } from './locks.js'
import { Operations } from './operations.js'
import { machineRoutes } from './machines.js'
import { assertAllowedByPolicy } from './policy.js'
import { assertRegistered } from './providers.js'
import { assertPermitted } from './rights.js'
import { remembering } from './remembering.js'
import { makeRouter } from './router.js'
import { assertEnabled, subscriptionRoutes } from './subscriptions.js'
import { tagRoutes } from './tags.js'
import { TokenDoor, type Client } from './token.js'
import { record, type Arm, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

export interface ManagerOptions {
  /** `https://127.0.0.1:port`, as clients call it. */
  readonly origin: string
  readonly authorityPem: string
  readonly faults: Faults
}

/** One request as it comes over the wire. */
export interface Asked {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Is whoever sent it dead by now, or have they given it up? */
  readonly isOrphaned?: () => boolean
  /** Will its answer be lost on the way? */
  readonly isUnheard?: boolean
  readonly by?: string
  readonly life?: string
}

/** `lost`: the connection is dropped without a word. `broken`: only the first half of the body is sent. */
export type Reply = { readonly lost: true } | { readonly answer: ArmAnswer; readonly broken?: 'midway' | 'never' }

/** A world's Azure Resource Manager and its token endpoint, whatever carries their requests. */
export interface Manager {
  readonly client: Client
  /** What opens this world: the client's secret, and every token that was given for it. */
  secrets(): readonly string[]
  answer(asked: Asked): Promise<Reply>
  /** Another client's request, past all faults and logins; the status that it is answered. */
  asSomebodyElse(wish: OthersRequest): Promise<number>
}

export function makeManager(world: World, { origin, authorityPem, faults }: ManagerOptions): Manager {
  const tokens = new TokenDoor(origin, world.spec.tenant, { lifetimeMs: world.spec.tokenLifetime, faults })
  const arm: Arm = { world, origin, authorityPem, operations: new Operations(world, origin) }
  const find = makeRouter(allRoutes(arm))
  return {
    client: tokens.client,
    secrets: () => [tokens.client.secret, ...tokens.given],
    answer: answering(arm, find, { tokens, faults }),
    asSomebodyElse: (wish) => bySomebodyElse(arm, find, wish),
  }
}

function answering(arm: Arm, find: ReturnType<typeof makeRouter>, { tokens, faults }: { tokens: TokenDoor; faults: Faults }): Manager['answer'] {
  const addressed = remembering((url: string) => addressOf(url, arm.origin))
  return async ({ method, url, headers, text, isOrphaned, isUnheard = false, by, life }) => {
    const { path, query } = addressed(url)
    const login = tokens.answer(method, path, text)
    const planted = (login ? undefined : faults.befall(method, path)) ?? faults.take(method, path)
    await pass(arm.world, planted?.lateMs)
    if (planted?.drop === 'before') return { lost: true }
    if (planted?.meanwhile) await bySomebodyElse(arm, find, planted.meanwhile)
    const cut = planted?.drop === 'midway' || planted?.drop === 'never' ? { broken: planted.drop } : {}
    if (planted?.answer) {
      arm.world.log({ door: login ? 'token' : 'arm', method, path, status: planted.answer.status, writes: false })
      return { answer: planted.answer, ...cut }
    }
    if (login) {
      arm.world.log({ door: 'token', method, path, status: login.status, writes: false })
      return { answer: login, ...cut }
    }
    const raw = { method, path, query, headers, text, ...(by !== undefined && { by }) }
    const { answer, writes } = await handle(arm, find, raw, () => tokens.check(headers.authorization))
    const isForNobody = isOrphaned?.() === true || (!writes && (isUnheard || planted?.drop !== undefined))
    const sender = { ...(by !== undefined && { by }), ...(life !== undefined && { life }), ...(isForNobody && { orphaned: true as const }) }
    arm.world.log({ door: 'arm', method, path, status: answer.status, writes, ...sender })
    await pass(arm.world, planted?.slowMs)
    return planted?.drop === 'after' ? { lost: true } : { answer, ...cut }
  }
}

function pass({ clock }: World, ms: number | undefined): Promise<void> | undefined {
  return ms === undefined ? undefined : new Promise((resolve) => void clock.schedule(ms, resolve))
}

/** Path and query of a request. Clients send `//subscriptions/…` now and then, which must not be read as a host. */
export function addressOf(url: string, origin: string): { readonly path: string; readonly query: ReadonlyMap<string, string> } {
  const { pathname, searchParams } = new URL(origin + url)
  return { path: cleanPath(pathname), query: new Map([...searchParams].map(([key, value]) => [key.toLowerCase(), value])) }
}

/** Another client's request, past all faults; what it is answered is its own business, but it must be one that can be. */
async function bySomebodyElse(arm: Arm, find: ReturnType<typeof makeRouter>, wish: OthersRequest): Promise<number> {
  const raw = { method: wish.method, path: wish.path, query: new Map([['api-version', '2025-01-01']]), headers: {}, text: JSON.stringify(wish.body ?? {}) }
  const { answer } = await handle(arm, find, raw, () => undefined)
  if (answer.status >= 400) arm.world.violation(`somebody else could not ${wish.method} ${wish.path}: ${JSON.stringify(answer.body)}`)
  return answer.status
}

interface Raw {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly by?: string
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
    assertOpen(request, found.route, writes)
    return { answer: await found.route.handle(request), writes }
  } catch (error) {
    if (!(error instanceof WorldError)) return { answer: bug(arm.world, raw, error), writes }
    const flat = /\/dnszones\//i.test(raw.path)
    const body = { code: error.code, message: error.message, ...(error.details ? { details: error.details } : {}) }
    return { answer: { status: error.status, body: flat ? body : { error: body }, headers: error.headers }, writes }
  }
}

/** Refuses what a disabled subscription or a lock refuses: writes, and what is no better to them. */
function assertOpen({ world, method, path }: ArmRequest, { refusedLikeWrite, inLockedGroup }: Route, writes: boolean): void {
  if (writes || refusedLikeWrite === 'locked-or-disabled') assertEnabled(world, method, path)
  if (writes && inLockedGroup !== true) assertWritable(world, method, path)
  else if (refusedLikeWrite !== undefined) assertUnlocked(world, method, path)
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
