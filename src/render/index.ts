import type { Clock, Listener, RunEvent } from '../contract/index.js'
import { isSet, paint, type ColorWishes } from './color.js'
import { jsonListener } from './json.js'
import type { Output } from './output.js'
import { PlainRenderer } from './plain.js'
import { emptyView, foldEvent, type RunView } from './run-view.js'
import type { Stage } from './stage.js'
import type { IncidentTime } from './summary.js'
import { oneLine } from './text.js'
import { LocalTimes } from './times.js'
import { TtyRenderer } from './tty.js'

export type RendererKind = 'json' | 'plain' | 'tty' | 'quiet'

export interface RendererOptions {
  readonly kind: RendererKind
  readonly output: Output
  /** What moves at the bottom of the terminal; nothing does without one. */
  readonly stage: Stage
  /** The run's clock; its real time paces what is drawn. */
  readonly clock: Clock
  /** Colours on standard error: see `colorsWanted`. */
  readonly color: boolean
  readonly verbose?: boolean
  /** A person is asked about failures: then the question tells what is known of them. */
  readonly asks?: boolean
  /** It only looks on: Ctrl-C does not reach the run. */
  readonly looksOn?: boolean
  /** The incident's own times, for the table at the end. */
  readonly incident?: readonly IncidentTime[]
  /** What earlier lives of a resumed run told: it counts for elapsed times and for the summary, and is not told again. */
  readonly earlier?: readonly RunEvent[]
  readonly timeZone?: string
}

export interface Renderer {
  /** Never throws: a defect of the display must not stop a failover. */
  readonly listener: Listener
  /**
   * Says something that no event says (a signal has come, a lock was taken over). Whoever writes beside a live view
   * instead of this garbles it. In the JSON stream it is an event of type `notice`.
   */
  note(level: 'info' | 'warn', message: string): void
  /** The first signal has come. */
  stopping(signal: string): void
  /** What is known of the run. */
  readonly view: () => RunView
  /** Leaves the terminal in order and ends all timers. Call it however the run ended. */
  close(): void
}

export interface KindWishes extends ColorWishes {
  readonly json?: boolean
  readonly quiet?: boolean
}

/**
 * Which renderer: `--json` and `--quiet` as asked for, the live view at a terminal, plain lines elsewhere and wherever
 * NO_COLOR, `--no-color` or TERM=dumb ask for no codes.
 */
export function rendererKind({ json, quiet, env, isTerminal, flag }: KindWishes): RendererKind {
  if (json === true) return 'json'
  if (quiet === true) return 'quiet'
  return codesWanted({ env, isTerminal, ...(flag === undefined ? {} : { flag }) }) ? 'tty' : 'plain'
}

/** May the cursor be moved? Not without a terminal, nor where NO_COLOR, `--no-color` or TERM=dumb ask for no codes. */
export function codesWanted({ env, isTerminal, flag }: ColorWishes): boolean {
  return isTerminal && flag !== false && !isSet(env['NO_COLOR']) && env['TERM'] !== 'dumb'
}

export function createRenderer(options: RendererOptions): Renderer {
  const renderer = bareRenderer(options)
  let run = ''
  let view = (options.earlier ?? []).reduce(foldEvent, emptyView())
  let told = false
  const now = (): string => options.clock.now().toISOString()
  const listener: Listener = (event) => {
    run = event.run
    try {
      view = foldEvent(view, event)
      renderer.listener(event)
    } catch (error) {
      if (told) return
      told = true
      const why = error instanceof Error ? error.message : String(error)
      options.stage.keep(`\nThe display failed (${oneLine(why)}); the run goes on, and the journal holds all of it.\n`)
    }
  }
  return {
    listener,
    note: (level, message) => listener({ type: 'notice', t: now(), run, level, message }),
    stopping: (signal) => listener({ type: 'run.stopping', t: now(), run, signal }),
    view: () => view,
    close: () => renderer.close(),
  }
}

function bareRenderer(options: RendererOptions): Omit<Renderer, 'note' | 'stopping' | 'view'> {
  const { kind, output, stage, clock, color, verbose, asks, looksOn, incident, earlier, timeZone } = options
  const shared = {
    clock,
    paint: paint(color),
    times: new LocalTimes(timeZone),
    ...(verbose === undefined ? {} : { verbose }),
    ...(asks === undefined ? {} : { asks }),
    ...(looksOn === undefined ? {} : { looksOn }),
    ...(incident === undefined ? {} : { incident }),
    ...(earlier === undefined ? {} : { earlier }),
  }
  switch (kind) {
    case 'json':
      return { listener: jsonListener((text) => output.data(text)), close: () => undefined }
    case 'plain':
    case 'quiet':
      return new PlainRenderer({ ...shared, say: (text) => stage.keep(text), columns: output.columns, wraps: output.errorIsTerminal, quiet: kind === 'quiet' })
    case 'tty': {
      return new TtyRenderer({ ...shared, screen: stage })
    }
  }
}

export { plainAsker } from './ask/plain.js'
export { terminalAsker, type Asker } from './ask/asker.js'
export { colorsWanted, noPaint, paint, paintFor, type Paint } from './color.js'
export { differenceLines } from './difference-view.js'
export { errorLines } from './diagnostics.js'
export { fidelityLines, type FidelityInput } from './fidelity-view.js'
export { sayStart, sayWhat, sayWhatAndWhere, sayWhere, sayWorldTime } from './headline.js'
export { logLines } from './log-view.js'
export { Output, type Streams } from './output.js'
export { endOf } from './footer.js'
export { atItMs, emptyView, foldEvent, type RunView } from './run-view.js'
export { sayStall } from './stall.js'
export { placesLines } from './places-view.js'
export { planLines, type PlanInput } from './plan-view.js'
export { readinessLines } from './readiness-view.js'
export { assumingOperator, confirmByName, personOperator, type Assumed } from './prompts.js'
export { Stage } from './stage.js'
export { runsLines, statusLines, type ChildAtWork, type OwnerShown, type RunCondition, type RunRow, type StatusInput } from './status-view.js'
export type { IncidentTime } from './summary.js'
export { sayAsked } from './words.js'
export { wrap, wrapAdvice } from './text.js'
export { formatDuration, LocalTimes } from './times.js'
