import { describe, expect, it } from 'vitest'
import type { PlannedStep } from '../../src/contract/index.js'
import { Eta } from '../../src/engine/eta.js'
import { factsOf, scheduleOf } from '../../src/engine/schedule.js'

const step = (id: string, needs: string[], minutes: number, more: Partial<PlannedStep> = {}): PlannedStep => ({
  id,
  uses: 'test/step',
  needs,
  state: 'absent',
  changes: [{ resource: id, action: 'create' }],
  irreversible: {},
  estimateMs: minutes * 60_000,
  startMs: 0,
  ...more,
})

describe('the schedule', () => {
  const incident = [step('cluster', [], 20), step('import', [], 15), step('staging', ['cluster', 'import'], 14), step('prod', ['staging'], 7)]

  it('is as long as its longest path, which it names', () => {
    const { criticalPath, totalMs, startMs } = scheduleOf(incident, (id) => incident.find((one) => one.id === id)?.estimateMs ?? 0)
    expect(criticalPath).toEqual(['cluster', 'staging', 'prod'])
    expect(totalMs / 60_000).toBe(41)
    expect((startMs.get('staging') ?? 0) / 60_000).toBe(20)
  })

  it('names first harm and point of no return by expected start, not by place in the file', () => {
    const late = step('late', ['cluster'], 1, { changes: [{ resource: 'late', action: 'run', harm: 'x' }], irreversible: { late: 'x' } })
    const early = step('early', [], 1, { changes: [{ resource: 'early', action: 'run', harm: 'y' }], irreversible: { early: 'y' } })
    const { facts } = factsOf([step('cluster', [], 20), late, early])
    expect([facts.firstHarm, facts.pointOfNoReturn]).toEqual(['early', 'early'])
  })

  it('gives no weight to steps without changes', () => {
    expect(factsOf([step('cluster', [], 20, { changes: [] })]).facts.totalMs).toBe(0)
  })

  it('counts what is left: done steps nothing, running ones the rest of their estimate', () => {
    const eta = new Eta(incident)
    eta.done('import')
    eta.started('cluster', 0)
    expect(eta.remainingMs(5 * 60_000) / 60_000).toBe(15 + 14 + 7)
  })
})
