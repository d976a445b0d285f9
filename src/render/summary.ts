import type { EventOf } from '../contract/index.js'
import { noPaint, type Paint, type Style } from './color.js'
import { actualCriticalPath, isBegun, isQuestion, type RunView, type StepView } from './run-view.js'
import { count, cut, line, oneLine, pad, widthOf, wrap, type Span } from './text.js'
import { formatDuration, type LocalTimes } from './times.js'
import { outcomes, sayError } from './words.js'

/** One moment of the incident that the runbook automates, to be shown beside the same moment of the run. */
export interface IncidentTime {
  /** `cluster ready`. */
  readonly what: string
  /** The step whose verification is the same moment. */
  readonly step: string
  /** After the decision, in milliseconds. */
  readonly afterMs: number
}

export interface SummaryInput {
  readonly view: RunView
  readonly times: LocalTimes
  readonly incident?: readonly IncidentTime[]
  /** What came of it stands above already. */
  readonly isHeaded?: boolean
}

/** The end of a run, in lines: what came of it, how long it took and why, what to look at, and what to do next. */
export function summaryLines(input: SummaryInput, paint: Paint = noPaint, columns = 100): string[] {
  const { view, incident, isHeaded = false } = input
  const { finished } = view
  if (finished === undefined) return []
  const say = (...spans: Span[]): string => line(spans, paint, columns)
  const paragraphs = [
    headline(view, finished).slice(isHeaded ? 1 : 0).flatMap((spans) => wrapped(spans, paint, columns)),
    failures(view).flatMap((spans) => wrapped(spans, paint, columns)),
    pathLines(view, finished).flatMap((text) => wrap(text, columns)),
    incident === undefined || finished.outcome !== 'succeeded' || view.undoes !== undefined ? [] : incidentLines(view, incident, say),
    remarkLines(finished, columns),
    nextLines(finished, say, columns),
  ]
  return paragraphs.filter((lines) => lines.length > 0).flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))
}

/** Texts longer than a line are broken here; one style holds for all of it. */
function wrapped([style, text]: readonly [Style, string], paint: Paint, columns: number): string[] {
  return wrap(text, columns).map((part) => paint(style, part))
}

/** A run that is gone on with at once has no gap worth a word. */
const leastBetweenMs = 60_000

/** What came of it and how long that took, first of all in a sentence. */
export function headline(view: RunView, finished: EventOf<'run.finished'>): (readonly [Style, string])[] {
  // A run against a world has the world's clock too: only where both agree is it real time.
  const isReal = Math.abs(finished.elapsedMs - finished.wallMs) < 0.1 * finished.wallMs + 2000
  const clock = view.mode === 'rehearsal' ? "the world's clock" : isReal ? 'real time' : "the cloud's clock"
  // What was checked before anything was taken from anybody says nothing of when it was given back.
  const harmedMs = view.steps.get(view.plan?.firstHarm ?? '')?.endedMs ?? 0
  const passed = [...view.steps.values()].filter((step) => step.planned?.state === 'check' && (step.endedMs ?? -1) > harmedMs)
  const lastCheck = passed.sort((a, b) => (b.endedMs ?? 0) - (a.endedMs ?? 0))[0]
  const style = finished.outcome === 'succeeded' ? 'green' : 'red'
  const name = `${nameOf(view)} ${outcomes[finished.outcome]}`
  const took =
    finished.outcome === 'succeeded' && lastCheck?.endedMs !== undefined && view.startedMs !== undefined
      ? `: ${formatDuration(lastCheck.endedMs - view.startedMs)} from decision to the last check (${lastCheck.id}), in ${clock}.`
      : ` after ${formatDuration(finished.elapsedMs)}, in ${clock}.`
  const lines: (readonly [Style, string])[] = [[style, name + took]]
  const { betweenMs = 0 } = view
  if (betweenMs >= leastBetweenMs) lines.push(['dim', `${formatDuration(betweenMs)} of it lie between its lives, from the last word of one to the start of the next.`])
  if (view.mode === 'rehearsal') lines.push(['dim', `It took ${formatDuration(finished.wallMs)} of real time. Nothing real was touched.`])
  else if (!isReal) lines.push(['dim', `It took ${formatDuration(finished.wallMs)} of real time.`])
  const { objectiveMs } = view
  if (finished.outcome === 'succeeded' && objectiveMs !== undefined) {
    const spare = objectiveMs - finished.elapsedMs
    lines.push(
      spare >= 0
        ? ['dim', `The objective of ${formatDuration(objectiveMs)} is met with ${formatDuration(spare)} to spare.`]
        : ['yellow', `The objective of ${formatDuration(objectiveMs)} is missed by ${formatDuration(-spare)}.`],
    )
  }
  return lines
}

function nameOf({ undoes, mode, runbook }: RunView): string {
  if (undoes !== undefined) return `Undo of ${oneLine(undoes)}${mode === 'rehearsal' ? ', a rehearsal,' : ''}`
  return `${mode === 'rehearsal' ? 'Rehearsal of ' : ''}${runbook}`
}

