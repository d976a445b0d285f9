import { describe, expect, it } from 'vitest'
import { Pending, Secret, type Json } from '../../src/contract/index.js'
import { decode, encode, Journal } from '../../src/journal/index.js'
import { MemoryStore, Records, run, started, ticking } from '../helpers/journal-samples.js'

const like = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const checkpoint = (what: Json): { step: string; what: Json } => ({ step: 'cluster', what })

describe('appending to a journal', () => {
  it('numbers records from 1, with run and the run clock on each', async () => {
    const store = new MemoryStore()
    const journal = Journal.create(store, run, ticking())
    await journal.append('run.started', started)
    const second = await journal.append('step.applied', { step: 'cluster' })
    expect(second).toEqual({ v: 1, seq: 2, t: '2019-02-25T12:40:04.000Z', run, type: 'step.applied', data: { step: 'cluster' } })
    expect(decode(await store.read()).records).toEqual(journal.records)
  })

  it('keeps the order in which it was called, and shares one sync among all that wait', async () => {
    const store = new MemoryStore()
    let open = (): void => undefined
    store.gate = new Promise((resolve) => (open = resolve))
    const journal = Journal.create(store, run, ticking())
    const all = Array.from({ length: 50 }, (_, index) => journal.append('step.checkpoint', checkpoint(index)))
    open()
    const records = await Promise.all(all)
    expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    expect(store.appends).toHaveLength(2)
    expect(decode(await store.read()).records).toEqual(records)
  })

  it('counts a record only once it is on disk', async () => {
    const store = new MemoryStore()
    let open = (): void => undefined
    store.gate = new Promise((resolve) => (open = resolve))
    const journal = Journal.create(store, run, ticking())
    const appended = journal.append('run.started', started)
    await Promise.resolve()
    expect(journal.records).toEqual([])
    open()
    await appended
    expect(journal.records).toHaveLength(1)
  })

  it('gives back what a later reader would read: no secret, pending values as data', async () => {
    const journal = Journal.create(new MemoryStore(), run, ticking())
    const what = { key: new Secret('hunter2'), address: new Pending(['prod']), none: undefined } as unknown as Json
    expect((await journal.append('step.checkpoint', checkpoint(what))).data).toEqual({
      step: 'cluster',
      what: { key: '***', address: { $pending: ['prod'] } },
    })
  })

  it('never goes back in time, though the clock does', async () => {
    const times = ['12:40:05', '12:40:01', '12:40:07'].map((time) => new Date(`2019-02-25T${time}.000Z`))
    const store = new MemoryStore()
    const journal = Journal.create(store, run, () => times.shift() ?? new Date(0))
    for (const what of [1, 2, 3]) await journal.append('step.checkpoint', checkpoint(what))
    const again = (await Journal.open(store, run, () => new Date(0))).journal
    await again.append('step.checkpoint', checkpoint(4))
    expect(again.records.map(({ t }) => t.slice(11, 19))).toEqual(['12:40:05', '12:40:05', '12:40:07', '12:40:07'])
  })

  it('keeps its numbering when something cannot be written as JSON', async () => {
    const journal = Journal.create(new MemoryStore(), run, ticking())
    await expect(journal.append('step.checkpoint', checkpoint(1n as unknown as Json))).rejects.toThrow(TypeError)
    expect((await journal.append('run.started', started)).seq).toBe(1)
  })
})

describe('a journal whose disk is full', () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })

  it('fails the append, those that wait behind it, and every later one', async () => {
    const store = new MemoryStore()
    const journal = Journal.create(store, run, ticking())
    await journal.append('run.started', started)
    store.failure = full
    const first = journal.append('step.applied', { step: 'a' })
    const behind = journal.append('step.applied', { step: 'b' })
    await expect(first).rejects.toMatchObject({ code: 'journal.write-failed', hint: like(/Free some space/), cause: full })
    await expect(behind).rejects.toMatchObject({ code: 'journal.write-failed' })
    store.failure = undefined
    await expect(journal.append('step.applied', { step: 'c' })).rejects.toMatchObject({ code: 'journal.write-failed' })
    expect(journal.records).toHaveLength(1)
    expect(store.appends).toHaveLength(2)
  })

  it('opens again with what was whole, after space was made', async () => {
    const store = new MemoryStore()
    const journal = Journal.create(store, run, ticking())
    await journal.append('run.started', started)
    store.failure = full
    await expect(journal.append('step.applied', { step: 'a' })).rejects.toMatchObject({ code: 'journal.write-failed' })
    store.failure = undefined
    const again = await Journal.open(store, run, ticking())
    expect(again.cut).toMatch(/line 2, \d+ bytes/)
    expect((await again.journal.append('step.applied', { step: 'a' })).seq).toBe(2)
    expect(decode(await store.read()).records).toEqual(again.journal.records)
  })
})

describe('opening a journal', () => {
  const two = new Records().add('run.started', started).add('step.applied', { step: 'größer 🚢' }).list
  const whole = Buffer.from(two.map(encode).join(''))

  it('goes on counting where it stopped', async () => {
    const store = new MemoryStore()
    store.bytes = Buffer.from(whole)
    const { journal, records, cut } = await Journal.open(store, run, ticking())
    expect(records).toEqual(two)
    expect(cut).toBeUndefined()
    expect((await journal.append('step.applied', { step: 'x' })).seq).toBe(3)
    expect(records).toHaveLength(2)
  })

  it('cuts off a torn last line, wherever it was torn, says so, and can be appended to', async () => {
    const lastAt = Buffer.byteLength(encode(two[0]!))
    for (let end = lastAt + 1; end < whole.length; end += 1) {
      const store = new MemoryStore()
      store.bytes = whole.subarray(0, end)
      const { journal, records, cut } = await Journal.open(store, run, ticking())
      expect(cut).toMatch(/^the journal's last line \(line 2, \d+ bytes\) .* was cut off$/)
      expect(records).toEqual([two[0]])
      await journal.append('step.applied', { step: 'x' })
      expect(decode(await store.read()).records.map(({ seq }) => seq)).toEqual([1, 2])
    }
  })

  it('refuses a damaged one and leaves it as it is', async () => {
    const store = new MemoryStore()
    const bytes = Buffer.concat([whole.subarray(0, 30), Buffer.from('?'), whole.subarray(31), Buffer.from('torn')])
    store.bytes = bytes
    await expect(Journal.open(store, run, ticking())).rejects.toMatchObject({
      code: 'journal.damaged',
      message: like(/^line 1 of memory/),
    })
    expect(store.bytes).toEqual(bytes)
  })

  it('refuses the journal of another run', async () => {
    const store = new MemoryStore()
    store.bytes = Buffer.from(whole)
    await expect(Journal.open(store, 'another', ticking())).rejects.toMatchObject({ code: 'journal.damaged' })
  })

  it('opens an empty one: the run ended before its first record', async () => {
    expect((await Journal.open(new MemoryStore(), run, ticking())).records).toEqual([])
  })
})

describe('closing a journal', () => {
  it('waits for what is being written, and takes nothing more', async () => {
    const store = new MemoryStore()
    const journal = Journal.create(store, run, ticking())
    const appended = journal.append('run.started', started)
    await journal.close()
    await appended
    expect(store.appends).toHaveLength(1)
    await expect(journal.append('step.applied', { step: 'x' })).rejects.toMatchObject({ code: 'journal.write-failed' })
  })
})
