import type { Style } from './color.js'
import { finishAtMs, isQuestion, type RunView } from './run-view.js'
import { count, widthOf, type Span } from './text.js'
import { formatDuration, type LocalTimes } from './times.js'

export interface FooterLayout {
  readonly columns: number
  /** The run's clock. */
  readonly nowMs: number
  readonly times: LocalTimes
  /** It only looks on: Ctrl-C does not reach the run. */
  readonly looksOn?: boolean
}

/**
 * The lines below what moves: how long it has taken, when it will be over, how that lies with the objective; which run it is, and how
 * to stop it. Where there is no room whole parts are left out, what matters least first: half a number would be another one.
 */
export function footerLines(view: RunView, layout: FooterLayout): readonly (readonly Span[])[] {
  return [[''], firstFitting(timeLines(view, layout), layout.columns), firstFitting(runLines(view, layout), layout.columns)]
}

/** The first of these that leaves a column free; else the last. */
function firstFitting(lines: readonly (readonly Span[])[], columns: number): readonly Span[] {
  const width = (spans: readonly Span[]): number => spans.reduce((sum, span) => sum + widthOf(typeof span === 'string' ? span : span[1]), 0)
  return lines.find((spans) => width(spans) < columns) ?? lines.at(-1) ?? []
}

/** What is so far behind what was expected may take any time. */
const leastOverdueMs = 60_000

/** `least`: what is late, or waits for an answer, may still take any time; what comes after it is not begun. `past`: nothing does. */
interface End {
  readonly ms: number
  readonly kind: 'about' | 'least' | 'past'
}

/** Undefined where none is expected. `nowMs`: the run's clock. */
export function endOf(view: RunView, nowMs: number): End | undefined {
  const { finish } = view
  if (finish === undefined) return undefined
  const ms = finishAtMs(finish, nowMs)
  if (ms <= nowMs) return { ms: finish.toldMs, kind: 'past' }
  // Then it is decided by what is not begun, however lately it was told.
  const isOpen = nowMs + finish.atLeastMs >= finish.toldMs && isHeldUp(view, nowMs)
  return { ms, kind: isOpen || ms - finish.toldMs >= leastOverdueMs ? 'least' : 'about' }
}

/** By a question, or by a step that takes longer than it should. */
function isHeldUp({ question, steps }: RunView, nowMs: number): boolean {
  return question !== undefined || [...steps.values()].some(({ phase, sinceMs, planned }) => {
    return phase === 'running' && sinceMs !== undefined && planned !== undefined && nowMs - sinceMs >= planned.estimateMs + leastOverdueMs
  })
}

/** Fullest first. */
function timeLines(view: RunView, layout: FooterLayout): readonly (readonly Span[])[] {
  const { startedMs } = view
  const elapsed = startedMs === undefined ? 'starting' : formatDuration(layout.nowMs - startedMs)
  const first: Span = ['bold', startedMs === undefined ? elapsed : `elapsed ${elapsed}`]
  const isStopping = view.stopping || view.ending
  const end = isStopping ? undefined : endOf(view, layout.nowMs)
  const likely = end?.kind === 'about' ? likelyBy(view, end.ms, layout) : ''
  const ends: readonly Span[] = isStopping
    ? sayStopping(view).map((text): Span => ['yellow', `  ${text}`])
    : end === undefined ? [] : sayEnd(end, likely, layout).map((text): Span => `  ${text}`)
  // With both ends of the estimate before it, a window of 80 columns has no room for what the plan has said already.
  const { texts, style } = sayObjective(view, end, layout)
  const objectives = texts.slice(likely === '' ? 0 : 1).map((text): Span => [style, `  ${text}`])
  const [leastEnd, leastObjective] = [ends.at(-1), objectives.at(-1)]
  const alone = [leastEnd, leastObjective].flatMap((span) => (span === undefined ? [] : [[first, span]]))
  return [
    ...(objectives.length === 0 ? ends.map((one) => [first, one]) : []),
    ...objectives.flatMap((objective) => (ends.length === 0 ? [[first, objective]] : ends.map((one) => [first, one, objective]))),
    ...(style === 'yellow' && !isStopping ? alone.toReversed() : alone),
    [first],
    [['bold', elapsed]],
    [],
  ]
}

