import { describe, expect, it } from 'vitest'
import { lifeboat } from '../helpers/cli.js'
import { sites } from '../helpers/sites.js'

const hour = 3_600_000

interface Tried {
  readonly points: number
  readonly tried: number
  readonly wrong: readonly unknown[]
}

/** By site, one point of how many is tried (0: none): in `npm test`, in CI, and when everything is wanted (half an hour and more). */
const samples = {
  data100: { some: 80, all: 20, exhaustive: 1 },
  'data100-attach-first': { some: 0, all: 150, exhaustive: 1 },
  minimal: { some: 300, all: 150, exhaustive: 1 },
  'hubs-many': { some: 0, all: 150, exhaustive: 1 },
} as const
const wanted = process.env['CRASH']
const much = wanted === 'all' || wanted === 'exhaustive' ? wanted : 'some'

describe('killed at any journal record and any remote call, before it and after it', () => {
  const tried = (Object.keys(samples) as (keyof typeof samples)[]).filter((site) => samples[site][much] > 0)
  it.each(tried)('%s comes to the end that it comes to undisturbed', { timeout: hour }, async (site) => {
    const every = samples[site][much]
    const { code, stdout, stderr } = await lifeboat(['crash-test', sites[site].runbook, '--every', String(every), '--json']).ended
    expect(code, stderr).toBe(0)
    const { points, tried, wrong } = JSON.parse(stdout) as Tried
    process.stderr.write(`${site}: killed at ${tried} of ${points} points\n`)
    expect(points).toBeGreaterThan(200)
    expect(tried).toBe(Math.ceil(points / every))
    expect(wrong).toEqual([])
  })
})
