import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRunbook, renderDiagnostic, resolveInputs } from '../../src/runbook/index.js'
import { findingsOf, preamble, sampleRunbook, sampleSchemas, stepOf, withSteps } from '../helpers/runbook-samples.js'

const times = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('')
const use = (name: string): string => `steps: [{ id: a, uses: cloud/group, with: { name: "\${{ vars.${name} }}" } }]\n`

describe('a hostile runbook ends in findings', () => {
  it.each([
    ['a bomb of aliases', `a0: &a0 [x, x, x]\n${times(40, (i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]\n`)}`, 'more than 200000 values, aliases included'],
    ['an alias to what it is in', 'a: &a [1, *a]\n', 'the alias "a" would contain itself'],
    ['an alias to nothing', 'a: *b\n', 'there is no anchor "b" before this alias'],
    ['deep nesting', '['.repeat(100_000), 'nested more than 64 levels deep'],
    ['deep nesting by dashes', '- '.repeat(100_000), 'nested more than 64 levels deep'],
    ['deep nesting by aliases', times(30, (i) => `a${i}: &a${i} [[[[${i === 0 ? 'x' : `*a${i - 1}`}]]]]\n`), 'nested more than 64 levels deep'],
    ['ten megabytes', 'a'.repeat(10_000_000), 'larger than a runbook can be'],
    ['many errors', ']'.repeat(500_000), 'not YAML'],
    ['vars that grow by reference', `${preamble}vars:\n  v0: [x, x]\n${times(25, (i) => `  v${i + 1}: ["\${{ vars.v${i} }}", "\${{ vars.v${i} }}"]\n`)}${use('v25[0]')}`, 'makes the runbook too large'],
    ['text that grows by reference', `${preamble}vars:\n  v0: some text\n${times(28, (i) => `  v${i + 1}: "\${{ vars.v${i} }} \${{ vars.v${i} }}"\n`)}${use('v28')}`, 'makes the runbook too large'],
    ['vars that nest by reference', `${preamble}vars:\n  v0: x\n${times(10, (i) => `  v${i + 1}: ${'['.repeat(40)}"\${{ vars.v${i} }}"${']'.repeat(40)}\n`)}${use('v10')}`, 'makes the runbook too large'],
    ['a chain of vars that is read from its end', `${preamble}vars:\n${times(5000, (i) => `  v${i}: "\${{ vars.v${i + 1} }}"\n`)}  v5000: x\n${use('v0')}`, 'more than 30 deep'],
    ['a circle of thousands', withSteps(times(3000, (i) => `  - { id: s${i}, uses: cloud/group, needs: [s${(i + 1) % 3000}], with: { name: x } }\n`)), 's0 → s1 → s2'],
    ['tens of thousands of expressions', `${preamble}vars: { a: "${'${{ x }}'.repeat(50_000)}" }\n${use('a')}`, 'an expression cannot begin with "x"'],
    ['a merge key', `${preamble}vars: { <<: { a: b } }\n`, 'YAML merge keys are not understood'],
    ['a tag', `${preamble}vars: !!js/function x\n`, 'not YAML: Unresolved tag'],
    ['a key that is a list', `${preamble}vars: { [a]: b }\n`, 'a key is text here'],
  ])('%s', (_what, text, finding) => {
    expect(findingsOf(text)).toContainEqual(expect.stringContaining(finding))
  })

  it('of which only the first two hundred are shown', () => {
    const found = findingsOf(`${preamble}${times(1000, (i) => `k${i}: 1\n`)}`)
    expect(found).toHaveLength(201)
    expect(found.at(-1)).toContain('801 more findings are not shown')
  })
})

describe('any text', () => {
  const check = (text: string): void => {
    const { runbook, diagnostics } = parseRunbook(text, 'r.yaml', sampleSchemas)
    expect(runbook === undefined).toBe(diagnostics.some(({ level }) => level === 'error'))
    const lines = text.split('\n')
    for (const { line, column, ...rest } of diagnostics) {
      expect(line).toBeGreaterThanOrEqual(1)
      expect(line).toBeLessThanOrEqual(lines.length)
      expect(column).toBeGreaterThanOrEqual(1)
      expect(renderDiagnostic({ line, column, ...rest })).not.toMatch(/[\u0000-\u001f]/)
    }
  }

  it('gives a runbook or findings with a place, and never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), check))
  })

  it('does so for text made of what runbooks are made of', () => {
    const token = fc.constantFrom(
      ...'apiVersion: |lifeboat/v1|name: |azure: |vars: |steps: |id: |uses: |gate|cloud/group|cloud/disks|with: |needs: |ask: |disks: '.split('|'),
      ...'\n,\n  ,\n    ,- ,{,},[,],: ,",\',# ,&a ,*a,!!str ,? ,| ,> ,~,0,1.5,true,a,b,${{,}},$,vars.a,steps.a.outputs.id,env.A,\t,\r\n,---\n,<<: '.split(','),
    )
    fc.assert(fc.property(fc.array(token, { maxLength: 60 }).map((parts) => parts.join('')), check))
  })

  it('does so for a good runbook with one place broken', () => {
    const good = `${preamble}vars: { a: x, b: [{ name: "\${{ vars.a }}", lun: 0 }] }
steps:
  - { id: one, uses: cloud/group, with: { name: "\${{ vars.a }}" } }
  - id: two
    uses: cloud/disks
    needs: [one]
    with: { disks: "\${{ vars.b }}" }
  - { id: go, uses: gate, needs: [two], with: { ask: "Go on with \${{ vars.a }}?" } }
`
    const edit = fc.record({ at: fc.nat(good.length - 1), cut: fc.nat(6), put: fc.string({ unit: 'grapheme-ascii', maxLength: 4 }) })
    fc.assert(fc.property(edit, ({ at, cut, put }) => check(good.slice(0, at) + put + good.slice(at + cut))))
  })
})

describe('any values', () => {
  it('reach a step as they are written', () => {
    const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes('${{') && exact(value))
    fc.assert(
      fc.property(json, (value) => {
        const text = withSteps(`  - { id: a, uses: cloud/release, with: { chart: /c, values: { it: ${JSON.stringify(value)} } } }\n`)
        const runbook = sampleRunbook(text)
        const scope = { env: () => undefined, outputs: () => undefined }
        const inputs = resolveInputs(stepOf(runbook, 'a'), runbook, scope, sampleSchemas.get('cloud/release')!)
        expect(JSON.stringify(inputs['values'])).toBe(JSON.stringify({ it: value }))
      }),
    )
  })
})

/** Numbers that YAML and JavaScript both keep, and keys that a runbook may have. */
function exact(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, part]) => key !== '<<' && exact(part))
}
