// Not by the door of the room: behind it lie YAML and schemas, which a look at a run needs not.
import { openChoices } from '../engine/alternatives.js'
import { putBackBy } from '../engine/put-back.js'
import { fold, type Holder, type RunState, type StateFolder } from '../journal/index.js'
import type { RunRow, StatusInput } from '../render/index.js'
import type { CommonOptions } from './options.js'
import { commandLine } from './state.js'

export interface Standing {
  readonly row: Pick<RunRow, 'run' | 'undoneBy' | 'isUndone' | 'condition'>
  readonly state: RunState
  readonly holder: Holder | undefined
}

/**
 * How another person goes on with it, if it is to be gone on with. From a live owner nothing is taken; where nobody can tell, that has to
 * be found out first.
 */
export function goesOn({ row, state, holder }: Standing, options: CommonOptions): Pick<StatusInput, 'next' | 'back' | 'choices'> {
  const { run, undoneBy, isUndone, condition } = row
  if (state.status === 'finished') return {}
  if (condition === 'world-ended') return { next: commandLine(options, 'rehearse', state.runbook.path) }
  if (isUndone === true) return {}
  const next = commandLine(options, 'resume', undoneBy ?? run)
  if (condition === 'running' && holder !== undefined) {
    return holder.life === 'alive' ? {} : { next: `${next} --take-over, once you know that its process has ended` }
  }
  // On its way back a run takes no other way forward.
  const choices = undoneBy === undefined ? openChoices(state, next).map(({ command }) => command) : []
  const back = undoneBy === undefined ? putBackBy(commandLine(options, 'undo', run), state, state.outcome) : undefined
  return { next, ...(back === undefined ? {} : { back }), ...(choices.length === 0 ? {} : { choices }) }
}

/** The undo that has begun to put it back, and whether that is done. */
export async function undoOf(state: RunState, folder: StateFolder): Promise<Pick<RunRow, 'undoneBy' | 'isUndone'>> {
  const undoneBy = await folder.undoOf(state)
  return undoneBy === undefined ? {} : { undoneBy, isUndone: await hasSucceeded(undoneBy, folder) }
}

/** A journal that is gone or damaged tells of no end. */
async function hasSucceeded(run: string, folder: StateFolder): Promise<boolean> {
  return folder.read(run).then(({ records }) => fold(records).outcome === 'succeeded', () => false)
}
