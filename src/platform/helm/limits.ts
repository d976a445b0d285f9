import type { Clock } from '../../contract/index.js'

/** Real programs get at least this long, whatever the run's clock does (design §5). */
const usualLeastMs = 60_000

/** What helm is given on top of its own timeout before it is ended from outside, and until it has ended then. */
const slackMs = 30_000
const graceMs = 10_000

export interface Limits {
  /** `helm --timeout`, real milliseconds. */
  readonly timeoutMs: number
  /** When it is told to end. */
  readonly endMs: number
  /** When nothing of it is left, where somebody sees to that. */
  readonly goneMs: number
}

/** helm counts its timeout anew for the hooks before, for what it waits for, and for the hooks behind (facts/helm-wire). */
const phases = 3

/**
 * What a helm that writes is given, in real milliseconds, where a runbook gives it `timeoutMs` of the run's clock. An upgrade may be ended
 * and has that for all its phases; one that must never be broken off has it for each.
 */
export function limitsOf(timeoutMs: number, clock: Pick<Clock, 'toReal'>, mayEnd: boolean, leastMs = usualLeastMs): Limits {
  const realMs = Math.max(leastMs, clock.toReal(timeoutMs))
  const endMs = realMs * (mayEnd ? 1 : phases) + slackMs
  return { timeoutMs: realMs, endMs, goneMs: endMs + graceMs }
}
