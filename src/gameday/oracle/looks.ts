/**
 * What has been looked at since something befell it, and in which life of the tool: what a dead life has seen the next one knows nothing
 * of. Where lives cannot be told apart (programs of their own), all are one.
 */
export class Looks {
  readonly #seenIn = new Map<string, Set<string>>()

  /** From now on nobody has looked at it. */
  begin(key: string): void {
    this.#seenIn.set(key, new Set())
  }

  /** A life has looked at all of these. */
  note(life: string, isAbout: (key: string) => boolean): void {
    for (const [key, lives] of this.#seenIn) if (!lives.has(life) && isAbout(key)) lives.add(life)
  }

  /** Has something befallen it that this life has not looked at? */
  isUnseen(key: string, life: string): boolean {
    return this.#seenIn.get(key)?.has(life) === false
  }
}
