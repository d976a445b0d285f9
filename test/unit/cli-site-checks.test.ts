import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freeBytesAt, siteFindings } from '../../src/cli/site-checks.js'

const here = Date.UTC(2026, 10, 24, 12)
const seconds = 1000
const minutes = 60 * seconds

/** `thereMs`: how far the cloud's clock is ahead; `askingMs`: how long its answer takes. */
async function levels({ thereMs = 0, askingMs = 0, freeMB = 5_000 } = {}) {
  let now = here
  const findings = await siteFindings({
    clock: { realNow: () => new Date(now) },
    serverTime: async () => {
      now += askingMs
      return new Date(Math.floor((here + thereMs) / seconds) * seconds)
    },
    stateRoot: '/state',
    freeBytes: async () => freeMB * 1_000_000,
  })
  return findings.map(({ level, what }) => `${level}: ${what}`)
}

describe('the clock of this machine', () => {
  it.each([0, 59 * seconds, -59 * seconds])('is fine when the cloud’s is %i ms ahead', async (thereMs) => {
    expect(await levels({ thereMs })).toEqual([])
  })

  it.each([
    [2 * minutes, /^warn: .* 2 min behind/],
    [-2.5 * minutes, /^warn: .* 2 min 29 s ahead of/],
    [6 * minutes, /^stop: .* 6 min behind/],
    [-7 * minutes, /^stop: .* ahead of/],
  ])('is told when the cloud’s is %i ms ahead', async (thereMs, said) => {
    expect(await levels({ thereMs })).toEqual([expect.stringMatching(said)])
  })

  it('is not blamed for an answer that took its time', async () => {
    expect(await levels({ askingMs: 3 * minutes })).toEqual([])
    expect(await levels({ askingMs: 3 * minutes, thereMs: 3 * minutes })).toEqual([])
  })
})

describe('room for the journal', () => {
  it.each([
    [100, []],
    [99, [expect.stringMatching(/^warn: only 99 MB/)]],
    [10, [expect.stringMatching(/^warn: only 10 MB/)]],
    [9, [expect.stringMatching(/^stop: only 9 MB .*\/state/)]],
  ])('with %i MB free', async (freeMB, said) => {
    expect(await levels({ freeMB })).toEqual(said)
  })

  it('is looked for above a folder that is still to be made', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lifeboat-room-'))
    expect(await freeBytesAt(join(folder, 'a', 'b'))).toBeGreaterThan(0)
  })
})
