import { describe, expect, it } from 'vitest'
import { Expression } from '../../src/runbook/index.js'
import { findingsOf, preamble, sampleRunbook, stepOf, withSteps } from '../helpers/runbook-samples.js'

describe('a runbook that is right', () => {
  it('becomes a graph with needs from its lists and from its references', () => {
    const runbook = sampleRunbook(`apiVersion: lifeboat/v1
name: sample
objective: { rto: 45m }
azure: { subscription: 00000000-1111-2222-3333-444444444444, location: westus2, cloud: AzureUSGovernment }
rehearsal:
  world: ../worlds/sample.yaml
  incident: [{ what: the server is there, step: server, after: 1.5h }]
steps:
  - id: go
    uses: gate
    needs: server
    with: { ask: Go on? }
  - id: server
    uses: cloud/server
    needs: [group]
    with: { group: "\${{ steps.group.outputs.name }}" }
  - id: group
    uses: cloud/group
    with: { name: sample }
  - id: by-hand
    uses: manual
    needs: [go, group]
    with: { checklist: [Call the desk, Open the valve] }
`)
    expect(runbook).toMatchObject({
      name: 'sample',
      path: '/books/r.yaml',
      folder: '/books',
      objectiveMs: 2_700_000,
      azure: { location: 'westus2', cloud: 'AzureUSGovernment' },
      rehearsal: { world: '/worlds/sample.yaml', incident: [{ what: 'the server is there', step: 'server', afterMs: 5_400_000 }] },
    })
    expect(runbook.nodes).toMatchObject([
      { kind: 'step', id: 'group', needs: [], uses: 'cloud/group', with: { name: 'sample' } },
      { kind: 'step', id: 'server', needs: ['group'], position: { line: 13, column: 9 } },
      { kind: 'gate', id: 'go', needs: ['server'], ask: 'Go on?' },
      { kind: 'manual', id: 'by-hand', needs: ['go', 'group'], checklist: ['Call the desk', 'Open the valve'] },
    ])
    expect(stepOf(runbook, 'server').with['group']).toBeInstanceOf(Expression)
  })

  it('is in the public cloud unless it says otherwise, and may leave out what is optional', () => {
    const runbook = sampleRunbook(withSteps('  - { id: a, uses: cloud/group, needs: , with: { name: x } }\n'))
    expect(runbook.azure.cloud).toBe('AzurePublicCloud')
    expect(runbook).not.toHaveProperty('objectiveMs')
    expect(runbook).not.toHaveProperty('rehearsal')
  })

  it('keeps the order of the file where the needs leave a choice', () => {
    const names = ['zeta', 'alpha', 'mid', 'beta']
    const runbook = sampleRunbook(withSteps(names.map((id) => `  - { id: ${id}, uses: cloud/group, with: { name: x } }\n`).join('')))
    expect(runbook.nodes.map(({ id }) => id)).toEqual(names)
  })

  it('fills the texts of gates from vars and azure', () => {
    const text = `${preamble}vars: { hub: data100 }
steps:
  - { id: go, uses: gate, with: { ask: "Move \${{ vars.hub }} to \${{ azure.location }}?" } }
`
    expect(sampleRunbook(text).nodes).toMatchObject([{ ask: 'Move data100 to westus2?' }])
  })

  it('shares values by YAML aliases', () => {
    const runbook = sampleRunbook(withSteps(`  - { id: a, uses: cloud/disks, with: { disks: &d [{ name: x, lun: 0 }] } }
  - { id: b, uses: cloud/disks, with: { disks: *d } }
`))
    expect(stepOf(runbook, 'b').with).toEqual({ disks: [{ name: 'x', lun: 0 }] })
  })
})

