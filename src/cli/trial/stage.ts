import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Operator } from '../../contract/index.js'
import { StateFolder } from '../../journal/index.js'
import { glanceOf, stateOf, type WorldGlance, type WorldState } from '../../sim/control/state.js'
import { SystemExec } from '../../platform/exec/exec.js'
import { helmFile } from '../../platform/kube/tools.js'
import { forgetSecrets } from '../../platform/log/known.js'
import { makeAuthority, type Authority } from '../../sim/pki.js'
import type { WorldSpec } from '../../sim/world/spec.js'
import type { CallPoint } from '../../virtual/incarnation.js'
import { Incarnation } from '../../virtual/incarnation.js'
import { seeded } from '../../virtual/chance.js'
import { Renderer } from '../../virtual/programs/helm/render.js'
import { Disk } from '../../virtual/disk.js'
import { openScene, type Scene, type SceneOptions, type Seat } from '../../virtual/scene.js'
import { letPass } from '../../virtual/time.js'
import { Interrupts } from '../interrupts.js'
import type { Program } from '../invocation.js'
import { thisMachine } from '../surroundings.js'
import type { Hands } from './crash.js'
import { Doings } from './doings.js'
import { loaded, typed, typedAside, type Beside, type Lived, type Typing } from './typed.js'
import type { Journals } from './watched.js'

export interface StageOptions {
  readonly runbook: { readonly name: string; readonly path: string }
  readonly spec: WorldSpec
  readonly seed: number
  /** How many of the world's seconds pass in one of the machine's. */
  readonly speed: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly program: Program
  readonly trouble?: SceneOptions['trouble']
  readonly latencyMs?: SceneOptions['latencyMs']
}

/**
 * When a life of the program ends: at a call, or after so many milliseconds of the world, whatever it does then. At a call something else
 * may befall it too.
 */
export type Dies = ((point: CallPoint, hands: Hands) => boolean) | number

/** A life, and what may befall it. */
type Living = Pick<Typing, 'life' | 'interrupts' | 'disk'>

const unasked = ['--yes', '--no-input', '--quiet'] as const

/** What is rendered by the real helm is rendered once. */
let renderer: Renderer | undefined

/** Key pairs cost more than all else of opening a world, and nothing depends on them. */
let authority: Authority | undefined

/** One world, one runbook, and somebody who types commands there. */
export class Stage implements Journals {
  readonly scene: Scene
  readonly #options: StageOptions
  readonly #folder: string
  readonly #doings = new Doings()
  /** The run that is to be put back, once that was typed. */
  #toUndo: string | undefined

  private constructor(scene: Scene, options: StageOptions, folder: string) {
    this.scene = scene
    this.#options = options
    this.#folder = folder
  }

