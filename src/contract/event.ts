import type { Change } from './change.js'
import type { ErrorFacts } from './error.js'
import type { Json, JsonObject } from './json.js'
import type { Answer, Question } from './operator.js'
import type { Finding } from './step.js'
import type { Variant } from './step.js'
import type { Write } from './write.js'

export const eventStreamVersion = 1

export type Mode = 'run' | 'rehearsal'
export type Outcome = 'succeeded' | 'failed' | 'interrupted' | 'declined'

/** One step as the plan sees it; also what `plan --json` lists. Durations are milliseconds of the run's clock. */
export interface PlannedStep {
  readonly id: string
  readonly uses: string
  readonly needs: readonly string[]
  /**
   * What was seen; `assumed` where inputs were pending, so that nothing could be looked at; `unknown` where it could not be told,
   * so that no run starts from this plan.
   */
  readonly state: 'absent' | 'converged' | 'drifted' | 'in-flight' | 'assumed' | 'unknown' | 'gate' | 'check'
  readonly changes: readonly Change[]
  /** What making them would send and run, as its module predicts. Absent: it does not say, or an older lifeboat made the plan. */
  readonly writes?: readonly Write[]
  /** Why a change cannot be put back, by resource. */
  readonly irreversible: Readonly<Record<string, string>>
  readonly estimateMs: number
  /**
   * Of how many earlier durations `estimateMs` is the median, and what nine of ten of them kept to. Absent where it is the module's
   * own guess.
   */
  readonly estimatedFrom?: { readonly runs: number; readonly p90Ms: number }
  /** Expected start after the run's start. */
  readonly startMs: number
  /** What else the runbook could say here, and what that would make of the times. Absent where there is nothing to choose. */
  readonly variants?: readonly PlannedVariant[]
  /** What a step that is as wanted says to the reader all the same. */
  readonly remark?: string
}

/** What a variant makes of a plan's times, milliseconds of the run's clock. */
export interface PlannedVariant extends Variant {
  readonly totalMs: number
  /** The steps with changes that wait for this one, and when each could start. */
  readonly next: readonly { readonly step: string; readonly startMs: number }[]
}

/** An alternative that a failed step offers, and the command that goes on with it. */
export interface OpenChoice {
  readonly step: string
  readonly alternative: string
  readonly offer: string
  readonly command: string
}

/** Where a plan would hurt; both are step ids, or null for none. */
export interface PlanFacts {
  readonly firstHarm: string | null
  readonly pointOfNoReturn: string | null
  /** Step ids along the longest path by estimates. */
  readonly criticalPath: readonly string[]
  readonly totalMs: number
  /** What a run of this plan writes besides its steps: its marks on the target. Absent in plans of an older lifeboat. */
  readonly marks?: readonly Write[]
}

export interface CloudFacts {
  readonly name: string
  readonly resourceManager: string
  readonly subscription: string
}

interface Of<T extends string> {
  readonly type: T
  /** RFC 3339 UTC, the run's clock. */
  readonly t: string
  readonly run: string
}
interface OfStep<T extends string> extends Of<T> {
  readonly step: string
}

/** A child process of an earlier life of this run, by the step that started it; without a step one of another run of the same runbook. */
type OfSurvivor<T extends string> = OfStep<T> | Of<T>

/** When a run is expected to be over. */
export interface Expected {
  /** Milliseconds of the run's clock from this event. */
  readonly remainingMs: number
  readonly finishAt: string
  /**
   * Milliseconds of the run's clock that are left at any later moment too, until the next such event: what stands behind the step that
   * runs, or behind a question that waits for its answer. While time passes, the end is never nearer than that.
   */
  readonly atLeastMs: number
}

