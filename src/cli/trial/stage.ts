import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StateFolder, type JournalRecord } from '../../journal/index.js'
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
import { openScene, type Scene, type SceneOptions, type Seat } from '../../virtual/scene.js'
import { letPass } from '../../virtual/time.js'
import type { Program } from '../invocation.js'
import { thisMachine } from '../surroundings.js'
import { typed, typedAside, type Lived, type Typing } from './typed.js'

export interface StageOptions {
  readonly runbook: { readonly name: string; readonly path: string }
  readonly spec: WorldSpec
  readonly seed: number
  /** How many of the world's seconds pass in one of the machine's. */
  readonly speed: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly program: Program
  readonly trouble?: SceneOptions['trouble']
}

/** When a life of the program ends: at a call, or after so many milliseconds of the world, whatever it does then. */
export type Dies = ((point: CallPoint) => boolean) | number

interface GoingOn {
  readonly dies?: Dies | undefined
  readonly words?: readonly string[]
}

/** What is rendered by the real helm is rendered once. */
let renderer: Renderer | undefined

/** Key pairs cost more than all else of opening a world, and nothing depends on them. */
let authority: Authority | undefined

/** One world, one runbook, and somebody who types commands there. */
export class Stage {
  readonly scene: Scene
  readonly #options: StageOptions
  readonly #folder: string
  readonly #intents = new Set<string>()

  private constructor(scene: Scene, options: StageOptions, folder: string) {
    this.scene = scene
    this.#options = options
    this.#folder = folder
  }

  static async open(options: StageOptions): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-trial-'))
    const { spec, seed, speed, env, trouble } = options
    renderer ??= new Renderer(await realHelm(env))
    authority ??= makeAuthority('Lifeboat trials', Date.parse(spec.epoch))
    const scene = await openScene({ spec, folder, authority, random: seeded(seed), speed, env, renderer, ...(trouble && { trouble }) })
    return new Stage(scene, options, folder)
  }

  get glance(): WorldGlance {
    return glanceOf(this.scene.within.world)
  }

  /** Steps of which an intent stands in a journal, synced, and nothing verified since. */
  get openIntents(): number {
    return this.#intents.size
  }

  get state(): WorldState {
    return stateOf(this.scene.within.world)
  }

  /** Types `run`: the first command of a failover. */
  run(dies?: Dies): Promise<Lived> {
    return typed(this.#typing(this.scene.operator, dies), this.#words(this.scene.operator, this.#first))
  }

  /** Types `resume`, or `run` again where the first one died before it stood in a journal. `words` besides: what is accepted. */
  goOn(dies?: Dies, words: readonly string[] = []): Promise<Lived> {
    return this.#goOn(this.scene.operator, typed, { dies, words })
  }

  /** The same by a colleague on another machine, while somebody else lets time pass. */
  colleague(): Promise<Lived> {
    return this.#goOn(this.scene.colleague, typedAside)
  }

  /** Lets that many milliseconds of the world pass while nobody types. */
  wait(ms: number): Promise<void> {
    return this.pass(new Promise((resolve) => void this.scene.clock.schedule(ms, resolve)))
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

  #noted(seat: Seat, { type, data }: JournalRecord): void {
    if (type === 'step.intent') this.#intents.add(`${seat.stateDir} ${data.step}`)
    else if (type === 'step.verified') this.#intents.delete(`${seat.stateDir} ${data.step}`)
  }

  async close(): Promise<void> {
    forgetSecrets()
    await rm(this.#folder, { recursive: true, force: true })
  }

  get #first(): readonly string[] {
    const { runbook } = this.#options
    return ['run', runbook.path, '--cloud', this.scene.cloudPath, '--confirm', runbook.name]
  }

  async #goOn(seat: Seat, type: typeof typed, { dies, words = [] }: GoingOn = {}): Promise<Lived> {
    const run = await this.latest(seat)
    return type(this.#typing(seat, dies), this.#words(seat, [...(run === undefined ? this.#first : ['resume', run]), ...words]))
  }

  #words({ stateDir }: Seat, words: readonly string[]): readonly string[] {
    return [...words, '--yes', '--no-input', '--quiet', '--state-dir', stateDir]
  }

  #typing(seat: Seat, dies?: Dies): Typing {
    const life = new Incarnation(typeof dies === 'function' ? dies : undefined)
    // In the midst of whatever is under way then.
    if (typeof dies === 'number') this.scene.clock.schedule(dies, () => life.die())
    return { scene: this.scene, seat, program: this.#options.program, life, noted: (record) => this.#noted(seat, record) }
  }
}

async function realHelm(env: StageOptions['env']): Promise<string> {
  const children = { started: async () => undefined, ended: async () => undefined }
  const exec = new SystemExec({ clock: thisMachine.clockOf({}), children, site: 'trial', path: env['PATH'] ?? '', secrets: tmpdir() })
  return helmFile(exec, env)
}
