import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lifeboat, root } from '../helpers/cli.js'
import { sites } from '../helpers/sites.js'

const hour = 3_600_000

interface Tried {
  readonly points: number
  readonly tried: number
  readonly wrong: readonly unknown[]
}

/**
 * By site, one point of how many is tried (0: none): in `npm test`, in CI, and when everything is wanted (half an hour and more). Odd
 * numbers: points come in pairs, before and after a call, or with nothing and with half of it on the disk.
 */
const samples = {
  data100: { some: 201, all: 3, exhaustive: 1 },
  'data100-attach-first': { some: 0, all: 151, exhaustive: 1 },
  'data100-move-later': { some: 0, all: 51, exhaustive: 1 },
  minimal: { some: 0, all: 151, exhaustive: 1 },
  'hubs-many': { some: 0, all: 301, exhaustive: 1 },
} as const
type Tryable = keyof typeof samples

const runbookOf = (site: Tryable): string => (site === 'data100-move-later' ? join(root, 'runbooks/data100-move-later.yaml') : sites[site].runbook)

/** What else can befall a run, with one point of how many is tried: in `npm test`, in CI, and when everything is wanted. */
const kinds: readonly (readonly [site: Tryable, flags: string, every: Record<'some' | 'all' | 'exhaustive', number>])[] = [
  // In `npm test` the README's own command tries it.
  ['minimal', '--undo', { some: 0, all: 101, exhaustive: 1 }],
  ['minimal', '--twice', { some: 0, all: 101, exhaustive: 11 }],
  ['minimal', '--by sigterm', { some: 0, all: 61, exhaustive: 1 }],
  ['minimal', '--by sigint', { some: 0, all: 101, exhaustive: 1 }],
  ['minimal', '--by full-disk', { some: 111, all: 15, exhaustive: 1 }],
  ['minimal', '--by torn', { some: 0, all: 5001, exhaustive: 501 }],
  ['data100', '--undo', { some: 0, all: 51, exhaustive: 1 }],
  ['data100', '--twice', { some: 0, all: 81, exhaustive: 9 }],
  ['data100', '--by sigterm', { some: 0, all: 151, exhaustive: 1 }],
  ['data100', '--by sigint', { some: 0, all: 151, exhaustive: 1 }],
  ['data100', '--by full-disk', { some: 0, all: 25, exhaustive: 1 }],
  ['data100', '--by torn', { some: 0, all: 20_001, exhaustive: 2001 }],
]
const wanted = process.env['CRASH']
const much = wanted === 'all' || wanted === 'exhaustive' ? wanted : 'some'

describe('killed at any journal record and any remote call, before it and after it', () => {
  const tried = (Object.keys(samples) as Tryable[]).filter((site) => samples[site][much] > 0)
  it.each(tried)('%s comes to the end that it comes to undisturbed', { timeout: hour }, async (site) => {
    const every = samples[site][much]
    const { code, stdout, stderr } = await lifeboat(['crash-test', runbookOf(site), '--every', String(every), '--json']).ended
    expect(code, stderr).toBe(0)
    const { points, tried, wrong } = JSON.parse(stdout) as Tried
    process.stderr.write(`${site}: killed at ${tried} of ${points} points\n`)
    expect(points).toBeGreaterThan(200)
    expect(tried).toBe(Math.ceil(points / every))
    expect(wrong).toEqual([])
  })
})

describe('the same end is come to', () => {
  it.each(kinds.filter(([, , every]) => every[much] > 0))('by %s with crash-test %s', { timeout: hour }, async (site, flags, every) => {
    const args = ['crash-test', runbookOf(site), ...flags.split(' '), '--every', String(every[much]), '--json']
    const { code, stdout, stderr } = await lifeboat(args).ended
    expect(code, stderr).toBe(0)
    const { points, tried, crashes, wrong } = JSON.parse(stdout) as Tried & { readonly crashes: number }
    process.stderr.write(`${site} ${flags}: ${crashes} crashes at ${tried} of ${points} points\n`)
    expect(tried).toBe(Math.ceil(points / every[much]))
    expect(crashes).toBeGreaterThan(0)
    expect(wrong).toEqual([])
  })
})
