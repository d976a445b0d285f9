import type { CloudFacts, ErrorFacts, Mode, Outcome } from '../contract/index.js'
import { noPaint, type Paint, type Style } from './color.js'
import { sayWhat, sayWhere } from './headline.js'
import { cut, line, oneLine, pad, widthOf, type Span } from './text.js'
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
  readonly running: readonly { readonly id: string; readonly elapsedMs: number }[]
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

const most = 10

/** Where a run stands, in at most ten lines. */
export function statusLines(input: StatusInput, times: LocalTimes, paint: Paint = noPaint, columns = 100): string[] {
  const say = (...spans: Span[]): string => line(spans, paint, columns)
  const names = (ids: readonly string[]): string => cut(ids.join(', '), columns - 12)
  const objective = input.objectiveMs === undefined ? '' : `, objective ${formatDuration(input.objectiveMs)}`
  const lines = [
    say(['bold', `${input.runbook}  `], `run ${input.run}  `, conditions[input.condition]),
    say(`${sayWhat(input.mode, input.undoes)} ${sayWhere(input.mode, input.cloud)}`),
    say(`started ${times.full(input.startedAt)}, ${formatDuration(input.elapsedMs)} of the run's clock${objective}`),
    say(`steps   ${input.stepsDone} of ${input.stepsTotal} done${input.skipped.length === 0 ? '' : `, skipped: ${names(input.skipped)}`}`),
  ]
  const { owner, running, failed, undoneBy } = input
  if (undoneBy !== undefined) lines.push(say(['yellow', `undo    ${oneLine(undoneBy)} puts it back, or has`]))
  if (owner !== undefined) lines.push(say(`owner   ${owner.user} on ${owner.host}, pid ${owner.pid}`))
  if (running.length > 0) {
    const now = running.map(({ id, elapsedMs }) => `${id} ${formatDuration(elapsedMs)}`)
    lines.push(say(`${input.condition === 'running' ? 'now     ' : 'open    '}${names(now)}`))
  }
  if (input.asking !== undefined) lines.push(say(['bold', `asks    ${oneLine(input.asking)}`]))
  const tail = [say(`journal ${input.journal}`), ...(input.next === undefined ? [] : [`next    ${oneLine(input.next)}`]), ...choiceLines(input)]
  const room = most - lines.length - tail.length
  const failures = failed.map(({ id, error }) => say(['red', `failed  ${id}: ${sayError(error)}`]))
  const shown = failures.length <= room ? failures : [...failures.slice(0, room - 1), say(['red', `and ${failures.length - room + 1} more failed`])]
  return [...lines, ...shown, ...tail]
}

/** One line at most: nobody loses a failure or the journal's path over it. */
function choiceLines({ choices = [] }: StatusInput): string[] {
  const [first] = choices
  if (first === undefined) return []
  return [`or      ${oneLine(first)}${choices.length > 1 ? `  (and ${choices.length - 1} more: --json)` : ''}`]
}

/** All runs, newest first as given, one a line under a heading. */
export function runsLines(rows: readonly RunRow[], times: LocalTimes, paint: Paint = noPaint, columns = 100): string[] {
  const cells = rows.map((row) => [
    row.run,
    row.runbook,
    row.undoes === undefined ? row.mode : `undo of ${row.undoes}`,
    `${times.date(row.startedAt)} ${times.minute(row.startedAt)}`,
    `${row.stepsDone}/${row.stepsTotal}`,
    conditionOf(row),
  ])
  const titles = ['run', 'runbook', 'mode', 'started', 'steps', 'state']
  const widths = titles.map((title, column) => Math.max(...[titles, ...cells].map((one) => widthOf(one[column] ?? title))))
  const layOut = (one: readonly string[]): string[] => one.map((cell, column) => pad(cell, (widths[column] ?? 0) + 2))
  return [
    line([['bold', layOut(titles).join('').trimEnd()]], paint, columns),
    ...rows.map((row, index) => {
      const laid = layOut(cells[index] ?? [])
      return line([laid.slice(0, -1).join(''), [conditions[row.condition][0], conditionOf(row)]], paint, columns)
    }),
  ]
}

function conditionOf({ condition, undoneBy }: RunRow): string {
  return undoneBy === undefined ? condition : `${condition}, undone by ${undoneBy}`
}
