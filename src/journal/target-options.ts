import type { Clock, LifeboatError } from '../contract/index.js'
import type { Processes } from './lock.js'
import type { MarkStore } from './mark-store.js'
import type { Owner } from './records.js'

/**
 * Real milliseconds: how often the marks are looked at, how often they get a new heartbeat, and what is waited for a rival. `recentMs`:
 * three beats, and as much as the clocks of two machines may differ that are both let begin (`cli/site-checks.ts`: five minutes each).
 */
export const targetTimes = { lookMs: 10_000, beatMs: 60_000, settleMs: 1_000, askMs: 1_000, recentMs: 780_000 } as const

export interface TargetOptions {
  readonly store: MarkStore
  readonly processes: Processes
  readonly clock: Pick<Clock, 'now' | 'realNow' | 'sleepReal' | 'toReal'>
  readonly run: string
  readonly runbook: string
  /** Names of the groups that the runbook's steps make, as far as they are known beforehand. */
  readonly groups: readonly string[]
  /** The one of them that is marked first: whoever has it has the others, of two that begin at once. Unset where there are none. */
  readonly lead?: string
  /** The life that this run goes on from, or undoes, as a journal of this machine says; unset for a fresh run. */
  readonly earlier?: { readonly run: string; readonly owner: Owner }
  /**
   * Of an undo: the run that it puts back, and when that began, in real time. What another has put into use since is not its to take away,
   * unless the operator has `agreed`.
   */
  readonly undoes?: { readonly run: string; readonly began: string; readonly agreed: boolean }
  /** `--take-over` */
  readonly takeOver: boolean
  readonly notice: (message: string) => void
  /** Aborted when the run ends; waits end with it. */
  readonly signal: AbortSignal
  /** Another run has the target: this one must stop writing. */
  readonly lost: (error: LifeboatError) => void
}
