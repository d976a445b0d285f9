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
  /** Of the held: claims taken back for a step whose turn has not come, and the steps that it waits for. */
  readonly #reserved = new Map<string, ReadonlySet<string>>()
  readonly #waiting: Waiter[] = []

  /**
   * Takes back what a step held when an earlier life of the run ended, before its turn has come: what it began may still be
   * going on out there. The steps that it waits for (`before`) are let pass: they are looked at again first, and it would
   * wait for them while they wait for it.
   */
  reserve(step: string, claims: readonly Claim[], before: ReadonlySet<string>): () => void {
    this.#held.set(step, claims)
    this.#reserved.set(step, before)
    return this.#releaseOf(step)
  }

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
    if (this.#inTheWay(step, claims, this.#waiting).length === 0) {
      this.#held.set(step, claims)
    } else {
      onWait?.(this.#inTheWay(step, claims, this.#waiting))
      await this.#queue(step, claims, signal)
    }
    return this.#releaseOf(step)
  }

  #releaseOf(step: string): () => void {
    return () => {
      this.#held.delete(step)
      this.#reserved.delete(step)
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

  /** Who holds, or came earlier and waits for, what this step needs. */
  #inTheWay(step: string, claims: readonly Claim[], earlier: readonly Waiter[]): readonly string[] {
    const holders = [...this.#held].filter(([other]) => this.#reserved.get(other)?.has(step) !== true)
    // One that a reservation waits for goes first: behind a queue that waits for the reservation it would wait for ever.
    const goesFirst = [...this.#reserved.values()].some((before) => before.has(step))
    const queue = goesFirst ? [] : earlier.map((waiter) => [waiter.step, waiter.claims] as const)
    return [...holders, ...queue].filter(([, held]) => overlap(claims, held)).map(([other]) => other)
  }

  #grant(): void {
    for (let index = 0; index < this.#waiting.length; ) {
      const waiter = this.#waiting[index] as Waiter
      if (this.#inTheWay(waiter.step, waiter.claims, this.#waiting.slice(0, index)).length === 0) {
        this.#waiting.splice(index, 1)
        this.#held.set(waiter.step, waiter.claims)
        waiter.grant()
      } else {
        index += 1
      }
    }
  }
}

function overlap(mine: readonly Claim[], others: readonly Claim[]): boolean {
  return mine.some((a) => others.some((b) => a.resource === b.resource && (a.mode === 'alone' || b.mode === 'alone')))
}
