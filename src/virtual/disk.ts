/** `code` as the system gives it. */
class NoSpace extends Error {
  readonly code = 'ENOSPC'

  constructor() {
    super('ENOSPC: no space left on device, write')
  }
}

/** The disk on which one life of a run keeps its journal: there may come an end to its room, or the power may go while it is written to. */
export class Disk {
  #left = Infinity
  #endsLife = false

  /** From now on there is room for so many bytes. */
  fill(bytes: number): void {
    this.#left = bytes
  }

  /** The power goes when so many more bytes have been written. */
  tear(bytes: number): void {
    this.#left = bytes
    this.#endsLife = true
  }

  /**
   * Writes as much of a text as there is room for, by `write`. Throws ENOSPC for the rest, or calls `gone` if it was the power that has
   * gone: what is written then is never acknowledged.
   */
  async append(text: string, write: (part: Buffer | string) => Promise<void>, gone: () => void): Promise<void> {
    if (this.#left === Infinity) return write(text)
    const bytes = Buffer.from(text)
    const part = bytes.subarray(0, this.#left)
    this.#left -= part.length
    if (part.length > 0) await write(part)
    if (this.#endsLife) gone()
    if (part.length < bytes.length) throw new NoSpace()
  }
}
