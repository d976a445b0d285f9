import type { RunEvent } from '../contract/index.js'
import type { JournalRecord } from '../journal/index.js'

/** Records that are told as they are: an event of the same type with the same fields. */
const told = [
  'run.planned',
  'step.started',
  'step.intent',
  'step.checkpoint',
  'step.applied',
  'step.verified',
  'step.retrying',
  'step.failed',
  'step.skipped',
  'question.asked',
  'question.answered',
  'survivor.handled',
  'run.interrupted',
] as const satisfies readonly (JournalRecord['type'] & RunEvent['type'])[]

type Told = Extract<JournalRecord, { type: (typeof told)[number] }>

/**
 * What a journal record says to the renderers, or undefined for what is nobody's business (children) or what the engine
 * tells itself because it needs the graph for it (`run.started`, `run.finished`). Pure: a run can be told again from its
 * journal.
 */
export function narrate(record: JournalRecord): RunEvent | undefined {
  if (!isTold(record)) return undefined
  const { type, t, run, data } = record
  return { type, t, run, ...data } as RunEvent
}

function isTold(record: JournalRecord): record is Told {
  return (told as readonly string[]).includes(record.type)
}
