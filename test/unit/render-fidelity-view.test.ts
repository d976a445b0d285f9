import { describe, expect, it } from 'vitest'
import type { StepFidelity, Write } from '../../src/contract/index.js'
import { fidelityLines, type FidelityInput } from '../../src/render/fidelity-view.js'
import { widthOf } from '../../src/render/text.js'

const put = (name: string): Write => ({ method: 'PUT', path: `resourceGroups/data100-nfs/providers/Microsoft.Compute/virtualMachines/${name}` })
const step = (name: string, facts: Partial<StepFidelity> = {}): StepFidelity => ({
  step: name,
  ...{ isPredicted: true, isOver: true, happened: [], missing: [], open: [], unpredicted: [], precision: 1, recall: 1 },
  ...facts,
})
const sent = (write: Write, facts: object = {}) => ({ step: 'x', write, outcome: 'accepted' as const, answer: 201, times: 1, ...facts })

function input(facts: Partial<FidelityInput> = {}): FidelityInput {
  const total = { predicted: 2, partlyKnown: 1, happened: 2, missing: 0, open: 0, unpredicted: 0, precision: 1, recall: 1 }
  const run = { run: 'r1', runbook: 'data100', mode: 'rehearsal' as const, lives: 1, isOver: true }
  return { ...run, total, steps: [step('nfs', { happened: [sent(put('nfsserver'))] }), step('site', { happened: [sent({ method: 'PATCH', path: 'resourceGroups/g/x' })] })], notPredicted: [], ...facts }
}

const text = (facts: Partial<FidelityInput> = {}, verbose = false): string => fidelityLines(input(facts), { columns: 80, verbose }).join('\n')

describe('the fidelity of a plan, for people', () => {
  it('is a table by steps, with the run itself last, and says how much was known', () => {
    expect(text()).toContain('2 writes were predicted, 1 of them with a part that was not known yet (*).')
    expect(text()).toMatch(/^nfs +1 {9}1 {8}0 {6}0 {6}1\.000 {3}1\.000$/m)
    expect(text()).toMatch(/^\(the run itself\) .*\ntotal {2,}2 /m)
    expect(text()).not.toContain('open')
  })

  it('lists what went otherwise, with what became of it, and with --verbose the rest', () => {
    const said = text({
      steps: [
        step('fence', { missing: [{ write: { command: 'systemctl stop', on: 'g/old' }, doneBy: 'other' }] }),
        step('nfs', { missing: [{ write: put('a'), refused: 403 }], unpredicted: [sent(put('b')), sent(put('c'), { outcome: 'refused', answer: 409 })] }),
        step('late', { isOver: false, open: [{ write: put('d') }] }),
      ],
      total: { ...input().total, missing: 2, open: 1, unpredicted: 2, precision: 0.9999, recall: null },
      notPredicted: ['announce'],
    })
    expect(said).toContain('  fence  systemctl stop on g/old (other did)\n  nfs    PUT virtualMachines/a in data100-nfs (refused with 403)')
    expect(said).toContain('Sent unpredicted:\n  nfs  PUT virtualMachines/b in data100-nfs\n  nfs  PUT virtualMachines/c in data100-nfs (refused with 409)')
    expect(said).toContain('Open: the step has not come to its end:\n  late  PUT virtualMachines/d in data100-nfs')
    expect(said).toContain('Not predicted, since their modules do not say what they write: announce.')
    expect(said).toMatch(/^total .* 0\.999 {7}-$/m)
    expect(text()).not.toContain('nfsserver')
    expect(text({}, true)).toMatch(/^Predicted, and happened:\n {2}nfs +PUT virtualMachines\/nfsserver in data100-nfs$/m)
  })

  it('says that a run is not over, of how many lives it tells, and that it was an undo', () => {
    expect(text({ lives: 3, isOver: false })).toMatch(/all\s3\slives\sof\sit\stogether\.\sThe\srun\shas\snot\scome\sto\sits\send/)
    expect(text({ undoes: 'r0' })).toMatch(/^Run r1, an undo of the rehearsal of the failover r0\./m)
    // A table may be wide where a file takes it; what is to be read is not.
    const prose = fidelityLines(input(), { columns: 160 }).filter((line) => /^[A-Z]/.test(line))
    expect(Math.max(...prose.map(widthOf))).toBeLessThanOrEqual(100)
  })

  it('caps its lists, and keeps within any window', () => {
    const many = step('a-step-with-a-name-that-is-far-too-long-for-a-table', { missing: Array.from({ length: 20 }, (_, index) => ({ write: put(`vm-${index}`) })) })
    expect(text({ steps: [many] })).toContain('  and 8 more: --verbose lists all')
    expect(text({ steps: [many] }, true)).toContain('vm-19')
    for (const columns of [20, 40, 80]) {
      const lines = fidelityLines(input({ steps: [many] }), { columns })
      expect(lines.filter((line) => widthOf(line) > columns)).toEqual([])
    }
  })
})
