import type { JsonObject } from './json.js'
import type { LifeboatError } from './error.js'

/**
 * The state of a step's resources now. A read that failed is `unknown`, never `absent`: unknown stops a step, while absent
 * would create a second one.
 */
export type Observation<O, S> =
  | { readonly state: 'absent' }
  /** `busy`: something is at work there all the same; before it is over, nothing can be put back. */
  | { readonly state: 'converged'; readonly outputs: O; readonly busy?: string }
  /** Differs, and `apply` can mend it in place; `seen` is what `plan` works from. */
  | { readonly state: 'drifted'; readonly seen: S }
  /** Differs, and it cannot be mended in place. */
  | { readonly state: 'conflict'; readonly why: string; readonly mend: string; readonly until?: Until<S>; readonly halfMade?: string }
  /**
   * Somebody's operation is under way; `what` reads as "cluster data100 is being created". `seen`: what it is about was there before,
   * and is planned as drifted until it is over; without, as absent. `halfMade`, of this and of a conflict: label of what is made by half,
   * or whose making has failed. An undo of the run that changed it need not wait for it, nor have it mended: it is put back as it is.
   */
  | { readonly state: 'in-flight'; readonly what: string; readonly patience?: Patience; readonly seen?: S; readonly halfMade?: string }
  /** `halfMade`: that it is there is known all the same, and an undo needs to know no more. */
  | { readonly state: 'unknown'; readonly why: string; readonly cause?: unknown; readonly halfMade?: string }

/** A conflict that steps before this one may still resolve: where they change all of these, it is planned as if that had been done. */
export interface Until<S> {
  /** By its label, and what it is before that change. Texts are compared as names are, in whatever case. */
  readonly changes: readonly { readonly resource: string; readonly before: JsonObject }[]
  /** What is there then. */
  readonly seen: S
}

/** How long something under way is watched before a step begins, where that is not the step's own deadline, and what is said then. */
export interface Patience {
  /** Milliseconds of the run's clock, from when it was first seen by this life of the run. */
  readonly ms: number
  /** May offer an alternative, as the failure does that an earlier life would have had. */
  readonly error: LifeboatError
}

export type ObservationState = Observation<unknown, unknown>['state']

/** What `plan` may be given: everything else stops the step before it plans. */
export type Seen<S> = { readonly state: 'absent' } | { readonly state: 'drifted'; readonly seen: S }
