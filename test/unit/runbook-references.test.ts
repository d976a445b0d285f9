import { describe, expect, it } from 'vitest'
import { findingsOf, preamble, sampleRunbook, stepOf, withSteps } from '../helpers/runbook-samples.js'

const base = `  - { id: group, uses: cloud/group, with: { name: x } }
  - { id: server, uses: cloud/server, with: { group: "\${{ steps.group.outputs.name }}" } }
  - { id: go, uses: gate, with: { ask: Go? } }
`

/** Findings of one more step, whose inputs stand on line 12 from column 7. */
function findingsIn(uses: string, inputs: string, vars = ''): readonly string[] {
  const text = `${preamble}vars: { ${vars} }\nsteps:\n${base}  - id: last\n    uses: ${uses}\n    with:\n      ${inputs}\n`
  return findingsOf(text)
}

describe('a reference', () => {
  it.each([
    ['cloud/server', 'group: "${{ steps.server.outputs.id }}"'],
    ['cloud/server', 'group: "${{ steps.server.outputs.disks[0].name }}"'],
    ['cloud/server', 'group: "${{ steps.server.outputs.disks.0.name }}"'],
    ['cloud/server', 'group: "${{ steps.server.outputs.labels.any-label }}"'],
    ['cloud/server', "group: \"${{ steps.server.outputs.labels['any.label/of it'] }}\""],
    ['cloud/server', 'group: "${{steps.server.outputs.seen}}"'],
    ['cloud/server', 'group: "disk ${{ steps.server.outputs.disks[0].lun }} of ${{ env.HOME }}"'],
    ['cloud/server', '{ group: "${{ env.GROUP }}", count: "${{ steps.server.outputs.disks[0].lun }}" }'],
    ['cloud/disks', 'disks: "${{ steps.server.outputs.disks }}"'],
    ['cloud/disks', 'disks: [{ name: "${{ env.DISK }}", lun: 0 }]'],
    ['cloud/release', '{ chart: c, values: { deep: { any: "${{ steps.server.outputs }}" } } }'],
    ['cloud/group', 'name: "${{ vars.a.b[1] }}"', 'a: { b: [1, "two"] }'],
    ['cloud/group', 'name: "${{ vars.twice }}"', 'once: "${{ azure.location }}", twice: "${{ vars.once }}-2"'],
    ['cloud/group', 'name: "${{ vars.alias.name }}"', 'one: { name: x }, alias: "${{ vars.one }}"'],
    ['cloud/group', 'name: "$${{ not.read }}"'],
  ])('that leads to a fitting value is fine: %s %s', (uses, inputs, vars = '') => {
    expect(findingsIn(uses, inputs, vars)).toEqual([])
  })

  it.each([
    ['an output that is not there', 'group: "${{ steps.server.outputs.adress }}"', '12:15: there is no "adress" in steps.server.outputs (did you mean "address"?)'],
    ['a part of one', 'group: "${{ steps.server.outputs.disks[0].nmae }}"', '12:15: there is no "nmae" in steps.server.outputs.disks.0 (did you mean "name"?)'],
    ['a part of text', 'group: "${{ steps.server.outputs.id.x }}"', '12:15: there is no "x" in steps.server.outputs.id'],
    ['a step as such', 'group: "${{ steps.server }}"', '12:15: only the outputs of a step can be referred to (write steps.server.outputs.NAME)'],
    ['a step that is not there', 'group: "${{ steps.sevrer.outputs.id }}"', '12:15: there is no step "sevrer" (did you mean "server"?)'],
    ['a gate', 'group: "${{ steps.go.outputs.x }}"', '12:15: go is a gate and has no outputs (to wait for it, write needs: [go])'],
    ['the step itself', 'group: "${{ steps.last.outputs.id }}"', '12:15: last refers to its own outputs'],
    ['a var that is not there', 'group: "x${{ vars.zone }}"', '12:16: there is no "zone" in vars (did you mean "zones"?)'],
    ['an inherited name', 'group: "${{ vars.constructor }}"', '12:15: there is no "constructor" in vars'],
    ['an item past the end', 'group: "${{ vars.zones[2] }}"', '12:15: there is no "2" in vars.zones'],
    ['the length of a list', 'group: "${{ vars.zones.length }}"', '12:15: there is no "length" in vars.zones'],
    ['all vars', 'group: "${{ vars }}"', '12:15: vars as a whole is no value'],
    ['an unknown fact of azure', 'group: "${{ azure.region }}"', '12:15: there is no azure.region (write azure.subscription, azure.location, azure.cloud)'],
    ['a variable with a part', 'group: "${{ env.HOME.x }}"', '12:15: an environment variable is one name'],
    ['an unknown root', 'group: "${{ var.zone }}"', '12:15: an expression cannot begin with "var"'],
    ['an operator', 'group: "${{ vars.zone + 1 }}"', '12:15: " + 1" cannot be read in an expression'],
    ['nothing', 'group: "${{ }}"', '12:15: this expression is empty'],
    ['no end', 'group: "${{ vars.zones"', '12:15: this expression has no end'],
  ])('to %s is found', (_what, inputs, finding) => {
    expect(findingsIn('cloud/server', inputs, 'zones: [1, 2]')).toEqual([expect.stringContaining(`r.yaml:${finding}`)])
  })

  it('is found behind escapes, folded lines and others of its kind', () => {
    const text = withSteps(`  - id: a
    uses: cloud/group
    with:
      name: >-
        \${{ azure.location }} and $\${{ this }}
        \${{ vars.x }}
      location: "\\x41\\x42 \${{ vars.y }}"
`)
    expect(findingsOf(text)).toEqual([
      expect.stringContaining('r.yaml:10:9: there is no "x" in vars'),
      expect.stringContaining('r.yaml:11:27: there is no "y" in vars'),
    ])
  })
})