  static async open(options: StageOptions): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-trial-'))
    const { spec, seed, speed, env, trouble, latencyMs } = options
    await loaded()
    renderer ??= new Renderer(await realHelm(env))
    authority ??= makeAuthority('Lifeboat trials', Date.parse(spec.epoch))
    const weather = { ...(trouble && { trouble }), ...(latencyMs !== undefined && { latencyMs }) }
    const scene = await openScene({ spec, folder, authority, random: seeded(seed), speed, env, renderer, ...weather })
    return new Stage(scene, options, folder)
  }

  get glance(): WorldGlance {
    return glanceOf(this.scene.within.world)
  }

  get openIntents(): number {
    return this.#doings.openIntents
  }

  hasIntent(step: string, life?: string): boolean {
    return this.#doings.hasIntent(step, life)
  }

  atWork(but?: string): number {
    return this.#doings.atWork(but)
  }

  get state(): WorldState {
    return stateOf(this.scene.within.world)
  }

  /** Types `run`: the first command of a failover. */
  run(dies?: Dies): Promise<Lived> {
    return typed(this.#typing(this.scene.operator, this.#lifeThat(dies)), this.#first(this.scene.operator))
  }

  /** From now on it is to be put back: what goes on next is the undo of the run that was begun last. Answers whether there is one. */
  async turnBack(): Promise<boolean> {
    this.#toUndo = await this.latest()
    return this.isUndoing
  }

  get isUndoing(): boolean {
    return this.#toUndo !== undefined
  }

  /** Types `undo` of the run that was begun last. */
  async undo(dies?: Dies): Promise<Lived> {
    const seat = this.scene.operator
    await this.turnBack()
    return typed(this.#typing(seat, this.#lifeThat(dies)), this.#back(seat))
  }

  /**
   * Types `resume`; or `run` or `undo` again where the first one died before it stood in a journal. `words` besides: what is accepted.
   * `operator`: sits at the terminal, if one does.
   */
  async goOn(dies?: Dies, words: readonly string[] = [], operator?: Operator): Promise<Lived> {
    const seat = this.scene.operator
    const beside = operator === undefined ? {} : { beside: { operator } }
    return typed({ ...this.#typing(seat, this.#lifeThat(dies)), ...beside }, [...(await this.#next(seat)), ...words])
  }

  /** The same by a colleague on another machine, while somebody else lets time pass. */
  async colleague(): Promise<Lived> {
    const seat = this.scene.colleague
    return typedAside(this.#typing(seat, this.#lifeThat()), await this.#next(seat))
  }

  /** Types a command as it stands, but for the state folder; it goes on as somebody lets time `pass`. */
  command(words: readonly string[], life: Incarnation, beside: Beside, seat: Seat): Promise<Lived> {
    return typedAside({ ...this.#typing(seat, { life }), beside }, [...words, '--state-dir', seat.stateDir])
  }

  /** Lets that many milliseconds of the world pass while nobody types. */
  wait(ms: number): Promise<void> {
    return this.pass(this.after(ms))
  }

  /** Resolves when so many milliseconds of the world have passed, which somebody has to let pass. */
  after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.scene.clock.schedule(ms, resolve))
  }

  /** Lets the world's time pass until that is over. */
  pass<T>(work: Promise<T>): Promise<T> {
    return letPass(this.scene.clock, work)
  }

  /** The run that was begun last at a seat, if one was. */
  async latest(seat: Seat = this.scene.operator): Promise<string | undefined> {
    const runs = await new StateFolder(seat.stateDir).runs()
    return runs.find(({ status }) => status !== 'empty')?.run
  }

  async close(): Promise<void> {
    forgetSecrets()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #first({ stateDir }: Seat): readonly string[] {
    const { name, path } = this.#options.runbook
    return ['run', path, '--cloud', this.scene.cloudPath, '--confirm', name, ...unasked, '--state-dir', stateDir]
  }

  async #next(seat: Seat): Promise<readonly string[]> {
    const run = this.#toUndo === undefined ? await this.latest(seat) : await this.#undoOf(this.#toUndo, seat)
    if (run === undefined) return this.#toUndo === undefined ? this.#first(seat) : this.#back(seat)
    return ['resume', run, ...unasked, '--state-dir', seat.stateDir]
  }

  /** By the run's journal: where the machine's clock was set, the ids of runs do not tell which of them came last. */
  async #undoOf(run: string, { stateDir }: Seat): Promise<string | undefined> {
    const folder = new StateFolder(stateDir)
    const ran = (await folder.runs()).find((one) => one.run === run)
    return ran !== undefined && 'state' in ran ? folder.undoOf(ran.state) : undefined
  }

  #back({ stateDir }: Seat): readonly string[] {
    return ['undo', this.#toUndo ?? '', '--confirm', this.#options.runbook.name, ...unasked, '--state-dir', stateDir]
  }

  #lifeThat(dies?: Dies): Living {
    const hands = { interrupts: new Interrupts(), disk: new Disk() }
    const life = new Incarnation(typeof dies === 'function' ? (point) => dies(point, hands) : undefined)
    // In the midst of whatever is under way then.
    if (typeof dies === 'number') this.scene.clock.schedule(dies, () => life.die())
    return { life, ...hands }
  }

  #typing(seat: Seat, living: Living): Typing {
    return { scene: this.scene, seat, program: this.#options.program, ...living, noted: this.#doings.begin(living.life) }
  }
}

async function realHelm(env: StageOptions['env']): Promise<string> {
  const children = { started: async () => undefined, ended: async () => undefined }
  const exec = new SystemExec({ clock: thisMachine.clockOf({}), children, site: 'trial', path: env['PATH'] ?? '', secrets: tmpdir() })
  return helmFile(exec, env)
}
