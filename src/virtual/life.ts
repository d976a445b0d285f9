import type { Gate, RemoteCall } from './gate.js'

/** A moment at which a life can be killed: before a call is sent, or when it has been carried out and its answer is lost. */
export interface CallPoint {
  /** Counted over one life, from 1; a journal's append is a call too. */
  readonly number: number
  readonly call: RemoteCall
  readonly when: 'before' | 'after'
}

/**
 * One life of the program: from its start to its end or its death. What is killed never hears of anything again: no answer, no time,
 * no file. What it has sent out goes on without it.
 */
export class Life implements Gate {
  readonly #died: () => void
  readonly #dies: (point: CallPoint) => boolean
  #number = 0
  #isOver = false
  /** Resolves when it is killed. */
  readonly death: Promise<'killed'>

  /** `dies` is asked at every point whether the life ends there. */
  constructor(dies: (point: CallPoint) => boolean = () => false) {
    let died: () => void = () => undefined
    this.death = new Promise((resolve) => (died = () => resolve('killed')))
    this.#died = died
    this.#dies = dies
  }

  get isOver(): boolean {
    return this.#isOver
  }

  kill(): void {
    this.#isOver = true
    this.#died()
  }

  async through<T>(call: RemoteCall, send: () => Promise<T>): Promise<T> {
    const number = (this.#number += 1)
    if (this.#endsAt({ number, call, when: 'before' })) return never()
    const ended = await send().then((result) => ({ result }), (error: unknown) => ({ error }))
    if (this.#endsAt({ number, call, when: 'after' })) return never()
    if ('error' in ended) throw ended.error
    return ended.result
  }

  #endsAt(point: CallPoint): boolean {
    if (!this.#isOver && this.#dies(point)) this.kill()
    return this.#isOver
  }
}

/** Held by nobody, so that what waits for it is forgotten with it. */
function never(): Promise<never> {
  return new Promise(() => undefined)
}
