import type { Outcome } from '../contract/index.js'
import type { RunState } from '../journal/index.js'

/**
 * The command that puts back what a run has changed, for its end: somebody who has said no to going on may want that rather than to go on
 * later. Undefined where nothing was changed, and of a way back itself.
 */
export function putBackBy(undoCommand: string | undefined, { undoes, steps }: RunState, outcome: Outcome | undefined): string | undefined {
  if (outcome !== 'declined' || undoes !== undefined) return undefined
  return [...steps.values()].some(({ firstChanges }) => firstChanges.length > 0) ? undoCommand : undefined
}
