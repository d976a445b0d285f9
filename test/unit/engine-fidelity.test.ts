import { describe, expect, it } from 'vitest'
import type { PlannedStep, SentWrite, Write } from '../../src/contract/index.js'
import { fidelityOf, matched } from '../../src/engine/fidelity.js'
import type { RunState, StepState } from '../../src/journal/index.js'
import { planned } from '../helpers/render-samples.js'

const group = 'resourceGroups/g/providers/Microsoft.Compute'
const put = (path: string): Write => ({ method: 'PUT', path: `${group}/${path}` })
const sent = (step: string, write: Write, facts: Partial<SentWrite> = {}): SentWrite => ({ step, write, outcome: 'accepted', answer: 201, times: 1, ...facts })

/** A finished run of these steps, each at its end unless told otherwise. */
function run(steps: readonly PlannedStep[], statuses: Readonly<Record<string, StepState['status']>> = {}, marks: readonly Write[] = []): Pick<RunState, 'planned' | 'steps' | 'status'> {
  const states = steps.map(({ id }): [string, StepState] => [
    id,
    { status: statuses[id] ?? 'verified', open: false, attempt: 1, firstChanges: [], changes: [], checkpoints: [], startedAt: '', children: [], programs: [] },
  ])
  const facts = { firstHarm: null, pointOfNoReturn: null, criticalPath: [], totalMs: 0 }
  return { status: Object.keys(statuses).length === 0 ? 'finished' : 'stopped', steps: new Map(states), planned: { ...facts, marks, steps } }
}

const writing = (id: string, ...writes: readonly Write[]): PlannedStep => planned(id, { writes })

describe('predictions and what was sent', () => {
  const pairsOf = (predicted: readonly Write[], ...writes: readonly Write[]): [number, number, number] => {
    const { pairs, missing, unpredicted } = matched(predicted, writes.map((write) => ({ write })))
    return [pairs.length, missing.length, unpredicted.length]
  }

  it('fit by method and path, or by command and what it is done to, whatever the case', () => {
    expect(pairsOf([put('disks/a')], { method: 'PUT', path: `${group.toLowerCase()}/disks/A` })).toEqual([1, 0, 0])
    expect(pairsOf([put('disks/a')], { method: 'DELETE', path: `${group}/disks/a` })).toEqual([0, 1, 1])
    expect(pairsOf([{ command: 'zpool export', on: 'g/old' }], { command: 'zpool export', on: 'g/new' })).toEqual([0, 1, 1])
  })

  it('fit in the parts that were known, and a star stands for one write only', () => {
    expect(pairsOf([put('disks/*')], put('disks/a'), put('disks/b'))).toEqual([1, 0, 1])
    expect(pairsOf([put('disks/*'), put('disks/*')], put('disks/a'), put('disks/b'))).toEqual([2, 0, 0])
    expect(pairsOf([put('disks/a.b')], put('disks/axb'))).toEqual([0, 1, 1])
  })

  it('are paired so that the one that says most has its own', () => {
    expect(pairsOf([put('disks/*'), put('disks/a')], put('disks/a'), put('disks/b'))).toEqual([2, 0, 0])
  })

  it('count once where they say the same twice', () => {
    expect(pairsOf([put('disks/a'), put('disks/A')], put('disks/a'))).toEqual([1, 0, 0])
  })
})

