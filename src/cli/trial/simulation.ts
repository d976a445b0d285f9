import type { Operator } from '../../contract/index.js'
import { missingFrom } from '../../gameday/oracle/converged.js'
import { notPutBack } from '../../gameday/oracle/put-back.js'
import { defectsIn } from '../../gameday/defects.js'
import type { Watch } from '../../gameday/oracle/watch.js'
import { seeded } from '../../virtual/chance.js'
import { acceptable, follow } from './advice.js'
import { Stage, type Dies, type StageOptions } from './stage.js'
import { Storm } from './storm.js'
import type { Lived } from './typed.js'
import { watched } from './watched.js'
import { drawWeather } from './weather.js'

/** What came of one seed. */
export interface Simulated {
  readonly seed: number
  /** How often the program was started, and how often it was killed. */
  readonly lives: number
  readonly kills: number
  /** What must never happen, and did; or what is missing in the end. Empty if all is well. */
  readonly wrong: readonly string[]
  readonly story: readonly string[]
}

/** Lives while there is trouble, and after it. */
const mostLives = { inTrouble: 5, afterwards: 4 } as const

/** Of the failovers that came right, so many are put back again. */
const putBack = 0.25

/** Before each life but the first: that whoever sits there gives the failover up, and puts back what there is of it. */
const givesUp = 0.08

const minutes = 60_000

/** Plays one seed: while trouble lasts nothing may be lost, and when it stops the failover must come to its end. */
export async function simulate(options: Omit<StageOptions, 'trouble' | 'latencyMs'>): Promise<Simulated> {
  const random = seeded(options.seed ^ 0x5eed)
  const weather = drawWeather(random)
  const storm = new Storm(weather, random)
  const quota = { ...options.spec.quota }
  const stage = await Stage.open({ ...options, spec: { ...options.spec, quota }, trouble: storm, latencyMs: weather.latencyMs })
  const trial = new Trial(stage, storm, weather.once.colleague !== undefined, random)
  try {
    return trial.told(options.seed, await trial.play(quota))
  } catch (error) {
    return trial.told(options.seed, [textOf(error)])
  } finally {
    await stage.close()
  }
}

class Trial {
  readonly #stage: Stage
  readonly #storm: Storm
  /** Does a colleague begin the same failover? */
  readonly #isShared: boolean
  readonly #random: () => number
  readonly #story: string[] = []
  /** Defects of the program that any life has met, and what the trial itself could not do. */
  readonly #wrong: string[] = []
  #watch: Watch | undefined
  #lives = 0
  #kills = 0
  /** What the colleague has typed, and has not come back from. */
  #colleague: Promise<void> | undefined
  /** The last stop has sent whoever sits there to a terminal. */
  #isAtTerminal = false
  /** Codes of what the last life gave as the reasons of its end. */
  #because = ''
  /** Ways that the last stop has offered. */
  #offered: readonly string[] = []

  constructor(stage: Stage, storm: Storm, isShared: boolean, random: () => number) {
    this.#stage = stage
    this.#storm = storm
    this.#isShared = isShared
    this.#random = random
  }

