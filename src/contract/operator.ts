import type { Change } from './change.js'
import type { ErrorFacts } from './error.js'

/** What the engine may ask the person at the terminal. One at a time, through one queue. */
export type Question =
  | { readonly kind: 'gate'; readonly step: string; readonly text: string }
  | { readonly kind: 'manual'; readonly step: string; readonly checklist: readonly string[] }
  | {
      readonly kind: 'failure'
      readonly step: string
      readonly error: ErrorFacts
      /** Steps that take what this one gives: if it is skipped, they cannot go on. */
      readonly takers?: readonly string[]
    }
  /** The world has moved on: `now` is not what was shown. */
  | {
      readonly kind: 'surprise'
      readonly step: string
      readonly shown: readonly Change[]
      readonly now: readonly Change[]
    }

export type Answer =
  | { readonly choice: 'go'; readonly by: string }
  | { readonly choice: 'retry'; readonly by: string }
  | { readonly choice: 'done'; readonly by: string }
  | { readonly choice: 'skip'; readonly by: string; readonly reason: string }
  | { readonly choice: 'stop'; readonly by: string }
  /** Only to a failure that offers this alternative. */
  | { readonly choice: 'accept'; readonly by: string; readonly alternative: string }

export interface Operator {
  /** Who answers: a login name, or `--yes`. */
  readonly name: string
  /** False without a terminal: then failures and surprises stop the run without being asked. */
  readonly present: boolean
  ask(question: Question, signal: AbortSignal): Promise<Answer>
}
