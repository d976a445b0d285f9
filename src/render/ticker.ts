import type { Clock } from '../contract/index.js'

/** Calls `tick` every `everyMs` of real time until it is stopped. A renderer draws what passes between two events by it. */
export class Ticker {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #tick: () => void
  #running: AbortController | undefined

  constructor(clock: Clock, everyMs: number, tick: () => void) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#tick = tick
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  start(): void {
    if (this.#running !== undefined) return
    const running = new AbortController()
    this.#running = running
    void this.#run(running.signal)
  }

  stop(): void {
    this.#running?.abort()
    this.#running = undefined
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleepReal(this.#everyMs, signal)
        if (signal.aborted) return
        this.#tick()
      }
    } catch {
      // Only a stop ends a sleep early; a display that cannot tick is still told every event.
    }
  }
}
