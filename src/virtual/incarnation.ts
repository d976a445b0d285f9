import type { Gate, RemoteCall } from './gate.js'

/** A moment at which the program can die: before a call is sent, or when it has been carried out and its answer is lost. */
export interface CallPoint {
  /** Counted over one incarnation, from 1. */
  readonly number: number
  readonly call: RemoteCall
  readonly when: 'before' | 'after'
}

let begun = 0

/**
 * One life of the program, from its start to its end or its death. What has died never hears of anything again: no answer, no time, no
 * file. What it has sent out goes on without it.
 */
export class Incarnation implements Gate {
  readonly #dies: (point: CallPoint) => boolean
  readonly #tellDeath: () => void
  readonly name = `life ${(begun += 1)}`
  #number = 0
  #isOver = false
  /** Resolves when it dies. */
  readonly death: Promise<void>

  /** `dies` is asked at every point whether it dies there. */
  constructor(dies: (point: CallPoint) => boolean = () => false) {
    let tell: () => void = () => undefined
    this.death = new Promise((resolve) => (tell = resolve))
    this.#tellDeath = tell
    this.#dies = dies
  }

  get isOver(): boolean {
    return this.#isOver
  }

  die(): void {
    this.#isOver = true
    this.#tellDeath()
  }

  async through<T>(call: RemoteCall, send: () => Promise<T>): Promise<T> {
    const number = (this.#number += 1)
    if (this.#endsAt({ number, call, when: 'before' })) return never()
    const ended = await send().then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    )
    if (this.#endsAt({ number, call, when: 'after' })) return never()
    if ('error' in ended) throw ended.error
    return ended.result
  }

  #endsAt(point: CallPoint): boolean {
    if (!this.#isOver && this.#dies(point)) this.die()
    return this.#isOver
  }
}

/** Held by nobody, so that what waits for it is forgotten with it. */
function never(): Promise<never> {
  return new Promise(() => undefined)
}
