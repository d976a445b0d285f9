import { noPaint, type Paint } from './color.js'
import { footerLines, type FooterLayout } from './footer.js'
import { isAgain, isQuestion, type RunView, type StepView } from './run-view.js'
import { count, line, oneLine, pad, wrap, type Span } from './text.js'
import { sayStall } from './stall.js'
import { formatDuration } from './times.js'
import { sayError, sayOffer, sayVerified } from './words.js'

export interface LiveLayout extends FooterLayout {
  readonly rows: number
  readonly paint?: Paint
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
  const foreign: Span[][] = view.awaited.length === 0 || height === footer.length + 1 ? [] : [[['yellow', '◦ '], ['dim', view.awaited.map(({ said }) => said).join('; ')]]]
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
    if (step.phase === 'waiting' || view.waiting.includes(step.id)) held.push(step)
    else if (step.phase === 'running' || step.phase === 'asking') busy.push(step)
    else if (step.phase === 'pending') next.push(step)
  }
  return [...busy, ...held, ...next]
}

function stepSpans(step: StepView, view: RunView, width: number, nowMs: number): Span[] {
  // One that asks about what it found is running all the same.
  if (view.waiting.includes(step.id)) {
    const why = step.phase === 'failed' ? 'failed; its question comes next' : 'its question comes next'
    return [['yellow', `? ${pad(step.id, width)}  ${why}`]]
  }
  if (step.phase === 'running' || step.phase === 'asking') return busySpans(step, width, nowMs)
  if (step.phase === 'waiting') return [['yellow', '◦ '], pad(step.id, width), ['dim', `  ${oneLine(step.message ?? 'waits')}`]]
  return [['dim', `  ${pad(step.id, width)}  ${afterText(step, view)}`]]
}

function busySpans(step: StepView, width: number, nowMs: number): Span[] {
  const elapsed = step.sinceMs === undefined ? '' : formatDuration(nowMs - step.sinceMs)
  const attempt = step.attempt > 1 ? ` attempt ${step.attempt},` : ''
  const doing = step.phase === 'asking' ? 'waits for an answer' : oneLine(step.message ?? (isAgain(step) && step.attempt === 1 ? 'looking again' : 'looking'))
  const stall = sayStall(step, nowMs)
  const late: Span[] = stall === undefined ? [] : [['yellow', `${stall}; `]]
  return [['cyan', '● '], ['bold', pad(step.id, width)], `  ${pad(elapsed, 7)} `, ...late, ['dim', `${attempt} ${doing}`.trimStart()]]
}

function afterText(step: StepView, view: RunView): string {
  if (step.message === 'declined') return 'declined'
  const open = step.needs.filter((id) => {
    const phase = view.steps.get(id)?.phase
    return phase !== 'verified' && phase !== 'skipped'
  })
  return open.length === 0 ? 'next' : `after ${open.join(', ')}`
}

/**
 * What stays on the screen of a step that is over; empty for one that is not. A failure is told whole, or in a line where `asked`
 * says that a question tells the rest.
 */
export function doneLines(step: StepView, columns: number, paint: Paint = noPaint, asked = false): string[] {
  const width = Math.max(1, columns - 1)
  const took = formatDuration(step.elapsedMs ?? step.workedMs ?? 0)
  switch (step.phase) {
    case 'verified': {
      const what = isQuestion(step) ? 'passed' : sayVerified(step.changes ?? 0, step.planned?.state === 'check', step.madeEarlier)
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
