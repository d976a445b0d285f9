import { stat } from 'node:fs'
import type { Clock } from '../contract/index.js'
import { clockOf } from '../platform/clock/clock.js'
import type { VirtualClock } from '../sim/world/clock.js'

/** Nobody waits for time, and yet what was to end has not: two wait for each other, or for an answer that never comes. */
export class StuckError extends Error {
  constructor(at: Date) {
    super(`at ${at.toISOString()} everybody waits, and nobody for time`)
    this.name = 'StuckError'
  }
}

/**
 * Lets a world's time pass until `work` is settled: whenever everybody waits, time goes on to whatever is due next. Rejects with
 * `StuckError` where nothing is.
 */
export async function letPass<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isOver = false
  const over = work.finally(() => (isOver = true))
  over.catch(() => undefined)
  let failure: { readonly error: unknown } | undefined
  await new Promise<void>((resolve) => {
    // Without promises of its own: this is done for everything that happens in a world.
    const wheneverEverybodyWaits = (): void => {
      if (isOver) return resolve()
      try {
        if (!clock.advanceToNext()) throw new StuckError(new Date(clock.nowMs()))
      } catch (error) {
        failure = { error }
        return resolve()
      }
      onceEverybodyWaits(wheneverEverybodyWaits)
    }
    onceEverybodyWaits(wheneverEverybodyWaits)
  })
  if (failure !== undefined) throw failure.error
  return over
}

/** So often it is looked at whether files are done with, before the disk is left alone for a while. */
const quickLooks = 8
const real = clockOf({})

/** Calls `then` when every promise has gone as far as it can, and no file is being read or written. */
function onceEverybodyWaits(then: () => void, looks = 1): void {
  const look = (): void => {
    if (!isAtFiles()) return then()
    const again = (): void => onceEverybodyWaits(then, looks + 1)
    // Where several threads work on files, looking again and again at a slow disk would only burn the processor.
    if (looks % quickLooks === 0) void real.sleepReal(1).then(again)
    // With one thread, what was asked of it before this is answered before this.
    else stat('/', again)
  }
  setImmediate(look)
}

function isAtFiles(): boolean {
  return process.getActiveResourcesInfo().some((kind) => kind.startsWith('FSReq') || kind === 'CloseReq')
}

/** What the machine's own clock says, in Unix milliseconds: the world's goes faster. */
export function realMs(clock: VirtualClock): number {
  return clock.epochMs + (clock.nowMs() - clock.epochMs) / (clock.rate ?? 1)
}

/**
 * The clock of one life of a run: once that is over (`isOver`), nobody is woken by it any more. Where the world's time goes faster than
 * the machine's, real time is the slower one here too. `aheadMs`: by how much somebody has set the machine's clock ahead; a run goes by
 * what it was at its start, and by time that passes.
 */
export function clockOfLife(clock: VirtualClock, isOver: () => boolean, aheadMs: () => number = () => 0): Clock {
  const { rate = 1 } = clock
  const atStartMs = aheadMs() * rate
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const stop = (): void => {
        cancel()
        if (!isOver()) reject(signal?.reason as Error)
      }
      const cancel = clock.schedule(ms, () => {
        signal?.removeEventListener('abort', stop)
        if (!isOver()) resolve()
      })
      signal?.addEventListener('abort', stop, { once: true })
    })
  return {
    now: () => new Date(clock.nowMs() + atStartMs),
    realNow: () => new Date(realMs(clock) + aheadMs()),
    sleep,
    sleepReal: (ms, signal) => sleep(ms * rate, signal),
    toReal: (ms) => ms / rate,
  }
}
