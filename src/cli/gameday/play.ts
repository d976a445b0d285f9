import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { durationText, missingFrom, outcomeByCode, ScriptedOperator, scorecardOf, Timeline, uncertifiedIn } from '../../gameday/index.js'
import type { Act, Deed, Evidence, Scorecard } from '../../gameday/index.js'
import type { RunEvent } from '../../contract/index.js'
import { stateOf } from '../../sim/control/state.js'
import { follow } from '../trial/advice.js'
import type { StageOptions } from '../trial/stage.js'
import type { Lived } from '../trial/typed.js'
import { watched } from '../trial/watched.js'
import { Inflicter } from './inflict.js'
import type { TellStruck } from './infliction.js'
import { siteFile } from './on-site.js'
import { RealStage } from './real-stage.js'
import type { LoadedScenario } from './scenario-file.js'
import type { GameStage, SeatName, Typed } from './stage.js'
import { openVirtualStage } from './virtual-stage.js'
import { Wire } from './wire.js'

export interface PlayOptions extends Pick<StageOptions, 'env' | 'program' | 'speed'> {
  readonly seed: number
  /** Path of this program. */
  readonly self: string
  /** Breaks off what is played for real; a play in virtual time is over in a moment. */
  readonly signal: AbortSignal
  /** With processes and programs of this machine, in a world that many times as fast; absent: in virtual time. */
  readonly realSpeed?: number
}

/** Plays a scenario in a world of its own. In virtual time the same seed gives the same events. */
export async function play(loaded: LoadedScenario, options: PlayOptions): Promise<Scorecard> {
  const { file, scenario, runbook, spec } = loaded
  const { seed, realSpeed: speed } = options
  const wire = new Wire()
  // Faults change what the world is made by.
  const site = { runbook, spec: structuredClone(spec) }
  const given = { ...options, ...site }
  const stage = await (speed === undefined ? openVirtualStage({ ...given, trouble: wire }) : RealStage.open({ ...given, speed, wire }))
  try {
    const evidence = await new Play(loaded, stage, wire, speed).evidence()
    const { folder } = stage
    const lines = evidence.events.map((event) => `${JSON.stringify(event).replaceAll(folder, '…')}\n`)
    const digest = `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`
    const card = scorecardOf(scenario, evidence, { file, seed, objectiveMs: runbook.objectiveMs, digest })
    // Its path is another one each time.
    return JSON.parse(JSON.stringify(card).replaceAll(folder, '…')) as Scorecard
  } finally {
    await stage.close()
  }
}

class Play {
  readonly #loaded: LoadedScenario
  readonly #stage: GameStage
  readonly #wire: Wire
  readonly #inflicter: Inflicter
  readonly #timeline: Timeline
  readonly #operator: ScriptedOperator
  readonly #events: RunEvent[] = []
  readonly #deeds: Deed[] = []
  /** What others have begun, and have not come back from. */
  readonly #colleagues: Promise<void>[] = []
  readonly #startMs: number
  readonly #realSpeed: number | undefined
  #life: (Typed & { readonly seat: SeatName }) | undefined
  /** Whether the run of the command that was typed last puts another one back. */
  #isUndo = false
  /** Told with the next command: the clock was set while none was at work. */
  #clockSet: (() => void)[] = []
  /** What faults have put into the operator's shell. */
  readonly #shells: { readonly variables: Readonly<Record<string, string>>; readonly struck: TellStruck }[] = []

