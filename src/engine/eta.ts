import type { PlannedStep } from '../contract/index.js'
import { scheduleOf } from './schedule.js'

export interface Progress {
  /** Steps that are done, however they ended. */
  readonly done: ReadonlySet<string>
  /** When each running step was started, milliseconds of the run's clock. */
  readonly startedMs: ReadonlyMap<string, number>
}

/** Milliseconds of the run's clock until the last step is expected to be done. */
export function remainingMs(steps: readonly PlannedStep[], progress: Progress, nowMs: number): number {
  const weights = new Map(steps.map((step) => [step.id, weightOf(step, progress, nowMs)]))
  return scheduleOf(steps, (id) => weights.get(id) ?? 0).totalMs
}

function weightOf(step: PlannedStep, { done, startedMs }: Progress, nowMs: number): number {
  if (done.has(step.id) || step.changes.length === 0) return 0
  const started = startedMs.get(step.id)
  return started === undefined ? step.estimateMs : Math.max(0, step.estimateMs - (nowMs - started))
}
