import type { PlannedStep } from '../contract/index.js'
import { Eta, plannedWeightMs } from './eta.js'
import { percentile, type History } from './history.js'

/** Milliseconds of the run's clock to the end, and what is left at any later moment until a step starts or ends. */
export interface Left {
  readonly remainingMs: number
  readonly atLeastMs: number
}

/** As likely to be more as to be less, and in nine of ten cases no more. */
export interface Remaining {
  readonly p50: Left
  /** Only once there is history to tell it from. */
  readonly p90?: Left
}

/**
 * When a run will be over. Where earlier runs of the runbook are known, the graph is walked once with the durations of each of them:
 * what belongs together (a slow day) stays together, which adding up the worst of every step would not. Otherwise by the plan's estimates.
 */
export class Forecast {
  readonly #courses: readonly Eta[]
  readonly #fromHistory: boolean

  /** `steps` in topological order, as a plan has them. */
  constructor(steps: readonly PlannedStep[], history?: History) {
    const known = history?.courses ?? 0
    this.#fromHistory = known > 0
    this.#courses = Array.from({ length: Math.max(1, known) }, (_, index) => {
      return new Eta(steps, (step) => (plannedWeightMs(step) === 0 ? 0 : (history?.inCourse(index, step) ?? plannedWeightMs(step))))
    })
  }

  /** `atMs`: the run's clock. */
  started(id: string, atMs: number): void {
    for (const course of this.#courses) course.started(id, atMs)
  }

  ended(id: string): void {
    for (const course of this.#courses) course.ended(id)
  }

  done(id: string): void {
    for (const course of this.#courses) course.done(id)
  }

  remaining(nowMs: number): Remaining {
    const remaining = this.#courses.map((course) => course.remainingMs(nowMs))
    const atLeast = this.#courses.map((course) => course.atLeastMs())
    const left = (share: number): Left => ({ remainingMs: percentile(remaining, share), atLeastMs: percentile(atLeast, share) })
    return this.#fromHistory ? { p50: left(0.5), p90: left(0.9) } : { p50: left(0.5) }
  }
}
