import { describe, expect, it } from 'vitest'
import { Doings } from '../../src/cli/trial/doings.js'
import type { JournalRecord } from '../../src/journal/index.js'

const record = (type: JournalRecord['type'], step: string): JournalRecord => ({ type, data: { step } }) as unknown as JournalRecord

describe('what lives are in the midst of', () => {
  it.each(['step.verified', 'step.failed', 'step.skipped'] as const)('ends with %s of the same step', (end) => {
    const doings = new Doings()
    const noted = doings.begin({ isOver: false })
    noted(record('step.intent', 'attach'))
    expect([doings.hasIntent('attach'), doings.hasIntent('detach'), doings.openIntents, doings.atWork()]).toEqual([true, false, 1, 1])
    noted(record('step.applied', 'attach'))
    noted(record(end, 'detach'))
    expect(doings.hasIntent('attach')).toBe(true)
    noted(record(end, 'attach'))
    expect([doings.hasIntent('attach'), doings.openIntents, doings.atWork()]).toEqual([false, 0, 0])
  })

  it('ends with its life', () => {
    const doings = new Doings()
    const life = { isOver: false }
    doings.begin(life)(record('step.intent', 'attach'))
    doings.begin({ isOver: false })(record('step.intent', 'detach'))
    expect([doings.openIntents, doings.atWork(), doings.atWork('attach')]).toEqual([2, 2, 1])
    life.isOver = true
    expect([doings.hasIntent('attach'), doings.openIntents, doings.atWork()]).toEqual([false, 1, 1])
  })
})