describe('types across references', () => {
  it.each([
    ['cloud/server', 'group: "${{ steps.server.outputs.disks }}"', 'steps.server.outputs.disks does not fit group: it is a list, but text is wanted'],
    ['cloud/server', '{ group: x, count: "${{ steps.server.outputs.id }}" }', 'steps.server.outputs.id does not fit count: it is text, but a number is wanted'],
    ['cloud/server', '{ group: x, count: "${{ env.COUNT }}" }', 'env.COUNT does not fit count: it is text, but a number is wanted'],
    ['cloud/server', '{ group: x, public: "no ${{ env.COUNT }}" }', 'env.COUNT does not fit public: it is text, but true or false is wanted'],
    ['cloud/disks', 'disks: "${{ steps.server.outputs.labels }}"', 'it is a mapping, but a list is wanted'],
    ['cloud/disks', 'disks: ["${{ steps.server.outputs.address }}"]', 'steps.server.outputs.address does not fit disks[0]: it is text, but a mapping is wanted'],
    ['cloud/disks', 'disks: [{ name: "${{ steps.server.outputs.disks[0].lun }}", lun: 1 }]', 'does not fit disks[0].name: it is a number, but text is wanted'],
    ['cloud/disks', 'disks: ["${{ steps.server.outputs }}"]', 'it has no name, which is wanted'],
    ['cloud/disks', 'disks: ["${{ steps.server.outputs.largest }}"]', 'it has size, which is not taken here'],
    ['cloud/release', '{ chart: c, from: "${{ steps.group.outputs }}" }', 'it has no service, which is wanted'],
    ['cloud/release', '{ chart: c, size: "${{ steps.group.outputs.id }}" }', 'it is text, but a number or a mapping is wanted'],
    ['cloud/group', 'name: "${{ vars.n }}"', 'name is a number, but it takes text (from vars.n) (put it in quotes)'],
    ['cloud/disks', 'disks: "${{ vars.disks }}"', 'disks[0].lun is "0", but it takes a number (from vars.disks)'],
    ['cloud/disks', 'disks: "${{ vars.more }}"', 'disks[0] takes no "size" (from vars.more)'],
    ['cloud/group', 'name: "x ${{ vars.disks }}"', 'vars.disks is a list or a mapping and cannot stand inside text'],
    ['cloud/group', 'name: "x ${{ vars.nothing }}"', 'vars.nothing is empty and cannot stand inside text'],
    ['cloud/group', 'name: "x ${{ steps.server.outputs.disks }}"', 'is a list or a mapping and cannot stand inside text'],
  ])('that never fit are found: %s %s', (uses, inputs, finding) => {
    const vars = 'n: 5, nothing: , disks: [{ name: a, lun: "0" }], more: [{ name: a, lun: 0, size: 1 }]'
    expect(findingsIn(uses, inputs, vars)).toEqual([expect.stringMatching(/^r\.yaml:12:/)])
    expect(findingsIn(uses, inputs, vars)).toEqual([expect.stringContaining(finding)])
  })

  it('are still checked beside values that are not known yet', () => {
    const found = findingsIn('cloud/disks', 'disks: [{ name: "${{ env.DISK }}", lun: one }, { nmae: x, lun: 2 }]')
    expect(found).toEqual([
      expect.stringContaining('disks[0].lun is "one"'),
      expect.stringContaining('disks[1] lacks "name"'),
      expect.stringContaining('disks[1] takes no "nmae"'),
    ])
  })

  it('do not let a file wait for a step, since files are read when a run starts', () => {
    expect(findingsIn('cloud/release', 'chart: "${{ steps.server.outputs.id }}"')).toEqual([
      expect.stringContaining('r.yaml:12:14: last: chart is a file, which is read when the run starts'),
    ])
    expect(findingsIn('cloud/release', '{ chart: c, valueFiles: ["x/${{ steps.server.outputs.id }}"] }')).toHaveLength(1)
    expect(findingsIn('cloud/release', '{ chart: "${{ env.CHART }}" }')).toEqual([])
  })
})

