import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readRunbook } from '../../src/cli/site.js'
import { runbookJsonSchema } from '../../src/runbook/index.js'
import { registry } from '../../src/steps/registry.js'
import { root } from '../helpers/cli.js'
import { checkBy } from '../helpers/json-schema.js'
import { findingsOf, preamble, sampleSchemas, withSteps } from '../helpers/runbook-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

const ours = readdirSync(join(root, 'runbooks')).filter((name) => name.endsWith('.yaml'))
const checkSample = checkBy(runbookJsonSchema(sampleSchemas))
const wrongWith = (text: string): readonly string[] => checkSample(parse(text))

describe('the JSON Schema of runbooks', () => {
  it.each(ours)('takes runbooks/%s, with the modules that it names by path', async (name) => {
    const path = join(root, 'runbooks', name)
    const { registry: modules, runbook } = await readRunbook(path)
    expect(runbook).toBeDefined()
    expect(checkBy(runbookJsonSchema(modules))(parse(readFileSync(path, 'utf8')))).toEqual([])
  })

  it('knows every registered module, with its summary, and checks what each takes', () => {
    const text = JSON.stringify(runbookJsonSchema(registry))
    const check = checkBy(runbookJsonSchema(registry))
    for (const { uses, summary } of registry.values()) {
      expect(text).toContain(JSON.stringify(summary))
      const strange = { ...(parse(preamble) as object), steps: [{ id: 'a', uses, with: { noSuchInput: 1 } }] }
      expect(check(strange), uses).toContain('/steps/0/with must NOT have additional properties')
    }
  })

  it('knows a module of the site’s own once it is given the runbook that names it', async () => {
    const folder = tempFolder()
    const module = `export default ({ z, defineStep }) => defineStep({
      uses: './say.mjs', summary: 'Says it', inputs: z.strictObject({ text: z.string() }), outputs: z.object({}), identity: [],
      verification: () => ({ everyMs: 1, withinMs: 1 }), preflight: async () => [], observe: async () => ({ state: 'absent' }),
      plan: () => [], apply: async () => undefined, invert: () => [], claims: () => [], estimateMs: () => 0 })`
    writeFileSync(join(folder, 'say.mjs'), module)
    const text = `${preamble}steps: [{ id: a, uses: ./say.mjs, with: { txet: hello } }]\n`
    writeFileSync(join(folder, 'r.yaml'), text)
    const { registry: modules } = await readRunbook(join(folder, 'r.yaml'))
    expect(checkBy(runbookJsonSchema(modules))(parse(text))).toContain('/steps/0/with must NOT have additional properties')
    expect(checkBy(runbookJsonSchema(registry))(parse(text))).toEqual([])
  })

  it.each([
    ['expressions instead of any value', '{ id: a, uses: cloud/server, with: { group: "${{ vars.g }}", count: "${{ vars.n }}", public: "${{ vars.p }}" } }'],
    ['an expression instead of a list', '{ id: a, uses: cloud/disks, with: { disks: "${{ steps.b.outputs.disks }}" } }'],
    ['an expression in a list', '{ id: a, uses: cloud/disks, with: { disks: ["${{ vars.disks[0] }}"] } }'],
    ['text around an expression', '{ id: a, uses: cloud/release, with: { chart: "charts/${{ vars.n }}", timeout: "${{ vars.n }}m" } }'],
    ['nested values of any kind', '{ id: a, uses: cloud/release, with: { chart: c, values: { hub: { list: [1, x, "${{ vars.n }}"] } } } }'],
    ['a union', '{ id: a, uses: cloud/release, with: { chart: c, size: { min: 1, max: "${{ vars.n }}" } } }'],
    ['needs as one id, a list, or nothing', '{ id: a, uses: cloud/group, needs: b, with: { name: x } }, { id: b, uses: cloud/group, needs: [], with: { name: x } }, { id: c, uses: cloud/group, needs: , with: { name: x } }'],
    ['gates and manual steps', '{ id: a, uses: gate, with: { ask: Go on? } }, { id: b, uses: manual, with: { checklist: [Call the desk] } }'],
  ])('takes %s', (_what, steps) => {
    expect(wrongWith(`${preamble}steps: [${steps}]`)).toEqual([])
  })

  it('takes a subscription id in capitals, as the loader does', () => {
    const text = withSteps('  - { id: a, uses: cloud/group, with: { name: x } }').replace('1111-2222-3333-444444444444', 'ABCD-2222-3333-ABCDEFABCDEF')
    expect([wrongWith(text), findingsOf(text)]).toEqual([[], []])
  })

  const step = (text: string): string => withSteps(`  - ${text}\n`)
  const good = '{ id: a, uses: cloud/group, with: { name: x } }'
  it.each([
    ['a list', '- a\n'],
    ['no steps', `${preamble}steps: []\n`],
    ['a key that there is not', `${step(good)}colour: red\n`],
    ['another version', step(good).replace('lifeboat/v1', 'lifeboat/v2')],
    ['a name with blanks', step(good).replace('name: sample', 'name: my sample')],
    ['an id that begins with a digit', step('{ id: 1a, uses: cloud/group, with: { name: x } }')],
    ['an unknown module', step('{ id: a, uses: cloud/grup, with: { name: x } }')],
    ['a step without uses', step('{ id: a, with: { name: x } }')],
    ['no inputs where some are needed', step('{ id: a, uses: cloud/group }')],
    ['an input that lacks', step('{ id: a, uses: cloud/group, with: { location: x } }')],
    ['an input that there is not', step('{ id: a, uses: cloud/group, with: { name: x, colour: red } }')],
    ['a number instead of text', step('{ id: a, uses: cloud/group, with: { name: 12 } }')],
    ['text instead of a number', step('{ id: a, uses: cloud/server, with: { group: x, count: "2" } }')],
    ['a number below the least', step('{ id: a, uses: cloud/server, with: { group: x, count: 0 } }')],
    ['text around an expression instead of a number', step('{ id: a, uses: cloud/server, with: { group: x, count: "0${{ vars.n }}" } }')],
    ['a duration without a unit', step('{ id: a, uses: cloud/release, with: { chart: c, timeout: "90" } }')],
    ['a duration as a number', step('{ id: a, uses: cloud/release, with: { chart: c, timeout: 90 } }')],
    ['no member of an enumeration', step('{ id: a, uses: cloud/release, with: { chart: c, tls: none } }')],
    ['a key within, of a mapping that drops it', step('{ id: a, uses: cloud/release, with: { chart: c, from: { service: x, port: 1 } } }')],
    ['an empty list', step('{ id: a, uses: cloud/disks, with: { disks: [] } }')],
    ['a gate without a question', step('{ id: a, uses: gate, with: {} }')],
    ['an expression where none is understood', step(good).replace('location: westus2', 'location: "${{ vars.place }}"')],
  ])('refuses %s, and so does the loader', (_what, text) => {
    expect(wrongWith(text)).not.toEqual([])
    expect(findingsOf(text)).not.toEqual([])
  })
})
