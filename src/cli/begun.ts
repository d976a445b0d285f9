import { LifeboatError } from '../contract/index.js'
import { fold, hasBegun, type JournalRecord, type RunState } from '../journal/index.js'

/** The state of a run that has begun. Throws `run.empty` for one that ended before that. */
export function begun(run: string, records: readonly JournalRecord[]): RunState {
  const state = records.length === 0 ? undefined : fold(records)
  if (state !== undefined && hasBegun(state)) return state
  throw new LifeboatError('run.empty', `run ${run} ended before its plan stood in the journal; it changed nothing`, {
    blame: 'user',
    hint: 'There is nothing to go on with: begin a fresh one.',
  })
}
