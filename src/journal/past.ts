import { open, readFile } from 'node:fs/promises'
import type { JournalRecord, RecordData } from './records.js'
import type { StateFolder } from './folder.js'

/** What makes two runs alike enough for one to tell how long the other will take. */
export type RunKind = Pick<RecordData['run.started'], 'mode' | 'sim' | 'undoes'> & {
  readonly cloud: { readonly resourceManager: string; readonly subscription: string }
}

/** How long steps took that made changes and met no failure; milliseconds of the run's clock. */
export interface PastRun {
  readonly run: string
  readonly runbook: string
  readonly steps: ReadonlyMap<string, { readonly uses: string; readonly elapsedMs: number }>
}

/** Journals that are read, newest first, and how many are looked at for them by their first line alone. */
const mostRead = 20
const mostLookedAt = 200

/**
 * What earlier runs of this kind took, newest first; only those that succeeded. It is a fold over the journals that there are:
 * nothing is kept beside them. One that cannot be read tells nothing, and stops nobody.
 */
export async function pastRuns(state: StateFolder, kind: RunKind): Promise<readonly PastRun[]> {
  const past: PastRun[] = []
  const ids = await state.ids().catch(() => [])
  for (const run of ids.slice(0, mostLookedAt)) {
    if (past.length === mostRead) break
    const { journal } = state.paths(run)
    const first = parsed((await firstLine(journal)) ?? '')
    if (first?.type !== 'run.started' || !isAlike(first.data, kind)) continue
    const found = pastRun(run, first.data.runbook.name, await readFile(journal, 'utf8').catch(() => ''))
    if (found !== undefined) past.push(found)
  }
  return past
}

/**
 * Rehearsals never tell of real runs; nor does one world, or one speed, tell of another: what real programs cost does not shrink
 * with time.
 */
function isAlike(one: RecordData['run.started'], other: RunKind): boolean {
  if (one.mode !== other.mode || (one.undoes === undefined) !== (other.undoes === undefined)) return false
  if (one.mode === 'rehearsal') {
    return one.sim?.world !== undefined && one.sim.world === other.sim?.world && one.sim.speed === other.sim.speed
  }
  const placeOf = ({ resourceManager, subscription }: RunKind['cloud']): string => `${resourceManager} ${subscription}`.toLowerCase()
  return placeOf(one.cloud) === placeOf(other.cloud)
}

/** Only the few lines that matter are taken apart: a journal may have a hundred thousand. */
const telling = /"type":"(step\.started|step\.verified|step\.failed|question\.asked|run\.resumed|run\.finished)"/

function pastRun(run: string, runbook: string, text: string): PastRun | undefined {
  const uses = new Map<string, string>()
  const steps = new Map<string, { readonly uses: string; readonly elapsedMs: number }>()
  const disturbed = new Set<string>()
  /** Begun and not verified. */
  const under = new Set<string>()
  let succeeded = false
  for (const line of text.split('\n')) {
    // The type stands in front of the data.
    const record = telling.test(line.slice(0, 300)) ? parsed(line) : undefined
    if (record === undefined) continue
    if (record.type === 'run.finished') succeeded = record.data.outcome === 'succeeded'
    if (record.type === 'step.started') {
      uses.set(record.data.step, record.data.uses)
      under.add(record.data.step)
    }
    // The life that verifies it tells only of its own part.
    if (record.type === 'run.resumed') under.forEach((step) => disturbed.add(step))
    if (record.type === 'step.verified') under.delete(record.data.step)
    // What a person did meanwhile is no measure of the step.
    if (record.type === 'step.failed' || record.type === 'question.asked') disturbed.add(record.data.step)
    if (record.type === 'step.verified' && record.data.changes > 0) {
      steps.set(record.data.step, { uses: uses.get(record.data.step) ?? '', elapsedMs: record.data.elapsedMs })
    }
  }
  for (const step of disturbed) steps.delete(step)
  return succeeded && steps.size > 0 ? { run, runbook, steps } : undefined
}

function parsed(line: string): JournalRecord | undefined {
  try {
    return JSON.parse(line) as JournalRecord
  } catch {
    return undefined
  }
}

const chunkBytes = 64 * 1024

/** The first line of a file, whole, or undefined if there is none. */
async function firstLine(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      const parts: Buffer[] = []
      for (;;) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, null)
        const end = buffer.subarray(0, bytesRead).indexOf(10)
        parts.push(buffer.subarray(0, end === -1 ? bytesRead : end))
        if (end !== -1) return Buffer.concat(parts).toString('utf8')
        if (bytesRead === 0) return undefined
      }
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}
