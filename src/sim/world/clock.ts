/**
 * The world's time. Everything in the world that waits is scheduled here, so that one object decides whether time is the
 * machine's, thirty times as fast, or virtual.
 */
export interface WorldClock {
  /** Milliseconds since the Unix epoch, in the world's time. */
  nowMs(): number
  /** Runs `action` after `delayMs` of the world's time; the answer cancels it. */
  schedule(delayMs: number, action: () => void): () => void
  /** How many of the world's milliseconds pass in one of the machine's; 1 if absent. Only hints on the wire need it. */
  readonly rate?: number
}

/** A clock that starts at `epochMs` now and runs `rate` times as fast as the machine's. */
export function scaledClock(
  epochMs: number,
  rate: number,
): WorldClock & { readonly realEpochMs: number; readonly rate: number; stop(): void } {
  const realEpochMs = Date.now()
  const startedAt = performance.now()
  const timers = new Set<NodeJS.Timeout>()
  return {
    realEpochMs,
    rate,
    nowMs: () => epochMs + (performance.now() - startedAt) * rate,
    schedule(delayMs, action) {
      // Node's timers hold at most 2^31 - 1 ms; what lies further away than that (24 days) never comes in a world.
      if (delayMs / rate > 0x7fffffff) return () => undefined
      const timer = setTimeout(() => {
        timers.delete(timer)
        action()
      }, Math.max(0, delayMs / rate))
      timers.add(timer)
      return () => {
        timers.delete(timer)
        clearTimeout(timer)
      }
    },
    stop() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}

export interface VirtualClock extends WorldClock {
  /** The moment at which it began, in Unix milliseconds. */
  readonly epochMs: number
  /** Lets `byMs` pass: everything due in that time runs, in order. */
  advance(byMs: number): void
  /** Lets time pass until the next thing is due, and runs that one; false if nothing is. */
  advanceToNext(): boolean
}

interface Due {
  readonly atMs: number
  readonly action: () => void
}

/**
 * A clock that stands still until it is told to go on; for tests and simulations in one process. `rate`: how many times as fast as the
 * machine's time it goes, for what the wire says of that.
 */
export function virtualClock(epochMs: number, rate = 1): VirtualClock {
  let nowMs = epochMs
  // Latest first; of those that are due at one moment, the one that was scheduled first stands last.
  const due: Due[] = []
  const runNext = (next: Due): void => {
    due.pop()
    nowMs = Math.max(nowMs, next.atMs)
    next.action()
  }
  return {
    rate,
    epochMs,
    nowMs: () => nowMs,
    schedule(delayMs, action) {
      const entry = { atMs: nowMs + Math.max(0, delayMs), action }
      due.splice(placeFor(due, entry.atMs), 0, entry)
      return () => {
        const at = due.indexOf(entry)
        if (at >= 0) due.splice(at, 1)
      }
    },
    advance(byMs) {
      const untilMs = nowMs + byMs
      for (let next = due.at(-1); next !== undefined && next.atMs <= untilMs; next = due.at(-1)) runNext(next)
      nowMs = untilMs
    },
    advanceToNext() {
      const next = due.at(-1)
      if (next !== undefined) runNext(next)
      return next !== undefined
    },
  }
}

/** Before everything that is due at that moment or earlier. */
function placeFor(due: readonly Due[], atMs: number): number {
  let low = 0
  let high = due.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((due[middle]?.atMs ?? 0) > atMs) low = middle + 1
    else high = middle
  }
  return low
}
