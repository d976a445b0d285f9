import type { WorldParts } from '../../sim/within.js'
import type { Beside, Lived } from '../trial/typed.js'
import type { Journals } from '../trial/watched.js'

/** Who types: the person who has the incident, or somebody else on a machine of their own. */
export type SeatName = 'operator' | 'colleague'

/** A command that is at work. */
export interface Typed {
  readonly lived: Promise<Lived>
  /** Ends it as SIGKILL does: nothing more is heard of it, and what it has sent goes on. */
  kill(): void
}

/**
 * Where a game day is played: a world, and in front of it whoever types commands. In virtual time, or for real; what is played, and how it
 * is judged, is the same.
 */
export interface GameStage extends Journals {
  readonly parts: WorldParts
  /** Everything of this play lies below it; its path is another one each time. */
  readonly folder: string
  /** Types a command as it stands, but for the state folder. It goes on as time passes. */
  type(words: readonly string[], seat: SeatName, beside: Beside): Typed
  /** Somebody sets the clock of the operator's machine ahead by that many of its milliseconds, or back. */
  setClock(aheadMs: number): void
  /** Ends every running program of that name on the operator's machine; how many there were. */
  killAll(program: string): Promise<number>
  /** Lets the world's time pass until that is over. */
  pass<T>(work: Promise<T>): Promise<T>
  close(): Promise<void>
}
