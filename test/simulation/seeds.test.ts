import { describe, expect, it } from 'vitest'
import { lifeboat } from '../helpers/cli.js'
import { sites } from '../helpers/sites.js'

const isAll = process.env['SIMULATE'] === 'all'
const hour = 3_600_000
/**
 * In CI data100 is played beside its mutants, which must be told from it (mutations.test.ts): five hundred seeds in all with those, without
 * the sites that nobody has.
 */
const shipped = Object.values(sites).filter(({ name }) => !isAll || name !== 'data100').map(({ runbook }) => runbook)

interface Simulated {
  readonly seeds: number
  readonly lives: number
  readonly kills: number
  readonly wrong: readonly unknown[]
}

describe.each([
  { where: 'the shipped runbooks', runbooks: shipped, seeds: isAll ? 40 : 5 },
  { where: 'sites that the seeds draw', runbooks: [], seeds: isAll ? 400 : 5 },
])('failovers in bad weather: $seeds seeds of $where', ({ runbooks, seeds }) => {
  it('lose nothing while it lasts, and come to their end when it is over', { timeout: hour }, async () => {
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
