import type { OwnProgram } from '../contract/index.js'
import { fold, type JournalRecord } from '../journal/index.js'
import type { RunPorts } from './ports.js'

/**
 * What this run, and the one that it puts back, has started for a step and is over. By the time that a step is looked at to be worked on,
 * survivors of earlier lives have been ended or awaited (`survivors.ts`), and their ends stand in this run's journal.
 */
export function overPrograms<D>(step: string, { journal, undone }: Pick<RunPorts<D>, 'journal' | 'undone'>): readonly OwnProgram[] {
  const own = fold(journal.records).steps.get(step)
  if (own !== undefined && own.children.length > 0) return []
  const all = [...(undone?.get(step)?.programs ?? []), ...(own?.programs ?? [])]
  return all.map(({ command, at }) => ({ command, startedAt: new Date(at) }))
}

/** When this run last began to change something by a step; undefined where it never did. */
export function begunBy(step: string, records: readonly JournalRecord[]): Date | undefined {
  const at = fold(records).steps.get(step)?.intentAt
  return at === undefined ? undefined : new Date(at)
}
