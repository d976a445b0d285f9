import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { gatesBefore, parseRunbook, renderDiagnostic } from '../../src/runbook/index.js'
import { registry } from '../../src/steps/registry.js'

const path = new URL('../../runbooks/data100.yaml', import.meta.url).pathname
const text = readFileSync(path, 'utf8')

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