function failures(view: RunView): (readonly [Style, string])[] {
  if (view.finished?.outcome === 'succeeded') return skippedLines(view)
  const steps = [...view.steps.values()]
  const failed = steps.filter((step) => step.phase === 'failed')
  const lines = failed.flatMap((step): (readonly [Style, string])[] => {
    if (step.error === undefined) return [['red', `${step.id} failed.`]]
    const { hint } = step.error
    return [['red', `${step.id} failed: ${sayError(step.error)}`], ...(hint === undefined ? [] : [['bold', oneLine(hint)] as const])]
  })
  const work = steps.filter((step) => !isQuestion(step))
  const done = work.filter((step) => step.phase === 'verified')
  const open = work.filter(isBegun)
  const skipped = work.filter((step) => step.phase === 'skipped')
  const besides = skipped.length === 0 ? '' : `, ${skipped.length} skipped`
  lines.push(['dim', `${done.length} of ${count(work.length, 'step')} are verified${besides}.`])
  if (open.length > 0) lines.push(['dim', `Begun and not finished: ${open.map(sayOpen).join(', ')}.`])
  for (const { pid } of view.awaited) lines.push(['dim', `Of another run pid ${pid} is still at work.`])
  return [...lines, ...skippedLines(view)]
}

/** What was still waited for goes on without us. */
function sayOpen({ id, awaited = [] }: StepView): string {
  return awaited.length === 0 ? id : `${id} (${awaited.map(({ pid }) => `pid ${pid} is still at work`).join(', ')})`
}

/** A run that succeeded with a skipped step must not look like one that did everything. */
function skippedLines(view: RunView): (readonly [Style, string])[] {
  const skipped = [...view.steps.values()].filter((step) => step.phase === 'skipped')
  const what = view.undoes === undefined ? 'was skipped' : 'stays as it is'
  return skipped.map((step) => ['yellow', `${step.id} ${what}: ${oneLine(step.reason ?? 'no reason given')}`] as const)
}

function pathLines(view: RunView, finished: EventOf<'run.finished'>): string[] {
  if (finished.outcome !== 'succeeded') return []
  const steps = actualCriticalPath(view).flatMap((id) => view.steps.get(id) ?? [])
  const said = steps.flatMap(({ id, workedMs = 0 }) => (workedMs < 1000 ? [] : [`${id} ${formatDuration(workedMs)}`]))
  const lines = said.length === 0 ? [] : [`Critical path: ${said.join(' → ')}.`]
  if (finished.criticalPathMs !== undefined) {
    lines.push(`The world's own operations along the longest path take ${formatDuration(finished.criticalPathMs)}.`)
  }
  return lines
}

function incidentLines(view: RunView, incident: readonly IncidentTime[], say: (...spans: Span[]) => string): string[] {
  const rows = incident.map(({ what, step, afterMs }) => {
    const endedMs = view.steps.get(step)?.endedMs
    const reached = endedMs === undefined || view.startedMs === undefined ? 'not reached' : formatDuration(endedMs - view.startedMs)
    return [oneLine(what), formatDuration(afterMs), reached] as const
  })
  if (rows.length === 0) return []
  const title = ['after the decision', 'that day', view.mode === 'rehearsal' ? 'rehearsed' : 'this run'] as const
  const width = (column: 0 | 1): number => Math.max(...[title, ...rows].map((row) => widthOf(row[column])))
  const [first, second] = [width(0), width(1)]
  const row = ([what, then, now]: readonly [string, string, string]): [string, string, string] => [
    `  ${pad(what, first)}`,
    `  ${pad(then, second)}`,
    `  ${now}`,
  ]
  return [say(['bold', row(title).join('')]), ...rows.map((one) => say(...row(one)))]
}

function remarkLines({ remarks }: EventOf<'run.finished'>, columns: number): string[] {
  if (remarks === undefined || remarks.length === 0) return []
  const bullets = remarks.flatMap((remark) =>
    wrap(remark, columns - 4).map((part, index) => (index === 0 ? `  - ${part}` : `    ${part}`)),
  )
  return [...wrap('Seen on the way, worth knowing:', columns), ...bullets]
}

/** The command that goes on is never cut: it is there to be copied. */
function nextLines({ next, back, choices, outcome }: EventOf<'run.finished'>, say: (...spans: Span[]) => string, columns: number): string[] {
  if (next === undefined || outcome === 'succeeded') return []
  const wayBack = back === undefined ? [] : [...wrap('Or to put back what it has changed, as far as that can be:', columns), `  ${cut(oneLine(back), 1000)}`]
  const others = (choices ?? []).flatMap(({ step, offer, command }) => [
    ...wrap(`Or, as ${step} offers: ${oneLine(offer)}`, columns),
    `  ${cut(oneLine(command), 1000)}`,
  ])
  return [say(['bold', 'To go on:']), `  ${cut(oneLine(next), 1000)}`, ...wayBack, ...others]
}
