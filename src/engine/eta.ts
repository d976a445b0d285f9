import type { PlannedStep } from '../contract/index.js'

/**
 * Expected time to the end, kept up to date as steps start and end. Only steps whose needs are all done are looked at; what
 * comes after each of them is worked out once, so that a runbook of thousands of steps does not pay for all of them whenever
 * one ends.
 */
export class Eta {
  readonly #steps = new Map<string, PlannedStep>()
  readonly #dependents = new Map<string, string[]>()
  /** The longest path behind a step, milliseconds of the run's clock. */
  readonly #behindMs = new Map<string, number>()
  readonly #openNeeds = new Map<string, number>()
  /** Steps that run or could run, as far as they can decide anything. */
  readonly #front = new Set<string>()
  readonly #startedMs = new Map<string, number>()
  readonly #weightMs: (step: PlannedStep) => number

  /** `steps` in topological order, as a plan has them. */
  constructor(steps: readonly PlannedStep[], weightMs: (step: PlannedStep) => number = plannedWeightMs) {
    this.#weightMs = weightMs
    for (const step of steps) {
      this.#steps.set(step.id, step)
      this.#openNeeds.set(step.id, step.needs.length)
      for (const need of step.needs) {
        const waiting = this.#dependents.get(need)
        if (waiting === undefined) this.#dependents.set(need, [step.id])
        else waiting.push(step.id)
      }
    }
    for (const { id } of [...steps].reverse()) this.#behindMs.set(id, this.#longestBehind(id))
    for (const { id, needs } of steps) if (needs.length === 0) this.#reach(id)
  }

  /** `atMs`: the run's clock. */
  started(id: string, atMs: number): void {
    this.#startedMs.set(id, atMs)
  }

  /** It runs no more, done or not. */
  ended(id: string): void {
    this.#startedMs.delete(id)
  }

  /** It needs no more time, and what needs it may start. */
  done(id: string): void {
    this.#front.delete(id)
    for (const next of this.#dependents.get(id) ?? []) {
      const open = (this.#openNeeds.get(next) ?? 0) - 1
      this.#openNeeds.set(next, open)
      if (open === 0) this.#reach(next)
    }
  }

  /** Milliseconds of the run's clock until the last step is expected to be done. */
  remainingMs(nowMs: number): number {
    let longest = 0
    for (const id of this.#front) {
      const started = this.#startedMs.get(id)
      const own = this.#weightOf(id)
      const left = started === undefined ? own : Math.max(0, own - (nowMs - started))
      longest = Math.max(longest, left + (this.#behindMs.get(id) ?? 0))
    }
    return longest
  }

  /** What of it is left whenever it is asked, until a step starts or ends: all that has not started. */
  atLeastMs(): number {
    let longest = 0
    for (const id of this.#front) {
      const own = this.#startedMs.has(id) ? 0 : this.#weightOf(id)
      longest = Math.max(longest, own + (this.#behindMs.get(id) ?? 0))
    }
    return longest
  }

  #weightOf(id: string): number {
    const step = this.#steps.get(id)
    return step === undefined ? 0 : this.#weightMs(step)
  }

  /** A step with no weight, and none behind it, decides nothing. */
  #reach(id: string): void {
    if (this.#weightOf(id) + (this.#behindMs.get(id) ?? 0) > 0) this.#front.add(id)
  }

  #longestBehind(id: string): number {
    let longest = 0
    for (const next of this.#dependents.get(id) ?? []) {
      longest = Math.max(longest, this.#weightOf(next) + (this.#behindMs.get(next) ?? 0))
    }
    return longest
  }
}

/** A step without changes takes no time worth counting. */
export function plannedWeightMs(step: PlannedStep): number {
  return step.changes.length === 0 ? 0 : step.estimateMs
}