  told(seed: number, wrong: readonly string[]): Simulated {
    const all = [...(this.#watch?.violations ?? []), ...this.#wrong, ...wrong]
    return { seed, lives: this.#lives, kills: this.#kills, wrong: all, story: this.#story }
  }

  /** What is missing in the end. */
  async play(quota: Record<string, number>): Promise<readonly string[]> {
    const random = this.#random
    const stage = this.#stage
    const start = stage.state
    const watch = watched(stage.scene.within, stage)
    this.#watch = watch
    const told = { elsewhere: (path: string) => watch.hearOfOthers(path), late: (path: string) => watch.hearOfLate(path) }
    this.#storm.over(stage.scene, { quota, ...told, colleague: () => this.#alsoByColleague(), failed: this.#failed })
    let code: Lived['code'] = 1
    for (let tries = 0; tries < mostLives.inTrouble && code !== 0; tries += 1) {
      await this.#mayGiveUp()
      code = await this.#live(dieSometimes(random))
      await stage.wait(random() < 0.5 ? random() * 20_000 : random() * 10 * minutes)
    }
    this.#storm.end()
    // Whatever goes on by itself comes to its end: long operations, locks of moves, what a colleague does.
    await stage.wait(6 * 60 * minutes)
    if (this.#colleague !== undefined) await stage.pass(this.#colleague)
    for (let tries = 0; tries < mostLives.afterwards && code !== 0; tries += 1) {
      await this.#mayGiveUp()
      code = await this.#live()
    }
    if (code !== 0) return [`it does not come to its end: exit code ${code}${this.#because}`]
    if (stage.isUndoing) return this.#notAsItWas(start)
    const missing = missingFrom(start, stage.state)
    // What a colleague has done is theirs to undo.
    const isPutBack = random() < putBack && this.#colleague === undefined
    return missing.length > 0 || !isPutBack ? missing : this.#putBack(start)
  }

  /** What is not as it was, once the failover has been undone. */
  async #putBack(start: Stage['state']): Promise<readonly string[]> {
    const undone = await this.#stage.undo()
    this.#tell('undo', undone, [])
    return undone.code === 0 ? this.#notAsItWas(start) : [`it cannot be undone: exit code ${undone.code}`]
  }

  async #notAsItWas(start: Stage['state']): Promise<readonly string[]> {
    // Name servers follow, and lists forget.
    await this.#stage.wait(10 * minutes)
    const { state } = this.#stage
    return [...notPutBack(start, state), ...state.violations.map((violation) => `the world saw: ${violation}`)]
  }

  /** A failover that a colleague goes on with as well is not given up. */
  async #mayGiveUp(): Promise<void> {
    if (this.#lives === 0 || this.#isShared || this.#stage.isUndoing || this.#random() >= givesUp) return
    if (!(await this.#stage.turnBack())) return
    this.#offered = []
    this.#tellMoment('it is given up, and undone')
  }

  async #live(dies?: Dies): Promise<Lived['code']> {
    this.#storm.onLife()
    // Not everybody takes the other way that is offered.
    const accepted = this.#random() < 0.6 ? this.#offered : []
    const lived = await this.#stage.goOn(dies, accepted, this.#isAtTerminal ? agreeing : undefined)
    const { code, stderr } = lived
    this.#isAtTerminal = stderr.includes('[step.surprise]')
    const done = code === 0 ? [] : await follow(stderr, this.#stage.scene.within)
    this.#offered = acceptable(stderr)
    this.#because = code === 0 ? '' : reasonsIn(stderr)
    this.#tell(`life ${this.#lives + 1}`, lived, [...accepted, ...done])
    // What was asked for takes its time.
    if (done.length > 0) await this.#stage.wait(30 * minutes)
    return code
  }

  #alsoByColleague(): void {
    this.#tellMoment('a colleague begins the same failover')
    this.#colleague = this.#stage.colleague().then((lived) => this.#tell('the colleague', lived, []), this.#failed)
  }

  readonly #failed = (error: unknown): void => void this.#wrong.push(textOf(error))

  /** What one life has come to, whoever began it. */
  #tell(who: string, { code, stderr }: Lived, done: readonly string[]): void {
    this.#lives += 1
    if (code === 'killed') this.#kills += 1
    this.#wrong.push(...defectsIn(stderr))
    this.#tellMoment(`${who}: ${code}`)
    this.#story.push(...lastWords(stderr, code), ...done.map((one) => `    as advised: ${one}`))
  }

  #tellMoment(what: string): void {
    this.#story.push(`${new Date(this.#stage.scene.clock.nowMs()).toISOString()} ${what}`)
  }
}

/** What was not shown before is shown there, and agreed to. */
const agreeing: Operator = {
  name: 'operator',
  present: true,
  ask: async ({ kind }) => (kind === 'manual' ? { choice: 'done', by: 'operator' } : { choice: kind === 'failure' ? 'stop' : 'go', by: 'operator' }),
}

/** In two lives of five it dies: at one of its first calls, or in the midst of something. */
function dieSometimes(random: () => number): Dies | undefined {
  if (random() > 0.4) return undefined
  if (random() < 0.5) return random() * 45 * minutes
  const at = 1 + Math.floor(random() ** 2 * 900)
  const when = random() < 0.5 ? 'before' : 'after'
  return (point) => point.number === at && point.when === when
}

function lastWords(stderr: string, code: number | 'killed'): readonly string[] {
  return code === 0 ? [] : stderr.trim().split('\n').slice(-14).map((line) => `    ${line}`)
}

/** ` [azure.conflict, pool.damaged]`: sorted, each once; nothing where none is told. */
function reasonsIn(stderr: string): string {
  const codes = new Set([...stderr.matchAll(/\[([a-z]+\.[a-z-]+)\]$/gm)].map(([, code = '']) => code))
  return codes.size === 0 ? '' : ` [${[...codes].sort().join(', ')}]`
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
