import { readFile } from 'node:fs/promises'
import { LifeboatError, sayWrite, type SentWrite, type Write } from '../contract/index.js'
import { narrate } from '../engine/index.js'
import type { JournalRecord } from '../journal/index.js'

/** What is read of a log's line; others are left alone. */
interface Line {
  readonly kind: string
  readonly step?: string
  readonly writes?: readonly Write[]
  readonly status?: number
  readonly exitCode?: number
  readonly event?: { readonly type: string; readonly t: string; readonly step?: string }
}

/**
 * What a run has sent, as its log tells. A log is no state and may be missing in part: it is held against the journal, each of whose
 * records it must have told, life by life. Throws `report.no-log` and `report.log-not-whole`: figures from such a log would be false.
 */
export async function sentWrites(path: string, records: readonly JournalRecord[]): Promise<readonly SentWrite[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LifeboatError('report.no-log', `the log of this run cannot be read: ${path}`, {
      blame: 'user',
      hint: 'What was sent stands there and nowhere else, so nothing can be held against the plan. Put the file back if somebody has moved it.',
      cause,
    })
  })
  const lines = linesOf(text, path)
  const untold = untoldOf(records, lines)
  if (untold.length > 0) {
    const [first] = untold
    const what = `${untold.length} of the journal's records are not told there, the first is ${first?.type ?? ''} (number ${first?.seq ?? 0})`
    throw notWhole(path, what)
  }
  return tally(lines)
}

function notWhole(path: string, what: string): LifeboatError {
  return new LifeboatError('report.log-not-whole', `the log of this run is not whole: ${what}`, {
    blame: 'user',
    hint: `Writes may be missing from ${path}, so nothing is held against the plan. The journal is whole, and tells what was changed.`,
  })
}

function linesOf(text: string, path: string): readonly Line[] {
  const all = text.split('\n')
  // The process may have died while it wrote the last one.
  const rest = all.pop()
  if (rest === undefined) return []
  return all.map((line, index) => {
    try {
      return JSON.parse(line) as Line
    } catch {
      throw notWhole(path, `line ${index + 1} cannot be read`)
    }
  })
}

/**
 * Records that the log does not tell, but for the last ones of a life that was killed: a step waits for its record to be told before
 * it goes on.
 */
function untoldOf(records: readonly JournalRecord[], lines: readonly Line[]): readonly JournalRecord[] {
  const told = new Set(lines.flatMap(({ event }) => (event === undefined ? [] : [keyOf(event.type, event.t, event.step)])))
  return livesOf(records).flatMap((life) => {
    const untold = life.filter((record) => {
      const event = narrate(record)
      return event !== undefined && !told.has(keyOf(event.type, event.t, 'step' in event ? event.step : undefined))
    })
    const isEnded = life.some(({ type }) => type === 'run.finished' || type === 'run.interrupted')
    return isEnded || !isTail(untold, life) ? untold : []
  })
}

/** Are these the last that were journaled, one of each step at most? */
function isTail(untold: readonly JournalRecord[], life: readonly JournalRecord[]): boolean {
  const told = life.filter((record) => narrate(record) !== undefined)
  const steps = untold.map(({ data }) => ('step' in data ? data.step : ''))
  return new Set(steps).size === steps.length && untold.every((record, index) => told.at(index - untold.length) === record)
}

function livesOf(records: readonly JournalRecord[]): readonly (readonly JournalRecord[])[] {
  const lives: JournalRecord[][] = []
  for (const record of records) {
    if (record.type === 'run.started' || record.type === 'run.resumed') lives.push([])
    lives.at(-1)?.push(record)
  }
  return lives
}

function keyOf(type: string, t: string, step: string | undefined): string {
  return `${type} ${t} ${step ?? ''}`
}

interface Tally {
  readonly step: string
  readonly write: Write
  times: number
  answered: number
  accepted: boolean
  doubtful: boolean
  answer?: number
}

/** The same write of the same step is one, whichever life sent it. */
function tally(lines: readonly Line[]): readonly SentWrite[] {
  const all = new Map<string, Tally>()
  for (const { kind, step = '', writes = [], status, exitCode } of lines) {
    for (const write of writes) {
      const key = `${step} ${sayWrite(write).toLowerCase()}`
      const one = all.get(key) ?? { step, write, times: 0, answered: 0, accepted: false, doubtful: false }
      all.set(key, one)
      if (kind === 'sending') one.times += 1
      else note(one, status, exitCode)
    }
  }
  return [...all.values()].map(({ step, write, times, answered, accepted, doubtful, answer }) => ({
    step,
    write,
    times,
    outcome: accepted ? 'accepted' : doubtful || answered < times ? 'unknown' : 'refused',
    ...(answer === undefined ? {} : { answer }),
  }))
}

/** A 4xx changes nothing; a program that failed, or a server that did, may have changed something before. */
function note(one: Tally, status: number | undefined, exitCode: number | undefined): void {
  one.answered += 1
  const answer = status ?? exitCode
  if (answer !== undefined) one.answer = answer
  if (exitCode === 0 || (status !== undefined && status < 400)) one.accepted = true
  else if (status === undefined || status >= 500) one.doubtful = true
}
