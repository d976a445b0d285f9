import { describe, expect, it } from 'vitest'
import { accountOf, chainOf, totalOf, without, type RunFacts, type StepFacts } from '../bench/failover/account.js'

function step(id: string, ended: number, needs: string[] = [], more: Partial<StepFacts> = {}): StepFacts {
  return { id, needs, ended, world: [], claims: [], ...more }
}

function run(steps: StepFacts[], more: Partial<RunFacts> = {}): RunFacts {
  return { whole: { from: 0, until: 1000 }, planned: 100, steps, programs: [], marks: [], ...more }
}

describe('the account of a run', () => {
  it('follows the steps that decided it, back from the last end by the need that ended last', () => {
    const steps = [step('a', 200), step('b', 500), step('c', 700, ['a', 'b']), step('aside', 650, ['a'])]
    expect(chainOf(steps).map(({ id }) => id)).toEqual(['b', 'c'])
  })

  it('accounts for every moment exactly once', () => {
    const steps = [step('a', 400, [], { world: [{ from: 150, until: 300 }] }), step('b', 900, ['a'], { claims: [{ from: 400, until: 450 }] })]
    const programs = [{ from: 250, until: 350, program: 'ssh' }, { from: 500, until: 800, program: 'helm' }]
    const parts = accountOf(run(steps, { programs }))
    expect(parts.map(({ name }) => name)).toEqual(['start-up and plan', 'a', 'b', 'the end'])
    expect(Object.values(totalOf(parts)).reduce((sum, ms) => sum + ms, 0)).toBe(1000)
  })

  it('does not call ours what the world did meanwhile', () => {
    const parts = accountOf(run([step('a', 900, [], { world: [{ from: 200, until: 800 }] })], { programs: [{ from: 150, until: 850, program: 'helm' }] }))
    expect(parts[1]?.spent).toMatchObject({ world: 600, helm: 100 })
  })

  it('calls a long silence waiting, and what happens between signs of work our own', () => {
    const parts = accountOf(run([step('a', 400)], { marks: [150, 170, 190, 390] }))
    expect(parts[1]?.spent).toEqual({ world: 0, claims: 0, waiting: 200, own: 100 })
  })

  it('takes spans away from spans', () => {
    const whole = { from: 0, until: 10 }
    const taken = [{ from: 2, until: 4 }, { from: 8, until: 20 }]
    expect(without([whole], taken)).toEqual([{ from: 0, until: 2 }, { from: 4, until: 8 }])
    expect(without([whole], [{ from: -5, until: 20 }])).toEqual([])
  })
})
