import type { Infliction } from '../../gameday/index.js'

/** Tells that a fault has met something, and what. */
export type TellStruck = (what: string) => void

/** Faults of these kinds. */
export type OfKind<K extends Infliction['kind']> = Extract<Infliction, { kind: K }>
