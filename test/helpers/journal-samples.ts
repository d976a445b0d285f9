import fc from 'fast-check'
import type { JournalRecord, Owner, RecordData, RecordType, Store } from '../../src/journal/index.js'

export const run = '20190225-124003-data100-x7k2'

export const owner: Owner = { user: 'ann', host: 'laptop', pid: 4242, started: 'boot-1/100' }

export const started: RecordData['run.started'] = {
  runbook: { name: 'data100', path: '/runbooks/data100.yaml', text: 'name: data100\n' },
  mode: 'run',
  cloud: { name: 'AzurePublicCloud', resourceManager: 'https://arm.example', subscription: 'sub-1', path: null },
  owner,
  pins: [{ path: 'charts/hub', digest: 'sha256:00' }],
  confirmed: 'typed',
  realStartedAt: '2019-02-25T12:40:03.000Z',
}

/** A plan of nothing: with it a run has begun. */
export const planned: RecordData['run.planned'] = { firstHarm: null, pointOfNoReturn: null, criticalPath: [], totalMs: 0, steps: [] }

/** A clock that starts at 12:40:03 and goes on by a second with every look. */
export function ticking(): () => Date {
  let ms = Date.parse('2019-02-25T12:40:03.000Z') - 1000
  return () => new Date((ms += 1000))
}

/** Collects records as a journal would number them. */
export class Records {
  readonly list: JournalRecord[] = []
  readonly #now = ticking()

  add<T extends RecordType>(type: T, data: RecordData[T]): this {
    const seq = this.list.length + 1
    this.list.push({ v: 1, seq, t: this.#now().toISOString(), run, type, data } as JournalRecord)
    return this
  }
}

/** A store in memory. `appends` has the text of each append, so that shared syncs can be counted. */
export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly appends: string[] = []
  bytes = Buffer.alloc(0)
  /** Thrown by the next append, after `half` of it was written. */
  failure: Error | undefined
  /** Appends wait for this. */
  gate: Promise<void> = Promise.resolve()

  async append(lines: string): Promise<void> {
    await this.gate
    const all = Buffer.from(lines)
    this.appends.push(lines)
    const written = this.failure === undefined ? all : all.subarray(0, all.length / 2)
    this.bytes = Buffer.concat([this.bytes, written])
    if (this.failure !== undefined) throw this.failure
  }

  async read(): Promise<string> {
    return this.bytes.toString('utf8')
  }

  async truncate(bytes: number): Promise<void> {
    this.bytes = this.bytes.subarray(0, bytes)
  }

  async close(): Promise<void> {
    // Nothing to give back.
  }
}

/** Any JSON without -0, which JSON does not know. */
const json = fc.json({ maxDepth: 3 }).map((text) => JSON.parse(JSON.stringify(JSON.parse(text))) as unknown)
const step = fc.string({ unit: 'binary', maxLength: 12 })

/** Records of several types with awkward text in them, numbered as a journal would. */
export const anyRecords: fc.Arbitrary<readonly JournalRecord[]> = fc
  .array(
    fc.oneof(
      fc.record({ type: fc.constant('step.checkpoint'), data: fc.record({ step, what: json }) }),
      fc.record({ type: fc.constant('step.applied'), data: fc.record({ step }) }),
      fc.record({ type: fc.constant('run.interrupted'), data: fc.record({ signal: step }) }),
    ),
    { maxLength: 8 },
  )
  .map((drafts) => drafts.map((draft, index) => ({ v: 1, seq: index + 1, t: '2019-02-25T12:40:03.000Z', run, ...draft }) as JournalRecord))
