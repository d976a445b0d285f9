import type { Change, PlannedStep } from '../contract/index.js'
import { unshown } from './compare.js'

/** In what one step's changes now are not those that were shown. */
export interface StepDifference {
  readonly step: string
  /** What would run now and was not shown like this. */
  readonly now: readonly Change[]
  /** What was shown and would not run like this now. */
  readonly shown: readonly Change[]
}

/**
 * A plan that was shown beside one that is made now, by the comparison that a run uses. Empty while all that would run was
 * shown; a step that needs fewer changes than were shown is no difference.
 */
export function differencesOf(shown: readonly PlannedStep[], now: readonly PlannedStep[]): readonly StepDifference[] {
  const before = new Map(shown.map(({ id, changes }) => [id, changes]))
  return now.flatMap(({ id: step, changes }): StepDifference[] => {
    const seen = before.get(step) ?? []
    const beyond = unshown(seen, changes)
    if (beyond.length === 0) return []
    return [{ step, now: beyond, shown: notNeeded(seen, changes) }]
  })
}

/** What was shown and nothing of now comes of. */
export function notNeeded(shown: readonly Change[], now: readonly Change[]): readonly Change[] {
  return shown.filter((one) => now.every((change) => unshown([one], [change]).length > 0))
}
