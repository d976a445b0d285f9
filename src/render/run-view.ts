import type { CloudFacts, ErrorFacts, EventOf, Expected, Mode, PlanFacts, PlannedStep, Question, RunEvent } from '../contract/index.js'
import { sayAwaited, sayMaking } from './words.js'

export type Phase = 'pending' | 'waiting' | 'running' | 'asking' | 'verified' | 'failed' | 'skipped'

/** One step as it is shown. Times are milliseconds of the run's clock since the epoch. */
export interface StepView {
  readonly id: string
  readonly uses: string
  readonly needs: readonly string[]
  readonly phase: Phase
  /** Which try of it was begun last: one more than had failed before. A life that only goes on with it is no other try. */
  readonly attempt: number
  readonly failures?: number
  /** An earlier life had begun it and not ended it, and this one has not come to it yet. Tells only of one that is pending or waits. */
  readonly isLeftOpen?: boolean
  /** How far this life is with what it changes there. */
  readonly made?: Made
  /** How far earlier lives were. */
  readonly madeEarlier?: Made
  readonly planned?: PlannedStep
  /** When it was begun for the first time. */
  readonly startedMs?: number
  /** When the life that tells this began with it. */
  readonly sinceMs?: number
  /** When it was verified (the first time, if a resume only looked again), skipped, or answered. */
  readonly endedMs?: number
  /** How long earlier lives were at it. */
  readonly earlierMs?: number
  /** How long all of them were at it up to that end: what lies between two lives was nobody's work. */
  readonly workedMs?: number
  /** When it was last heard of: it was started, or has told something. */
  readonly heardMs?: number
  /** What it waits for, in its own words. */
  readonly message?: string
  /** What of earlier lives is ended or waited for before it begins. */
  readonly awaited?: readonly Awaited[]
  /** Changes made by the life that verified it last, as `elapsedMs` is its time; only once verified. */
  readonly changes?: number
  readonly elapsedMs?: number
  readonly error?: ErrorFacts
  readonly reason?: string
}

/** `begun`: changes were meant to be made; `done`: they were. */
export type Made = 'begun' | 'done'

/** A process that outlived whoever started it. */
interface Awaited {
  readonly pid: number
  readonly said: string
}

/** An expected end: as it was told last, and what is left of it whenever it is looked at. */
interface Finish {
  readonly toldMs: number
  readonly atLeastMs: number
}

/** When it is to be over, seen from now: while a question waits, or a step takes longer than it usually does, the end moves away. */
export function finishAtMs({ toldMs, atLeastMs }: Finish, nowMs: number): number {
  return Math.max(toldMs, nowMs + atLeastMs)
}

/** All that the renderers know of a run: a fold of its events. Its map of steps belongs to the fold, which changes it in place. */
export interface RunView {
  readonly run: string
  readonly runbook: string
  readonly mode: Mode
  readonly resumed: boolean
  readonly cloud?: CloudFacts
  readonly objectiveMs?: number
  /** When its present life began. */
  readonly lifeAt?: string
  /** When anything was told of it last. */
  readonly lastMs?: number
  /** What lies between its lives, all in all: from the last that was told of one to the start of the next. */
  readonly betweenMs?: number
  /** The run that this one puts back. */
  readonly undoes?: string
  /** The earliest moment known of this run: its start, unless it was resumed and its earlier events were not told. */
  readonly startedMs?: number
  readonly plan?: PlanFacts
  readonly steps: Map<string, StepView>
  readonly finish?: Finish
  /** In nine of ten cases no later; once there is history. */
  readonly p90?: Finish
  readonly question?: Question
  /** Steps whose questions wait behind the one that stands, in order. */
  readonly waiting: readonly string[]
  /** What of another run is ended or waited for before any step begins. */
  readonly awaited: readonly Awaited[]
  /** The operator has asked for a safe point. */
  readonly stopping: boolean
  /** The operator has answered that it is to stop: nothing new begins, and what is under way comes to its end. */
  readonly ending: boolean
  readonly finished?: EventOf<'run.finished'>
}

export function emptyView(): RunView {
  return { run: '', runbook: '', mode: 'run', resumed: false, awaited: [], waiting: [], stopping: false, ending: false, steps: new Map() }
}

