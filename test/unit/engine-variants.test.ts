import { describe, expect, it } from 'vitest'
import type { AnyStep, PlannedStep, Variant } from '../../src/contract/index.js'
import { History } from '../../src/engine/history.js'
import { variantsOf } from '../../src/engine/variants.js'
import { planned } from '../helpers/render-samples.js'

const minute = 60_000
const step = (id: string, minutes: number, ...needs: readonly string[]): PlannedStep =>
  planned(id, { needs, estimateMs: minutes * minute, changes: minutes === 0 ? [] : [{ resource: id, action: 'create', after: {} }] })

const choice = (value: string, minutes: number): Variant => ({ input: 'move', value, chosen: value === 'before', says: '', estimateMs: minutes * minute })
const module = { variants: () => [choice('before', 6), choice('after', 0)] } as unknown as AnyStep<unknown>

/** End, start of each step behind it, and the choice's own duration, in minutes. */
function told(steps: readonly PlannedStep[], history?: History): unknown[] {
  const move = steps.find(({ id }) => id === 'move') ?? step('move', 0)
  const variants = variantsOf({ step: move, module, inputs: {}, outputs: undefined }, steps, history)
  return variants.map(({ value, estimateMs, totalMs, next }) => [value, estimateMs / minute, totalMs / minute, ...next.map((one) => `${one.step} ${one.startMs / minute}`)])
}

describe('what another choice would make of a plan', () => {
  const storage = [step('detach', 5), step('move', 6, 'detach'), step('attach', 1, 'move')]

  it('is told by the graph: the end where the step decides it', () => {
    expect(told([...storage, step('hub', 10, 'attach')])).toEqual([['before', 6, 22, 'attach 11'], ['after', 0, 16, 'attach 5']])
  })

  it('and only what comes sooner where something else takes longer', () => {
    expect(told([step('cluster', 20), ...storage, step('hub', 10, 'attach', 'cluster')])).toEqual([['before', 6, 30, 'attach 11'], ['after', 0, 30, 'attach 5']])
  })

  it('goes by what a move took before, where one is known', () => {
    const past = { runbook: 'data100', steps: new Map([['move', { uses: storage[1]?.uses ?? '', elapsedMs: 60 * minute }]]) }
    expect(told(storage, new History('data100', [past as never]))).toEqual([['before', 60, 66, 'attach 65'], ['after', 0, 6, 'attach 5']])
  })

  it('is nothing any more once what waits for the step is done', () => {
    expect(told([step('move', 0), step('attach', 0, 'move'), step('hub', 10, 'attach')])).toEqual([])
  })
})
