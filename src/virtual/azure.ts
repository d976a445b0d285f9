import type { Manager } from '../sim/arm/manager.js'
import type { ArmAnswer } from '../sim/arm/wire.js'
import type { VirtualClock } from '../sim/world/clock.js'
import type { AzureWire, WireAnswer, WireRequest } from '../platform/azure/wire.js'
import { stepAtWork } from '../platform/log/step.js'
import type { Gate } from './gate.js'
import { realMs } from './time.js'
import type { Trouble, WireTrouble } from './trouble.js'
import { unlessAborted } from './unless-aborted.js'

export interface VirtualAzure {
  readonly manager: Manager
  readonly clock: VirtualClock
  readonly gate: Gate
  /** Milliseconds of the world between a request and its answer. */
  readonly latencyMs: () => number
  readonly tenant: string
  /** Asked of each request when it is sent. */
  readonly trouble: Trouble
  /** Does whoever sends these requests still live? What was sent is done all the same. */
  readonly isAlive: () => boolean
  /** Milliseconds by which the cloud's clock is ahead of the machine's. */
  readonly clockAhead: number
}

/** Carries the SDKs' requests to a world's resource manager in this process. */
export function openVirtualAzure({ manager, clock, gate, latencyMs, tenant, clockAhead, trouble, isAlive }: VirtualAzure): AzureWire {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.schedule(ms, () => resolve()))

  async function carried(request: WireRequest, { pathname, search }: URL): Promise<WireAnswer> {
    const by = stepAtWork()
    // As the manager has it: the SDKs put their own slash behind the endpoint's.
    const met = trouble.onRequest(request.method, pathname.replace(/^\/+/, '/'))
    // Half of the way there and half back: what was read is a little old when it is heard.
    const legMs = latencyMs() / 2
    const isTurnedBack = met?.kind === 'reset' || met?.kind === 'refused' || met?.kind === 'late'
    await pause(isTurnedBack ? 2 * legMs : legMs)
    if (met?.kind === 'reset') throw new LostConnection('ECONNRESET', 'read ECONNRESET')
    if (met?.kind === 'refused') return wireAnswer(refusal(met), new Date(realMs(clock) + clockAhead))
    const sender = { by, ...(gate.name !== undefined && { life: gate.name }) }
    const asked = { method: request.method, url: pathname + search, headers: request.headers, text: request.body, ...sender }
    if (met?.kind === 'late') {
      // Whoever sent it may live on, but has given it up: of what it meets when it arrives they cannot know.
      void pause(met.ms).then(() => {
        met.arrives?.()
        return manager.answer({ ...asked, isOrphaned: () => true })
      })
      throw new LostConnection('ECONNRESET', 'read ECONNRESET')
    }
    const isGivenUp = (): boolean => !isAlive() || request.signal?.aborted === true
    const reply = await manager.answer({ ...asked, isOrphaned: isGivenUp, isUnheard: met?.kind === 'reply-lost' })
    await pause(legMs + (met?.kind === 'slow' ? met.ms : 0))
    if ('lost' in reply || reply.broken === 'midway' || met?.kind === 'reply-lost') throw new LostConnection('ECONNRESET', 'socket hang up')
    if (reply.broken === undefined) return wireAnswer(reply.answer, new Date(realMs(clock) + clockAhead))
    // Whoever asked gives up by himself.
    return new Promise(() => undefined)
  }

  return {
    send(request) {
      const url = new URL(request.url)
      return gate.through(callOf(request, url), () => unlessAborted(request.signal, carried(request, url), () => new Aborted()))
    },
    after: (ms, act) => clock.schedule(ms * (clock.rate ?? 1), act),
    async token() {
      const { id, secret } = manager.client
      const form = new URLSearchParams({ client_id: id, client_secret: secret })
      const what = { method: 'POST', url: `/${tenant}/oauth2/v2.0/token`, headers: {}, text: form.toString() }
      const reply = await gate.through({ door: 'arm', what: 'POST token', writes: false }, () => manager.answer(what))
      const given = 'answer' in reply ? (reply.answer.body as Readonly<Record<string, unknown>>) : {}
      if (typeof given['error_description'] === 'string') throw new RefusedLogin(given['error_description'])
      if (typeof given['access_token'] !== 'string') throw new LostConnection('ECONNRESET', 'no token was given')
      return { token: given['access_token'], untilMs: Number.MAX_SAFE_INTEGER }
    },
  }
}

function callOf({ method }: WireRequest, { pathname }: URL): Parameters<Gate['through']>[0] {
  return { door: 'arm', what: `${method} ${pathname}`, writes: method !== 'GET' && method !== 'HEAD' }
}

/** Azure's answer to a request that is refused. */
export function refusal({ status, code, message = 'Trouble on purpose.', retryAfterSeconds, retryAfterMs }: Extract<WireTrouble, { kind: 'refused' }>): ArmAnswer {
  const headers = {
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(retryAfterMs === undefined ? {} : { 'x-ms-retry-after-ms': String(retryAfterMs) }),
  }
  return { status, headers, body: { error: { code, message } } }
}

function wireAnswer({ status, body, headers }: ArmAnswer, date: Date): WireAnswer {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)
  const type = text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }
  return { status, body: text, headers: { date: date.toUTCString(), ...type, ...headers } }
}

class LostConnection extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

/** Named as the SDKs' credentials name it. */
class RefusedLogin extends Error {
  override readonly name = 'AuthenticationError'
}

/** Named as the SDKs name what was broken off. */
class Aborted extends Error {
  override readonly name = 'AbortError'
}
