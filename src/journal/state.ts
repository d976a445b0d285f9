import type { Answer, Change, ErrorFacts, Json, JsonObject, Mode, Outcome } from '../contract/index.js'
import type { ChildFacts, Owner, Pin, RecordData } from './records.js'

/** Where a run stands, worked out from its records alone. All times are RFC 3339 UTC in the run's clock, unless called real. */
export interface RunState {
  readonly run: string
  /** `text` is the latest that was accepted. */
  readonly runbook: RecordData['run.started']['runbook']
  readonly mode: Mode
  readonly objectiveMs?: number
  readonly cloud: RecordData['run.started']['cloud']
  /** Whoever started or resumed it last. */
  readonly owner: Owner
  readonly confirmed: RecordData['run.started']['confirmed']
  readonly pins: readonly Pin[]
  /**
   * `finished`: succeeded, there is nothing to resume. `stopped`: ended otherwise, and resumable (a gate that
   * was declined too). `running`: no end is journaled; whether its process lives, the lock knows.
   */
  readonly status: 'running' | 'stopped' | 'finished'
  /** How it last ended; unset while running. */
  readonly outcome?: Outcome
  /** The signal that interrupted it since it was last started or resumed. */
  readonly interrupted?: string
  readonly startedAt: string
  /** Real time of the first start. */
  readonly realStartedAt: string
  /** Real times of the start and of every resume. */
  readonly realStarts: readonly string[]
  /** The plan that was shown last. */
  readonly planned?: RecordData['run.planned']
  /** By step, the changes that the operator was shown and let pass: the last plan's, and surprises that were agreed to. */
  readonly shown: ReadonlyMap<string, readonly Change[]>
  readonly steps: ReadonlyMap<string, StepState>
  /** By step, the ids of the alternatives that the operator has chosen. */
  readonly accepted: ReadonlyMap<string, ReadonlySet<string>>
  /** The last answer to each gate and manual step. */
  readonly answers: ReadonlyMap<string, Answer>
  readonly sim?: NonNullable<RecordData['run.started']['sim']>
  /** The run that this one puts back. */
  readonly undoes?: string
  /** All undos of this run that were to begin, the latest last. Whether one has begun its own journal tells: ask `StateFolder.undoOf`. */
  readonly undoings?: readonly string[]
  readonly lastSeq: number
  readonly resumes: number
  /** As `run.finished` said; unset while running. Milliseconds, run's clock and real. */
  readonly finished?: { readonly elapsedMs: number; readonly wallMs: number }
}

/**
 * A run has begun when its plan stands in the journal: before that nothing was written anywhere, and nobody could say later what had
 * been agreed to.
 */
export function hasBegun({ planned }: Pick<RunState, 'planned'>): boolean {
  return planned !== undefined
}

export interface StepState {
  /**
   * `waiting`: named by a record (a child of its preflight), not started. `intent` and `applied` last through a new start
   * until they have an outcome: an open intent is never forgotten.
   */
  readonly status: 'waiting' | 'started' | 'intent' | 'applied' | 'verified' | 'failed' | 'skipped'
  /** An intent was journaled and nothing verified since: the other side may be changed, half changed, or still at work. */
  readonly open: boolean
  /** The number of its last start; 0 if it never was started. */
  readonly attempt: number
  /** For each resource, its changes in the first intent that names it: their `before` is what undo goes back to. */
  readonly firstChanges: readonly Change[]
  /** The last intent's. */
  readonly changes: readonly Change[]
  /** Of the last intent; unset where there was none. */
  readonly intentAt?: string
  /** Since the last intent. */
  readonly checkpoints: readonly Json[]
  /** Of the last time that it was verified. */
  readonly outputs?: JsonObject
  /** Why it failed, until it is started again. */
  readonly error?: ErrorFacts
  readonly skipped?: { readonly reason: string; readonly by: string }
  /** Of its first start. */
  readonly startedAt: string
  /** When it came to its end; looking again at what is verified does not move it, a new intent takes it away. */
  readonly endedAt?: string
  /** Processes that were started and of which no record says that they ended. */
  readonly children: readonly ChildFacts[]
  /** All that were started, in whichever life, and when: real time, by the clock of the machine that they ran on. */
  readonly programs: readonly { readonly command: string; readonly at: string }[]
}
