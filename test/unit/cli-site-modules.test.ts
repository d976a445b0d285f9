import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRunbook } from '../../src/cli/site.js'
import type { ReadContext } from '../../src/contract/index.js'
import { referencedFiles, renderDiagnostic } from '../../src/runbook/index.js'
import type { Platform } from '../../src/platform/platform.js'
import { withSteps } from '../helpers/runbook-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

const body = `
  uses: 'anything', summary: 'Says it', inputs: z.strictObject({ text: z.string() }), outputs: z.object({ said: z.string() }),
  identity: ['text'], verification: () => ({ everyMs: seconds, withinMs: minutes }), preflight: async () => [],
  observe: async ({ text }) => { if (text === 'bug') null.x; return { state: 'converged', outputs: { said: text } } },
  plan: ({ text }) => [{ resource: 'text', action: 'create', after: { text } }], apply: async () => undefined,
  invert: (changes) => changes.map(inverted), claims: () => [], estimateMs: () => 1 * seconds,
`
const good = `export default ({ z, defineStep, inverted, seconds, minutes }) => defineStep({${body}})\n`
const step = (inputs = '{ text: hello }', uses = './say.mjs'): string => withSteps(`  - id: say\n    uses: ${uses}\n    with: ${inputs}\n`)

async function read(source: string | undefined, runbook = step()) {
  const folder = tempFolder()
  writeFileSync(join(folder, 'r.yaml'), runbook)
  if (source !== undefined) writeFileSync(join(folder, 'say.mjs'), source)
  const result = await readRunbook(join(folder, 'r.yaml'))
  return { ...result, folder, found: result.diagnostics.map(renderDiagnostic).map((line) => line.replaceAll(folder, '')) }
}

