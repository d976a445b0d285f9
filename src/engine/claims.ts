import type { Claim } from '../contract/index.js'

interface Waiter {
  readonly step: string
  readonly claims: readonly Claim[]
  readonly grant: () => void
}

/**
 * Keeps apart what must not overlap. A step takes all its claims at once or waits; first come, first served, so that a
 * step that needs a group alone is not starved by a stream of steps that share it.
 */
export class ClaimTable {
  readonly #held = new Map<string, readonly Claim[]>()
  readonly #waiting: Waiter[] = []

  /**
   * Resolves with the release function once all claims are held. `onWait` is told the steps that are in the way, once, if
   * it has to wait. Rejects with the signal's reason if that is aborted first.
   */
  async take(
    step: string,
    claims: readonly Claim[],
    signal: AbortSignal,
    onWait?: (on: readonly string[]) => void,
  ): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#free(claims, this.#waiting)) {
      this.#held.set(step, claims)
    } else {
      onWait?.(this.#holders(claims))
      await this.#queue(step, claims, signal)
    }
    return () => {
      this.#held.delete(step)
      this.#grant()
    }
  }

  #queue(step: string, claims: readonly Claim[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal.reason as Error)
        this.#grant()
      }
      const waiter: Waiter = {
        step,
        claims,
        grant: () => {
          signal.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.push(waiter)
    })
  }

  /** Nobody who holds, and nobody who came earlier, is in the way. */
  #free(claims: readonly Claim[], earlier: readonly Waiter[]): boolean {
    const others = [...this.#held.values(), ...earlier.map((waiter) => waiter.claims)]
    return !others.some((other) => overlap(claims, other))
  }

  #grant(): void {
    for (let index = 0; index < this.#waiting.length; ) {
      const waiter = this.#waiting[index] as Waiter
      if (this.#free(waiter.claims, this.#waiting.slice(0, index))) {
        this.#waiting.splice(index, 1)
        this.#held.set(waiter.step, waiter.claims)
        waiter.grant()
      } else {
        index += 1
      }
    }
  }

  #holders(claims: readonly Claim[]): readonly string[] {
    const held = [...this.#held].filter(([, other]) => overlap(claims, other)).map(([step]) => step)
    const ahead = this.#waiting.filter((waiter) => overlap(claims, waiter.claims)).map((waiter) => waiter.step)
    return [...held, ...ahead]
  }
}

function overlap(mine: readonly Claim[], others: readonly Claim[]): boolean {
  return mine.some((a) => others.some((b) => a.resource === b.resource && (a.mode === 'alone' || b.mode === 'alone')))
}