describe('vars', () => {
  it('cannot refer to steps', () => {
    expect(findingsIn('cloud/group', 'name: "${{ vars.a }}"', 'a: "${{ steps.group.outputs.id }}"')).toEqual([
      expect.stringContaining('r.yaml:4:13: vars cannot refer to steps'),
    ])
  })

  it('cannot refer to each other in a circle, which is named', () => {
    const found = findingsIn('cloud/group', 'name: x', 'a: "${{ vars.b }}", b: [x, "-${{ vars.c.d }}"], c: { d: "${{ vars.a }}" }')
    expect(found).toEqual([expect.stringContaining('vars refer to each other in a circle: vars.b → vars.c.d → vars.a → vars.b')])
    expect(findingsIn('cloud/group', 'name: x', 'a: { b: "${{ vars.a }}" }')).toEqual([expect.stringContaining('vars.a → vars.a')])
  })

  it('may refer to a neighbour in the same mapping', () => {
    expect(findingsIn('cloud/group', 'name: "${{ vars.a.c }}"', 'a: { b: x, c: "${{ vars.a.b }}y" }')).toEqual([])
  })

  it('are checked even where nothing uses them', () => {
    expect(findingsIn('cloud/group', 'name: x', 'a: "${{ vars.z }}"')).toEqual([expect.stringContaining('r.yaml:4:13: there is no "z"')])
  })
})

describe('needs', () => {
  it('name the whole cycle, also one that closes by a reference', () => {
    const text = withSteps(`  - { id: a, uses: cloud/group, needs: [c], with: { name: x } }
  - { id: b, uses: cloud/group, with: { name: "\${{ steps.a.outputs.id }}" } }
  - { id: c, uses: cloud/group, needs: [b], with: { name: x } }
`)
    expect(findingsOf(text)).toEqual([expect.stringContaining('r.yaml:6:48: these steps wait for each other: a → c → b → a')])
  })

  it('cannot be of the step itself', () => {
    expect(findingsOf(withSteps('  - { id: a, uses: cloud/group, needs: [a], with: { name: x } }\n'))).toEqual([
      'r.yaml:5:41: a needs itself (remove it)',
    ])
  })

  it('are sorted and stand once, however often they are said', () => {
    const runbook = sampleRunbook(withSteps(`  - { id: z, uses: cloud/group, with: { name: x } }
  - { id: a, uses: cloud/group, with: { name: x } }
  - { id: m, uses: cloud/group, needs: [z, a, z], with: { name: "\${{ steps.z.outputs.id }}", location: "\${{ steps.a.outputs.id }}" } }
`))
    expect(stepOf(runbook, 'm').needs).toEqual(['a', 'z'])
  })
})