/**
 * The view after an event; the one before must not be used any more, since copying thousands of steps for each of their events
 * would make long runs slow. An event of a step that was never announced adds the step.
 */
export function foldEvent(view: RunView, event: RunEvent): RunView {
  const atMs = Date.parse(event.t)
  // Before the start there are only the stream's opening and notices, and those do not start the clock.
  if (event.type === 'stream.opened' || event.type === 'notice' || event.type === 'run.refused') return view
  const known = view.startedMs === undefined ? { ...view, run: event.run, startedMs: atMs } : view
  return { ...('step' in event ? foldStep(known, event, atMs) : foldRun(known, event)), lastMs: Math.max(atMs, known.lastMs ?? atMs) }
}

type StepEvent = Extract<RunEvent, { step: string }>

/** Tells something of a run that has begun, and of no step. */
type OwnEvent = Exclude<RunEvent, StepEvent | { type: 'stream.opened' | 'notice' | 'run.refused' }>

function foldRun(view: RunView, event: OwnEvent): RunView {
  switch (event.type) {
    case 'run.started':
      return started(view, event)
    case 'run.planned': {
      const steps = new Map(view.steps)
      for (const planned of event.steps) steps.set(planned.id, { ...(steps.get(planned.id) ?? blank(planned)), planned })
      const { firstHarm, pointOfNoReturn, criticalPath, totalMs } = event
      return { ...view, steps, plan: { firstHarm, pointOfNoReturn, criticalPath, totalMs } }
    }
    case 'eta.updated': {
      const finish = ({ finishAt, atLeastMs }: Expected): Finish => ({ toldMs: Date.parse(finishAt), atLeastMs })
      return { ...view, finish: finish(event), ...(event.p90 === undefined ? {} : { p90: finish(event.p90) }) }
    }
    case 'run.finished': {
      // It counts from the very first start, so it knows better than what was seen of a resumed run.
      const startedMs = Date.parse(event.t) - event.elapsedMs
      return { ...withoutQuestion(view), finished: event, startedMs }
    }
    case 'run.stopping':
      return stopping(view)
    case 'survivor.found':
      return { ...view, awaited: withFound(view.awaited, event) }
    case 'survivor.handled':
      return { ...view, awaited: withoutHandled(view.awaited, event) }
    case 'run.interrupted':
      return view
  }
}

function started(view: RunView, event: EventOf<'run.started'>): RunView {
  const { t, run, runbook, mode, resumed, cloud, objectiveMs, undoes } = event
  // Told a second time, to somebody who has come late: what it has done since stays done.
  if (view.lifeAt === t && view.resumed === resumed) return view
  const steps = new Map<string, StepView>()
  const before = (step: StepView): StepView => (resumed ? anew(step, view.lastMs ?? Date.parse(t)) : step)
  for (const step of event.steps) {
    const known = before(view.steps.get(step.id) ?? blank(step))
    const needs = resumed ? [...new Set([...overNeeds(known, view), ...step.needs])] : step.needs
    steps.set(step.id, { ...known, uses: step.uses, needs })
  }
  for (const [id, step] of view.steps) {
    if (steps.has(id)) continue
    // Left out of this life's course: nothing of it is still to be come to.
    const { isLeftOpen: _left, ...rest } = before(step)
    steps.set(id, rest)
  }
  const known = { ...(objectiveMs === undefined ? {} : { objectiveMs }), ...(undoes === undefined ? {} : { undoes }) }
  const gapMs = resumed ? Math.max(0, Date.parse(t) - (view.lastMs ?? Infinity)) : 0
  const life = { lifeAt: t, betweenMs: (view.betweenMs ?? 0) + gapMs, run, runbook, mode, resumed, cloud, steps }
  return { ...withoutQuestion(view), ...life, awaited: [], waiting: [], stopping: false, ending: false, ...known }
}

/** Of what it needed in earlier lives, what is over: the course of an undo that is gone on with leaves out what is back. */
function overNeeds({ needs }: StepView, { steps }: RunView): readonly string[] {
  return needs.filter((id) => ['verified', 'skipped'].includes(steps.get(id)?.phase ?? ''))
}

