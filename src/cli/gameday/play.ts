import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { outcomeByCode, ScriptedOperator, scorecardOf, Timeline, type Act, type Deed, type Evidence, type Scorecard } from '../../gameday/index.js'
import type { RunEvent } from '../../contract/index.js'
import { Incarnation } from '../../virtual/incarnation.js'
import type { Seat } from '../../virtual/scene.js'
import { follow } from '../trial/advice.js'
import { watched } from '../trial/simulation.js'
import { Stage, type StageOptions } from '../trial/stage.js'
import { Inflicter } from './inflict.js'
import type { TellStruck } from './infliction.js'
import { siteFile } from './on-site.js'
import type { LoadedScenario } from './scenario-file.js'
import { Wire } from './wire.js'

export interface PlayOptions extends Pick<StageOptions, 'env' | 'program' | 'speed'> {
  readonly seed: number
}

/** Plays a scenario in a world of its own, in virtual time: the same seed gives the same events. */
export async function play(loaded: LoadedScenario, options: PlayOptions): Promise<Scorecard> {
  const { file, scenario, runbook, spec } = loaded
  const wire = new Wire()
  // Faults change what the world is made by.
  const stage = await Stage.open({ ...options, runbook, spec: structuredClone(spec), trouble: wire })
  try {
    for (const { stateDir } of [stage.scene.operator, stage.scene.colleague]) await knownDigestKey(stateDir, options.seed)
    const evidence = await new Play(loaded, stage, wire).evidence()
    const folder = dirname(stage.scene.operator.stateDir)
    const lines = evidence.events.map((event) => `${JSON.stringify(event).replaceAll(folder, '…')}\n`)
    const digest = `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`
    const card = scorecardOf(scenario, evidence, { file, seed: options.seed, objectiveMs: runbook.objectiveMs, digest })
    // Its path is another one each time.
    return JSON.parse(JSON.stringify(card).replaceAll(folder, '…')) as Scorecard
  } finally {
    await stage.close()
  }
}

/** Digests of secrets stand in events: by a key of chance they would be others each time. */
async function knownDigestKey(stateDir: string, seed: number): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  await writeFile(join(stateDir, 'digest.key'), createHash('sha256').update(`game day ${seed}`).digest(), { mode: 0o600 })
}

class Play {
  readonly #loaded: LoadedScenario
  readonly #stage: Stage
  readonly #wire: Wire
  readonly #timeline: Timeline
  readonly #operator: ScriptedOperator
  readonly #events: RunEvent[] = []
  readonly #deeds: Deed[] = []
  /** What others have begun, and have not come back from. */
  readonly #colleagues: Promise<void>[] = []
  readonly #startMs: number
  #life: Incarnation | undefined
  /** What faults have put into the operator's shell. */
  readonly #shells: { readonly variables: Readonly<Record<string, string>>; readonly struck: TellStruck }[] = []

