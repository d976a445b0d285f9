import type { Write } from './write.js'

/**
 * A write that was sent, once for each step and what it says, however often and in however many lives of the run. Reads, polls and
 * logins are no writes.
 */
export interface SentWrite {
  readonly step: string
  readonly write: Write
  /**
   * `refused`: each time with a 4xx, so that nothing came of it. `unknown`: an answer is missing, or tells of a failure that may
   * have come in the midst of it; it counts as having happened.
   */
  readonly outcome: 'accepted' | 'refused' | 'unknown'
  /** The last answer's HTTP status or exit code. */
  readonly answer?: number
  readonly times: number
}

/** A write that was predicted and did not happen. */
export interface Unsent {
  readonly write: Write
  /** It was sent, and refused with this status. */
  readonly refused?: number
  /** Another step has sent the very same, so that it was not needed any more. */
  readonly doneBy?: string
}

/** Shares from 0 to 1. */
export interface Shares {
  /** Of what was predicted (without what is open), the share that happened; null where nothing was predicted. */
  readonly precision: number | null
  /** Of what happened or was sent unpredicted, the share that was predicted; null where nothing was sent. */
  readonly recall: number | null
}

/** What was predicted of a step (or of the run itself, as `site`) beside what it sent. */
export interface StepFidelity extends Shares {
  readonly step: string
  /** False: its module does not predict, or no plan has it. All that it sent is unpredicted then. */
  readonly isPredicted: boolean
  /** False for a step that did not come to its end: what it has not sent may still come, and counts for nothing. */
  readonly isOver: boolean
  /** Predicted, and sent without being refused. */
  readonly happened: readonly SentWrite[]
  /** Predicted, and not sent or refused, by a step that is over. */
  readonly missing: readonly Unsent[]
  /** The same of a step that is not over. */
  readonly open: readonly Unsent[]
  /** Sent without having been predicted, accepted or not. */
  readonly unpredicted: readonly SentWrite[]
}

/** How well a plan foretold what its run wrote: `report --fidelity`. */
export interface Fidelity {
  /** In the plan's order, the run itself last; without those of which nothing was predicted and that sent nothing. */
  readonly steps: readonly StepFidelity[]
  readonly total: Shares & {
    readonly predicted: number
    /** Of these, how many have a part (`*`) that was not known yet. */
    readonly partlyKnown: number
    readonly happened: number
    readonly missing: number
    readonly open: number
    readonly unpredicted: number
  }
  /** Ids of steps with changes whose modules do not predict. */
  readonly notPredicted: readonly string[]
}
