import type { Finding, PlannedStep, Settlement } from '../contract/index.js'
import type { Heard } from './readiness.js'

/** What was heard without the warnings that another step of the same plan does away with in time. */
export function unsettled(heard: readonly Heard[], planned: readonly PlannedStep[]): readonly Heard[] {
  return heard.map(({ steps, said }) => ({
    steps,
    said: said.flatMap((one) => {
      if (!('level' in one) || one.settledBy === undefined) return [one]
      const { settledBy, ...finding }: Finding = one
      return one.level === 'warn' && steps.every((step) => isSettled(step, settledBy, planned)) ? [] : [finding]
    }),
  }))
}

function isSettled(step: string, { resource, by, sets, aheadMs }: Settlement, planned: readonly PlannedStep[]): boolean {
  const isMeant = (changed: string): boolean => (typeof resource === 'string' ? changed === resource : changed.startsWith(resource.begins))
  const startMs = planned.find(({ id }) => id === step)?.startMs ?? 0
  return planned.some(
    (other) =>
      other.id !== step &&
      (by === undefined || by.includes(other.id)) &&
      other.startMs + other.estimateMs + aheadMs <= startMs &&
      other.changes.some(({ resource: changed, after }) => isMeant(changed) && typeof after === 'object' && after !== null && sets in after),
  )
}
