import type { LifeboatError } from './error.js'

/**
 * The state of a step's resources now. A read that failed is `unknown`, never `absent`: unknown stops a step, while absent
 * would create a second one.
 */
export type Observation<O, S> =
  | { readonly state: 'absent' }
  | { readonly state: 'converged'; readonly outputs: O }
  /** Differs, and `apply` can mend it in place; `seen` is what `plan` works from. */
  | { readonly state: 'drifted'; readonly seen: S }
  /** Differs, and it cannot be mended in place. */
  | ({ readonly state: 'conflict'; readonly why: string; readonly mend: string } & Standing)
  /**
   * Somebody's operation is under way; `what` reads as "cluster data100 is being created". `seen`: what it is about was there before,
   * and is planned as drifted until it is over; without, as absent.
   */
  | { readonly state: 'in-flight'; readonly what: string; readonly patience?: Patience; readonly seen?: S }
  | { readonly state: 'unknown'; readonly why: string; readonly cause?: unknown }

/** What a conflict is about, by the label that it has in changes. */
export interface Standing {
  /** A step before this one may still change that: where one does, a plan takes it for done. */
  readonly until?: string
  /** Making it has failed. On the way back it is put back like anything that was made, where this run made it. */
  readonly halfMade?: string
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
