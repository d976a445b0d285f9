import { userInfo } from 'node:os'
import { eventStreamVersion, type Listener, type Log, type Mode, type Operator, type RunEvent } from '../contract/index.js'
import type { Plan } from '../engine/index.js'
import {
  assumingOperator,
  codesWanted,
  colorsWanted,
  createRenderer,
  logLines,
  paint,
  personOperator,
  plainAsker,
  planLines,
  readinessLines,
  rendererKind,
  sayWorldTime,
  Stage,
  terminalAsker,
  wrapAdvice,
  type Asker,
  type Assumed,
  type PlanInput,
  type Renderer,
} from '../render/index.js'
import { renderDiagnostic, type Diagnostic } from '../runbook/index.js'
import { strikeKnown } from '../platform/log/known.js'
import { usageError } from './guard.js'
import type { CommonOptions } from './options.js'
import type { Told } from './guard.js'
import type { Invocation } from './invocation.js'
import type { Logging } from './run-log.js'
import type { Site } from './site.js'
import { commandLine } from './state.js'
import { toolVersion } from './version.js'

/** What of a site a run is drawn with. */
type DrawnSite = Pick<Site, 'clock'> & { readonly runbook: Pick<Site['runbook'], 'rehearsal'> }

/** Where nothing moves, nothing is taken off the screen. */
const linesOnly = { leaves: () => undefined, returns: () => undefined }

/** One command's view of the terminal: which renderer, whether anybody can be asked, and where things are said. */
export class Screen {
  readonly #options: CommonOptions
  readonly #invocation: Invocation
  readonly #color: boolean
  readonly #stage: Stage
  /** While a run is drawn, what is said goes through its renderer: anything else would garble the live view. */
  #renderer: Renderer | undefined

  constructor(options: CommonOptions, invocation: Invocation) {
    this.#options = options
    this.#invocation = invocation
    const { output, env } = invocation
    this.#stage = new Stage(output)
    this.#color = colorsWanted({ env, isTerminal: output.errorIsTerminal, flag: options.color })
    if (options.gate === 'ask' && !this.canAsk) throw usageError('--gate ask: nobody is there to be asked', 'Without a terminal, take --gate auto.')
  }

  /** True if a person sits at the terminal and has not forbidden questions, or somebody answers in their place. */
  get canAsk(): boolean {
    const { output, here, keyboard } = this.#invocation
    if (here?.operator !== undefined) return true
    return keyboard !== undefined && output.inputIsTerminal && output.errorIsTerminal && this.#options.input
  }