  constructor(loaded: LoadedScenario, stage: Stage, wire: Wire) {
    this.#loaded = loaded
    this.#stage = stage
    this.#wire = wire
    const { faults, operator } = loaded.scenario
    const { clock, within } = stage.scene
    this.#startMs = clock.nowMs()
    const inflicter = new Inflicter(stage.scene, wire, {
      kill: () => this.#life?.die(),
      colleague: () => this.#colleagues.push(this.#colleague()),
      setShell: (variables, struck) => this.#shells.push({ variables, struck }),
    })
    this.#timeline = new Timeline(faults, {
      nowMs: () => this.#nowMs(),
      later: (ms, action) => void clock.schedule(ms, action),
      inflict: (fault, struck) => inflicter.inflict(fault, struck),
    })
    this.#operator = new ScriptedOperator(operator.answers, {
      nowMs: () => this.#nowMs(),
      wait: (ms) => new Promise((resolve) => void clock.schedule(ms, resolve)),
    })
    wire.heard = (method, path) => this.#timeline.request(method, path)
    within.world.onRequest.add(({ door, method, path }) => {
      if (door !== 'arm' && door !== 'token') this.#timeline.request(method, path)
    })
    within.world.tamper.add(({ what }) => void this.#timeline.operation(what))
  }

  async evidence(): Promise<Evidence> {
    const { operator } = this.#loaded.scenario
    const start = this.#stage.state
    const watch = watched(this.#stage)
    this.#timeline.begin()
    const does: readonly Act[] = operator.does[0]?.kind === 'run' ? operator.does : [{ kind: 'run', with: { accept: [] } }, ...operator.does]
    for (const act of does) this.#deeds.push(await this.#do(act))
    await this.#stage.pass(Promise.all(this.#colleagues))
    return {
      start,
      end: this.#stage.state,
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

  async #colleague(): Promise<void> {
    const startMs = this.#nowMs()
    const { code, stderr } = await this.#stage.colleague()
    this.#deeds.push({ act: 'aside', line: 'a colleague: lifeboat run', startMs, endMs: this.#nowMs(), outcome: outcomeByCode(code), said: stderr })
  }

  /** Those that expectations ask about. */
  #files(): ReadonlyMap<string, string> {
    const files = new Map<string, string>()
    for (const one of this.#loaded.scenario.expect.world) {
      if (one.kind !== 'file') continue
      const path = siteFile(this.#stage.scene, one.with.env, one.with.name)
      if (existsSync(path)) files.set(`${one.with.env}/${one.with.name}`, readFileSync(path, 'utf8'))
    }
    return files
  }

  #nowMs(): number {
    return this.#stage.scene.clock.nowMs() - this.#startMs
  }

  async #do(act: Act): Promise<Deed> {
    const startMs = this.#nowMs()
    if (act.kind === 'wait') {
      await this.#stage.wait(act.with)
      return { act: act.kind, line: 'waited', startMs, endMs: this.#nowMs(), said: '' }
    }
    if (act.kind === 'advice') {
      const done = await follow(this.#deeds.findLast(({ outcome }) => outcome !== undefined)?.said ?? '', this.#stage.scene)
      const line = `followed the advice: ${done.join(', ') || 'there was no command in it'}`
      return { act: act.kind, line, startMs, endMs: this.#nowMs(), said: '' }
    }
    const accept = act.kind === 'undo' ? [] : act.with.accept.flatMap((one) => ['--accept', one])
    const { operator, colleague } = this.#stage.scene
    const { code, stderr } = await this.#type([...this.#words(act), ...accept], act.kind === 'elsewhere' ? colleague : operator)
    return { act: act.kind, line: lineOf(act, accept), startMs, endMs: this.#nowMs(), outcome: outcomeByCode(code), said: stderr }
  }

  #words(act: Exclude<Act, { kind: 'wait' | 'advice' }>): readonly string[] {
    const { runbook } = this.#loaded
    const confirm = ['--confirm', runbook.name]
    const run = ['run', runbook.path, '--cloud', this.#stage.scene.cloudPath, ...confirm]
    switch (act.kind) {
      case 'run':
        return run
      case 'elsewhere':
        return act.with.takeOver ? [...run, '--take-over'] : run
      case 'resume':
        return ['resume']
      case 'undo':
        return ['undo', ...confirm]
    }
  }

  async #type(words: readonly string[], seat: Seat): ReturnType<Stage['command']> {
    const { present } = this.#loaded.scenario.operator
    const life = new Incarnation()
    this.#life = life
    const heard = (event: RunEvent): void => {
      if (life.isOver) return
      this.#events.push(event)
      this.#timeline.event(event)
    }
    for (const { variables, struck } of this.#shells) struck(`${Object.keys(variables).join(', ')} for ${words[0] ?? ''}`)
    const env = Object.assign({}, ...this.#shells.map(({ variables }) => variables)) as Readonly<Record<string, string>>
    const beside = { heard, env, ...(present ? { operator: this.#operator } : {}) }
    try {
      return await this.#stage.command(present ? words : [...words, '--yes', '--no-input'], life, beside, seat)
    } finally {
      this.#life = undefined
    }
  }
}

/** The command as it is told on the scorecard. */
function lineOf(act: Act, accept: readonly string[]): string {
  if (act.kind !== 'elsewhere') return ['lifeboat', act.kind, ...accept].join(' ')
  return ['on another machine: lifeboat run', ...(act.with.takeOver ? ['--take-over'] : []), ...accept].join(' ')
}
