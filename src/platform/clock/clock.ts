import type { Clock } from '../../contract/index.js'
import type { Cloud } from '../cloud/schema.js'

/**
 * The clock of a cloud: Azure's is the machine's own; a world's starts at its epoch and runs `rate` times as fast. This is
 * the one place of production code that reads time and sets timers.
 */
export function clockOf(cloud: Pick<Cloud, 'clock'>): Clock {
  const { clock } = cloud
  const rate = clock?.rate ?? 1
  const realEpochMs = clock === undefined ? 0 : Date.parse(clock.real)
  const epochMs = clock === undefined ? 0 : Date.parse(clock.world)
  const nowMs = (): number => epochMs + (Date.now() - realEpochMs) * rate
  return {
    now: () => new Date(nowMs()),
    realNow: () => new Date(),
    sleep: (ms, signal) => realSleep(ms / rate, signal),
    sleepReal: realSleep,
    toReal: (ms) => ms / rate,
  }
}

/** A signal that is aborted after so many real milliseconds, unless `over` was called before. */
export function timeLimit(ms: number): { readonly signal: AbortSignal; over(): void } {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), ms)
  return { signal: limit.signal, over: () => clearTimeout(timer) }
}

/** The longest delay that a timer takes; longer sleeps are taken in turns. */
const longestTimerMs = 2 ** 31 - 1

async function realSleep(ms: number, signal?: AbortSignal): Promise<void> {
  for (let left = ms; left > 0; left -= longestTimerMs) await oneSleep(Math.min(left, longestTimerMs), signal)
  signal?.throwIfAborted()
}

function oneSleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
