import type { Demand, Finding, PlannedStep, Settlement } from '../contract/index.js'
import type { Heard } from './readiness.js'

/** What was heard without the warnings that another step of the same plan does away with in time. */
export function unsettled(heard: readonly Heard[], planned: readonly PlannedStep[]): readonly Heard[] {
  return heard.map(({ steps, said }) => ({
    steps,
    said: said.flatMap((one): (Finding | Demand)[] => {
      if (!('level' in one) || one.settledBy === undefined) return [one]
      const { settledBy, ...finding }: Finding = one
      return one.level === 'warn' && steps.every((step) => isSettled(step, settledBy, planned)) ? [] : [finding]
    }),
  }))
}

function isSettled(step: string, { resource, sets, aheadMs }: Settlement, planned: readonly PlannedStep[]): boolean {
  const startMs = planned.find(({ id }) => id === step)?.startMs ?? 0
  return planned.some(
    (other) =>
      other.id !== step &&
      other.startMs + other.estimateMs + aheadMs <= startMs &&
      other.changes.some(({ resource: changed, after }) => changed === resource && typeof after === 'object' && after !== null && sets in after),
  )
}
