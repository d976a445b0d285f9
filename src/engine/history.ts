import type { PlannedStep } from '../contract/index.js'
import type { PastRun } from '../journal/index.js'

/** How long a step took in runs that are over; milliseconds of the run's clock. */
export interface Usual {
  readonly p50Ms: number
  readonly p90Ms: number
  /** Of how many durations. */
  readonly runs: number
}

/**
 * What is known from earlier runs. The same step of the same runbook tells most; where there is none, every step of the same
 * module does.
 */
export class History {
  readonly #own: readonly PastRun[]
  readonly #ofModule = new Map<string, number[]>()

  constructor(runbook: string, past: readonly PastRun[]) {
    this.#own = past.filter((one) => one.runbook === runbook)
    for (const { steps } of past) {
      for (const { uses, elapsedMs } of steps.values()) this.#ofModule.set(uses, [...(this.#ofModule.get(uses) ?? []), elapsedMs])
    }
  }

  /** Of how many runs of this runbook the whole course is known. */
  get courses(): number {
    return this.#own.length
  }

  usual({ id, uses }: Pick<PlannedStep, 'id' | 'uses'>): Usual | undefined {
    const own = this.#own.flatMap(({ steps }) => ofStep(steps.get(id), uses))
    const durations = own.length > 0 ? own : (this.#ofModule.get(uses) ?? [])
    if (durations.length === 0) return undefined
    return { p50Ms: percentile(durations, 0.5), p90Ms: percentile(durations, 0.9), runs: durations.length }
  }

  /** What a step took in one of those runs; undefined where it made no change there. */
  inCourse(index: number, { id, uses }: Pick<PlannedStep, 'id' | 'uses'>): number | undefined {
    return ofStep(this.#own[index]?.steps.get(id), uses)[0]
  }
}

function ofStep(step: { readonly uses: string; readonly elapsedMs: number } | undefined, uses: string): readonly number[] {
  return step === undefined || step.uses !== uses ? [] : [step.elapsedMs]
}

/** Linear between the two nearest (type 7 of Hyndman and Fan, 1996). `values` is not empty. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = part * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0]
  return Math.round(below + (above - below) * (at - Math.floor(at)))
}