export type RunEvent =
  | (Of<'stream.opened'> & { readonly version: typeof eventStreamVersion; readonly tool: string })
  | (Of<'run.started'> & {
      readonly runbook: string
      readonly mode: Mode
      readonly resumed: boolean
      /** The run that this one puts back, if it is an undo. */
      readonly undoes?: string
      readonly cloud: CloudFacts
      readonly objectiveMs?: number
      readonly steps: readonly { readonly id: string; readonly uses: string; readonly needs: readonly string[] }[]
    })
  | (Of<'run.planned'> & PlanFacts & { readonly steps: readonly PlannedStep[] })
  | (OfStep<'step.started'> & { readonly uses: string; readonly attempt: number })
  /** Ready, but a claim is held by `on`; `forMark`: or `on` is yet to make the group by which others see that this run is at work. */
  | (OfStep<'step.waiting'> & { readonly on: readonly string[]; readonly forMark?: true })
  | (OfStep<'step.progress'> & { readonly message: string; readonly elapsedMs: number })
  | (OfStep<'step.intent'> & { readonly changes: readonly Change[] })
  | (OfStep<'step.checkpoint'> & { readonly what: Json })
  | (OfStep<'step.applied'> & Record<never, never>)
  | (OfStep<'step.verified'> & {
      readonly outputs: JsonObject
      /** How many changes were made; 0 when it was as wanted already. */
      readonly changes: number
      readonly elapsedMs: number
    })
  | (OfStep<'step.retrying'> & { readonly attempt: number; readonly inMs: number; readonly error: ErrorFacts })
  | (OfStep<'step.failed'> & { readonly error: ErrorFacts; readonly elapsedMs: number })
  | (OfStep<'step.skipped'> & { readonly reason: string; readonly by: string })
  /** A question has come up while another one stands: it is asked in its turn. */
  | (OfStep<'question.waiting'> & { readonly kind: Question['kind'] })
  | (OfStep<'question.asked'> & { readonly question: Question })
  | (OfStep<'question.answered'> & { readonly kind: Question['kind']; readonly answer: Answer })
  /** It still runs: nothing is written before it is done (`await`) or has been ended (`end`). */
  | (OfSurvivor<'survivor.found'> & { readonly command: string; readonly pid: number; readonly survivor: 'await' | 'end' })
  /** It was found `gone` already, or is now: `ended`, `awaited`. */
  | (OfSurvivor<'survivor.handled'> & { readonly command: string; readonly pid: number; readonly how: 'ended' | 'awaited' | 'gone' })
  /** `p90`: in nine of ten cases no later; only once earlier runs of this kind are known. */
  | (Of<'eta.updated'> & Expected & { readonly p90?: Expected })
  /**
   * The first signal has come, or another run has taken over, as `displaced` says in words: what is under way goes on to a safe point, and
   * nothing new begins.
   */
  | (Of<'run.stopping'> & { readonly signal: string; readonly displaced?: string })
  | (Of<'run.interrupted'> & { readonly signal: string })
  | (Of<'notice'> & { readonly level: 'info' | 'warn'; readonly message: string })
  /** Nothing was begun, nor gone on with, and nothing was changed: the last event of such a stream. */
  | (Of<'run.refused'> & {
      readonly why: 'not-ready' | 'declined' | 'error'
      /** What readiness found, as far as it was looked at. */
      readonly findings: readonly (Finding & { readonly steps: readonly string[] })[]
      /** Only where an error is why. */
      readonly error?: ErrorFacts
    })
  | (Of<'run.finished'> & {
      readonly outcome: Outcome
      readonly elapsedMs: number
      readonly wallMs: number
      readonly criticalPathMs?: number
      /** The error that stopped it, or the command that goes on. */
      readonly next?: string
      /** Besides `next`, of a run that was declined: the command that puts back what it has changed. */
      readonly back?: string
      /** Besides `next`: the ways that failed steps offer. */
      readonly choices?: readonly OpenChoice[]
      /** What steps saw that the reader should know: which certificate each hub shows, how long resolvers keep an old answer. */
      readonly remarks?: readonly string[]
    })

export type RunEventType = RunEvent['type']
export type EventOf<T extends RunEventType> = Extract<RunEvent, { type: T }>

/** A renderer is one of these; it must never throw. */
export type Listener = (event: RunEvent) => void
