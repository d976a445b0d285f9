import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { RunEvent } from '../../contract/index.js'
import { loadCloud } from '../../platform/cloud/load.js'
import { markedChildren, thisMachine } from '../../platform/exec/processes.js'
import { siteMark } from '../../platform/open.js'
import { serveWorld, type ServedWorld } from '../../sim/serve.js'
import type { WorldSpec } from '../../sim/world/spec.js'
import { unlessAborted } from '../../virtual/unless-aborted.js'
import type { Beside } from '../trial/typed.js'
import { beginLife, type LifeOptions, type RealLife } from './real-life.js'
import type { GameStage, SeatName, Typed } from './stage.js'
import { metBy, type Wire } from './wire.js'

export interface RealStageOptions extends LifeOptions {
  readonly runbook: { readonly name: string }
  readonly spec: WorldSpec
  readonly speed: number
  readonly wire: Wire
  /** Breaks it off: whoever waits for what passes hears so. */
  readonly signal: AbortSignal
}

/** Longer than any game day. */
const idleMs = 24 * 3_600_000

/**
 * A world that is served by this process over real protocols, and in front of it the program as a process of its own, with the real
 * SDKs, helm and ssh. Times are the machine's, `speed` times as fast.
 */
export class RealStage implements GameStage {
  readonly folder: string
  readonly #world: ServedWorld
  readonly #options: RealStageOptions
  /** Finds the children of every life on this machine. */
  readonly #mark: string
  readonly #intents = new Set<string>()
  readonly #living = new Map<Typed, Set<string>>()
  /** Lives at the operator's machine, and by how much its clock is ahead. */
  readonly #atOperator = new Set<RealLife>()
  #clockAheadMs = 0

  private constructor(folder: string, world: ServedWorld, mark: string, options: RealStageOptions) {
    this.folder = folder
    this.#world = world
    this.#mark = mark
    this.#options = options
  }

  static async open(options: RealStageOptions): Promise<RealStage> {
    const { spec, speed, runbook, wire } = options
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-trial-'))
    const served = await serveWorld({ world: spec, speed, stateDir: join(folder, 'world'), idleMs })
    served.faults.befall = (method, path) => metBy(wire.onRequest(method, path))
    // One that breaks there has always lost its answer.
    served.world.sshBreaks = () => {
      const met = wire.onProgram('ssh')
      return met?.strikes?.() === true ? met.afterMs : undefined
    }
    const cloud = await loadCloud(served.cloudPath)
    return new RealStage(folder, served, siteMark({ cloud, subscription: spec.subscription, runbook: runbook.name }), options)
  }

  get parts(): ServedWorld {
    return this.#world
  }

  get openIntents(): number {
    return this.#intents.size
  }

  /** For which step a process has sent something is not told here. */
  hasIntent(): boolean {
    return true
  }

  atWork(but?: string): number {
    return [...this.#living.values()].filter((doing) => [...doing].some((step) => step !== but)).length
  }

  type(words: readonly string[], seat: SeatName, { env, operator, heard }: Beside): Typed {
    const doing = new Set<string>()
    const order = { words: [...words, '--state-dir', join(this.folder, seat)], seat, isAnswered: operator !== undefined, clockAheadMs: seat === 'operator' ? this.#clockAheadMs : 0 }
    const noted = (event: RunEvent): void => {
      this.#note(`${seat} `, doing, event)
      heard?.(event)
    }
    const shell = { ...this.#options.env, ...env }
    const life = beginLife({ self: this.#options.self, env: shell }, order, { heard: noted, ...(operator && { operator }) })
    if (seat === 'operator') this.#atOperator.add(life)
    const over = (): void => {
      this.#living.delete(typed)
      this.#atOperator.delete(life)
    }
    const typed: Typed = { ...life, lived: life.lived.finally(over) }
    this.#living.set(typed, doing)
    return typed
  }

  setClock(aheadMs: number): void {
    this.#clockAheadMs += aheadMs
    for (const life of this.#atOperator) life.setClock(this.#clockAheadMs)
  }

  async killAll(program: string): Promise<number> {
    const running = (await markedChildren(this.#mark)).filter(({ command }) => basename(command.split(' ')[0] ?? '') === program)
    for (const { pid } of running) thisMachine.signalGroup(pid, 'SIGKILL')
    return running.length
  }

  pass<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(this.#options.signal, work, ({ reason }) => reason as Error)
  }

  async close(): Promise<void> {
    for (const typed of this.#living.keys()) typed.kill()
    await Promise.all([...this.#living.keys()].map(({ lived }) => lived))
    // What a killed life has left behind, and nobody has come back for.
    for (const { pid } of await markedChildren(this.#mark)) thisMachine.signalGroup(pid, 'SIGKILL')
    await this.#world.stop()
    await rm(this.folder, { recursive: true, force: true })
  }

  /** An intent is told when it is synced, and before the world is touched. */
  #note(whose: string, doing: Set<string>, event: RunEvent): void {
    if (event.type !== 'step.intent' && event.type !== 'step.verified') return
    for (const steps of [this.#intents, doing]) {
      if (event.type === 'step.intent') steps.add(whose + event.step)
      else steps.delete(whose + event.step)
    }
  }
}