describe('the findings of a file that is no runbook', () => {
  it.each([
    ['nothing', '', 'r.yaml:1:1: this runbook is empty'],
    ['comments only', '# soon\n', 'r.yaml:1:1: this runbook is empty'],
    ['a list', '- a\n', 'r.yaml:1:1: a runbook is a mapping, but this is a list'],
    ['text', '\n  hello\n', 'r.yaml:2:3: a runbook is a mapping, but this is text'],
  ])('say so of %s', (_what, text, finding) => {
    expect(findingsOf(text)).toEqual([expect.stringContaining(finding)])
  })

  it('give the place of what is not YAML', () => {
    expect(findingsOf('name: "x\nsteps: [')[0]).toMatch(/^r\.yaml:2:\d+: not YAML: /)
    expect(findingsOf('a: b\n  c: d\n')[0]).toMatch(/^r\.yaml:1:4: not YAML: /)
  })

  it('tell people to quote an expression in braces', () => {
    const [first] = findingsOf(withSteps('  - { id: a, uses: cloud/group, with: { name: ${{ vars.x }} } }\n'))
    expect(first).toMatch(/^r\.yaml:5:.*put the expression in quotes/)
  })

  it('refuse a second document', () => {
    expect(findingsOf('a: 1\n---\nb: 2\n')).toEqual([expect.stringMatching(/^r\.yaml:2:1: .*second one begins/)])
  })
})

