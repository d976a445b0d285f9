import { describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.js'
import { Stage } from '../../src/cli/trial/stage.js'
import { watched } from '../../src/cli/trial/watched.js'
import { missingFrom } from '../../src/gameday/oracle/converged.js'
import { readWorldSpec } from '../../src/sim/world/load.js'
import { seeded } from '../../src/virtual/chance.js'
import { data100 } from '../helpers/cli.js'
import { data100World } from '../helpers/world.js'

const isAll = process.env['SIMULATE'] === 'all'
const seeds = Array.from({ length: isAll ? 40 : 6 }, (_, seed) => seed)

/** The usual line of the trials, and one so slow that a lot happens between a look and what is written after it. */
const latenciesMs = [240, 2_000, 8_000]

/** Two people begin the failover of data100 within seconds, while none of its groups is there yet. */
async function begun(seed: number): Promise<{ codes: unknown[]; wrong: readonly string[]; missing: readonly string[] }> {
  const random = seeded(seed)
  const spec = await readWorldSpec(data100World)
  const latencyMs = latenciesMs[seed % latenciesMs.length] ?? 0
  const env = { PATH: process.env['PATH'] ?? '' }
  const runbook = { name: 'data100', path: data100 }
  const stage = await Stage.open({ runbook, spec, seed, speed: 60, env, program: runProgram, latencyMs })
  try {
    const start = stage.state
    const watch = watched(stage.scene.within, stage)
    const other = stage.after(random() ** 2 * 30_000).then(() => stage.colleague())
    const lives = [await stage.run(), await stage.pass(other)]
    return { codes: lives.map(({ code }) => code), wrong: watch.violations, missing: missingFrom(start, stage.state) }
  } finally {
    await stage.close()
  }
}

describe('two that begin a failover at once, where nothing says yet who is at work', () => {
  it('change nothing but the first group both: then one goes on to the end, and the other stops', { timeout: 600_000 }, async () => {
    const codes = new Set<unknown>()
    for (const seed of seeds) {
      const { codes: ended, wrong, missing } = await begun(seed)
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
      expect({ seed, ended, missing }).toMatchObject({ ended: expect.arrayContaining([0]) as unknown[], missing: [] })
      for (const code of ended) codes.add(code)
    }
    // Were none refused, nobody would have begun while another was at work.
    expect([...codes].sort()).toEqual([0, 5])
  })
})
