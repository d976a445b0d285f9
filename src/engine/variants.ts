import type { AnyStep, JsonObject, PlanInputs, PlannedStep, PlannedVariant } from '../contract/index.js'
import type { History } from './history.js'
import type { Inputs } from './look.js'
import { scheduleOf } from './schedule.js'

/** A step of a plan that can be had another way, with what its module is asked by. */
export interface Choosable<D> {
  readonly step: PlannedStep
  readonly module: AnyStep<D>
  readonly inputs: PlanInputs<Inputs>
  readonly outputs: JsonObject | undefined
}

/**
 * What each value of a step's choice makes of the plan's times: the same graph, with the same weights but for that step's own. Empty
 * where nothing that waits for the step has anything left to do, since then it is decided.
 */
export function variantsOf<D>(
  { step, module, inputs, outputs }: Choosable<D>,
  steps: readonly PlannedStep[],
  history: History | undefined,
): readonly PlannedVariant[] {
  const variants = module.variants?.(inputs, step.changes, outputs) ?? []
  const waiting = steps.filter(({ needs, changes }) => needs.includes(step.id) && changes.length > 0)
  if (waiting.length === 0) return []
  const weights = new Map(steps.map((one) => [one.id, one.changes.length === 0 ? 0 : one.estimateMs]))
  return variants.map((variant) => {
    const estimateMs = variant.estimateMs === 0 ? 0 : (history?.usual(step)?.p50Ms ?? variant.estimateMs)
    const { startMs, totalMs } = scheduleOf(steps, (id) => (id === step.id ? estimateMs : (weights.get(id) ?? 0)))
    const next = waiting.map(({ id }) => ({ step: id, startMs: startMs.get(id) ?? 0 }))
    return { ...variant, estimateMs, totalMs, next }
  })
}
