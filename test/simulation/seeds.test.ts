import { describe, expect, it } from 'vitest'
import { lifeboat } from '../helpers/cli.js'
import { sites } from '../helpers/sites.js'

const isAll = process.env['SIMULATE'] === 'all'
const hour = 3_600_000
const seeds = isAll ? 60 : 5

interface Simulated {
  readonly seeds: number
  readonly lives: number
  readonly kills: number
  readonly wrong: readonly unknown[]
}

const shipped = Object.values(sites).map(({ runbook }) => runbook)

describe.each([
  { where: 'the shipped runbooks', runbooks: shipped },
  { where: 'sites that the seeds draw', runbooks: [] },
])('failovers in bad weather: $where', ({ runbooks }) => {
  it(`lose nothing while it lasts, and come to their end when it is over: ${seeds} seeds`, { timeout: hour }, async () => {
    const { code, stdout, stderr } = await lifeboat(['simulate', ...runbooks, '--seeds', String(seeds), '--json']).ended
    expect(code, stderr).toBe(0)
    const result = JSON.parse(stdout) as Simulated
    process.stderr.write(`${result.seeds} seeds, ${result.lives} lives, ${result.kills} of them killed\n`)
    expect(result).toMatchObject({ seeds, wrong: [] })
    // Weather that disturbs nobody would prove nothing.
    expect(result.lives).toBeGreaterThan(seeds)
    expect(result.kills).toBeGreaterThan(0)
  })
})
