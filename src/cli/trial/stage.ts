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
import { Disk } from '../../virtual/disk.js'
import { openScene, type Scene, type SceneOptions } from '../../virtual/scene.js'
import { letPass } from '../../virtual/time.js'
import { Interrupts } from '../interrupts.js'
import type { Program } from '../invocation.js'
import { thisMachine } from '../surroundings.js'
import type { Hands } from './crash.js'
import { typed, type Lived, type Typing } from './typed.js'

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

/**
 * When a life of the program ends: at a call, or after so many milliseconds of the world, whatever it does then. At a call something else
 * may befall it too.
 */
export type Dies = ((point: CallPoint, hands: Hands) => boolean) | number

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
  /** The run that is to be put back, once that was typed. */
  #toUndo: string | undefined

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
    const { runbook } = this.#options
    return this.#type(['run', runbook.path, '--cloud', this.scene.cloudPath, '--confirm', runbook.name], dies)
  }

  /** Types `undo` of the run that was begun last. */
  async undo(dies?: Dies): Promise<Lived> {
    this.#toUndo ??= await this.latest()
    return this.#type(['undo', this.#toUndo ?? '', '--confirm', this.#options.runbook.name], dies)
  }

  /** Types `resume`; or `run` or `undo` again where the first one died before it stood in a journal. */
  async goOn(dies?: Dies): Promise<Lived> {
    const run = await this.latest()
    if (run === undefined) return this.run(dies)
    return run === this.#toUndo ? this.undo(dies) : this.#type(['resume', run], dies)
  }

  /** Lets that many milliseconds of the world pass while nobody types. */
  wait(ms: number): Promise<void> {
    const { clock } = this.scene
    return letPass(clock, new Promise((resolve) => void clock.schedule(ms, resolve)))
  }

  /** The run that was begun last, if one was. */
  async latest(): Promise<string | undefined> {
    const runs = await new StateFolder(this.scene.stateDir).runs()
    return runs.find(({ status }) => status !== 'empty')?.run
  }

  #noted({ type, data }: JournalRecord): void {
    if (type === 'step.intent') this.#intents.add(data.step)
    else if (type === 'step.verified') this.#intents.delete(data.step)
  }

  async close(): Promise<void> {
    forgetSecrets()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #type(words: readonly string[], dies?: Dies): Promise<Lived> {
    const hands = { interrupts: new Interrupts(), disk: new Disk() }
    const life = new Incarnation(typeof dies === 'function' ? (point) => dies(point, hands) : undefined)
    // In the midst of whatever is under way then.
    if (typeof dies === 'number') this.scene.clock.schedule(dies, () => life.die())
    return this.command([...words, '--yes', '--no-input', '--quiet'], life, {}, hands)
  }

  /** Types a command as it stands, but for the state folder. */
  command(words: readonly string[], life: Incarnation, beside: NonNullable<Typing['beside']> = {}, hands: Pick<Typing, 'interrupts' | 'disk'> = {}): Promise<Lived> {
    const noted = (record: JournalRecord): void => this.#noted(record)
    const typing = { scene: this.scene, program: this.#options.program, life, noted, beside, ...hands }
    return typed(typing, [...words, '--state-dir', this.scene.stateDir])
  }
}

async function realHelm(env: StageOptions['env']): Promise<string> {
  const children = { started: async () => undefined, ended: async () => undefined }
  const exec = new SystemExec({ clock: thisMachine.clockOf({}), children, site: 'trial', path: env['PATH'] ?? '', secrets: tmpdir() })
  return helmFile(exec, env)
}
