import { LifeboatError } from '../contract/index.js'
import { decode, encode, formatVersion, type Known } from './codec.js'
import { errnoOf } from './errno.js'
import type { JournalRecord, RecordData, RecordType } from './records.js'
import type { Store } from './store.js'

interface Waiting {
  readonly record: JournalRecord
  readonly line: string
  readonly resolve: (record: JournalRecord) => void
  readonly reject: (error: unknown) => void
}

export interface Opened {
  readonly journal: Journal
  /** As they were when it was opened. */
  readonly records: readonly JournalRecord[]
  /** Set if the last line was torn and has been cut off: a sentence that says so. */
  readonly cut?: string
}

/**
 * The append-only record of one run. What `append` resolves with is on disk; after one failed write nothing more is
 * written, because what the disk holds is no longer known.
 */
export class Journal {
  readonly run: string
  readonly #store: Store
  readonly #now: () => Date
  readonly #records: JournalRecord[]
  #nextSeq: number
  /** Milliseconds; of the last record. */
  #lastMs: number
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #broken: LifeboatError | undefined

  private constructor(store: Store, run: string, now: () => Date, records: readonly JournalRecord[]) {
    this.run = run
    this.#store = store
    this.#now = now
    this.#records = [...records]
    this.#nextSeq = records.length + 1
    this.#lastMs = Date.parse(records.at(-1)?.t ?? '') || 0
  }

  /** A journal for a new run; the store is empty. `now` is the run's clock. */
  static create(store: Store, run: string, now: () => Date): Journal {
    return new Journal(store, run, now, [])
  }

  /**
   * Opens a journal to go on with it; only the holder of the run's lock may, for a torn last line is cut off. Throws
   * `journal.damaged` and `journal.unreadable`. `known`: what was read of it before.
   */
  static async open(store: Store, run: string, now: () => Date, known?: Known): Promise<Opened> {
    const text = await readAll(store, run)
    const name = store.name === undefined ? {} : { name: store.name }
    const { records, keptBytes, tornBytes } = decode(text, { run, ...name, ...(known === undefined ? {} : { known }) })
    const journal = new Journal(store, run, now, records)
    const opened = { journal, records: [...records] }
    if (tornBytes === undefined) return opened
    await store.truncate(keptBytes).catch((error: unknown) => {
      throw writeFailed(error, store)
    })
    const cut = `the journal's last line (line ${records.length + 1}, ${tornBytes} bytes) had not been written to its end and was cut off`
    return { ...opened, cut }
  }

  /** What is on disk, oldest first. Grows with each append. */
  get records(): readonly JournalRecord[] {
    return this.#records
  }

  /**
   * Resolves when the record is synced to disk, with the record as it reads back: secrets are `***`, pending values
   * `{ $pending: […] }`. Appends keep their order; those that wait for the disk together share one sync. Rejects with
   * `journal.write-failed` or `journal.displaced`, then and ever after.
   */
  async append<T extends RecordType>(type: T, data: RecordData[T]): Promise<JournalRecord> {
    if (this.#broken !== undefined) throw this.#broken
    // What comes later never bears an earlier time, whatever is done to the machine's clock between two lives of a run.
    this.#lastMs = Math.max(this.#lastMs, this.#now().getTime())
    const t = new Date(this.#lastMs).toISOString()
    const line = encode({ v: formatVersion, seq: this.#nextSeq, t, run: this.run, type, data } as JournalRecord)
    const record = withoutChecksum(line)
    this.#nextSeq += 1
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, line, resolve, reject })
      this.#writing ??= this.#write()
    })
  }

  /** Waits for what is being written and closes the store. */
  async close(): Promise<void> {
    await this.#writing
    this.#broken ??= new LifeboatError('journal.write-failed', `the journal of run ${this.run} is closed`, { blame: 'tool' })
    await this.#store.close()
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#store.append(batch.map(({ line }) => line).join(''))
      } catch (error) {
        this.#fail(writeFailed(error, this.#store), batch)
        break
      }
      for (const { record, resolve } of batch) {
        this.#records.push(record)
        resolve(record)
      }
    }
    this.#writing = undefined
  }

  #fail(error: LifeboatError, batch: readonly Waiting[]): void {
    this.#broken = error
    for (const { reject } of [...batch, ...this.#waiting]) reject(error)
    this.#waiting = []
  }
}

function withoutChecksum(line: string): JournalRecord {
  const { crc: _, ...record } = JSON.parse(line) as JournalRecord & { crc: string }
  return record
}

async function readAll(store: Store, run: string): Promise<string> {
  try {
    return await store.read()
  } catch (cause) {
    throw unreadable(run, cause)
  }
}

export function unreadable(run: string, cause: unknown): LifeboatError {
  const why = errnoOf(cause) ?? 'the store failed'
  return new LifeboatError('journal.unreadable', `the journal of run ${run} cannot be read (${why})`, {
    blame: 'user',
    cause,
  })
}

export function writeFailed(cause: unknown, store?: Store): LifeboatError {
  if (cause instanceof LifeboatError) return cause
  const code = errnoOf(cause)
  const where = store?.name ?? 'the store'
  const message = `the journal cannot be written (${code ?? 'the store failed'}, ${where})`
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  const first = full ? 'Free some space there' : 'Make that place writable, or choose another with --state-dir'
  return new LifeboatError('journal.write-failed', message, {
    blame: 'user',
    cause,
    hint: `${first}. Without a journal nothing more is changed; what was written before can be resumed.`,
  })
}
