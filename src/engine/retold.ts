import type { RunEvent } from '../contract/index.js'
import type { JournalRecord, RunState } from '../journal/index.js'
import { openChoices } from './alternatives.js'
import { narrate } from './narrate.js'
import { putBackBy } from './put-back.js'
import { remarksOf } from './run.js'

/**
 * What a record says to one who follows a run by its journal: `narrate`, and what the engine tells itself. `state` is the fold of all
 * records that there are. Pure.
 */
export function retold(record: JournalRecord, state: RunState, resumeCommand: string, undoCommand?: string): RunEvent | undefined {
  const { t, run } = record
  switch (record.type) {
    case 'run.started':
    case 'run.resumed': {
      const { runbook, mode, cloud, undoes, objectiveMs, planned } = state
      return {
        ...{ type: 'run.started', t, run, runbook: runbook.name, mode, resumed: record.type === 'run.resumed' },
        ...(undoes === undefined ? {} : { undoes }),
        cloud: { name: cloud.name, resourceManager: cloud.resourceManager, subscription: cloud.subscription },
        ...(objectiveMs === undefined ? {} : { objectiveMs }),
        steps: (planned?.steps ?? []).map(({ id, uses, needs }) => ({ id, uses, needs })),
      }
    }
    case 'run.finished': {
      const { outcome, elapsedMs, wallMs } = record.data
      const remarks = remarksOf(state)
      const back = putBackBy(undoCommand, state, outcome)
      const choices = openChoices(state, resumeCommand)
      return {
        ...{ type: 'run.finished', t, run, outcome, elapsedMs, wallMs },
        ...(remarks.length === 0 ? {} : { remarks }),
        ...(outcome === 'succeeded' ? {} : { next: resumeCommand }),
        ...(back === undefined ? {} : { back }),
        ...(outcome === 'succeeded' || choices.length === 0 ? {} : { choices }),
      }
    }
    default:
      return narrate(record)
  }
}
