import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { decode, encode, type JournalRecord } from '../../src/journal/index.js'
import { anyRecords, Records, run, started } from '../helpers/journal-samples.js'

const like = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const write = (records: readonly JournalRecord[]): string => records.map(encode).join('')

const sample = new Records()
  .add('run.started', started)
  .add('step.started', { step: 'cluster', uses: 'azure/aks-cluster', attempt: 1 })
  .add('step.checkpoint', { step: 'cluster', what: 'größer → 2 Knoten 🚢' }).list
const text = write(sample)

/** The error that reading this gives, or undefined if it is read without one. */
function refusal(bytes: Buffer | string, options = {}): LifeboatError | undefined {
  try {
    decode(bytes.toString(), options)
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(LifeboatError)
    return error as LifeboatError
  }
}

describe('a journal line', () => {
  it('is JSON with the checksum last, on one line', () => {
    const [line] = text.split('\n')
    expect(Object.keys(JSON.parse(line!) as object)).toEqual(['v', 'seq', 't', 'run', 'type', 'data', 'crc'])
    expect(JSON.parse(line!)).toMatchObject({ v: 1, seq: 1, type: 'run.started', crc: like(/^[0-9a-f]{8}$/) })
  })

  it('reads back as it was written, whatever text it carries', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const { records: back, tornBytes, keptBytes } = decode(write(records))
        expect(back).toEqual(records)
        expect(tornBytes).toBeUndefined()
        expect(keptBytes).toBe(Buffer.byteLength(write(records)))
      }),
    )
  })
})

describe('a journal that was read before', () => {
  const known = { lines: write(sample.slice(0, 2)), records: sample.slice(0, 2) }

  it('is read on from where that ended, to the same end', () => {
    expect(decode(text, { known })).toEqual(decode(text))
    expect(decode(text, { known }).records[0]).toBe(sample[0])
  })

  it('is read whole where it no longer begins with the same lines', () => {
    const other = text.replace('azure/aks-cluster', 'azure/aks-clusteR')
    expect(refusal(other, { known })?.message).toContain('line 2')
  })

  it('names lines by their place in the whole', () => {
    expect(refusal(`${text}nonsense\n`, { known })?.message).toContain('line 4')
  })
})

describe('a journal that was torn while its last line was written', () => {
  it('gives all whole records and the size of the tail, wherever it was torn', () => {
    const whole = Buffer.from(text)
    const lastAt = Buffer.byteLength(write(sample.slice(0, -1)))
    for (let end = lastAt + 1; end < whole.length; end += 1) {
      const torn = whole.subarray(0, end)
      const { records, keptBytes, tornBytes } = decode(torn.toString())
      expect(records).toEqual(sample.slice(0, -1))
      expect(keptBytes).toBe(lastAt)
      expect(tornBytes).toBe(Buffer.byteLength(torn.subarray(lastAt).toString()))
    }
  })

  it('may have been torn in its only line', () => {
    expect(decode(encode(sample[0]!).slice(0, 20))).toEqual({ records: [], keptBytes: 0, tornBytes: 20 })
  })

  it('is no torn journal when a whole last line has a wrong checksum', () => {
    expect(refusal(text.replace('Knoten', 'knoten'))).toMatchObject({ code: 'journal.damaged', blame: 'user' })
  })
})

describe('a damaged journal', () => {
  it('is refused for any flipped byte, naming the line that the byte is in', () => {
    const bytes = Buffer.from(text)
    let line = 1
    for (const [at, byte] of bytes.entries()) {
      for (const bit of [0x01, 0x20, 0x80]) {
        const flipped = Buffer.from(bytes)
        flipped[at] = byte ^ bit
        expect(refusal(flipped)?.message, `byte ${at}, bit ${bit}`).toMatch(new RegExp(`^line ${line} of the journal is damaged`))
      }
      if (byte === 0x0a) line += 1
    }
  })

  it('is refused when a byte becomes a newline', () => {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length - 1; at += 1) {
      if (bytes[at] === 0x0a) continue
      const flipped = Buffer.from(bytes)
      flipped[at] = 0x0a
      expect(refusal(flipped)?.code, `byte ${at}`).toBe('journal.damaged')
    }
  })

  const records = sample
  it.each([
    ['a line is missing', write([records[0]!, records[2]!]), /^line 2 .* it is record 3, where 2 belongs/],
    ['a line stands twice', write([records[0]!, records[1]!, records[1]!]), /^line 3 .* it is record 2, where 3 belongs/],
    ['it does not begin with the first', write(records.slice(1)), /^line 1 .* it is record 2, where 1 belongs/],
    ['a line is empty', text.replace('\n', '\n\n'), /^line 2 .* checksum/],
    ['a line was edited', text.replace('aks-cluster', 'aks-klaster'), /^line 2 .* checksum/],
    ['lines end as on Windows', text.replaceAll('\n', '\r\n'), /^line 1 .* checksum/],
    ['it is something else', 'hello\n', /^line 1 .* checksum/],
    ['a newer format wrote it', write([{ ...records[0]!, v: 2 } as never]), /^line 1 .* does not know format 2; a newer lifeboat/],
    ['a newer type is in it', write([{ ...records[0]!, type: 'undo.started' } as never]), /^line 1 .* records of type undo.started/],
    ['an inherited name is its type', write([{ ...records[0]!, type: 'toString' } as never]), /^line 1 .* records of type toString/],
    ['a record has no data', write([{ ...records[0]!, data: undefined } as never]), /^line 1 .* it has no data/],
    ['two runs are mixed', write([records[0]!, { ...records[1]!, run: 'another' }]), /^line 2 .* run another, not to 2019/],
  ])('is refused when %s', (_, damagedText, message) => {
    expect(refusal(damagedText)).toMatchObject({ code: 'journal.damaged', message: like(message) })
  })

  it('is refused when it is of another run than asked for', () => {
    expect(refusal(text, { run: 'another', name: 'x/journal.ndjson' })?.message).toBe(
      `line 1 of x/journal.ndjson is damaged: it belongs to run ${run}, not to another`,
    )
  })

  it('says that nothing was changed and what to do', () => {
    expect(refusal('hello\n')?.hint).toMatch(/Nothing was changed.*start a fresh `lifeboat run`/)
  })

  it('is to be read by the newer lifeboat that wrote it, and no fresh run is advised', () => {
    for (const change of [{ v: 2 }, { type: 'undo.started' }]) {
      const refused = refusal(write([{ ...sample[0]!, ...change } as never]))
      expect(refused).toMatchObject({ code: 'journal.damaged', hint: 'Nothing was changed. Use the lifeboat that wrote it.' })
    }
  })
})
