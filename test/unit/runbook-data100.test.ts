import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { gatesBefore, parseRunbook, renderDiagnostic } from '../../src/runbook/index.js'
import { registry } from '../../src/steps/registry.js'

const path = new URL('../../runbooks/data100.yaml', import.meta.url).pathname
const text = readFileSync(path, 'utf8')

interface Given {
  readonly name: string
  readonly rehearsal: unknown
  readonly vars: Readonly<Record<string, unknown>>
  readonly steps: readonly { readonly id: string }[]
}

describe('runbooks/data100-attach-first.yaml', () => {
  it('is data100 but for when the disks are moved', () => {
    const [one, other] = [text, readFileSync(path.replace('data100.yaml', 'data100-attach-first.yaml'), 'utf8')].map((source) => {
      const { name: _, rehearsal: __, vars, steps, ...rest } = parse(source) as Given
      const { diskGroup: ___, ...ours } = vars
      const those = steps.filter(({ id }) => id !== 'group-disks').map((step) => (['snapshots', 'move'].includes(step.id) ? { ...step, with: {} } : step))
      return { ...rest, vars: ours, steps: those }
    })
    expect(other).toEqual(one)
  })
})

describe('runbooks/data100-move-later.yaml', () => {
  it('fits the step modules that there are, and asks before it takes the homes away', () => {
    const later = path.replace('data100.yaml', 'data100-move-later.yaml')
    const { runbook, diagnostics } = parseRunbook(readFileSync(later, 'utf8'), later, registry, new Set(['nfs/fence']))
    expect(diagnostics.map(renderDiagnostic)).toEqual([])
    expect(runbook === undefined ? [] : gatesBefore(runbook, 'fence')).toEqual(['homes-stop'])
  })
})

describe('runbooks/data100.yaml', () => {
  it('fits the step modules that there are', () => {
    const { runbook, diagnostics } = parseRunbook(text, path, registry, new Set(['nfs/fence']))
    expect(diagnostics.map(renderDiagnostic)).toEqual([])
    expect(runbook?.nodes).toHaveLength(text.match(/^ +- id: /gm)?.length ?? 0)
    expect(runbook === undefined ? [] : gatesBefore(runbook, 'fence')).toEqual(['users-lose-the-rest'])
  })

  it('is found out when one of its references goes astray', () => {
    const astray = text.replace('steps.attach.outputs.disks', 'steps.attach.outputs.disk').replace('devices: 2', 'devices: two')
    const found = parseRunbook(astray, 'data100.yaml', registry).diagnostics.map(renderDiagnostic)
    expect(found).toContainEqual(expect.stringContaining('there is no "disk" in steps.attach.outputs (did you mean "disks"?)'))
    expect(found).toContainEqual(expect.stringContaining('pool.devices is "two", but it takes a number (from vars.pool)'))
  })
})
