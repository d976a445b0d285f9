import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StateFolder, type JournalRecord } from '../../journal/index.js'
import { stateOf, type WorldState } from '../../sim/control/state.js'
import { makeAuthority, type Authority } from '../../sim/pki.js'
import type { WorldSpec } from '../../sim/world/spec.js'
import type { CallPoint } from '../../virtual/incarnation.js'
import { Incarnation } from '../../virtual/incarnation.js'
import { seeded } from '../../virtual/chance.js'
import { openScene, type Scene } from '../../virtual/scene.js'
import { typed, type Lived } from './typed.js'

export interface StageOptions {
  readonly runbook: { readonly name: string; readonly path: string }
  readonly spec: WorldSpec
  readonly seed: number
  /** How many of the world's seconds pass in one of the machine's. */
  readonly speed: number
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Key pairs cost more than all else of opening a world, and nothing depends on them. */
let authority: Authority | undefined

/** One world, one runbook, and somebody who types commands there. */
export class Stage {
  readonly scene: Scene
  readonly #options: StageOptions
  readonly #folder: string

  private constructor(scene: Scene, options: StageOptions, folder: string) {
    this.scene = scene
    this.#options = options
    this.#folder = folder
  }

  static async open(options: StageOptions): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-trial-'))
    const { spec, seed, speed, env } = options
    authority ??= makeAuthority('Lifeboat trials', Date.parse(spec.epoch))
    return new Stage(await openScene({ spec, folder, authority, random: seeded(seed), speed, env }), options, folder)
  }

  get state(): WorldState {
    return stateOf(this.scene.within.world)
  }

  /** Types `run`: the first command of a failover. */
  run(dies?: (point: CallPoint) => boolean): Promise<Lived> {
    const { runbook } = this.#options
    return this.#type(['run', runbook.path, '--cloud', this.scene.cloudPath, '--confirm', runbook.name], dies)
  }

  /** Types `resume`, or `run` again where the first one died before it stood in a journal. */
  async goOn(dies?: (point: CallPoint) => boolean): Promise<Lived> {
    const run = await this.latest()
    return run === undefined ? this.run(dies) : this.#type(['resume', run], dies)
  }

  undo(run: string, dies?: (point: CallPoint) => boolean): Promise<Lived> {
    return this.#type(['undo', run, '--confirm', this.#options.runbook.name], dies)
  }

  /** The run that was begun last, if one was. */
  async latest(): Promise<string | undefined> {
    const runs = await new StateFolder(this.scene.stateDir).runs()
    return runs.find(({ status }) => status !== 'empty')?.run
  }

  async records(run: string): Promise<readonly JournalRecord[]> {
    return (await new StateFolder(this.scene.stateDir).read(run)).records
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  #type(words: readonly string[], dies?: (point: CallPoint) => boolean): Promise<Lived> {
    return typed(this.scene, [...words, '--yes', '--no-input', '--quiet', '--state-dir', this.scene.stateDir], new Incarnation(dies))
  }
}
