import type { Answer, Question, RunEvent } from '../../contract/index.js'
import type { SeatName } from './stage.js'

/** The first line that a life on a game day for real is given, on its standard input. */
export interface LifeOrder {
  readonly words: readonly string[]
  readonly seat: SeatName
  /** Whether somebody answers what is asked. */
  readonly isAnswered: boolean
}

/** A line after it: what was answered to the question of that number. */
export interface LifeAnswer {
  readonly number: number
  readonly answer: Answer
}

/** The descriptor by which a life tells, and hears that it was told. */
export const tellingDescriptor = 3

/** A line that a life tells. It goes on when a byte has come back, so that what is to happen at that moment has happened. */
export type LifeTells =
  | { readonly event: RunEvent }
  | { readonly question: Question; readonly number: number }
  /** Of a question that nobody has to answer any more: its number. */
  | { readonly withdrawn: number }