describe('a module of the site’s own, by path', () => {
  it('is one of the modules, under the name that the runbook gives it', async () => {
    const { runbook, registry, found } = await read(good)
    expect(found).toEqual([])
    expect(runbook?.nodes).toMatchObject([{ id: 'say', uses: './say.mjs' }])
    const module = registry.get('./say.mjs')
    expect(module?.uses).toBe('./say.mjs')
    expect(await module?.observe({ text: 'hello' }, {} as ReadContext<Platform>)).toEqual({ state: 'converged', outputs: { said: 'hello' } })
  })

  it('has its inputs and outputs checked like any other', async () => {
    expect((await read(good, step('{ txt: hello }'))).found).toEqual([
      expect.stringMatching(/^\/r\.yaml:7:11: \.\/say\.mjs lacks "text"/),
      expect.stringMatching(/^\/r\.yaml:7:13: \.\/say\.mjs takes no "txt" \(did you mean "text"\?\)/),
    ])
    const astray = `${step()}  - { id: again, uses: ./say.mjs, with: { text: "\${{ steps.say.outputs.sad }}" } }\n`
    expect((await read(good, astray)).found).toEqual([expect.stringContaining('there is no "sad" in steps.say.outputs (did you mean "said"?)')])
  })

  it('is warned of like any other when it harms and no gate precedes it', async () => {
    expect((await read(good.replace("uses: 'anything'", 'harms: true'))).found).toEqual([expect.stringContaining('warning: say (./say.mjs) takes something')])
  })

  it('guards, stands and works unseen where it says so', async () => {
    const flags = { guards: true, rests: 'undo it', stands: true, unseen: true }
    const { registry } = await read(good.replace("uses: 'anything'", "guards: true, rests: 'undo it', stands: true, unseen: true"))
    expect(registry.get('./say.mjs')).toMatchObject(flags)
    for (const flag of Object.keys(flags)) expect((await read(good)).registry.get('./say.mjs')).not.toHaveProperty(flag)
  })

  it('has its predictions looked at before they stand in a plan', async () => {
    const predicted = async (said: string): Promise<unknown> => {
      const { registry } = await read(good.replace('claims:', `writes: () => ${said}, claims:`))
      return registry.get('./say.mjs')?.writes?.([], {})
    }
    const whole = '[{ method: "PUT", path: "resourceGroups/g" }, { command: "zpool export", on: "g/vm" }, { command: "./say" }]'
    expect(await predicted(whole)).toHaveLength(3)
    expect((await read(good)).registry.get('./say.mjs')).not.toHaveProperty('writes')
    for (const wrong of ['undefined', '"PUT"', '[{ method: "PUT" }]', '[{ method: "GET", path: "x" }]', '[{ command: "" }]', 'null.x']) {
      await expect(predicted(wrong), wrong).rejects.toMatchObject({ code: 'module.failed', blame: 'user', message: expect.stringContaining('./say.mjs failed in writes') as unknown })
    }
  })

  it('is pinned by its digest', async () => {
    const { runbook, registry, folder } = await read(good)
    const pins = async () => (await referencedFiles(runbook!, registry, { env: () => undefined })).files
    const before = await pins()
    expect(before.map(({ path }) => path)).toEqual([join(folder, 'say.mjs')])
    writeFileSync(join(folder, 'say.mjs'), `${good}// changed\n`)
    expect(await pins()).not.toEqual(before)
  })

  it('is pinned with what it imports by a relative path, however deep; packages are not', async () => {
    const { folder } = await read(undefined)
    mkdirSync(join(folder, 'lib'))
    writeFileSync(join(folder, 'lib/a.mjs'), "import * as b from './b.mjs'\nimport './a.mjs'\nexport { b }\n")
    writeFileSync(join(folder, 'lib/b.mjs'), 'export const late = () => import("../c.mjs")\n')
    writeFileSync(join(folder, 'c.mjs'), '')
    writeFileSync(join(folder, 'say.mjs'), `import 'node:fs'\nimport { b } from './lib/a.mjs'\n${good}`)
    const again = await readRunbook(join(folder, 'r.yaml'))
    const { files, diagnostics } = await referencedFiles(again.runbook!, again.registry, { env: () => undefined })
    expect(diagnostics).toEqual([])
    expect(files.map(({ path }) => relative(folder, path))).toEqual(['c.mjs', 'lib/a.mjs', 'lib/b.mjs', 'say.mjs'])
  })

  it.each([
    ['is not there', undefined, 'cannot be loaded: there is no such file'],
    ['cannot be read', 'export default (', 'cannot be loaded: '],
    ['fails when it is loaded', 'throw new Error("no such luck")', 'cannot be loaded: no such luck'],
    ['imports what is not there', 'import "no-such-package"; export default () => 0', "cannot be loaded: Cannot find package 'no-such-package'"],
    ['exports nothing', 'export const a = 1', 'has no function as its default export'],
    ['exports no function', 'export default {}', 'has no function as its default export'],
    ['gives nothing', 'export default () => undefined', 'its function gives nothing'],
    ['lacks a function', good.replace('observe:', 'look:'), 'is no step module: it has no function observe'],
    ['has no schema', good.replace('inputs: z.strictObject({ text: z.string() })', 'inputs: {}'), 'its inputs are no z.strictObject(…)'],
    ['names what it does not take', good.replace("identity: ['text']", "identity: ['texts']"), 'texts of its identity is not among its inputs'],
  ])('that %s is told at its place', async (_, source, message) => {
    const { runbook, found } = await read(source)
    expect(runbook).toBeUndefined()
    expect(found).toEqual([expect.stringContaining('/r.yaml:6:11: the module ./say.mjs ')])
    expect(found[0]).toContain(message)
  })

  it('is blamed for its own mistakes', async () => {
    const { registry } = await read(good)
    const looked = registry.get('./say.mjs')!.observe({ text: 'bug' }, {} as ReadContext<Platform>)
    await expect(looked).rejects.toMatchObject({ code: 'module.failed', blame: 'user', message: expect.stringContaining('./say.mjs failed in observe') as string })
    const throwing = await read(good.replace('estimateMs: () => 1 * seconds', 'estimateMs: () => null.x'))
    expect(() => throwing.registry.get('./say.mjs')!.estimateMs({})).toThrow('./say.mjs failed in estimateMs')
  })

  it('is looked for beside the runbook, and only where a path begins with a dot', async () => {
    expect((await read(good, step('{ text: a }', 'say.mjs'))).found).toEqual([expect.stringContaining('there is no module "say.mjs"')])
    expect((await read(good, step('{ text: a }', '../say.mjs'))).found).toEqual([expect.stringContaining('there is no such file')])
  })
})