  constructor(loaded: LoadedScenario, stage: GameStage, wire: Wire, realSpeed: number | undefined) {
    this.#realSpeed = realSpeed
    this.#loaded = loaded
    this.#stage = stage
    this.#wire = wire
    const { faults, operator } = loaded.scenario
    const { world } = stage.parts
    const { clock } = world
    this.#startMs = clock.nowMs()
    // Heard before anything befalls it: what waits for an operation may befall that very one.
    world.tamper.add(({ what }) => void this.#timeline.operation(what))
    this.#inflicter = new Inflicter(stage.parts, wire, {
      kill: () => {
        this.#life?.kill()
        return this.#life !== undefined
      },
      killAll: (program) => stage.killAll(program),
      colleague: () => {
        const one = this.#colleague()
        // Awaited at the end only: until then nobody else would hear that it broke.
        one.catch(() => undefined)
        this.#colleagues.push(one)
      },
      setClock: (aheadMs, struck) => this.#setClock(aheadMs, struck),
      setShell: (variables, struck) => this.#shells.push({ variables, struck }),
    })
    this.#timeline = new Timeline(faults, {
      nowMs: () => this.#nowMs(),
      later: (ms, action) => void clock.schedule(ms, action),
      inflict: (fault, struck, broke) => this.#inflicter.inflict(fault, struck, broke),
    })
    this.#operator = new ScriptedOperator(operator.answers, {
      nowMs: () => this.#nowMs(),
      wait: (ms) => new Promise((resolve) => void clock.schedule(ms, resolve)),
    })
    wire.heard = (method, path) => this.#timeline.request(method, path)
    world.onRequest.add(({ door, method, path }) => {
      if (door !== 'arm' && door !== 'token') this.#timeline.request(method, path)
    })
  }

  async evidence(): Promise<Evidence> {
    const { operator } = this.#loaded.scenario
    const { world } = this.#stage.parts
    const start = stateOf(world)
    const watch = watched(this.#stage.parts, this.#stage)
    this.#inflicter.elsewhere = (path) => watch.hearOfOthers(path)
    this.#timeline.begin()
    const does: readonly Act[] = operator.does[0]?.kind === 'run' ? operator.does : [{ kind: 'run', with: { accept: [] } }, ...operator.does]
    for (const act of does) this.#deeds.push(await this.#do(act, start))
    await this.#stage.pass(Promise.all(this.#colleagues))
    return {
      ...(this.#realSpeed === undefined ? {} : { realSpeed: this.#realSpeed }),
      start,
      end: stateOf(world),
      deeds: this.#deeds,
      events: this.#events,
      asked: this.#operator.asked,
      unusedAnswers: this.#operator.unused.map(({ step, asks }) => `${asks} of ${step}`),
      faults: this.#timeline.records,
      calls: this.#wire.calls,
      files: this.#files(),
      violations: watch.violations,
    }
  }

  #setClock(aheadMs: number, struck: TellStruck): void {
    this.#stage.setClock(aheadMs)
    const how = `the clock is set ${aheadMs < 0 ? 'back' : 'forward'} by ${durationText(Math.abs(aheadMs))}`
    // A colleague's machine has a clock of its own.
    if (this.#life?.seat === 'operator') struck(`${how}, under a command at work`)
    else this.#clockSet.push(() => struck(`${how}, before the next command`))
  }

  async #colleague(): Promise<void> {
    const startMs = this.#nowMs()
    const words = [...this.#words({ kind: 'elsewhere', with: { takeOver: false, accept: [] } }), ...unasked, '--quiet']
    const { code, stderr } = await this.#stage.type(words, 'colleague', { heard: (event) => void this.#events.push(event) }).lived
    this.#deeds.push({ act: 'aside', line: 'a colleague: lifeboat run', startMs, endMs: this.#nowMs(), outcome: outcomeByCode(code), said: stderr })
  }

  /** Those that expectations ask about. */
  #files(): ReadonlyMap<string, string> {
    const files = new Map<string, string>()
    for (const one of this.#loaded.scenario.expect.world) {
      if (one.kind !== 'file') continue
      const path = siteFile(this.#stage.parts, one.with.env, one.with.name)
      if (existsSync(path)) files.set(`${one.with.env}/${one.with.name}`, readFileSync(path, 'utf8'))
    }
    return files
  }

  #nowMs(): number {
    return this.#stage.parts.world.clock.nowMs() - this.#startMs
  }

  async #do(act: Act, start: Evidence['start']): Promise<Deed> {
    const startMs = this.#nowMs()
    if (act.kind === 'wait') {
      await this.#stage.pass(new Promise<void>((resolve) => void this.#stage.parts.world.clock.schedule(act.with, resolve)))
      return { act: act.kind, line: 'waited', startMs, endMs: this.#nowMs(), said: '' }
    }
    if (act.kind === 'advice') {
      const done = await follow(this.#deeds.findLast(({ outcome }) => outcome !== undefined)?.said ?? '', this.#stage.parts)
      const line = `followed the advice: ${done.join(', ') || 'there was no command in it'}`
      return { act: act.kind, line, startMs, endMs: this.#nowMs(), said: '', isVain: done.length === 0 }
    }
    const accept = act.kind === 'undo' || act.kind === 'plan' ? [] : act.with.accept.flatMap((one) => ['--accept', one])
    this.#isUndo = false
    const { code, stdout, stderr } = await this.#type([...this.#words(act), ...accept], act.kind === 'elsewhere' ? 'colleague' : 'operator')
    const said = act.kind === 'plan' ? stdout + stderr : stderr
    const outcome = outcomeByCode(code)
    // Now, and not at the end of the play: what comes after is not what this one left.
    const left = stateOf(this.#stage.parts.world)
    const seen = { uncertified: uncertifiedIn(left), ...(outcome === 'succeeded' ? { missing: missingFrom(start, left) } : {}) }
    if (outcome === 'not-ready' || outcome === 'stopped') this.#inflicter.said(said)
    return { act: act.kind, line: lineOf(act, accept), startMs, endMs: this.#nowMs(), outcome, said, isUndo: act.kind === 'undo' || this.#isUndo, ...seen }
  }

  #words(act: Exclude<Act, { kind: 'wait' | 'advice' }>): readonly string[] {
    const { runbook } = this.#loaded
    const confirm = ['--confirm', runbook.name]
    const run = ['run', runbook.path, '--cloud', this.#stage.parts.cloudPath, ...confirm]
    switch (act.kind) {
      case 'run':
        return run
      case 'elsewhere':
        return act.with.takeOver ? [...run, '--take-over'] : run
      case 'plan':
        return ['plan', runbook.path, '--cloud', this.#stage.parts.cloudPath]
      case 'resume':
        return ['resume']
      case 'undo':
        return ['undo', ...confirm]
    }
  }

  async #type(words: readonly string[], seat: SeatName): Promise<Lived> {
    const { present } = this.#loaded.scenario.operator
    const heard = (event: RunEvent): void => {
      this.#events.push(event)
      if ('undoes' in event) this.#isUndo = true
      this.#timeline.event(event)
    }
    const isOperator = seat === 'operator'
    if (isOperator) for (const met of this.#clockSet.splice(0)) met()
    // A colleague's shell is another one, on another machine.
    const shells = isOperator ? this.#shells : []
    for (const { variables, struck } of shells) struck(`${Object.keys(variables).join(', ')} for ${words[0] ?? ''}`)
    const env = Object.assign({}, ...shells.map(({ variables }) => variables)) as Readonly<Record<string, string>>
    const over = new AbortController()
    const beside = { heard, env, ...(present ? { operator: this.#operator.forLife(over.signal) } : {}) }
    const life = this.#stage.type(present || words[0] === 'plan' ? words : [...words, ...unasked], seat, beside)
    const kill = (): void => {
      over.abort()
      life.kill()
    }
    this.#life = { lived: life.lived, kill, seat }
    try {
      return await this.#stage.pass(life.lived)
    } finally {
      this.#life = undefined
      over.abort()
    }
  }
}

/** Nobody is at the terminal. */
const unasked = ['--yes', '--no-input'] as const

/** The command as it is told on the scorecard. */
function lineOf(act: Act, accept: readonly string[]): string {
  if (act.kind !== 'elsewhere') return ['lifeboat', act.kind, ...accept].join(' ')
  return ['on another machine: lifeboat run', ...(act.with.takeOver ? ['--take-over'] : []), ...accept].join(' ')
}
