import { uptime } from 'node:os'
import type { Clock } from '../../contract/index.js'
import type { Cloud } from '../cloud/schema.js'

/**
 * The clock of a cloud: Azure's is the machine's own; a world's starts at its epoch and runs `rate` times as fast. This is
 * the one place of production code that reads time and sets timers.
 */
export function clockOf(cloud: Pick<Cloud, 'clock'>, source: TimeSource = machine): Clock {
  const { clock } = cloud
  const rate = clock?.rate ?? 1
  const realEpochMs = clock === undefined ? 0 : Date.parse(clock.real)
  const epochMs = clock === undefined ? 0 : Date.parse(clock.world)
  const began = source.wallMs()
  const elapsed = elapsedOn(source)
  const nowMs = (): number => epochMs + (began + elapsed() - realEpochMs) * rate
  return {
    now: () => new Date(nowMs()),
    realNow: () => new Date(source.wallMs()),
    sleep: (ms, signal) => realSleep(ms / rate, signal),
    sleepReal: realSleep,
    toReal: (ms) => ms / rate,
  }
}

/**
 * The clock of a run that goes on from a moment that has been (Unix milliseconds): where the machine's own is behind it, somebody has set
 * that back, and what the run knows of time is the better guess. The wall clock stays what it is.
 */
export function notBefore(clock: Clock, momentMs: number): Clock {
  const behindMs = Math.max(0, momentMs - clock.now().getTime())
  return { ...clock, now: () => new Date(clock.now().getTime() + behindMs) }
}

/** What a machine knows of time, in milliseconds. */
export interface TimeSource {
  /** Since the Unix epoch; people and programs set it. */
  wallMs(): number
  /** Since some moment, as long as the machine is not suspended; nobody sets it. */
  runningMs(): number
  /** Since the machine was started, suspended or not; nobody sets it. A hundredth of a second is good enough. */
  upMs(): number
}

const machine: TimeSource = { wallMs: () => Date.now(), runningMs: () => performance.now(), upMs: () => uptime() * 1000 }

/** How often it is looked whether the machine has slept, and how much is more than what two clocks differ by. */
const sleepLooks = { everyMs: 1000, leastMs: 1000 } as const

/**
 * Milliseconds from now on. A wall clock that is set by hours in mid-run neither ends deadlines nor stretches them; a laptop that
 * was asleep has lost that time all the same.
 */
function elapsedOn(source: TimeSource): () => number {
  const running = source.runningMs()
  const up = source.upMs()
  let asleepMs = 0
  let lookedMs = running
  return () => {
    const now = source.runningMs()
    if (now - lookedMs >= sleepLooks.everyMs) {
      lookedMs = now
      const asleep = source.upMs() - up - (now - running)
      if (asleep > asleepMs + sleepLooks.leastMs) asleepMs = asleep
    }
    return now - running + asleepMs
  }
}

/** Does something after so many real milliseconds, unless what it answers is called before. */
export function after(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms)
  return () => clearTimeout(timer)
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