interface Objective {
  readonly style: Style
  /** Fullest first; none without an objective. */
  readonly texts: readonly string[]
}

/** By the end that is expected, else by now. */
function sayObjective({ objectiveMs, startedMs }: RunView, end: End | undefined, { nowMs }: FooterLayout): Objective {
  if (objectiveMs === undefined || startedMs === undefined) return { style: 'dim', texts: [] }
  const objective = `objective ${formatDuration(objectiveMs)}, `
  const expects = end !== undefined && end.kind !== 'past'
  const spareMs = objectiveMs - ((expects ? end.ms : nowMs) - startedMs)
  if (spareMs < 0) {
    const late = `late by ${end?.kind === 'least' ? 'at least ' : ''}${formatDuration(-spareMs)}`
    return { style: 'yellow', texts: [objective + late, late] }
  }
  const spare = `${formatDuration(spareMs)} to spare`
  if (end?.kind === 'about') return { style: 'dim', texts: [objective + spare, spare] }
  const left = formatDuration(objectiveMs - (nowMs - startedMs))
  return { style: 'dim', texts: [`${objective}${left} left of it`, `${left} of ${formatDuration(objectiveMs)} left`] }
}

/** When it is over in nine of ten cases, where that is later than expected. */
function likelyBy({ p90 }: RunView, endMs: number, { nowMs, times }: FooterLayout): string {
  const [end, by] = [endMs, p90 === undefined ? endMs : finishAtMs(p90, nowMs)].map((ms) => times.minute(new Date(ms)))
  return end === by ? '' : ` (nine in ten by ${by ?? ''})`
}

/** Fullest first: the zone stands where there is room for it, and how long it is to go gives way to both ends of what is expected. */
function sayEnd({ ms, kind }: End, likely: string, { nowMs, times }: FooterLayout): readonly string[] {
  const [at, zone, left] = [times.minute(new Date(ms)), ` ${times.zone(new Date(ms))}`, formatDuration(ms - nowMs)]
  switch (kind) {
    case 'past':
      return [zone, ''].map((rest) => `was expected ${at}${rest}`)
    case 'least':
      return [`${zone}, at least ${left} to go`, `, at least ${left} to go`, ''].map((rest) => `not before ${at}${rest}`)
    case 'about':
      return [...new Set([`${zone}${likely}, ${left} to go`, `${likely}, ${left} to go`, likely, ''])].map((rest) => `done about ${at}${rest}`)
  }
}

/** Fullest first: what still comes to a safe point before the run ends. */
function sayStopping({ steps }: RunView): readonly string[] {
  const busy = [...steps.values()].filter(({ phase }) => phase === 'running').map(({ id }) => id)
  if (busy.length === 0) return ['stopping']
  return [...(busy.length > 3 ? [] : [`stopping: ${busy.join(', ')}`]), `stopping: ${count(busy.length, 'step')}`, 'stopping']
}

/** The run's id is there to be copied, whole or not at all; how to stop is what one looks for. Fullest first. */
function runLines(view: RunView, { looksOn = false }: FooterLayout): readonly (readonly Span[])[] {
  const all = [...view.steps.values()].filter((step) => !isQuestion(step))
  const done = all.filter((step) => step.phase === 'verified' || step.phase === 'skipped').length
  const steps = `${done}/${all.length} steps  `
  // The runbook's name is in the id; of a subscription the beginning tells it from others.
  const where = view.mode === 'rehearsal' ? 'simulated' : `on ${view.cloud?.subscription.slice(0, 8) ?? '(unknown)'}…`
  const keys: Span = looksOn ? ['dim', 'Ctrl-C: look away'] : view.stopping ? ['yellow', 'Ctrl-C: end now'] : ['dim', 'Ctrl-C: safe stop']
  return [
    [['dim', `${steps}run ${view.run} ${where}  `], keys],
    [['dim', steps], keys, ['dim', `  run ${view.run}`]],
    [['dim', steps], keys],
    [keys],
  ]
}
