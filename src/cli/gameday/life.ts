import type { Answer, Question, RunEvent } from '../../contract/index.js'
import type { SeatName } from './stage.js'

/** The first line that a life on a game day for real is given, on its standard input. */
export interface LifeOrder {
  readonly words: readonly string[]
  readonly seat: SeatName
  /** Whether somebody answers what is asked. */
  readonly isAnswered: boolean
  /** By how much the clock of this machine is ahead, for this life. */
  readonly clockAheadMs: number
}

/** A line after it: what was answered to the question of that number. */
export interface LifeAnswer {
  readonly number: number
  readonly answer: Answer
}

/** Another one: somebody has set that clock. */
export type LifeClock = Pick<LifeOrder, 'clockAheadMs'>

/** The descriptor by which a life tells, and hears that it was told. */
export const tellingDescriptor = 3

/** A line that a life tells. It goes on when a byte has come back, so that what is to happen at that moment has happened. */
export type LifeTells =
  | { readonly event: RunEvent }
  | { readonly question: Question; readonly number: number }
  /** Of a question that nobody has to answer any more: its number. */
  | { readonly withdrawn: number }
