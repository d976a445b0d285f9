import type { Paint } from '../color.js'
import type { RunView } from '../run-view.js'
import type { Asker } from './asker.js'

export interface PersonOptions {
  /** Login name of the person: it stands in the journal beside every answer. */
  readonly name: string
  readonly asker: Asker
  readonly paint?: Paint
  readonly columns?: number
  /** What is known of the run: how many questions wait, and details for whoever wants to see them. */
  readonly view?: () => RunView | undefined
  /** The command that shows where this run stands. */
  readonly statusCommand?: (run: string) => string
}
