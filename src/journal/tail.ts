import { decode } from './codec.js'
import { grownFrom } from './grown.js'
import { unreadable } from './journal.js'
import type { JournalRecord } from './records.js'

/**
 * A journal read as it grows, each record once. What is not a whole line yet is read again the next time: a resume may cut it off
 * and write another in its place.
 */
export class JournalTail {
  readonly #path: string
  readonly #run: string
  #bytes = 0
  #records = 0

  constructor(path: string, run: string) {
    this.#path = path
    this.#run = run
  }

  /** The records since the last time. Throws `journal.damaged` and `journal.unreadable`. */
  async next(): Promise<readonly JournalRecord[]> {
    const grown = await grownFrom(this.#path, this.#bytes).catch((error: unknown) => {
      throw unreadable(this.#run, error)
    })
    const { records, keptBytes } = decode(grown.toString('utf8'), { run: this.#run, name: this.#path, after: this.#records })
    this.#bytes += keptBytes
    this.#records += records.length
    return records
  }
}
