import { noPaint, type Paint, type Style } from './color.js'
import { finishAtMs, isQuestion, type RunView, type StepView } from './run-view.js'
import { count, fitting, line, oneLine, pad, widthOf, wrap, type Span } from './text.js'
import { sayStall } from './stall.js'
import { formatDuration, type LocalTimes } from './times.js'
import { sayError, sayOffer, sayVerified } from './words.js'

export interface LiveLayout {
  readonly columns: number
  readonly rows: number
  /** The run's clock. */
  readonly nowMs: number
  readonly times: LocalTimes
  readonly paint?: Paint
  /** It only looks on: Ctrl-C does not reach the run. */
  readonly looksOn?: boolean
}

/**
 * The part of the screen that moves: what runs and what it waits for, what comes next, and a footer. Steps that are done
 * are not in it: they stand above (`doneLines`). Never more than `rows - 1` lines, none wider than `columns - 1`, so that
 * nothing wraps or scrolls.
 */
export function viewOf(view: RunView, layout: LiveLayout): string[] {
  const { paint = noPaint, rows } = layout
  const columns = Math.max(1, layout.columns - 1)
  const height = Math.max(1, rows - 1)
  const footer = footerLines(view, layout).map((spans) => line(spans, paint, columns))
  // A screen of a few lines still says how long it has taken.
  if (height <= footer.length) return footer.slice(0, height)
  const open = openSteps(view)
  const foreign: Span[][] = view.awaited === undefined || height === footer.length + 1 ? [] : [[['yellow', '◦ '], ['dim', view.awaited]]]
  const room = height - footer.length - foreign.length
  const shown = open.length <= room ? open : open.slice(0, room - 1)
  const width = Math.min(24, shown.reduce((longest, step) => Math.max(longest, step.id.length), 0))
  const more: Span[][] = shown.length === open.length ? [] : [[['dim', `  and ${count(open.length - shown.length, 'more step')}`]]]
  const body = [...foreign, ...shown.map((step) => stepSpans(step, view, width, layout.nowMs)), ...more]
  return [...body.map((spans) => line(spans, paint, columns)), ...footer]
}

/** Steps that are not done: those at work first, then what holds them up, then what comes next. */
function openSteps(view: RunView): readonly StepView[] {
  const [busy, held, next]: [StepView[], StepView[], StepView[]] = [[], [], []]
  for (const step of view.steps.values()) {
    if (step.phase === 'running' || step.phase === 'asking') busy.push(step)
    else if (step.phase === 'waiting' || view.waiting.includes(step.id)) held.push(step)
    else if (step.phase === 'pending') next.push(step)
  }
  return [...busy, ...held, ...next]
}

function stepSpans(step: StepView, view: RunView, width: number, nowMs: number): Span[] {
  if (step.phase === 'running' || step.phase === 'asking') return busySpans(step, width, nowMs)
  if (view.waiting.includes(step.id)) {
    const why = step.phase === 'failed' ? 'failed; its question comes next' : 'its question comes next'
    return [['yellow', `? ${pad(step.id, width)}  ${why}`]]
  }
  if (step.phase === 'waiting') return [['yellow', '◦ '], pad(step.id, width), ['dim', `  ${oneLine(step.message ?? 'waits')}`]]
  return [['dim', `  ${pad(step.id, width)}  ${afterText(step, view)}`]]
}

function busySpans(step: StepView, width: number, nowMs: number): Span[] {
  const elapsed = step.sinceMs === undefined ? '' : formatDuration(nowMs - step.sinceMs)
  const attempt = step.attempt > 1 ? ` attempt ${step.attempt},` : ''
  const doing = step.phase === 'asking' ? 'waits for an answer' : oneLine(step.message ?? 'looking')
  const stall = sayStall(step, nowMs)
  const late: Span[] = stall === undefined ? [] : [['yellow', `${stall}; `]]
  return [['cyan', '● '], ['bold', pad(step.id, width)], `  ${pad(elapsed, 6)} `, ...late, ['dim', `${attempt} ${doing}`.trimStart()]]
}

function afterText(step: StepView, view: RunView): string {
  if (step.message === 'declined') return 'declined'
  const open = step.needs.filter((id) => {
    const phase = view.steps.get(id)?.phase
    return phase !== 'verified' && phase !== 'skipped'
  })
  return open.length === 0 ? 'next' : `after ${open.join(', ')}`
}

