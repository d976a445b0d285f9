import { LifeboatError, type Clock } from '../contract/index.js'

/** How often one apply is tried before the operator is asked, and how long is waited in between (run's clock). */
export const retryPolicy = { attempts: 8, firstMs: 5_000, factor: 2, longestMs: 60_000 } as const

/** How often a read that fails before anything was written is tried before it counts as unknown for good. */
export const readPolicy = { ...retryPolicy, attempts: 5 } as const

type Policy = { readonly attempts: number; readonly firstMs: number; readonly factor: number; readonly longestMs: number }

export interface Wait {
  /** Milliseconds of the run's clock; `real` says that the other side asked for real time. */
  readonly ms: number
  readonly real: boolean
}

/** How long to wait before try number `attempt + 1`, or undefined if the error or the number of tries forbids another. */
export function waitAfter(error: unknown, attempt: number, policy: Policy = retryPolicy): Wait | undefined {
  if (!(error instanceof LifeboatError) || error.retry === undefined) return undefined
  if (attempt >= (error.retry.attempts ?? policy.attempts)) return undefined
  if (error.retry.afterMs !== undefined) return { ms: error.retry.afterMs, real: true }
  return { ms: backoffMs(attempt, policy), real: false }
}

export function backoffMs(attempt: number, policy: Policy = retryPolicy): number {
  return Math.min(policy.longestMs, policy.firstMs * policy.factor ** (attempt - 1))
}

export function waitOut(clock: Clock, wait: Wait, signal: AbortSignal): Promise<void> {
  return wait.real ? clock.sleepReal(wait.ms, signal) : clock.sleep(wait.ms, signal)
}

/** While it comes to a safe point: what stopping does to what is under way is no failure of that. */
export function failedByItself(error: unknown, { aborted, reason }: AbortSignal): boolean {
  if (aborted && !(reason instanceof LifeboatError && reason.code.startsWith('interrupted.'))) return false
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause === reason || cause.name === 'AbortError') return false
  }
  return error instanceof LifeboatError
}
