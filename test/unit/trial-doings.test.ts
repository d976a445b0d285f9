import { describe, expect, it } from 'vitest'
import { Doings } from '../../src/cli/trial/doings.js'
import type { JournalRecord } from '../../src/journal/index.js'

const record = (type: JournalRecord['type'], step: string): JournalRecord => ({ type, data: { step } }) as unknown as JournalRecord

describe('what lives are in the midst of', () => {
  it.each(['step.verified', 'step.failed', 'step.skipped'] as const)('ends with %s of the same step', (end) => {
    const doings = new Doings()
    const noted = doings.begin({ name: 'life 1', isOver: false })
    noted(record('step.intent', 'attach'))
    expect([doings.hasIntent('attach'), doings.hasIntent('detach'), doings.openIntents, doings.atWork()]).toEqual([true, false, 1, 1])
    noted(record('step.applied', 'attach'))
    noted(record(end, 'detach'))
    expect(doings.hasIntent('attach')).toBe(true)
    noted(record(end, 'attach'))
    expect([doings.hasIntent('attach'), doings.openIntents, doings.atWork()]).toEqual([false, 0, 0])
  })

  it('may not write again before another intent once a try has failed, and has it in hand all the same', () => {
    const doings = new Doings()
    const noted = doings.begin({ name: 'life 1', isOver: false })
    noted(record('step.intent', 'attach'))
    noted(record('step.retrying', 'attach'))
    expect([doings.hasIntent('attach'), doings.openIntents, doings.atWork()]).toEqual([false, 1, 1])
    noted(record('step.intent', 'attach'))
    expect(doings.hasIntent('attach')).toBe(true)
  })

  it('covers what its own life writes', () => {
    const doings = new Doings()
    doings.begin({ name: 'life 1', isOver: false })(record('step.intent', 'attach'))
    doings.begin({ name: 'life 2', isOver: false })
    expect([doings.hasIntent('attach', 'life 1'), doings.hasIntent('attach', 'life 2'), doings.hasIntent('attach')]).toEqual([true, false, true])
  })

  it('ends with its life', () => {
    const doings = new Doings()
    const life = { name: 'life 1', isOver: false }
    doings.begin(life)(record('step.intent', 'attach'))
    doings.begin({ name: 'life 2', isOver: false })(record('step.intent', 'detach'))
    expect([doings.openIntents, doings.atWork(), doings.atWork('attach')]).toEqual([2, 2, 1])
    life.isOver = true
    expect([doings.hasIntent('attach'), doings.openIntents, doings.atWork()]).toEqual([false, 1, 1])
  })
})
