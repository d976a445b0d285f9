import type { Output } from '../render/output.js'
import type { Interrupts } from './interrupts.js'
import type { Surroundings } from './surroundings.js'

/** What a command is given besides its arguments. */
export interface Invocation {
  readonly output: Output
  readonly interrupts: Interrupts
  readonly env: Readonly<Record<string, string | undefined>>
  /** Path of this program, to start the world's process with. */
  readonly self: string
  /** Absent: this machine. */
  readonly here?: Surroundings
}
