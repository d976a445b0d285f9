import type { Infliction } from '../../gameday/index.js'

/** Tells that a fault has met something, and what. */
export type TellStruck = (what: string) => void

/** Tells that a fault could not be inflicted after all. */
export type TellBroke = (error: unknown) => void

/** How a fault tells what it has met. */
export interface Meeting {
  readonly struck: TellStruck
  /** To be told what went wrong once `inflict` itself is over: nobody else would hear of it. */
  readonly broke: TellBroke
  /** To be told the path of what somebody else has written, once Azure took it. */
  readonly elsewhere: (path: string) => void
  /** The same, as soon as a command that does not begin, or stops, has said this of it: it was seen before anybody ran into it. */
  readonly orSaid: (of: RegExp) => void
}

/** Faults of these kinds. */
export type OfKind<K extends Infliction['kind']> = Extract<Infliction, { kind: K }>