describe('the findings of a runbook', () => {
  it('are reported together, in the order of the file, each with place and mend', () => {
    const text = `apiVersion: lifeboat/v9
name: sample
objektive: { rto: 45m }
azure: { subscription: 00000000-1111-2222-3333-444444444444, locaton: westus2 }
steps:
  - id: group
    uses: cloud/gruop
    with: { name: x }
  - id: server
    uses: cloud/server
    needs: [grupo]
    with: { group: "\${{ steps.grop.outputs.name }}", cuont: 2 }
`
    expect(findingsOf(text)).toEqual([
      'r.yaml:1:13: apiVersion cannot be "lifeboat/v9" (did you mean "lifeboat/v1"?)',
      'r.yaml:3:1: the runbook takes no "objektive" (did you mean "objective"?)',
      'r.yaml:4:8: azure lacks "location" (it takes text)',
      'r.yaml:4:62: azure takes no "locaton" (did you mean "location"?)',
      'r.yaml:7:11: there is no module "cloud/gruop" (did you mean "cloud/group"?)',
      'r.yaml:11:13: there is no step "grupo" (did you mean "group"?)',
      'r.yaml:12:21: there is no step "grop" (did you mean "group"?)',
      'r.yaml:12:54: cloud/server takes no "cuont" (did you mean "count"?)',
    ])
  })

  it.each([
    ['a step without id', '  - uses: cloud/group\n    with: { name: x }\n', '5:5: steps[0] lacks "id"'],
    ['a step that is text', '  - group\n', '5:5: steps[0] is "group", but it takes a mapping'],
    ['an id that an expression could not name', '  - { id: a.b, uses: cloud/group, with: { name: x } }\n', '5:11: id is "a.b": an id begins with a letter'],
    ['a misspelt key', '  - { id: a, uses: cloud/group, need: [], with: { name: x } }\n', '5:33: step "a" takes no "need" (did you mean "needs"?)'],
    ['an input that is missing', '  - id: a\n    uses: cloud/group\n', '6:11: cloud/group lacks "name" (it takes text)'],
    ['a number for text', '  - { id: a, uses: cloud/group, with: { name: 1.30 } }\n', '5:47: name is a number, but it takes text (put it in quotes)'],
    ['text for a number', '  - { id: a, uses: cloud/server, with: { group: x, count: "2" } }\n', '5:59: count is "2", but it takes a number (remove the quotes)'],
    ['a number that is too small', '  - { id: a, uses: cloud/server, with: { group: x, count: 0 } }\n', '5:59: count is 0: it takes at least 1'],
    ['a nested input', '  - { id: a, uses: cloud/disks, with: { disks: [{ name: x, lun: a }] } }\n', '5:65: disks[0].lun is "a", but it takes a number'],
    ['a nested unknown key', '  - { id: a, uses: cloud/disks, with: { disks: [{ name: x, lun: 1, sise: 3 }] } }\n', '5:68: disks[0] takes no "sise"'],
    ['a key that zod would drop', '  - { id: a, uses: cloud/release, with: { chart: c, from: { service: s, nmae: x } } }\n', '5:73: from takes no "nmae"'],
    ['a wrong choice', '  - { id: a, uses: cloud/release, with: { chart: c, tls: vaild } }\n', '5:58: tls cannot be "vaild" (did you mean "valid"?)'],
    ['a form of its own', '  - { id: a, uses: cloud/release, with: { chart: c, size: { min: 1, mox: 2 } } }\n', '5:69: size takes no "mox" (did you mean "max"?)'],
    ['a duration without unit', '  - { id: a, uses: cloud/release, with: { chart: c, timeout: 30 } }\n', '5:62: timeout is a number, but it takes text (a duration carries its unit'],
    ['a list of needs that is none', '  - { id: a, uses: cloud/group, needs: { b: c }, with: { name: x } }\n', '5:40: needs is a mapping, but it takes text or a list'],
    ['a gate without question', '  - { id: a, uses: gate, with: { aks: Go? } }\n', '5:34: gate takes no "aks" (did you mean "ask"?)'],
    ['a manual step without lines', '  - { id: a, uses: manual, with: { checklist: [] } }\n', '5:47: checklist is a list: a checklist has at least one line'],
    ['an expression in an id', '  - { id: "${{ vars.x }}", uses: cloud/group, with: { name: x } }\n', '5:12: an expression is understood only in vars and in with'],
  ])('show %s', (_what, steps, finding) => {
    expect(findingsOf(withSteps(steps))).toContainEqual(expect.stringContaining(`r.yaml:${finding}`))
  })

  it('name the first place of a duplicate key and of a duplicate id', () => {
    const text = withSteps('  - { id: a, uses: cloud/group, with: { name: x, name: y } }\n  - { id: a, uses: cloud/group, with: { name: x } }\n')
    expect(findingsOf(text)).toEqual([
      'r.yaml:5:50: "name" stands here twice; first at 5:41 (remove one of them)',
      'r.yaml:6:11: the id "a" is taken by the step at 5:11 (give it an id of its own)',
    ])
  })

  it('include numbers that would lose digits', () => {
    const text = withSteps('  - { id: a, uses: cloud/group, with: { name: 9464217329115420731 } }\n')
    expect(findingsOf(text)).toEqual(['r.yaml:5:47: the number "9464217329115420731" cannot be kept exactly (put it in quotes)'])
  })

  it('include steps of the incident that do not exist, and their durations', () => {
    const text = `${preamble}rehearsal:
  world: w.yaml
  incident: [{ what: x, step: gruop, after: 20 }]
steps: [{ id: group, uses: cloud/group, with: { name: x } }]
`
    expect(findingsOf(text)).toEqual([
      'r.yaml:6:31: there is no step "gruop" (did you mean "group"?)',
      expect.stringContaining('r.yaml:6:45: rehearsal.incident[0].after is a number, but it takes text (a duration carries its unit'),
    ])
  })

  it('never let text of the file write control characters to a terminal', () => {
    const findings = findingsOf('"\\e[31mred": 1\n')
    expect(findings.join('\n')).toContain('takes no "\\u001b[31mred"')
    expect(findings.join('')).not.toContain('\u001b')
  })

  it('warn of a harm that no gate precedes, and the runbook stays good', () => {
    const steps = (needs: string): string => withSteps(`  - { id: go, uses: gate, with: { ask: Go? } }
  - { id: harm, uses: cloud/group, needs: ${needs}, with: { name: x } }
`)
    const harmful = new Set(['cloud/group'])
    expect(findingsOf(steps('[]'), harmful)).toEqual([expect.stringMatching(/^r\.yaml:6:11: warning: harm \(cloud\/group\) .*no gate precedes it/)])
    expect(findingsOf(steps('[go]'), harmful)).toEqual([])
  })
})
