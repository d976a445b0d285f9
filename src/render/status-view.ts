import { stripVTControlCharacters } from 'node:util'
import type { CloudFacts, ErrorFacts, Mode, Outcome } from '../contract/index.js'
import { noPaint, type Paint, type Style } from './color.js'
import { sayWhat, sayWhere } from './headline.js'
import type { Room } from './stage.js'
import { count, line, oneLine, pad, widthOf, wrap } from './text.js'
import { formatDuration, type LocalTimes } from './times.js'
import { sayError } from './words.js'

/**
 * `running`: its process lives. `stopped`: it does not, and the run is not over: a crash, or a machine that went away.
 * `world-ended`: neither lives its world, and a rehearsal cannot go on in another one.
 */
export type RunCondition = 'running' | 'stopped' | 'world-ended' | Outcome

/** One run in a list. Times are RFC 3339. */
export interface RunRow {
  readonly run: string
  readonly runbook: string
  readonly mode: Mode
  /** The run that this one puts back. */
  readonly undoes?: string
  /** The undo that puts this one back, or has. */
  readonly undoneBy?: string
  readonly condition: RunCondition
  /** Real time. */
  readonly startedAt: string
  readonly stepsDone: number
  readonly stepsTotal: number
}

export interface StatusInput extends RunRow {
  readonly cloud: CloudFacts
  /** Of the run's clock: from its start to its last record, or to now while it runs. */
  readonly elapsedMs: number
  readonly objectiveMs?: number
  readonly owner?: { readonly user: string; readonly host: string; readonly pid: number }
  /** `stall`: that it takes longer than it usually does. */
  readonly running: readonly { readonly id: string; readonly elapsedMs: number; readonly stall?: string }[]
  /** When it is expected to be done, by the run's clock; while it runs. */
  readonly finishAt?: string
  /** A run of the same runbook that has begun since. */
  readonly newer?: string
  readonly failed: readonly { readonly id: string; readonly error: ErrorFacts }[]
  /** The question that waits for an answer. */
  readonly asking?: string
  readonly skipped: readonly string[]
  /** Path of the journal. */
  readonly journal: string
  /** The command that goes on, where there is something to go on with. */
  readonly next?: string
  /** Besides it: the commands that take what failed steps offer. */
  readonly choices?: readonly string[]
}

const conditions: Readonly<Record<RunCondition, readonly [Style, string]>> = {
  running: ['cyan', 'running'],
  stopped: ['yellow', 'stopped in mid-run; it can be resumed'],
  succeeded: ['green', 'succeeded'],
  failed: ['red', 'failed; it can be resumed'],
  interrupted: ['yellow', 'interrupted; it can be resumed'],
  declined: ['yellow', 'declined by the operator; it can be resumed'],
  'world-ended': ['dim', 'not finished, and its simulated world has ended'],
}

/** Of what is said, each in a line or, in a narrow window, in more. */
const most = 10
const labelColumns = 8

type Row = readonly [label: string, text: string, style?: Style]

/**
 * Where a run stands, in ten lines. None is cut where there is room: a window breaks them between words, and what is to be copied
 * stands whole. Where a window has too few rows, failures give way first, to a line each.
 */
export function statusLines(input: StatusInput, times: LocalTimes, paint: Paint = noPaint, room: Partial<Room> = {}): string[] {
  const { columns = Infinity, rows = Infinity } = room
  const [condition, said] = conditions[input.condition]
  const head = wrap(`${input.runbook}  run ${input.run}  ${said}`, columns)
  const lines = [
    ...(head.length === 1 ? [line([['bold', `${input.runbook}  `], `run ${input.run}  `, [condition, said]], paint)] : head),
    ...wrap(`${sayWhat(input.mode, input.undoes)} ${sayWhere(input.mode, input.cloud)}`, columns),
    ...wrap(sayTimes(input, times), columns),
    ...rowsBefore(input).flatMap((row) => rowLines(row, columns, paint)),
  ]
  const tail = tailLines(input)
  const left = Math.max(1, most - 3 - rowsBefore(input).length - tail.length)
  const failures = failureRows(input.failed, left)
  const whole = failures.flatMap((row) => rowLines(row, columns, paint))
  // The prompt of the shell needs a line too.
  const rowsOf = (text: string): number => Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(text)) / columns))
  const high = [...lines, ...whole, ...tail].reduce((sum, text) => sum + rowsOf(text), 1)
  return [...lines, ...(high <= rows ? whole : failures.map((row) => cutLine(row, columns, paint))), ...tail]
}

function failureRows(failed: StatusInput['failed'], most: number): readonly Row[] {
  return failed.slice(0, most).map(({ id, error }, index) => {
    const more = index === most - 1 && failed.length > most ? ` (and ${count(failed.length - most, 'more step')}):` : ':'
    return ['failed', `${id}${more} ${sayError(error)}`, 'red']
  })
}

