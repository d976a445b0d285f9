import type { Clock, EventOf, Listener, RunEvent } from '../contract/index.js'
import type { Paint } from './color.js'
import { sayPlanned, sayStart } from './headline.js'
import { doneLines, viewOf } from './live-view.js'
import { emptyView, foldEvent, type RunView } from './run-view.js'
import type { Room, Stage } from './stage.js'
import { summaryLines, type IncidentTime } from './summary.js'
import { wrapAdvice } from './text.js'
import { Ticker } from './ticker.js'
import type { LocalTimes } from './times.js'
import { harmsOf, saidIn, sayAnswer, sayAsked, sayFound, sayHandled, sayStopping } from './words.js'

/** Where the live view is drawn: `Stage`, or what a test has in its place. */
export type Screen = Pick<Stage, 'show' | 'redraw' | 'keep' | 'hide' | 'columns'>

export interface TtyOptions {
  readonly screen: Screen
  readonly clock: Clock
  readonly paint: Paint
  readonly times: LocalTimes
  readonly verbose?: boolean
  /** A person is asked about failures: then the question tells what is known of them. */
  readonly asks?: boolean
  /** It only looks on: Ctrl-C does not reach the run. */
  readonly looksOn?: boolean
  readonly incident?: readonly IncidentTime[]
  readonly earlier?: readonly RunEvent[]
}

/** Four times a second at most, whatever the events do. */
const drawEveryMs = 250

/**
 * The live view: steps that are done collapse to lines that stay, below them what runs now and when it will be over, and below
 * that the question that stands, if there is one: the others go on meanwhile.
 */
export class TtyRenderer {
  readonly #options: TtyOptions
  readonly #ticker: Ticker
  #view: RunView
  #kept: string[] = []

  constructor(options: TtyOptions) {
    this.#options = options
    this.#view = (options.earlier ?? []).reduce(foldEvent, emptyView())
    this.#ticker = new Ticker(options.clock, drawEveryMs, () => this.#draw())
  }

  readonly listener: Listener = (event) => {
    this.#view = foldEvent(this.#view, event)
    this.#kept.push(...this.#linesToKeep(event))
    if (event.type === 'run.started') {
      this.#options.screen.show((room) => this.#lines(room))
      this.#ticker.start()
    }
    if (event.type === 'run.finished') this.#end()
    // Before the run has begun, and after it, nothing else would draw; and a question is asked below what led to it.
    if (!this.#ticker.running || event.type === 'question.asked') this.#keepAll()
  }

  /** Leaves the screen in order; also after a failure in mid-run. */
  close(): void {
    this.#ticker.stop()
    this.#keepAll()
    this.#options.screen.hide()
  }

  #linesToKeep(event: RunEvent): string[] {
    const { screen, paint, verbose, asks, looksOn } = this.#options
    const told = (text: string): string[] => wrapAdvice(text, Math.max(10, screen.columns - 1))
    switch (event.type) {
      case 'run.started':
        return told(sayStart(event)).map((text) => paint('bold', text))
      case 'run.planned':
        return told(sayPlanned(event))
      case 'notice':
        if (event.level === 'info' && verbose !== true) return told(event.message).map((text) => paint('dim', text))
        return told(event.message).map((text) => (event.level === 'warn' ? paint('yellow', text) : text))
      case 'run.stopping':
        return told(sayStopping(event, looksOn)).map((text) => paint('yellow', text))
      case 'run.interrupted':
        return told(`Stopped at a safe point after ${event.signal}.`).map((text) => paint('yellow', text))
      case 'survivor.handled':
        return told(sayHandled(event))
      case 'survivor.found':
        return told(sayFound(event)).map((text) => paint('yellow', text))
      case 'step.intent':
        return harmsOf(event.changes).flatMap((harm) => told(`! ${event.step}: ${harm}`).map((text) => paint('yellow', text)))
      case 'step.checkpoint':
        return saidIn(event.what).flatMap((said) => told(`  ${event.step}: ${said}`).map((text) => paint('dim', text)))
      case 'step.verified':
      case 'step.failed':
      case 'step.skipped': {
        const step = this.#view.steps.get(event.step)
        return step === undefined ? [] : doneLines(step, screen.columns, paint, asks)
      }
      case 'question.asked':
        // Where it is asked, it stands below the view.
        return looksOn === true ? told(`${event.step} asks its operator: ${sayAsked(event.question)}`).map((text) => paint('yellow', text)) : []
      case 'question.answered':
        return answerLines(event, told, paint)
      default:
        return []
    }
  }

  #draw(): void {
    this.#keepAll()
    this.#options.screen.redraw()
  }

  #lines({ columns, rows }: Room): readonly string[] {
    const { clock, paint, times, looksOn = false } = this.#options
    return viewOf(this.#view, { columns, rows, nowMs: clock.now().getTime(), times, paint, looksOn })
  }

  #keepAll(): void {
    if (this.#kept.length === 0) return
    const text = `${this.#kept.join('\n')}\n`
    this.#kept = []
    this.#options.screen.keep(text)
  }

  #end(): void {
    this.#ticker.stop()
    this.#keepAll()
    const { screen, paint, times, incident } = this.#options
    screen.hide()
    const given = incident === undefined ? {} : { incident }
    const lines = summaryLines({ view: this.#view, times, ...given }, paint, Math.max(20, screen.columns - 1))
    screen.keep(`\n${lines.join('\n')}\n`)
  }
}

/** What was decided; a step that is skipped says so itself. */
function answerLines(event: EventOf<'question.answered'>, told: (text: string) => string[], paint: Paint): string[] {
  const { step, kind, answer } = event
  if (answer.choice === 'skip') return []
  const said = `${step}  ${sayAnswer(event)}`
  if (answer.choice === 'stop') return told(`- ${said}`).map((text) => paint('yellow', text))
  return kind === 'gate' || kind === 'manual' ? told(`✓ ${said}`).map((text) => paint('green', text)) : told(`· ${said}`)
}
