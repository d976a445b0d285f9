import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { recordTypes } from '../../src/journal/codec.js'
import { decode, encode, fold, Journal, type RunState } from '../../src/journal/index.js'
import { MemoryStore, ticking } from '../helpers/journal-samples.js'
import { acceptedJournal } from './make-accepted.js'
import { undoneJournals } from './make-undone.js'
import { goldenJournals } from './make-v1.js'

const folder = new URL('../../fixtures/journals/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
const replay = (name: string): RunState => fold(decode(read(name), { name }).records)

/** Released bytes: a line is added here with each new golden journal, and none is ever changed. */
const released: Readonly<Record<string, string>> = {
  'v1-accepted.ndjson': 'c7930c34e693424eea81c0f7ea91e7bbcae2de61a09774dc46b3eec02b0650f6',
  'v1-finished.ndjson': '9c38fd771a82bbee419a8574f06bf1f0810422f9d7bbd069f4e89841ae197fcd',
  'v1-torn.ndjson': '4256508a5724e48bfab36fe9a4a2169145e39765acbaf5d29a8dfa6034d038f3',
  'v1-undo.ndjson': '7e8891a150a7ceaefeadee13275f389a8418804daed462ed9a2fefc8f8c3686e',
  'v1-undone.ndjson': '388196e7fa452e08d1812250dd67c8fce27cc7857f1a14061338202f0004f0a5',
}

describe('golden journals', () => {
  it('are all listed here, byte for byte as they were released', () => {
    const digest = (name: string): string => createHash('sha256').update(read(name)).digest('hex')
    const found = readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith('.ndjson'))
    expect(Object.fromEntries(found.map((name) => [name, digest(name)]))).toEqual(released)
  })

  it('of format 1 are what their script makes, with a checksum of its own', () => {
    for (const [name, text] of goldenJournals()) expect(read(name), name).toBe(text)
    for (const [name, text] of undoneJournals) expect(read(name), name).toBe(text)
    expect(read('v1-accepted.ndjson')).toBe(acceptedJournal)
  })

  it('have every type of record that format 1 knows', () => {
    const types = new Set(Object.keys(released).flatMap((name) => decode(read(name), { name }).records.map(({ type }) => type)))
    expect([...types].sort()).toEqual([...recordTypes].sort())
  })
})

describe('v1-finished', () => {
  it('is still written the same way', () => {
    const text = read('v1-finished.ndjson')
    expect(decode(text).records.map(encode).join('')).toBe(text)
  })

  it('replays to a run that was interrupted, resumed, and succeeded', () => {
    expect(replay('v1-finished.ndjson')).toMatchObject({
      run: '20190225-124003-data100-x7k2',
      status: 'finished',
      outcome: 'succeeded',
      mode: 'rehearsal',
      confirmed: 'rehearsal',
      owner: { user: 'ann', host: 'laptop', pid: 4400 },
      cloud: { name: 'world', path: '/w/cloud.yaml' },
      runbook: { text: 'name: data100\n# größer → 2 Knoten 🚢\n' },
      pins: [{ path: 'charts/hub', digest: 'sha256:2c26b46b' }],
      sim: { pid: 4300, control: 'https://127.0.0.1:4711/_world' },
      startedAt: '2019-02-25T12:40:03.000Z',
      realStarts: ['2026-01-05T09:00:00.000Z', '2026-01-05T09:00:12.000Z'],
      resumes: 1,
      lastSeq: 24,
      finished: { elapsedMs: 718_000, wallMs: 24_000 },
      planned: { firstHarm: 'fence', pointOfNoReturn: 'fence' },
    })
  })

  it('replays to the same steps, answers, and changes shown', () => {
    const { steps, answers, shown } = replay('v1-finished.ndjson')
    expect([...steps.keys()]).toEqual(['cluster', 'fence'])
    expect(steps.get('cluster')).toMatchObject({
      status: 'verified',
      open: false,
      attempt: 2,
      outputs: { context: 'data100-20s' },
      checkpoints: [{ accepted: expect.stringMatching(/data100-20s$/) as unknown }],
      firstChanges: [{ action: 'create', after: { version: '1.12.5', address: { $pending: ['network'] } } }],
      startedAt: '2019-02-25T12:40:05.000Z',
      endedAt: '2019-02-25T12:51:05.000Z',
      children: [],
    })
    expect(steps.get('fence')).toMatchObject({
      status: 'skipped',
      open: true,
      skipped: { reason: 'the server is gone', by: 'ann' },
      error: { code: 'ssh.failed' },
      changes: [{ after: 'masked', harm: 'live notebooks on data100 stop' }],
      children: [],
    })
    expect([...answers]).toEqual([['go', { choice: 'go', by: 'ann' }]])
    expect(shown.get('fence')).toMatchObject([{ after: 'masked' }])
  })
})

describe('v1-accepted', () => {
  it('replays to what the operator chose, with the changes that were shown with it', () => {
    const { accepted, shown, steps } = replay('v1-accepted.ndjson')
    expect([...accepted].map(([step, ids]) => [step, ...ids])).toEqual([['fence', 'deallocate'], ['move', 'attach-across-groups']])
    expect(shown.get('fence')).toMatchObject([{ resource: 'machine nfs' }, { resource: 'machine nfs', harm: 'it stops' }])
    expect(steps.get('move')).toMatchObject({ status: 'verified', open: false, attempt: 2, outputs: { remark: 'd0 stayed' } })
  })
})

describe('v1-undone', () => {
  it('replays to a run that has been interrupted, and to the undo of it that came to its end', () => {
    const undone = replay('v1-undone.ndjson')
    const undo = replay('v1-undo.ndjson')
    expect(undone).toMatchObject({ interrupted: 'SIGINT', undoings: [undo.run] })
    expect(undo).toMatchObject({ status: 'finished', outcome: 'succeeded', undoes: undone.run })
    expect(undo.steps.get('group')).toMatchObject({ status: 'verified', changes: [{ action: 'delete' }] })
  })
})

describe('v1-torn', () => {
  it('replays to an open intent, and goes on after its torn line was cut off', async () => {
    const store = new MemoryStore()
    store.bytes = readFileSync(new URL('v1-torn.ndjson', folder))
    const { journal, records, cut } = await Journal.open(store, '20190225-124003-data100-x7k2', ticking())
    expect(cut).toMatch(/line 6, 80 bytes/)
    const state = fold(records)
    expect(state).toMatchObject({ status: 'running', lastSeq: 5 })
    expect(state.steps.get('cluster')).toMatchObject({ status: 'intent', open: true, checkpoints: [] })
    expect((await journal.append('run.interrupted', { signal: 'SIGTERM' })).seq).toBe(6)
  })
})
