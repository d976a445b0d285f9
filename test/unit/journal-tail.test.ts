import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogTail } from '../../src/cli/log-tail.js'
import { encode, fold, Folding, StateFolder, type JournalRecord } from '../../src/journal/index.js'
import { anyRecords, Records, run, started, ticking } from '../helpers/journal-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'
import { join } from 'node:path'

const begun = (): Records => new Records().add('run.started', started)

/** A journal of one record in a state folder, and the way to its file. */
async function journal(): Promise<{ state: StateFolder; path: string; later: readonly JournalRecord[] }> {
  const state = new StateFolder(tempFolder())
  const made = await state.create(run, ticking())
  await made.append('run.started', started)
  await made.close()
  const later = begun().add('step.applied', { step: 'ä' }).add('step.applied', { step: 'b' }).add('step.applied', { step: 'c' }).list.slice(1)
  return { state, path: state.paths(run).journal, later }
}

describe('a journal that is read as it grows', () => {
  it('gives each record once, and what is half written when it is whole', async () => {
    const { state, path, later } = await journal()
    const tail = await state.tail(run)
    expect((await tail.next()).map(({ type }) => type)).toEqual(['run.started'])
    expect(await tail.next()).toEqual([])
    const line = Buffer.from(encode(later[0]!))
    // In the middle of a character of two bytes.
    const half = line.indexOf(Buffer.from('ä')) + 1
    appendFileSync(path, line.subarray(0, half))
    expect(await tail.next()).toEqual([])
    appendFileSync(path, line.subarray(half))
    appendFileSync(path, encode(later[1]!))
    expect(await tail.next()).toEqual(later.slice(0, 2))
    expect(await tail.next()).toEqual([])
  })

  it('goes on behind a torn line that a resume has cut off', async () => {
    const { state, path, later } = await journal()
    const tail = await state.tail(run)
    await tail.next()
    const whole = readFileSync(path).length
    appendFileSync(path, encode(later[0]!).slice(0, 40))
    await tail.next()
    truncateSync(path, whole)
    appendFileSync(path, encode(later[0]!))
    expect(await tail.next()).toEqual([later[0]])
  })

  it('does not read again what it has read, and names the line of what is damaged behind it', async () => {
    const { state, path, later } = await journal()
    const tail = await state.tail(run)
    await tail.next()
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, 'x'.repeat(text.length - 1) + '\n' + encode(later[0]!))
    expect(await tail.next()).toEqual([later[0]])
    appendFileSync(path, encode({ ...later[2]!, seq: 9 }))
    await expect(tail.next()).rejects.toMatchObject({ code: 'journal.damaged', message: expect.stringContaining('line 3') as unknown })
    await expect(state.tail('none')).rejects.toMatchObject({ code: 'run.unknown' })
  })
})

describe('a fold of a journal that grows', () => {
  it('is the fold of all of it, however it came, and leaves alone what it has given before', () => {
    fc.assert(
      fc.property(anyRecords, fc.nat(8), (records, cut) => {
        const folding = new Folding()
        folding.add(begun().list)
        folding.add(records.slice(0, cut))
        const [before, kept] = [folding.state(), fold([...begun().list, ...records.slice(0, cut)])]
        folding.add(records.slice(cut))
        expect(folding.state()).toEqual(fold([...begun().list, ...records]))
        expect(before).toEqual(kept)
      }),
    )
  })

  it('refuses what fold refuses', () => {
    expect(() => new Folding().state()).toThrow(expect.objectContaining({ code: 'journal.empty' }) as Error)
    expect(() => new Folding().add(begun().add('step.applied', { step: 'a' }).list.slice(1))).toThrow('does not start the run')
    const folding = new Folding()
    folding.add(begun().list)
    expect(() => folding.add(begun().list)).toThrow('starts the run a second time')
  })
})

describe('a log that is read as it grows', () => {
  const notice = (message: string): string => `${JSON.stringify({ kind: 'event', event: { type: 'notice', t: 't', run, level: 'info', message } })}\n`

  it('gives what is told only, each once, and half a line when it is whole', async () => {
    const path = join(tempFolder(), 'log.ndjson')
    const tail = new LogTail(path)
    const said = async (): Promise<unknown> => (await tail.next()).map((event) => ('message' in event ? event.message : event.type))
    expect(await said()).toEqual([])
    writeFileSync(path, `${notice('one')}{"kind":"request"}\n${notice('two').slice(0, 30)}`)
    expect(await said()).toEqual(['one'])
    appendFileSync(path, notice('two').slice(30))
    expect(await said()).toEqual(['two'])
    expect(await said()).toEqual([])
  })
})
