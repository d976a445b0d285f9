import type { Clock, EventOf, Listener, RunEvent } from '../contract/index.js'
import type { Paint, Style } from './color.js'
import { endOf } from './footer.js'
import { sayPlanned, sayStart } from './headline.js'
import { emptyView, foldEvent, isAgain, isQuestion, type RunView, type StepView } from './run-view.js'
import { sayStall } from './stall.js'
import { headline, summaryLines, type IncidentTime } from './summary.js'
import { count, cut, line, oneLine, pad, wrapSpans, type Span } from './text.js'
import { Ticker } from './ticker.js'
import { formatDuration, formatOffset, type LocalTimes } from './times.js'
import { countByAction, harmsOf, sayAnswer, sayAsked, sayChange, saidIn, sayError, sayFound, sayHandled, sayOffer, sayStopping, sayVerified } from './words.js'

export interface PlainOptions {
  /** Writes to people; text ends in a line break. */
  readonly say: (text: string) => void
  readonly clock: Clock
  readonly paint: Paint
  readonly times: LocalTimes
  readonly columns: number
  /** Breaks lines between words, for a window; a file or a pipe gets them whole. */
  readonly wraps?: boolean
  readonly verbose?: boolean
  /** Only what must be said: questions, failures, warnings, the outcome. */
  readonly quiet?: boolean
  /** A person is asked about failures: then the question tells what is known of them. */
  readonly asks?: boolean
  /** It only looks on: questions are another's. */
  readonly looksOn?: boolean
  readonly incident?: readonly IncidentTime[]
  /** Events of earlier lives of the run: they count, but are not told again. */
  readonly earlier?: readonly RunEvent[]
}

/** Real time between two lines of progress of one step. */
const progressMs = 10_000
/** Real time without a line after which what is running is said; looked at every second, so that no silence passes 10 s. */
const silenceMs = 9_000
/** An expected end that moves by less is no news. */
const etaStepMs = 120_000

type Level = 'said' | 'must' | 'detail'

/** Timestamped lines, one an event worth reading: for logs, pipes and terminals that can do no more. */
export class PlainRenderer {
  readonly #options: PlainOptions
  readonly #ticker: Ticker
  readonly #progressAt = new Map<string, { readonly atMs: number; readonly message: string }>()
  #view: RunView
  #date = ''
  #lastLineMs = 0
  #toldFinishMs: number | undefined
  /** Of the column of step ids, for that many steps. */
  #width = { of: 0, columns: 0 }

  constructor(options: PlainOptions) {
    this.#options = options
    this.#view = (options.earlier ?? []).reduce(foldEvent, emptyView())
    this.#ticker = new Ticker(options.clock, 1_000, () => this.#beat())
  }

  readonly listener: Listener = (event) => {
    this.#view = foldEvent(this.#view, event)
    if ('step' in event) this.#tellStep(event)
    else this.#tellRun(event)
  }

  close(): void {
    this.#ticker.stop()
  }

  #tellRun(event: Exclude<RunEvent, { step: string }>): void {
    switch (event.type) {
      // Why nothing begins is told by the command, with the plan or as an error.
      case 'stream.opened':
      case 'run.refused':
        return
      case 'run.started':
        if (this.#options.quiet !== true) this.#ticker.start()
        return this.#line(event, undefined, [['bold', sayStart(event)]])
      case 'run.planned':
        return this.#line(event, undefined, [sayPlanned(event)])
      case 'eta.updated':
        return this.#tellEta(event)
      case 'run.stopping':
        return this.#line(event, undefined, [['yellow', sayStopping(event, this.#options.looksOn)]], 'must')
      case 'survivor.found':
        return this.#line(event, undefined, [['yellow', sayFound(event)]], 'must')
      case 'survivor.handled':
        return this.#line(event, undefined, [sayHandled(event)])
      case 'run.interrupted':
        return this.#line(event, undefined, [['yellow', `stopped at a safe point after ${event.signal}`]], 'must')
      case 'notice':
        return event.level === 'warn'
          ? this.#line(event, undefined, [['yellow', `warning: ${oneLine(event.message)}`]], 'must')
          : this.#line(event, undefined, [oneLine(event.message)])
      case 'run.finished':
        this.#ticker.stop()
        return this.#tellEnd(event)
    }
  }