/** What an earlier life had under way is not under way in this one until it says so, and the time between was nobody's work. */
function anew(step: StepView, lastMs: number): StepView {
  const { sinceMs: _since, heardMs: _heard, message: _message, awaited: _awaited, made, madeEarlier, isLeftOpen: _left, ...rest } = step
  const isOver = step.phase === 'verified' || step.phase === 'skipped' || step.phase === 'failed'
  const earlier = [made, madeEarlier].includes('done') ? 'done' : (made ?? madeEarlier)
  return {
    ...rest,
    ...(isOver ? {} : { phase: 'pending' as const }),
    ...(isBegun(step) ? { isLeftOpen: true } : {}),
    ...(earlier === undefined ? {} : { madeEarlier: earlier }),
    earlierMs: earlierMs(step, lastMs),
  }
}

/** Was it begun, by this life or an earlier one, and has it not come to its end? One that waits for a claim is not. */
export function isBegun({ phase, isLeftOpen, awaited = [] }: StepView): boolean {
  if (phase === 'pending' || phase === 'waiting') return isLeftOpen === true || awaited.length > 0
  return phase === 'running' || phase === 'asking'
}

function earlierMs(step: StepView, lastMs: number): number {
  if (step.endedMs !== undefined) return step.workedMs ?? 0
  // What came after its failure was others' work.
  return step.phase === 'failed' ? (step.earlierMs ?? 0) + (step.elapsedMs ?? 0) : atItMs(step, lastMs)
}

/** How long all lives were at it, up to then. */
export function atItMs({ earlierMs = 0, sinceMs }: Pick<StepView, 'earlierMs' | 'sinceMs'>, untilMs: number): number {
  return earlierMs + (sinceMs === undefined ? 0 : Math.max(0, untilMs - sinceMs))
}

function over(step: StepView, atMs: number): Pick<StepView, 'endedMs' | 'workedMs'> {
  return { endedMs: atMs, workedMs: atItMs(step, atMs) }
}

function foldStep(view: RunView, event: StepEvent, atMs: number): RunView {
  const known = view.steps.get(event.step)
  // Journals of older versions tell another run's child as one of a step that there is not.
  if (known === undefined && event.type === 'survivor.handled') return view
  const before = known ?? blank({ id: event.step, uses: '', needs: [] })
  // Journal and log are two files: to one who follows, the queue may be told after the question itself.
  if (event.type === 'question.waiting' && before.phase === 'asking') return view
  view.steps.set(event.step, heard(nextStep(before, event, atMs), event, atMs))
  if (event.type === 'question.waiting') return { ...view, waiting: [...view.waiting, event.step] }
  if (event.type === 'question.asked') return { ...view, question: event.question, waiting: view.waiting.filter((id) => id !== event.step) }
  if (event.type !== 'question.answered') return view
  return { ...withoutQuestion(view), ending: view.ending || event.answer.choice === 'stop' }
}

const tellings: ReadonlySet<StepEvent['type']> = new Set([
  'step.started',
  'step.progress',
  'step.intent',
  'step.checkpoint',
  'step.applied',
  'step.retrying',
])

function heard(step: StepView, { type }: StepEvent, atMs: number): StepView {
  return tellings.has(type) ? { ...step, heardMs: atMs } : step
}

function nextStep(step: StepView, event: StepEvent, atMs: number): StepView {
  switch (event.type) {
    case 'step.started': {
      const { error: _error, message: _message, endedMs, ...rest } = step
      // One that was skipped or failed has not come to its end after all.
      const ended = step.phase === 'skipped' || step.phase === 'failed' || endedMs === undefined ? {} : { endedMs }
      return { ...rest, ...ended, phase: 'running', uses: event.uses, attempt: 1 + (step.failures ?? 0), ...begun(step, atMs) }
    }
    case 'step.waiting':
      return { ...step, phase: 'waiting', message: `waits for ${event.on.join(', ')}` }
    case 'step.progress':
      return { ...step, message: event.message, ...begun(step, atMs - event.elapsedMs) }
    case 'step.intent': {
      const { endedMs: _ended, ...rest } = step
      return { ...rest, made: 'begun', message: sayMaking(event.changes) }
    }
    case 'step.applied':
      return { ...step, made: 'done', message: 'changes made, verifying' }
    case 'step.verified': {
      const { changes, elapsedMs } = event
      const made = changes > 0 ? { made: 'done' as const } : {}
      return { ...step, ...made, phase: 'verified', ...(step.endedMs === undefined ? over(step, atMs) : {}), changes, elapsedMs }
    }
    case 'step.retrying':
      return { ...step, message: `tries again: ${event.error.message}` }
    case 'step.failed':
      return { ...step, phase: 'failed', failures: 1 + (step.failures ?? 0), error: event.error, elapsedMs: event.elapsedMs }
    case 'step.skipped':
      return { ...step, phase: 'skipped', reason: event.reason, ...over(step, atMs) }
    case 'question.asked':
      return { ...step, phase: 'asking', ...begun(step, atMs) }
    case 'question.answered':
      return answered(step, event, atMs)
    case 'survivor.found':
      return waitingFor(step, withFound(step.awaited, event))
    case 'survivor.handled':
      return step.phase === 'waiting' ? waitingFor(step, withoutHandled(step.awaited, event)) : step
    case 'question.waiting':
    case 'step.checkpoint':
      return step
  }
}

