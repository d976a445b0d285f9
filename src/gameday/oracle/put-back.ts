import { differencesBetween, endOf } from './end-state.js'
import type { WorldView } from './world-view.js'

/**
 * What is not as it was at the start once a failover was put back: lines that start with `-` were there. What may stay are copies and the
 * groups that hold them (a way back is better left), and traces: how often a disk was moved, releases of clusters that are gone.
 */
export function notPutBack(start: WorldView, end: WorldView): readonly string[] {
  return differencesBetween(linesOf(start), linesOf(end)).filter((line) => isLost(line) || !mayStay.test(line))
}

/** What was there at the start and is not there as it was; what has come besides is not looked at. */
export function notAsAtStart(start: WorldView, end: WorldView): readonly string[] {
  return differencesBetween(linesOf(start), linesOf(end)).filter(isLost)
}

function isLost(line: string): boolean {
  return line.startsWith('- ')
}

/** A copy that came too late for its fence stays as well: who may say that it is worth nothing? But nothing stays locked. */
const mayStay = /^\+ (snapshot|group) (?!.*: locked$)/

function linesOf(view: WorldView): readonly string[] {
  return endOf(view).map((line) => line.replace(/, moved \d+ times$/, '')).filter((line) => !/^(release|violation)\b/.test(line))
}
