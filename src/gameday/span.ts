import { durationMs } from '../contract/inputs.js'

/** Longer than any game day; far beyond it no clock has a date any more. */
export const longestMs = 30 * 24 * 3_600_000

/** A duration in a scenario. */
export const span = durationMs.refine((ms) => ms <= longestMs, 'it takes at most 720h, thirty days')

/** One that a fault takes: what lasts no time at all strikes nobody. */
export const lasting = span.refine((ms) => ms > 0, 'it takes more than 0')
