import type { Clock, Listener, RunEvent } from '../contract/index.js'
import type { Paint } from './color.js'
import { sayPlanned, sayStart } from './headline.js'
import { doneLines, viewOf } from './live-view.js'
import { emptyView, foldEvent, type RunView } from './run-view.js'
import { summaryLines, type IncidentTime } from './summary.js'
import { oneLine, wrap } from './text.js'
import { Ticker } from './ticker.js'
import type { LocalTimes } from './times.js'
import { harmsOf, saidIn } from './words.js'

/** A screen that can redraw its last lines: log-update's shape, so that tests need no terminal. */
export interface Screen {
  /** Replaces the moving part. */
  draw(text: string): void
  /** Takes the moving part away. */
  clear(): void
  /** Writes lines that stay, above the moving part; only while that is away. */
  keep(text: string): void
  readonly columns: number
  readonly rows: number
}

export interface TtyOptions {
  readonly screen: Screen
  readonly clock: Clock
  readonly paint: Paint
  readonly times: LocalTimes
  readonly verbose?: boolean
  readonly incident?: readonly IncidentTime[]
  readonly earlier?: readonly RunEvent[]
}

/** Four times a second at most, whatever the events do. */
const drawEveryMs = 250

/**
 * The live view: steps that are done collapse to lines that stay, below them what runs now and when it will be over. It
 * stands aside while a question is asked, and says then what happened meanwhile.
 */
export class TtyRenderer {
  readonly #options: TtyOptions
  readonly #ticker: Ticker
  #view: RunView
  #kept: string[] = []
  #asking = false
  #drawn = ''

  constructor(options: TtyOptions) {
    this.#options = options
    this.#view = (options.earlier ?? []).reduce(foldEvent, emptyView())
    this.#ticker = new Ticker(options.clock, drawEveryMs, () => this.#draw())
  }

  readonly listener: Listener = (event) => {
    this.#view = foldEvent(this.#view, event)
    this.#kept.push(...this.#linesToKeep(event))
    switch (event.type) {
      case 'run.started':
        this.#ticker.start()
        break
      case 'question.asked':
        this.#standAside()
        break
      case 'question.answered':
        this.#asking = false
        break
      case 'notice':
        // Before the run has begun, and after it, nothing else would draw.
        if (!this.#ticker.running) this.#keepAll()
        break
      case 'run.finished':
        this.#end()
        break
      default:
    }
  }

  /** Leaves the screen in order; also after a failure in mid-run. */
  close(): void {
    this.#ticker.stop()
    this.#asking = false
    this.#standAside()
  }

  #linesToKeep(event: RunEvent): string[] {
    const { screen, paint, verbose } = this.#options
    const told = (text: string): string[] => wrap(text, Math.max(10, screen.columns - 1))
    switch (event.type) {
      case 'run.started':
        return told(sayStart(event)).map((text) => paint('bold', text))
      case 'run.planned':
        return told(sayPlanned(event))
      case 'notice':
        if (event.level === 'info' && verbose !== true) return told(event.message).map((text) => paint('dim', text))
        return told(event.message).map((text) => (event.level === 'warn' ? paint('yellow', text) : text))
      case 'run.interrupted':
        return told(`Stopped at a safe point after ${event.signal}.`).map((text) => paint('yellow', text))
      case 'survivor.handled':
        return told(`${oneLine(event.command)} of an earlier life of this run: ${event.how}`)
      case 'step.intent':
        return harmsOf(event.changes).flatMap((harm) => told(`! ${event.step}: ${harm}`).map((text) => paint('yellow', text)))
      case 'step.checkpoint':
        return saidIn(event.what).flatMap((said) => told(`  ${event.step}: ${said}`).map((text) => paint('dim', text)))
      case 'step.verified':
      case 'step.failed':
      case 'step.skipped':
      case 'question.answered': {
        const step = this.#view.steps.get(event.step)
        if (event.type === 'question.answered' && event.answer.choice === 'stop') {
          return told(`${event.step}: stopped by ${event.answer.by}`).map((text) => paint('yellow', text))
        }
        return step === undefined ? [] : doneLines(step, screen.columns, paint)
      }
      default:
        return []
    }
  }

  #draw(): void {
    const { screen, clock, paint, times } = this.#options
    if (this.#asking) return
    const layout = { columns: screen.columns, rows: screen.rows, nowMs: clock.now().getTime(), times, paint }
    const text = viewOf(this.#view, layout).join('\n')
    if (this.#kept.length === 0 && text === this.#drawn) return
    this.#keepAll()
    screen.draw(text)
    this.#drawn = text
  }

  #keepAll(): void {
    if (this.#kept.length === 0) return
    const text = `${this.#kept.join('\n')}\n`
    this.#kept = []
    this.#options.screen.clear()
    this.#options.screen.keep(text)
  }

  #standAside(): void {
    this.#keepAll()
    this.#options.screen.clear()
    this.#drawn = ''
    this.#asking = true
  }

  #end(): void {
    this.#ticker.stop()
    this.#asking = false
    this.#standAside()
    const { screen, paint, times, incident } = this.#options
    const given = incident === undefined ? {} : { incident }
    const lines = summaryLines({ view: this.#view, times, ...given }, paint, Math.max(20, screen.columns - 1))
    screen.keep(`\n${lines.join('\n')}\n`)
  }
}
