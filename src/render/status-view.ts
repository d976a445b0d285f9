import { stripVTControlCharacters } from 'node:util'
import type { CloudFacts, ErrorFacts, Mode, Outcome } from '../contract/index.js'
import { noPaint, type Paint, type Style } from './color.js'
import { sayWhat, sayWhere } from './headline.js'
import type { Room } from './stage.js'
import { count, cut, fitting, line, oneLine, pad, widthOf, wrap } from './text.js'
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
  /** That undo has come to its end. */
  readonly isUndone?: boolean
  readonly condition: RunCondition
  /** Real time. */
  readonly startedAt: string
  readonly stepsDone: number
  readonly stepsTotal: number
}

/** Who is at work, or was. */
export interface OwnerShown {
  readonly user: string
  readonly host: string
  readonly pid: number
  /**
   * `silent`: of this host, living, and not heard of for `silentMs` of real time, though it should have been. `doubtful`: of another host,
   * and not heard of for as long. `unlocked`: it holds the run's lock no more. Absent: there is nobody to be looked for.
   */
  readonly life?: 'alive' | 'silent' | 'dead' | 'doubtful' | 'unknown' | 'unlocked'
  readonly silentMs?: number
}

/** A process that a step has started, and that works for it without us. */
export interface ChildAtWork {
  readonly pid: number
  readonly host: string
  /** `unknown`: of another host. */
  readonly life: 'alive' | 'unknown'
}

interface RunningStep {
  readonly id: string
  readonly elapsedMs: number
  /** That it takes longer than it usually does. */
  readonly stall?: string
  /** What it waits for, in its own words. */
  readonly message?: string
  readonly children?: readonly ChildAtWork[]
}