function footerLines(view: RunView, layout: LiveLayout): Span[][] {
  const { columns, nowMs, looksOn = false } = layout
  const { startedMs, objectiveMs, mode } = view
  const endMs = view.finish === undefined ? undefined : finishAtMs(view.finish, nowMs)
  const all = [...view.steps.values()].filter((step) => !isQuestion(step))
  const done = all.filter((step) => step.phase === 'verified' || step.phase === 'skipped').length
  const elapsed: Span = ['bold', startedMs === undefined ? 'starting' : `elapsed ${formatDuration(nowMs - startedMs)}`]
  const isStopping = view.stopping || view.ending
  const expects = !isStopping && endMs !== undefined && endMs > nowMs
  const likely = expects ? likelyBy(view, endMs, layout) : ''
  const after: Span[] = []
  if (objectiveMs !== undefined && startedMs !== undefined) {
    const spareMs = objectiveMs - ((expects ? endMs : nowMs) - startedMs)
    // With both ends of the estimate before it, a window of 80 columns has no room for what the plan has said already.
    const objective = likely === '' ? `objective ${formatDuration(objectiveMs)}, ` : ''
    after.push(
      spareMs >= 0
        ? ['dim', `  ${objective}${formatDuration(spareMs)} ${expects ? 'to spare' : 'left of it'}`]
        : ['yellow', `  ${objective}late by ${formatDuration(-spareMs)}`],
    )
  }
  const spans: Span[] = [elapsed]
  if (isStopping) spans.push(['yellow', `  stopping${waitsFor(view)}`])
  else if (endMs !== undefined) spans.push(sayEnd(view, { endMs, likely, besides: [elapsed, ...after] }, layout))
  spans.push(...after)
  // The run's id is there to be copied, and the runbook's name is in it; of a subscription the beginning tells it from others.
  const where = mode === 'rehearsal' ? 'simulated' : `on ${view.cloud?.subscription.slice(0, 8) ?? '(unknown)'}…`
  const steps = `${done}/${all.length} steps  `
  const run = `run ${view.run} ${where}  `
  const keys: readonly [Style, string] = looksOn ? ['dim', 'Ctrl-C: look away'] : view.stopping ? ['yellow', 'Ctrl-C: end now'] : ['dim', 'Ctrl-C: safe stop']
  // In a narrow window the run's id gives way: how to stop is what one looks for.
  const fits = widthOf(steps + run + keys[1]) < columns
  return [[''], spans, fits ? [['dim', steps + run], keys] : [['dim', steps], keys, ['dim', `  ${run.trimEnd()}`]]]
}

/** When it is over in nine of ten cases, where that is later than expected. */
function likelyBy({ p90 }: RunView, endMs: number, { nowMs, times }: LiveLayout): string {
  const [end, by] = [endMs, p90 === undefined ? endMs : finishAtMs(p90, nowMs)].map((ms) => times.minute(new Date(ms)))
  return end === by ? '' : ` (nine in ten by ${by ?? ''})`
}

interface End {
  readonly endMs: number
  readonly likely: string
  /** What shares its line. */
  readonly besides: readonly Span[]
}

/** The zone stands where there is room for it, and how long it is to go gives way to both ends of what is expected. */
function sayEnd({ finish }: RunView, { endMs, likely, besides }: End, { nowMs, times, columns }: LiveLayout): string {
  const room = columns - 1 - besides.reduce((sum, span) => sum + widthOf(typeof span === 'string' ? span : span[1]), 0)
  const at = (ms: number): readonly [string, string] => [times.minute(new Date(ms)), ` ${times.zone(new Date(ms))}`]
  if (endMs <= nowMs) {
    const [was, zone] = at(finish?.toldMs ?? endMs)
    return fitting([`  was expected ${was}${zone}`, `  was expected ${was}`], room)
  }
  const [[end, zone], left] = [at(endMs), `, ${formatDuration(endMs - nowMs)} to go`]
  return fitting([zone + likely + left, likely + left, likely].map((rest) => `  done about ${end}${rest}`), room)
}

/** What still comes to a safe point before the run ends. */
function waitsFor({ steps }: RunView): string {
  const busy = [...steps.values()].filter(({ phase }) => phase === 'running').map(({ id }) => id)
  return busy.length === 0 ? '' : `: ${busy.length > 3 ? count(busy.length, 'step') : busy.join(', ')}`
}

/**
 * What stays on the screen of a step that is over; empty for one that is not. A failure is told whole, or in a line where `asked`
 * says that a question tells the rest.
 */
export function doneLines(step: StepView, columns: number, paint: Paint = noPaint, asked = false): string[] {
  const width = Math.max(1, columns - 1)
  const took = formatDuration(step.elapsedMs ?? (step.endedMs ?? 0) - (step.startedMs ?? step.endedMs ?? 0))
  switch (step.phase) {
    case 'verified': {
      const what = isQuestion(step) ? 'passed' : sayVerified(step.changes ?? 0, step.planned?.state === 'check')
      return [line([['green', '✓ '], step.id, `  ${took}`, ['dim', `  ${what}`]], paint, width)]
    }
    case 'skipped':
      return [line([['yellow', `- ${step.id}  skipped: ${oneLine(step.reason ?? '')}`]], paint, width)]
    case 'failed': {
      const error = step.error === undefined ? '' : sayError(step.error)
      if (asked) return [line([['red', `✗ ${step.id}  failed after ${took}: ${error}`]], paint, width)]
      const hint = step.error?.hint === undefined ? [] : wrap(step.error.hint, width - 2).map((part) => `  ${part}`)
      const alternative = step.error?.alternative
      const offer = alternative === undefined ? [] : wrap(sayOffer(alternative), width - 2).map((part) => `  ${paint('bold', part)}`)
      const said = wrap(`${step.id}  failed after ${took}: ${error}`, width - 2)
      return [...said.map((part, index) => paint('red', `${index === 0 ? '✗ ' : '  '}${part}`)), ...hint, ...offer]
    }
    case 'pending':
    case 'waiting':
    case 'running':
    case 'asking':
      return []
  }
}
