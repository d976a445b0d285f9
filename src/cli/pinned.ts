import type { RunState } from '../journal/index.js'
import type { Site } from './site.js'

/**
 * How the runbook and the files it reads differ from those that the run was started with, as lines to show. Empty if they
 * are the same.
 */
export async function changedSince(before: RunState, site: Site): Promise<readonly string[]> {
  const now = new Map((await site.pins()).map(({ path, digest }) => [path, digest]))
  const files = before.pins
    .filter(({ path, digest }) => now.get(path) !== digest)
    .map(({ path }) => `  ${path}: ${now.has(path) ? 'other contents' : 'no longer read'}`)
  return [...lineDifference(before.runbook.text, site.runbook.text), ...files]
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
