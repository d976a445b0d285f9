/** Time that stands still until everybody waits, and then goes on to whoever waits the least: no test of it takes long. */
export class VirtualTime {
  #nowMs = Date.UTC(2019, 1, 25)
  readonly #waiting: { atMs: number; wake: () => void }[] = []

  readonly now = (): Date => new Date(this.#nowMs)

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = (): void => reject(signal?.reason as Error)
      if (signal?.aborted === true) return stop()
      signal?.addEventListener('abort', stop, { once: true })
      this.#waiting.push({ atMs: this.#nowMs + ms, wake: resolve })
    })

  /** Lets time pass until that is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false }
    const over = promise.finally(() => (state.isOver = true))
    over.catch(() => undefined)
    for (;;) {
      await new Promise(setImmediate)
      if (state.isOver) return over
      this.#waiting.sort((one, other) => one.atMs - other.atMs)
      const next = this.#waiting.shift()
      if (next === undefined) throw new Error('everybody waits, and nobody for time')
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.wake()
    }
  }
}