  notice(message: string): void {
    if (this.#options.quiet === true) return
    if (this.#renderer === undefined) this.#tell(message)
    else this.#renderer.note('info', message)
  }

  /** Where the times that follow are a simulated world's, and others than the wall shows. */
  sayWorldTime({ clock }: Pick<Site, 'clock'>, sim: { readonly speed?: number } | undefined): void {
    // Journals of old versions do not tell it.
    const said = sim?.speed === undefined ? undefined : sayWorldTime({ now: clock.now(), realNow: clock.realNow() }, sim.speed)
    if (said !== undefined) this.notice(said)
  }

  /** Broken between words for a window; whole for a file or a pipe. */
  #tell(message: string): void {
    const { output } = this.#invocation
    const lines = output.errorIsTerminal ? wrapAdvice(message, Math.max(10, output.columns - 1)) : [message]
    this.#stage.keep(`${lines.join('\n')}\n`)
  }

  /** Said also with `--quiet`: a lock was taken over, a journal was cut short. */
  warn(message: string): void {
    if (this.#renderer === undefined) this.#tell(message)
    else this.#renderer.note('warn', message)
  }

  /** What a log is told, on the screen as well, where `--debug` asks for it. */
  get echo(): Log | undefined {
    if (this.#options.debug !== true) return undefined
    return (entry) => logLines(entry).forEach((line) => this.#stage.keep(`${paint(this.#color)('dim', strikeKnown(line))}\n`))
  }

  /** Notes where the run's log lies, and has it told when nobody reads on any more. */
  logging(told: Told): Logging {
    const { echo } = this
    return {
      ...(echo === undefined ? {} : { echo }),
      opened: (log) => {
        if (log.path !== undefined) told.log = log.path
        this.#invocation.output.whenLost((name) => log.note(`standard ${name} was closed by its reader; the run goes on`))
      },
    }
  }

  diagnose(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) this.#invocation.output.say(`${renderDiagnostic(diagnostic)}\n`)
  }

  /** What the run goes on in spite of, where no plan is shown. */
  showReadiness({ findings }: Plan): void {
    const { output } = this.#invocation
    if (findings.length === 0 || this.#options.quiet === true) return
    this.#stage.keep(`${readinessLines(findings, paint(this.#color), output.columns).join('\n')}\n`)
  }

  /** A plan for people, on standard error while a run follows it, on standard output where it is the data asked for. */
  showPlan(plan: Plan, site: Site, mode: Mode, where: 'data' | 'say', undo?: PlanInput['undo']): void {
    const { output } = this.#invocation
    const { name, objectiveMs } = site.runbook
    const isTerminal = where === 'data' ? output.outputIsTerminal : output.errorIsTerminal
    const color = colorsWanted({ env: this.#invocation.env, isTerminal, flag: this.#options.color })
    const columns = isTerminal && where === 'say' ? output.columns : output.dataColumns
    const lines = planLines(
      {
        runbook: name,
        mode,
        cloud: site.cloudFacts,
        begins: where === 'say' && this.#options.dryRun !== true,
        ...(objectiveMs === undefined || undo !== undefined ? {} : { objectiveMs }),
        ...(undo === undefined ? {} : { undo }),
        ...plan,
      },
      { paint: paint(color), columns, verbose: this.#options.verbose === true },
    )
    const text = `${lines.join('\n')}\n`
    if (where === 'data') output.data(text)
    else this.#stage.keep(text)
  }

  get asker(): Asker {
    const { output, keyboard, env } = this.#invocation
    if (keyboard === undefined) throw usageError('nobody is there to be asked', 'Give the answer by a flag, or go to a terminal.')
    const shared = { output, stage: this.#stage, keyboard }
    const codes = codesWanted({ env, isTerminal: output.errorIsTerminal, flag: this.#options.color })
    return codes ? terminalAsker({ ...shared, paint: paint(this.#color) }) : plainAsker(shared)
  }

  /** Who answers: flags for gates and manual steps, the person for what no flag covers, nobody without a terminal. */
  operator(assumeYes: boolean): Operator {
    const { output, here } = this.#invocation
    const person = this.canAsk
      ? (here?.operator ?? personOperator({
          name: userInfo().username,
          asker: this.asker,
          paint: paint(this.#color),
          get columns() {
            return output.columns
          },
          view: () => this.#renderer?.view(),
          statusCommand: (run) => commandLine(this.#options, 'status', run),
        }))
      : undefined
    return assumingOperator(this.#assumed(assumeYes || person === undefined), person)
  }

  #assumed(yes: boolean): Assumed {
    const { gate } = this.#options
    // A rehearsal passes them too where nobody can be asked: in nobody's name, for nobody has said so.
    const by = this.#options.yes === true ? '--yes' : 'nobody (not asked)'
    const assumed = yes ? { gate: by, manual: by } : {}
    if (gate === 'auto') return { ...assumed, gate: '--gate auto' }
    return gate === 'ask' && yes ? { manual: by } : assumed
  }

  /** `looksOn`: of a run that is another process's. */
  renderer(site: DrawnSite, run: string, earlier: readonly RunEvent[] = [], looksOn = false): Renderer {
    const { output, env, interrupts, here, keyboard } = this.#invocation
    const { json, quiet, verbose, color } = this.#options
    const kind = rendererKind({
      env,
      isTerminal: output.errorIsTerminal,
      flag: color,
      ...(json === undefined ? {} : { json }),
      ...(quiet === undefined ? {} : { quiet }),
    })
    const incident = site.runbook.rehearsal?.incident
    const renderer = createRenderer({
      kind,
      output,
      stage: this.#stage,
      clock: site.clock,
      color: this.#color,
      earlier,
      asks: this.canAsk,
      looksOn,
      ...(verbose === undefined ? {} : { verbose }),
      ...(incident === undefined ? {} : { incident }),
    })
    const t = site.clock.now().toISOString()
    const listener: Listener = (event) => {
      renderer.listener(event)
      here?.heard?.(event)
    }
    listener({ type: 'stream.opened', version: eventStreamVersion, tool: toolVersion(), t, run })
    this.#renderer = renderer
    interrupts.onFirst = (signal) => renderer.stopping(signal)
    // An echo would stay in the midst of what moves, or of a line.
    const isAtKeyboard = output.inputIsTerminal && output.errorIsTerminal
    const letGo = isAtKeyboard ? keyboard?.hold(kind === 'tty' ? this.#stage : linesOnly) : undefined
    return {
      ...renderer,
      listener: (event) => {
        listener(event)
        // The stream ends with it: what is still to be said (a mark that could not be taken off) is said beside it.
        if (event.type !== 'run.finished') return
        this.#renderer = undefined
        // Nor does a run that is over come to a safe point.
        if (!looksOn) interrupts.onFirst = () => this.#tell('The run is over; its marks are being taken off.')
      },
      close: () => {
        this.#renderer = undefined
        renderer.close()
        letGo?.()
      },
    }
  }
}