export interface StatusInput extends RunRow {
  readonly cloud: CloudFacts
  /** Of the run's clock: from its start to its last record, or to now while it runs. */
  readonly elapsedMs: number
  /** Of the run's clock: from its start to now, of one that nobody is at work on and whose objective counts on. */
  readonly byNowMs?: number
  readonly objectiveMs?: number
  readonly owner?: OwnerShown
  readonly running: readonly RunningStep[]
  /** What else is waited for, of a run at work: claims that others hold, what of an earlier life still runs. */
  readonly waits?: readonly string[]
  /** When it is expected to be done, by the run's clock; while it runs. */
  readonly finishAt?: string
  /** Until then, milliseconds of the run's clock. */
  readonly leftMs?: number
  /** It takes longer than expected, or waits for an answer: so much is left at least. */
  readonly isLeast?: boolean
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
  /** Besides it, of a run that was declined: the command that puts back what it has changed. */
  readonly back?: string
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
  const rowsAbove = rowsBefore(input, columns)
  const lines = [
    ...headLines(input, columns, paint),
    ...wrap(fitting(sayPlace(input), columns), columns),
    ...wrap(fitting(sayTimes(input, times), columns), columns),
    ...rowsAbove.flatMap((row) => rowLines(row, columns, paint)),
  ]
  const tail = tailLines(input)
  const left = Math.max(1, most - 3 - rowsAbove.length - tail.length)
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

/** How it goes on stands below, and the runbook's name in the run's id: where there is no room, both give way. */
function headLines({ runbook, run, condition }: StatusInput, columns: number, paint: Paint): string[] {
  const [style, said] = conditions[condition]
  const [brief = said] = said.split(';')
  for (const [name, how] of [[`${runbook}  `, said], [`${runbook}  `, brief], ['', brief]] as const) {
    if (widthOf(`${name}run ${run}  ${how}`) <= columns) return [line([['bold', name], `run ${run}  `, [style, how]], paint)]
  }
  return wrap(`run ${run}  ${brief}`, columns)
}

/** The endpoint of a cloud that is named gives way first. */
function sayPlace({ mode, undoes, cloud }: StatusInput): readonly string[] {
  const whole = `${sayWhat(mode, undoes)} ${sayWhere(mode, cloud)}`
  return [whole, whole.replace(/ \([^()]*\)$/, '')]
}

function sayTimes(input: StatusInput, times: LocalTimes): readonly string[] {
  const { startedAt, elapsedMs, byNowMs, objectiveMs, finishAt, leftMs, isLeast = false } = input
  const objective = objectiveMs === undefined ? '' : `, objective ${formatDuration(objectiveMs)}`
  const elapsed = formatDuration(elapsedMs)
  const left = leftMs === undefined ? undefined : formatDuration(leftMs)
  // What is left is true of every clock: that of a simulated world shows another time.
  const toGo = `, ${isLeast ? 'at least ' : ''}${left ?? ''} to go`
  const [long, short] = left === undefined ? ['', ''] : [`${toGo} (${isLeast ? 'not before' : 'done about'} ${times.minute(finishAt ?? '')} of it)`, toGo]
  const minute = `${times.date(startedAt)} ${times.minute(startedAt)} ${times.zone(startedAt)}`
  if (byNowMs !== undefined) {
    const now = `, ${formatDuration(byNowMs)} by now${objective}`
    return [`started ${times.full(startedAt)}, last word at ${elapsed} of the run's clock${now}`, `begun ${minute}, last word at ${elapsed}${now}`]
  }
  return [
    `started ${times.full(startedAt)}, ${elapsed} of the run's clock${long}${objective}`,
    `begun ${minute}, ${elapsed} of its clock${short}${objective}`,
  ]
}

function rowsBefore(input: StatusInput, columns: number): readonly Row[] {
  const { stepsDone, stepsTotal, skipped, undoneBy, newer, owner, running, condition, asking } = input
  const isLive = condition === 'running'
  const now = isLive ? sayNow(input, columns - labelColumns) : few(running.map(sayOpen))
  return [
    ['steps', `${stepsDone} of ${stepsTotal} done${skipped.length === 0 ? '' : `, skipped: ${few(skipped)}`}`],
    ...(undoneBy === undefined ? [] : [['undo', input.isUndone === true ? `put back by ${undoneBy}` : `${undoneBy} is to put it back, and has not come to its end`, 'yellow'] as const]),
    ...(newer === undefined ? [] : [['newer', `${newer} has begun since; a resume without a name means that one`, 'yellow'] as const]),
    ...(owner === undefined ? [] : [ownerRow(owner, isLive || condition === 'stopped')]),
    ...(now === '' ? [] : [[isLive ? 'now' : 'open', now] as const]),
    ...(asking === undefined ? [] : [['asks', asking, 'bold'] as const]),
  ]
}

/** What was under way when its process ended may have gone on, or not: for how long nobody knows, only which of its processes live. */
function sayOpen({ id, children = [] }: RunningStep): string {
  const said = children.map(({ pid, host, life }) => `pid ${pid} on ${host} ${life === 'alive' ? 'is' : 'may be'} still at work`)
  return said.length === 0 ? id : `${id} (${said.join(', ')})`
}

/** In a window of `room` columns as much of what each step says as fits a line. */
function sayNow({ running, waits = [] }: StatusInput, room: number): string {
  const brief = running.map(({ id, elapsedMs, stall }) => `${id} ${formatDuration(elapsedMs)}${stall === undefined ? '' : ` (${stall})`}`)
  const [first, ...more] = [...brief, ...waits.map(oneLine)]
  if (first === undefined) return ''
  const talking = running.filter(({ message, children }) => message !== undefined || children !== undefined).length
  const apart = talking === 0 ? ', ' : '; '
  const each = Math.floor((room - widthOf([first, ...more].join(apart))) / Math.max(1, talking))
  const said = running.map(({ message, children = [] }, index) => {
    const pids = children.length === 0 ? '' : ` (pid ${children.map(({ pid }) => pid).join(', ')})`
    const text = message === undefined ? pids : `: ${oneLine(message)}${pids}`
    return `${brief[index] ?? ''}${widthOf(text) <= each ? text : each < leastSaid ? '' : cut(text, each)}`
  })
  return few([...said, ...waits.map(oneLine)], apart)
}

/** Less of a message than that many columns says nothing. */
const leastSaid = 12

/** A process is told while it may be there to be looked for, and that it is not where that is known. */
function ownerRow({ user, host, pid, life, silentMs = 0 }: OwnerShown, mayLive: boolean): Row {
  if (!mayLive) return ['by', `${user} on ${host}`]
  const who = `${user} on ${host}, pid ${pid}`
  switch (life) {
    case 'dead':
      return ['owner', `${who}; that process is gone`, 'yellow']
    case 'silent':
      return ['owner', `${who}; silent for ${formatDuration(silentMs)}: its process is suspended or stuck`, 'yellow']
    case 'doubtful':
      return ['owner', `${who}; not heard of for ${formatDuration(silentMs)}`, 'yellow']
    case 'unlocked':
      return ['owner', `${who}; it holds the lock of this run no more`, 'yellow']
    default:
      return ['owner', who]
  }
}

const fewest = 8

function few(names: readonly string[], apart = ', '): string {
  return names.length <= fewest ? names.join(apart) : `${names.slice(0, fewest).join(apart)} and ${names.length - fewest} more`
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
function tailLines({ journal, next, back, choices = [] }: StatusInput): string[] {
  const [first] = choices
  const others = choices.length > 1 ? `  (and ${choices.length - 1} more: --json)` : ''
  return [
    `journal ${journal}`,
    ...(next === undefined ? [] : [`next    ${oneLine(next)}`]),
    ...(back === undefined ? [] : [`back    ${oneLine(back)}`]),
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
    row.undoneBy === undefined ? row.condition : `${row.condition}, ${row.isUndone === true ? 'undone' : 'undo begun'}`,
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