function begun({ startedMs, sinceMs }: StepView, atMs: number): Pick<StepView, 'startedMs' | 'sinceMs'> {
  return { startedMs: startedMs ?? atMs, sinceMs: sinceMs ?? atMs }
}

/** Was it at work before, in an earlier life or in a try that failed? */
export function isAgain({ startedMs = Infinity, sinceMs = Infinity, attempt }: StepView): boolean {
  return attempt > 1 || startedMs < sinceMs
}

/** A gate is over with its answer; the answer to a failure or a surprise is followed by events of the step itself. */
function answered(step: StepView, event: EventOf<'question.answered'>, atMs: number): StepView {
  const stopped = event.answer.choice === 'stop'
  if (event.kind === 'gate' || event.kind === 'manual') {
    return stopped ? { ...step, phase: 'pending', message: 'declined' } : { ...step, phase: 'verified', ...over(step, atMs) }
  }
  return { ...step, phase: stopped && event.kind === 'failure' ? 'failed' : 'running' }
}

/** Questions are withdrawn: nobody has to answer any more. */
function stopping(view: RunView): RunView {
  const { question } = view
  const asking = question === undefined ? undefined : view.steps.get(question.step)
  if (asking?.phase === 'asking') view.steps.set(asking.id, { ...asking, phase: question?.kind === 'failure' ? 'failed' : 'pending' })
  return { ...withoutQuestion(view), stopping: true, waiting: [] }
}

function withoutQuestion(view: RunView): RunView {
  const { question: _question, ...rest } = view
  return rest
}

function withFound(awaited: readonly Awaited[] = [], event: EventOf<'survivor.found'>): readonly Awaited[] {
  return [...awaited, { pid: event.pid, said: sayAwaited(event) }]
}

function withoutHandled(awaited: readonly Awaited[] = [], { pid }: EventOf<'survivor.handled'>): readonly Awaited[] {
  return awaited.filter((one) => one.pid !== pid)
}

function waitingFor(step: StepView, awaited: readonly Awaited[]): StepView {
  const { message: _message, ...rest } = step
  if (awaited.length === 0) return { ...rest, awaited, phase: 'pending' }
  return { ...rest, awaited, phase: 'waiting', message: awaited.map(({ said }) => said).join('; ') }
}

function blank(step: Pick<StepView, 'id' | 'uses' | 'needs'>): StepView {
  return { id: step.id, uses: step.uses, needs: step.needs, phase: 'pending', attempt: 0 }
}

/** Gates and manual steps ask; they do no work of their own. */
export function isQuestion(step: Pick<StepView, 'uses'>): boolean {
  return step.uses === 'gate' || step.uses === 'manual'
}

/**
 * The path that decided when the run was over: back from the step that ended last, always to the need that ended last.
 * Ids, first to last.
 */
export function actualCriticalPath(view: RunView): string[] {
  const endOf = (id: string): number => view.steps.get(id)?.endedMs ?? -Infinity
  const latest = (ids: readonly string[]): string | undefined =>
    ids.reduce<string | undefined>((last, id) => (last === undefined || endOf(id) > endOf(last) ? id : last), undefined)
  const path: string[] = []
  let at = latest([...view.steps.keys()])
  while (at !== undefined && Number.isFinite(endOf(at)) && !path.includes(at)) {
    path.unshift(at)
    at = latest(view.steps.get(at)?.needs ?? [])
  }
  return path
}
