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

/** Lines that only one of two texts has, as `- old` and `+ new`, in order. */
export function lineDifference(before: string, after: string): readonly string[] {
  if (before === after) return []
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const [oldLines, freshLines] = [new Set(old), new Set(fresh)]
  return [
    ...old.filter((line) => !freshLines.has(line)).map((line) => `  - ${line}`),
    ...fresh.filter((line) => !oldLines.has(line)).map((line) => `  + ${line}`),
  ]
}

/** What a run was started with is not what is there now. */
export function changedError(differences: readonly string[], command: 'resume' | 'undo'): LifeboatError {
  return new LifeboatError('run.changed', `what this run was started with has changed since:\n${differences.join('\n')}`, {
    blame: 'user',
    hint: `Put it back, or go on with the new contents: lifeboat ${command} --accept-changes`,
  })
}
