import type { Clock, Patience } from '../../contract/index.js'
import type { Operation } from './door.js'
import { withHint } from './hints.js'

/** What the pollers of the SDKs' generations have in common. */
export interface Pollable {
  poll(): Promise<{ readonly status: string; readonly error?: Error | undefined }>
}

export interface Following {
  readonly clock: Clock
  /** Milliseconds of the run's clock, where Azure gives no hint. */
  readonly pollEveryMs: number
  /** Makes a coded error of what an SDK throws, or of what an operation ended with. */
  readonly told: (error: unknown) => Error
  /** How long it is followed, in milliseconds of the run's clock, and what is said then; without it until Azure ends it. */
  readonly patience?: Patience
}

const leastRealMs = 100

/** How often one look at an operation is tried: hours of looking must not end with one lost answer. */
const lookTries = 6

/**
 * Follows an operation that Azure has accepted. Polls by our own clock, never by an SDK's loop. Whoever lets go of `done`
 * gets no unhandled rejection: the outcome can be read from the resource.
 */
export function follow(poller: Pollable, following: Following): Operation {
  const done = watch(poller, following)
  done.catch(() => undefined)
  return { done }
}

async function watch(poller: Pollable, { clock, pollEveryMs, told, patience }: Following): Promise<void> {
  const fromMs = clock.now().getTime()
  const pause = (afterMs: number | undefined): Promise<void> =>
    clock.sleepReal(Math.max(leastRealMs, afterMs ?? clock.toReal(pollEveryMs)))
  for (;;) {
    const { result, afterMs } = await withHint(() => poller.poll(), { tries: lookTries, pause }).catch((error: unknown) => {
      throw told(error)
    })
    if (result.status === 'succeeded') return
    if (result.status === 'failed' || result.status === 'canceled') throw told(result.error ?? result.status)
    if (patience !== undefined && clock.now().getTime() - fromMs >= patience.ms) throw patience.error
    await pause(afterMs)
  }
}
