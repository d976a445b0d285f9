import { LifeboatError } from '../contract/index.js'
import type { PinnedThing } from '../contract/index.js'
import type { Pin, RunState } from '../journal/index.js'
import type { Site } from './site.js'

/**
 * How the runbook and the files it reads differ from those that the run was started with, as lines to show. Empty if they
 * are the same.
 */
export async function changedSince(before: RunState, site: Site): Promise<readonly string[]> {
  const now = new Map((await site.pins()).map(({ path, digest }) => [path, digest]))
  const files = before.pins
    .filter(({ path, digest, afar }) => afar !== true && now.get(path) !== digest)
    .map(({ path }) => `  ${path}: ${now.has(path) ? 'other contents' : 'no longer read'}`)
  return [...lineDifference(before.runbook.text, site.runbook.text), ...files]
}

/** What steps read from elsewhere, as a run pins it. */
export function afarPins(things: readonly PinnedThing[]): readonly Pin[] {
  return things.map(({ what, digest }) => ({ path: what, digest, afar: true }))
}

/** What lies elsewhere and has other contents now than those that the run was started with. */
export function changedAfar(before: readonly Pin[], now: readonly Pin[]): readonly string[] {
  const digests = new Map(before.filter(({ afar }) => afar === true).map(({ path, digest }) => [path, digest]))
  const others = now.filter(({ path, digest }) => digests.has(path) && digests.get(path) !== digest)
  return others.map(({ path }) => `  ${path}: other contents`)
}

/** Lines that one of two texts has more often than the other, as `- old` and `+ new`, in order. Empty only for equal texts. */
export function lineDifference(before: string, after: string): readonly string[] {
  if (before === after) return []
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const lines = [...surplus(old, fresh).map((line) => `  - ${line}`), ...surplus(fresh, old).map((line) => `  + ${line}`)]
  if (lines.length > 0) return lines
  const first = fresh.findIndex((line, at) => line !== old[at])
  return [`  the same lines in another order, from line ${first + 1} on: ${fresh[first] ?? ''}`]
}

/** What is left of `lines` once each of `others` has taken one that is like it. */
function surplus(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}

/** What a run was started with is not what is there now. `acceptCommand` goes on all the same. */
export function changedError(differences: readonly string[], acceptCommand: string): LifeboatError {
  return new LifeboatError('run.changed', `what this run was started with has changed since:\n${differences.join('\n')}`, {
    blame: 'user',
    hint: `Put it back, or go on with the new contents: ${acceptCommand}`,
  })
}
