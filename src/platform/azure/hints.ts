import { AsyncLocalStorage } from 'node:async_hooks'
import type { PipelinePolicy, PipelineRequest, PipelineResponse, SendRequest } from '@azure/core-rest-pipeline'
import { after } from '../clock/clock.js'

/** What SDK calls under way are told, and tell, beside what their own functions pass on. */
interface Listener {
  /** The last wait that Azure asked for, in real milliseconds. */
  afterMs?: number
  /** Why no answer came, if none did. */
  lost?: unknown
  /** Has anything been sent? */
  hasAsked?: boolean
  /** The last answer that says to come again later, and nothing else. */
  busy?: PipelineResponse
  /** Has what is being done a result without a body? */
  readonly endsEmpty?: boolean
  /** How to wait before an unanswered look is repeated; undefined if it is not to be. */
  readonly patience?: Patience
}

export interface Patience {
  readonly tries: number
  /** Waits as long as Azure asked for, or as long as usual. */
  pause(afterMs: number | undefined): Promise<void>
}

const listening = new AsyncLocalStorage<Listener>()

/** Real milliseconds within which an answer must be here, all of it. */
export const answerWithinMs = 100_000

const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/**
 * Hands over how long Azure asks us to wait: `x-ms-retry-after-ms` first, then `Retry-After`, both real time as on the wire
 * (design §5). The SDKs look at neither for the first poll and at only one of them afterwards (facts/arm-wire).
 */
export function wirePolicy(withinMs = answerWithinMs, onTime: typeof after = after): PipelinePolicy {
  return {
    name: 'lifeboatWire',
    async sendRequest(request, next) {
      const listener = listening.getStore()
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await inTime(request, next, (late) => onTime(withinMs, late)).catch((error: unknown) => ({ lost: error }))
        const afterMs = 'lost' in outcome ? undefined : hintOf(outcome)
        if (listener !== undefined && afterMs !== undefined) listener.afterMs = afterMs
        if (mayRepeat(request, outcome, listener, attempt)) {
          await listener?.patience?.pause(afterMs)
          continue
        }
        if (listener !== undefined) listener.hasAsked = true
        if (!('lost' in outcome)) {
          if (listener !== undefined && passing.has(outcome.status)) listener.busy = outcome
          return outcome
        }
        if (listener !== undefined) listener.lost = outcome.lost
        throw outcome.lost
      }
    },
  }
}

/** The SDKs have no limit of their own, and the one that they can be given ends with the answer's headers. */
function inTime(request: PipelineRequest, next: SendRequest, waiting: (late: () => void) => () => void): Promise<PipelineResponse> {
  return new Promise((resolve, reject) => {
    const asked = request.abortSignal
    const limit = new AbortController()
    let isOver = false
    // What comes after that is nobody's: the request may be on its way once more.
    const end = (settle: () => void): void => {
      if (isOver) return
      isOver = true
      stop()
      if (asked === undefined) delete request.abortSignal
      else request.abortSignal = asked
      settle()
    }
    const stop = waiting(() => {
      limit.abort()
      end(() => reject(new LateAnswer()))
    })
    request.abortSignal = asked instanceof AbortSignal ? AbortSignal.any([asked, limit.signal]) : limit.signal
    const answer = next(request)
    const settle = (): void => end(() => resolve(answer))
    answer.then(settle, settle)
  })
}

/** Named as the SDKs name what was broken off. */
class LateAnswer extends Error {
  override readonly name = 'AbortError'
}

function hintOf(response: PipelineResponse): number | undefined {
  return retryAfterMs((name) => response.headers.get(name))
}

/** Only looks are repeated here, while an operation is followed; every write is the engine's to try again. */
function mayRepeat(
  { method }: PipelineRequest,
  outcome: PipelineResponse | { readonly lost: unknown },
  listener: Listener | undefined,
  attempt: number,
): boolean {
  if (method !== 'GET' || listener?.patience === undefined || attempt >= listener.patience.tries) return false
  return 'lost' in outcome || passing.has(outcome.status)
}

/** Runs SDK calls and answers their result with the last wait that Azure asked for in the course of them. */
export async function withHint<T>(work: () => Promise<T>, patience?: Patience): Promise<{ result: T; afterMs: number | undefined }> {
  const listener: Listener = { ...(patience === undefined ? {} : { patience }), ...(mayEndEmpty() ? { endsEmpty: true } : {}) }
  const result = await listening.run(listener, work)
  return { result, afterMs: listener.afterMs }
}

/** Does what has a result without a body: machines are powered on and off so. Of anything else a result without one is none. */
export function endingEmpty<T>(work: () => T): T {
  return listening.run({ endsEmpty: true }, work)
}

export function mayEndEmpty(): boolean {
  return listening.getStore()?.endsEmpty === true
}

/** What the last login met: for a while after an authority said "later" the login library answers so itself, and asks nobody. */
export interface LoginMemory {
  busy?: PipelineResponse
}

/**
 * Runs a login. `lost` tells that it failed for want of an answer, or of one that says more than "later": the login's own error no longer
 * says so.
 */
export async function withLost<T>(work: () => Promise<T>, memory: LoginMemory, explain: (lost: unknown) => Error): Promise<T> {
  const listener: Listener = {}
  try {
    const result = await listening.run(listener, work)
    delete memory.busy
    return result
  } catch (error) {
    if (listener.busy !== undefined) memory.busy = listener.busy
    const busy = listener.hasAsked === true ? listener.busy : memory.busy
    const lost = listener.lost ?? (busy === undefined ? undefined : new Later(busy))
    throw lost === undefined ? error : explain(lost)
  }
}

/** As the SDKs tell such an answer. */
class Later extends Error {
  override readonly name = 'RestError'
  readonly statusCode: number

  constructor(readonly response: PipelineResponse) {
    super(`the authority answers ${response.status}`)
    this.statusCode = response.status
  }
}

/** Real milliseconds; undefined where neither header says something usable. */
export function retryAfterMs(header: (name: string) => string | undefined): number | undefined {
  for (const [name, unitMs] of [['x-ms-retry-after-ms', 1], ['retry-after', 1000]] as const) {
    const value = Number(header(name))
    if (header(name) !== undefined && Number.isFinite(value) && value > 0) return value * unitMs
  }
  return undefined
}
