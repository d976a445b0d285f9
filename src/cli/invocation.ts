import type { Keyboard } from '../render/keyboard.js'
import type { Output } from '../render/output.js'
import type { Interrupts } from './interrupts.js'
import type { Surroundings } from './surroundings.js'

/** The whole program but `main.ts`: a command line to an exit code. */
export type Program = (argv: readonly string[], invocation: Invocation) => Promise<number>

/** What a command is given besides its arguments. */
export interface Invocation {
  readonly output: Output
  readonly interrupts: Interrupts
  /** What is typed at the terminal. Absent: nobody types. */
  readonly keyboard?: Keyboard
  readonly env: Readonly<Record<string, string | undefined>>
  /** Path of this program, to start the world's process with. */
  readonly self: string
  /** This program, for what types its commands within this process; the program itself puts it there. */
  readonly program?: Program
  /** Absent: this machine. */
  readonly here?: Surroundings
}