describe('the fidelity of a plan', () => {
  it('is whole where all that was predicted was sent, and nothing else', () => {
    const { steps, total } = fidelityOf(run([writing('a', put('disks/a')), writing('b', { command: 'helm upgrade', on: 'n/*' })]), [
      sent('a', put('disks/a'), { times: 3 }),
      sent('b', { command: 'helm upgrade', on: 'n/r' }, { outcome: 'unknown' }),
    ])
    expect(steps.map(({ step, precision, recall }) => [step, precision, recall])).toEqual([['a', 1, 1], ['b', 1, 1]])
    expect(total).toEqual({ predicted: 2, partlyKnown: 1, happened: 2, missing: 0, open: 0, unpredicted: 0, precision: 1, recall: 1 })
  })

  it('loses precision by what does not happen, and recall by what was not predicted', () => {
    const { steps, total } = fidelityOf(run([writing('a', put('disks/a'), put('disks/b'), put('disks/c'))]), [sent('a', put('disks/a')), sent('a', put('vms/x')), sent('a', put('vms/y'))])
    expect(steps[0]).toMatchObject({ missing: [{ write: put('disks/b') }, { write: put('disks/c') }], unpredicted: [{ write: put('vms/x') }, { write: put('vms/y') }] })
    expect([total.precision, total.recall]).toEqual([1 / 3, 1 / 3])
  })

  it('takes what was refused each time for not done, and says with which answer; unpredicted it is told all the same', () => {
    const { steps, total } = fidelityOf(run([writing('a', put('disks/a'))]), [
      sent('a', put('disks/a'), { outcome: 'refused', answer: 403 }),
      sent('a', put('vms/x'), { outcome: 'refused', answer: 409 }),
    ])
    expect(steps[0]).toMatchObject({ happened: [], missing: [{ write: put('disks/a'), refused: 403 }], unpredicted: [{ write: put('vms/x') }] })
    expect([total.precision, total.recall]).toEqual([0, 0])
  })

  it('says which step has done already what another was to do', () => {
    const stop = { command: 'systemctl stop', on: 'g/old' }
    const { steps } = fidelityOf(run([writing('a', stop), writing('b', stop)]), [sent('a', stop)])
    expect(steps.map(({ step, missing }) => [step, missing])).toEqual([['a', []], ['b', [{ write: stop, doneBy: 'a' }]]])
  })

  it('does not let one step answer for another', () => {
    const { total } = fidelityOf(run([writing('a', put('disks/a')), writing('b', put('disks/b'))]), [sent('b', put('disks/a')), sent('a', put('disks/b'))])
    expect(total).toMatchObject({ happened: 0, missing: 2, unpredicted: 2 })
  })

  it('leaves open what a step that is not over has not sent', () => {
    const { steps, total } = fidelityOf(run([writing('a', put('disks/a'), put('disks/b'))], { a: 'failed' }), [sent('a', put('disks/a'))])
    expect(steps[0]).toMatchObject({ isOver: false, missing: [], open: [{ write: put('disks/b') }], precision: 1, recall: 1 })
    expect(total).toMatchObject({ predicted: 2, happened: 1, open: 1, precision: 1 })
    const skipped = fidelityOf(run([writing('a', put('disks/a'))], { a: 'skipped' }), [])
    expect(skipped.total).toMatchObject({ open: 1, missing: 0, precision: null, recall: null })
  })

  it('counts all that a step sends as unpredicted whose module does not predict, and names it', () => {
    const all = [sent('own', put('x/y')), sent('a', put('disks/a'))]
    const { steps, notPredicted, total } = fidelityOf(run([planned('own'), writing('a', put('disks/a'))]), all)
    expect(notPredicted).toEqual(['own'])
    expect(steps[0]).toMatchObject({ step: 'own', isPredicted: false, precision: null, recall: 0 })
    expect(total).toMatchObject({ happened: 1, unpredicted: 1, precision: 1, recall: 0.5 })
  })

  it('predicts nothing of a step without changes, whatever its module says', () => {
    const idle = planned('a', { state: 'converged', changes: [] })
    const none = { predicted: 0, precision: null, recall: null }
    expect(fidelityOf(run([idle]), [])).toMatchObject({ steps: [], notPredicted: [], total: none })
    expect(fidelityOf(run([idle]), [sent('a', put('disks/a'))]).total.recall).toBe(0)
  })

  it('counts a step that is called as the run itself together with it, and not twice', () => {
    const mark: Write = { method: 'PATCH', path: 'resourceGroups/g/providers/Microsoft.Resources/tags/default' }
    const { total } = fidelityOf(run([writing('site', put('disks/a'))], {}, [mark]), [sent('site', mark), sent('site', put('disks/a'))])
    expect(total).toMatchObject({ predicted: 2, happened: 2, unpredicted: 0 })
  })

  it('holds the marks of the run itself against what was sent for no step, and tells what a step in no plan sent', () => {
    const mark: Write = { method: 'PATCH', path: 'resourceGroups/g/providers/Microsoft.Resources/tags/default' }
    const { steps } = fidelityOf(run([writing('a', put('disks/a'))], {}, [mark]), [sent('site', mark, { times: 3 }), sent('a', put('disks/a')), sent('later', put('x/y'))])
    expect(steps.map(({ step, isPredicted, recall }) => [step, isPredicted, recall])).toEqual([['a', true, 1], ['later', false, 0], ['site', true, 1]])
  })
})
