/** What can be put in somebody's way. */
export type HindranceKind = 'api server' | 'certificate' | 'lock' | 'login' | 'quota' | 'silence' | 'size' | 'subscription'

/** Told whom it has met: a request that was refused, or that nobody answered. */
export type Met = (whom: string) => void

/**
 * What a game day has put in somebody's way. Whoever put it there is told each time that something is refused, or goes unanswered,
 * because of it: a lock that nobody runs into has tried nothing.
 */
export class Hindrances {
  readonly #met = new Map<string, Met>()

  /** `of`: its id or name, without regard to case. */
  watch(kind: HindranceKind, of: string, met: Met): void {
    this.#met.set(keyOf(kind, of), met)
  }

  isWatched(kind: HindranceKind, of: string): boolean {
    return this.#met.has(keyOf(kind, of))
  }

  meets(kind: HindranceKind, of: string, whom: string): void {
    this.#met.get(keyOf(kind, of))?.(whom)
  }
}

function keyOf(kind: HindranceKind, of: string): string {
  return `${kind} ${of.toLowerCase()}`
}