function sayTimes({ startedAt, elapsedMs, objectiveMs, finishAt }: StatusInput, times: LocalTimes): string {
  const objective = objectiveMs === undefined ? '' : `, objective ${formatDuration(objectiveMs)}`
  const end = finishAt === undefined ? '' : `, done about ${times.minute(finishAt)} of it`
  return `started ${times.full(startedAt)}, ${formatDuration(elapsedMs)} of the run's clock${end}${objective}`
}

function rowsBefore({ stepsDone, stepsTotal, skipped, undoneBy, newer, owner, running, condition, asking }: StatusInput): readonly Row[] {
  const isLive = condition === 'running'
  // What was under way when its process ended may have gone on, or not: nobody knows for how long.
  const now = running.map(({ id, elapsedMs, stall }) => (isLive ? `${id} ${formatDuration(elapsedMs)}${stall === undefined ? '' : ` (${stall})`}` : id))
  return [
    ['steps', `${stepsDone} of ${stepsTotal} done${skipped.length === 0 ? '' : `, skipped: ${few(skipped)}`}`],
    ...(undoneBy === undefined ? [] : [['undo', `${undoneBy} puts it back, or has`, 'yellow'] as const]),
    ...(newer === undefined ? [] : [['newer', `${newer} has begun since; a resume without a name means that one`, 'yellow'] as const]),
    ...(owner === undefined ? [] : [ownerRow(owner, isLive || condition === 'stopped')]),
    ...(now.length === 0 ? [] : [[isLive ? 'now' : 'open', few(now)] as const]),
    ...(asking === undefined ? [] : [['asks', asking, 'bold'] as const]),
  ]
}

/** A process is told while it may be there to be looked for. */
function ownerRow({ user, host, pid }: NonNullable<StatusInput['owner']>, mayLive: boolean): Row {
  return mayLive ? ['owner', `${user} on ${host}, pid ${pid}`] : ['by', `${user} on ${host}`]
}

const fewest = 8

function few(names: readonly string[]): string {
  return names.length <= fewest ? names.join(', ') : `${names.slice(0, fewest).join(', ')} and ${names.length - fewest} more`
}

function rowLines([label, text, style]: Row, columns: number, paint: Paint): string[] {
  const parts = wrap(text, columns - labelColumns).map((part, index) => pad(index === 0 ? label : '', labelColumns) + part)
  return style === undefined ? parts : parts.map((part) => paint(style, part))
}

function cutLine([label, text, style]: Row, columns: number, paint: Paint): string {
  const whole = pad(label, labelColumns) + oneLine(text)
  return line([style === undefined ? whole : [style, whole]], paint, columns)
}

/** Never cut and never broken: they are there to be copied. One other choice at most: nobody loses a failure over it. */
function tailLines({ journal, next, choices = [] }: StatusInput): string[] {
  const [first] = choices
  const others = choices.length > 1 ? `  (and ${choices.length - 1} more: --json)` : ''
  return [
    `journal ${journal}`,
    ...(next === undefined ? [] : [`next    ${oneLine(next)}`]),
    ...(first === undefined ? [] : [`or      ${oneLine(first)}${others}`]),
  ]
}

/**
 * All runs, newest first as given, one a line under a heading. A narrow window leaves out whole columns, those last that tell a run and
 * where it stands.
 */
export function runsLines(rows: readonly RunRow[], times: LocalTimes, paint: Paint = noPaint, columns = 100): string[] {
  const cells = rows.map((row) => [
    row.run,
    row.undoneBy === undefined ? row.condition : `${row.condition}, undone`,
    `${row.stepsDone}/${row.stepsTotal}`,
    modeOf(row),
    `${times.date(row.startedAt)} ${times.minute(row.startedAt)}`,
    row.runbook,
    row.undoes ?? '',
  ])
  const zones = [...new Set(rows.map(({ startedAt }) => times.zone(startedAt)))].join(', ')
  const titles = ['run', 'state', 'steps', 'mode', `started (${zones})`, 'runbook', rows.some(({ undoes }) => undoes !== undefined) ? 'undo of' : '']
  const widths = titles.map((title, column) => Math.max(...[titles, ...cells].map((one) => widthOf(one[column] ?? title))))
  let right = 0
  const fitting = widths.filter((width, column) => (right += width + (column === 0 ? 0 : 2)) <= columns || column < 2).length
  const layOut = (one: readonly string[]): string[] => one.slice(0, fitting).map((cell, column) => pad(cell, (widths[column] ?? 0) + 2))
  return [
    line([['bold', layOut(titles).join('').trimEnd()]], paint, columns),
    ...rows.map((row, index) => {
      const [run = '', state = '', ...rest] = layOut(cells[index] ?? [])
      return line([run, [conditions[row.condition][0], rest.length === 0 ? state.trimEnd() : state], rest.join('').trimEnd()], paint, columns)
    }),
  ]
}

function modeOf({ mode, undoes }: RunRow): string {
  if (undoes === undefined) return mode
  return mode === 'rehearsal' ? 'undo (rehearsal)' : 'undo'
}
