import type { PlannedStep } from '../contract/index.js'
import { Eta, plannedWeightMs } from './eta.js'
import { percentile, type History } from './history.js'

/** Time to the end, milliseconds of the run's clock: as likely to be more as to be less, and in nine of ten cases no more. */
export interface Remaining {
  readonly p50Ms: number
  /** Only once there is history to tell it from. */
  readonly p90Ms?: number
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
    const left = this.#courses.map((course) => course.remainingMs(nowMs))
    const p50Ms = percentile(left, 0.5)
    return this.#fromHistory ? { p50Ms, p90Ms: percentile(left, 0.9) } : { p50Ms }
  }
}
