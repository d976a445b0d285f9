import { kindOf } from '../kinds.js'
import { hash, type KubeObject } from '../object.js'
import type { Store } from '../store.js'
import type { Context, Controller, Surroundings } from './context.js'

/** World milliseconds that controllers take to notice a change: a status is behind its spec for a moment. */
const reactionMs = 200

export interface LoopClock {
  nowMs(): number
  schedule(delayMs: number, run: () => void): () => void
}

/**
 * Runs all controllers after every change of the store, and at the times that they ask for. Each looks at everything there
 * is: a cluster of a world has a few hundred objects.
 */
export class ControllerLoop implements Context {
  readonly store: Store
  readonly around: Surroundings
  readonly #clock: LoopClock
  readonly #controllers: readonly Controller[]
  #soon: (() => void) | undefined
  #later: (() => void) | undefined
  #wakeMs = Infinity
  #stopped = false

  constructor(store: Store, around: Surroundings, clock: LoopClock, controllers: readonly Controller[]) {
    this.store = store
    this.around = around
    this.#clock = clock
    this.#controllers = controllers
    store.listeners.add(() => this.kick())
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  wakeAt(ms: number): void {
    this.#wakeMs = Math.min(this.#wakeMs, ms)
  }

  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const kind = kindOf('events')
    const { name, namespace = 'default', uid } = object.metadata
    const event = `${name}.${hash([uid, reason, message])}`
    if (this.store.get(kind, namespace, event)) return
    const now = this.store.now()
    this.store.create(kind, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: event, namespace },
      involvedObject: { apiVersion: object.apiVersion, kind: object.kind, name, namespace, uid },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: 'world' },
    })
  }

  /** Have the controllers run soon. */
  kick(): void {
    if (this.#stopped || this.#soon !== undefined) return
    this.#soon = this.#clock.schedule(reactionMs, () => {
      this.#soon = undefined
      this.#run()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#soon?.()
    this.#later?.()
  }

  #run(): void {
    this.#later?.()
    this.#wakeMs = Infinity
    for (const control of this.#controllers) control(this)
    if (this.#wakeMs === Infinity) return
    this.#later = this.#clock.schedule(Math.max(0, this.#wakeMs - this.nowMs()), () => {
      this.#later = undefined
      this.kick()
    })
  }
}