  #tellStep(event: Extract<RunEvent, { step: string }>): void {
    const step = this.#view.steps.get(event.step)
    switch (event.type) {
      case 'step.started':
        this.#progressAt.delete(event.step)
        return this.#line(event, event.step, [
          step !== undefined && isAgain(step) ? `started again${step.attempt > 1 ? `, attempt ${step.attempt}` : ''}` : `started (${event.uses})`,
        ])
      case 'step.waiting':
        return event.forMark === true
          ? this.#line(event, event.step, [['dim', `waits for ${event.on.join(', ')}, by which others see who is at work`]], 'detail')
          : this.#line(event, event.step, [['dim', `waits for ${event.on.join(', ')}, which holds what it needs`]])
      case 'step.progress':
        return this.#tellProgress(event)
      case 'step.intent':
        return this.#tellIntent(event)
      case 'step.checkpoint':
        return this.#tellCheckpoint(event)
      case 'step.applied':
        return this.#line(event, event.step, ['changes made, verifying'], 'detail')
      case 'step.verified':
        return this.#line(event, event.step, [
          ['green', sayVerified(event.changes, step?.planned?.state === 'check', step?.madeEarlier)],
          ` (${formatDuration(event.elapsedMs)})`,
        ])
      case 'step.retrying': {
        const when = `tries again in ${formatDuration(event.inMs)}, attempt ${event.attempt} failed: `
        return this.#line(event, event.step, [['yellow', when + sayError(event.error)]])
      }
      case 'step.failed':
        return this.#tellFailure(event)
      case 'step.skipped':
        return this.#line(event, event.step, [['yellow', `skipped by ${event.by}: ${oneLine(event.reason)}`]], 'must')
      case 'question.waiting':
        return this.#line(event, event.step, [['yellow', 'asks too, once the question that stands is answered']], 'must')
      case 'question.asked':
        if (this.#options.looksOn === true) return this.#line(event, event.step, [['yellow', `asks its operator: ${sayAsked(event.question)}`]], 'must')
        for (const text of sayQuestion(event)) this.#line(event, event.step, [['bold', text]], 'must')
        return
      case 'question.answered':
        // A skip is told by the step itself.
        if (event.answer.choice === 'skip') return
        return this.#line(event, event.step, [sayAnswer(event)])
      case 'survivor.found':
        return this.#line(event, event.step, [['yellow', sayFound(event)]], 'must')
      case 'survivor.handled':
        return this.#line(event, event.step, [sayHandled(event)])
    }
  }

  /** The harm is said again right before it is done. */
  #tellIntent(event: EventOf<'step.intent'>): void {
    this.#line(event, event.step, [`changes: ${countByAction(event.changes)}`])
    for (const change of event.changes) this.#line(event, event.step, [['dim', `  ${sayChange(change)}`]], 'detail')
    for (const harm of harmsOf(event.changes)) this.#line(event, event.step, [['yellow', `harm: ${harm}`]])
  }

  #tellCheckpoint(event: EventOf<'step.checkpoint'>): void {
    const said = saidIn(event.what)
    for (const text of said) this.#line(event, event.step, [['dim', `said: ${text}`]])
    if (said.length === 0) this.#line(event, event.step, [['dim', `accepted: ${cut(JSON.stringify(event.what), 200)}`]], 'detail')
  }

  #tellFailure(event: EventOf<'step.failed'>): void {
    const failed: Span = ['red', `failed after ${formatDuration(event.elapsedMs)}: ${sayError(event.error)}`]
    this.#line(event, event.step, [failed], 'must')
    if (this.#options.asks === true) return
    if (event.error.hint !== undefined) this.#line(event, event.step, [oneLine(event.error.hint)], 'must')
    const { alternative } = event.error
    if (alternative !== undefined) this.#line(event, event.step, [['bold', sayOffer(alternative)]], 'must')
  }

  #tellProgress(event: EventOf<'step.progress'>): void {
    const nowMs = this.#realMs()
    const last = this.#progressAt.get(event.step)
    const message = oneLine(event.message)
    if (last !== undefined && (nowMs - last.atMs < progressMs || last.message === message)) return
    this.#progressAt.set(event.step, { atMs: nowMs, message })
    this.#line(event, event.step, [['dim', `${message} (${formatDuration(event.elapsedMs)})`]])
  }

  #tellEta(event: EventOf<'eta.updated'>): void {
    const finishMs = Date.parse(event.finishAt)
    const told = this.#toldFinishMs
    if (event.remainingMs === 0 || this.#view.stopping || (told !== undefined && Math.abs(finishMs - told) < etaStepMs)) return
    this.#toldFinishMs = finishMs
    const { objectiveMs, startedMs } = this.#view
    const late = objectiveMs !== undefined && startedMs !== undefined && finishMs - startedMs > objectiveMs
    const { times } = this.#options
    const [end, by] = [event.finishAt, event.p90?.finishAt ?? event.finishAt].map((at) => times.minute(at))
    const isLeast = endOf(this.#view, Date.parse(event.t))?.kind === 'least'
    const likely = isLeast ? ' at the earliest' : end === by ? '' : ` (nine in ten by ${by ?? ''})`
    const expected = `expected to be done at ${end ?? ''}${likely}, ${isLeast ? 'at least ' : ''}${formatDuration(event.remainingMs)} to go`
    const style: Style = late ? 'yellow' : 'dim'
    const missed = late ? `; later than the objective of ${formatDuration(objectiveMs)}` : ''
    this.#line(event, undefined, [[style, expected + missed]])
  }

  #tellEnd(event: EventOf<'run.finished'>): void {
    for (const span of headline(this.#view, event).slice(0, 1)) this.#line(event, undefined, [span], 'must')
    if (this.#options.quiet === true) {
      if (event.next !== undefined) this.#line(event, undefined, [`next: ${event.next}`], 'must')
      if (event.back !== undefined) this.#line(event, undefined, [`back: ${event.back}`], 'must')
      for (const { step, command } of event.choices ?? []) this.#line(event, undefined, [`or, as ${step} offers: ${command}`], 'must')
      return
    }
    const { paint, columns, times, incident, say } = this.#options
    const given = incident === undefined ? {} : { incident }
    say(`\n${summaryLines({ view: this.#view, times, isHeaded: true, ...given }, paint, columns).join('\n')}\n`)
  }

  /** Nothing was said for a while: say what is running and what it waits for. */
  #beat(): void {
    const busy = [...this.#view.steps.values()].filter((step) => step.phase === 'running' && !isQuestion(step))
    if (busy.length === 0 || this.#view.question !== undefined || this.#realMs() - this.#lastLineMs < silenceMs) return
    const now = this.#options.clock.now()
    this.#line({ t: now.toISOString() }, undefined, [['dim', `running: ${busy.map((step) => sayBusy(step, now.getTime())).join('; ')}`]])
  }

  #line(event: { readonly t: string }, step: string | undefined, spans: readonly Span[], level: Level = 'said'): void {
    const { quiet, verbose, times, say } = this.#options
    if (level === 'detail' && verbose !== true) return
    if (quiet === true && level !== 'must') return
    this.#lastLineMs = this.#realMs()
    const startedMs = this.#view.startedMs ?? Date.parse(event.t)
    const stamp = `${times.time(event.t)} ${formatOffset(Date.parse(event.t) - startedMs)} `
    const who: readonly Span[] = step === undefined ? [] : [['cyan', pad(step, this.#idWidth())], '  ']
    say(`${this.#dateLine(event.t)}${this.#laidOut([['dim', stamp], ...who, ...spans], stamp.length).join('\n')}\n`)
  }

  #laidOut(spans: readonly Span[], indent: number): readonly string[] {
    const { wraps, columns, paint } = this.#options
    const whole = line(spans, paint)
    // A command of ours is there to be copied: what a terminal breaks by itself can be.
    if (wraps !== true || / lifeboat [a-z]/.test(whole)) return [whole]
    return wrapSpans(spans, Math.max(20, columns - 1), ' '.repeat(columns < 60 ? 2 : indent), paint)
  }

  /** The date stands once, and again when it changes. */
  #dateLine(t: string): string {
    const { times, paint } = this.#options
    const date = times.date(t)
    if (date === this.#date) return ''
    this.#date = date
    return `${paint('dim', `${date}, times are ${times.zone(t)}`)}\n`
  }

  #idWidth(): number {
    const { steps } = this.#view
    if (this.#width.of !== steps.size) {
      let longest = 0
      for (const id of steps.keys()) longest = Math.max(longest, id.length)
      this.#width = { of: steps.size, columns: Math.min(20, longest) }
    }
    return this.#width.columns
  }

  #realMs(): number {
    return this.#options.clock.realNow().getTime()
  }
}

function sayBusy(step: StepView, nowMs: number): string {
  const elapsed = step.sinceMs === undefined ? '' : ` ${formatDuration(nowMs - step.sinceMs)}`
  const stall = sayStall(step, nowMs)
  return `${step.id}${elapsed}${stall === undefined ? '' : `, ${stall}`}${step.message === undefined ? '' : ` (${oneLine(step.message)})`}`
}

/** A line for each thing that is to be done by hand. */
function sayQuestion({ question }: EventOf<'question.asked'>): readonly string[] {
  switch (question.kind) {
    case 'gate':
      return [`asks: ${oneLine(question.text)}`]
    case 'manual':
      return ['to be done by hand:', ...question.checklist.map((item) => `  - ${oneLine(item)}`)]
    case 'failure':
      return ['failed; asks what to do']
    case 'surprise':
      return [`asks: ${count(question.now.length, 'change')} where ${question.shown.length} had been shown: ${question.now.map(sayChange).join('; ')}`]
  }
}
