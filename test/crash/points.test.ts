import { describe, expect, it } from 'vitest'
import { lifeboat } from '../helpers/cli.js'
import { sites } from '../helpers/sites.js'

const isAll = process.env['CRASH'] === 'all'
const hour = 3_600_000

interface Tried {
  readonly points: number
  readonly tried: number
  readonly wrong: readonly unknown[]
}

/** By site, one point of how many is tried where not all are. */
const samples = { data100: 70, 'data100-attach-first': 400, minimal: 200, 'hubs-many': 400 } as const

describe('killed at any journal record and any remote call, before it and after it', () => {
  it.each(Object.keys(samples) as (keyof typeof samples)[])('%s comes to the end that it comes to undisturbed', { timeout: hour }, async (site) => {
    // Every point of the incident's own runbook; of the others a part, since they are made of the same steps.
    const every = isAll ? (site === 'data100' ? 1 : 10) : samples[site]
    const { code, stdout, stderr } = await lifeboat(['crash-test', sites[site].runbook, '--every', String(every), '--json']).ended
    expect(code, stderr).toBe(0)
    const { points, tried, wrong } = JSON.parse(stdout) as Tried
    process.stderr.write(`${site}: killed at ${tried} of ${points} points\n`)
    expect(points).toBeGreaterThan(200)
    expect(tried).toBe(Math.ceil(points / every))
    expect(wrong).toEqual([])
  })
})
