import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Pending } from '../../src/contract/index.js'
import { assertSameSite, assertWritable, readPlanFile, writePlanFile, type PlanFile } from '../../src/cli/plan-file.js'
import { asShown, sayShown } from '../../src/cli/plan-shown.js'
import type { Site } from '../../src/cli/site.js'
import type { Plan } from '../../src/engine/index.js'
import { cloud, planned } from '../helpers/render-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

const facts = { firstHarm: null, pointOfNoReturn: null, criticalPath: [], totalMs: 0 }
const record = (values: unknown) => planned('dns', { changes: [{ resource: 'record A hub', action: 'update', before: { values: ['1.1.1.1'] }, after: { values: values as string[] } }] })
const sample: PlanFile = {
  type: 'lifeboat.plan',
  version: 1,
  tool: '0.1.0',
  madeAt: '2019-02-25T20:40:00.000Z',
  runbook: { name: 'data100', digest: 'sha256:0' },
  cloud,
  files: [],
  facts,
  steps: [planned('cluster'), record(new Pending(['prod']))],
}

async function written(): Promise<string> {
  const path = join(tempFolder(), 'plan.json')
  await writePlanFile(path, sample)
  return path
}

/** As far as a plan file is held beside it. */
function siteOf(text: string, changes: object = {}): Site {
  const runbook = { name: 'data100', text, folder: '/site' }
  return { runbook, cloudFacts: cloud, pins: async () => [], ...changes } as unknown as Site
}

describe('a plan file beside the site that it is to be run on', () => {
  const text = 'apiVersion: lifeboat/v1'
  const file: PlanFile = { ...sample, runbook: { name: 'data100', digest: `sha256:${createHash('sha256').update(text).digest('hex')}` } }
  const told = (site: Site): Promise<string> => assertSameSite('p.json', file, site).then(() => 'the same', (error: unknown) => (error as Error).message)

  it('is of the same runbook on the same cloud, or is refused with what is other', async () => {
    expect(await told(siteOf(text))).toBe('the same')
    expect(await told(siteOf(`${text}\n# a comment`))).toBe('what p.json was made of has changed since:\n  the runbook itself')
    expect(await told(siteOf(text, { runbook: { name: 'other', text, folder: '/site' } }))).toContain('is a plan of data100, not of other')
    expect(await told(siteOf(text, { cloudFacts: { ...cloud, subscription: 'another' } }))).toContain('subscription another')
    const pins = async () => [{ path: '/site/values.yaml', digest: 'sha256:1' }]
    expect(await told(siteOf(text, { pins }))).toBe('what p.json was made of has changed since:\n  values.yaml: newly read')
  })
})

describe('a plan file', () => {
  it('is read as it was written, what is pending as $pending, and for nobody else to read', async () => {
    const path = await written()
    const read = await readPlanFile(path)
    expect(read).toEqual(JSON.parse(JSON.stringify(sample)))
    expect(JSON.stringify(read.steps[1])).toContain('{"$pending":["prod"]}')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('takes the place of an older one', async () => {
    const path = await written()
    await writePlanFile(path, { ...sample, madeAt: '2019-02-25T21:00:00.000Z' })
    expect((await readPlanFile(path)).madeAt).toBe('2019-02-25T21:00:00.000Z')
  })

  it.each([
    ['cut off', (text: string) => text.slice(0, -40), 'damaged', 'cut off or changed'],
    ['changed by hand', (text: string) => text.replace('"create"', '"delete"'), 'damaged', 'cut off or changed'],
    ['without its seal', (text: string) => text.replace(/"seal": "[^"]+"/, '"seal": ""'), 'damaged', 'cut off or changed'],
    ['some other JSON', () => '{"type":"plan"}', 'foreign', 'is no plan file'],
    ['a list', () => '[]', 'foreign', 'is no plan file'],
    ['no JSON', () => '\0\u{1}binary', 'foreign', 'is no plan file'],
    ['empty', () => '', 'foreign', 'is no plan file'],
    ['of a newer version', (text: string) => text.replace('"version": 1', '"version": 2').replace('0.1.0', '9.0.0'), 'newer', 'format 2, which this version does not know (lifeboat 9.0.0)'],
  ])('that is %s is told plainly', async (_what, spoil, code, said) => {
    const path = await written()
    writeFileSync(path, spoil(readFileSync(path, 'utf8')))
    await expect(readPlanFile(path)).rejects.toMatchObject({ code: `plan-file.${code}`, message: expect.stringContaining(said) as string, hint: expect.any(String) as string })
  })

  it('that is not there is told with its path', async () => {
    await expect(readPlanFile('/nowhere/plan.json')).rejects.toMatchObject({ code: 'plan-file.unreadable', message: 'the plan file /nowhere/plan.json cannot be read: there is no such file' })
  })

  it('is refused before the cloud is read where its folder is not there, or it is no regular file', async () => {
    const folder = tempFolder()
    await expect(assertWritable(join(folder, 'none', 'plan.json'))).rejects.toMatchObject({ code: 'plan-file.no-folder' })
    mkdirSync(join(folder, 'plan.json'))
    await expect(assertWritable(join(folder, 'plan.json'))).rejects.toMatchObject({ code: 'plan-file.no-file' })
    await expect(assertWritable('/dev/null')).rejects.toMatchObject({ code: 'plan-file.no-file' })
  })

  it('keeps the older one, whole, when the disk is full', async () => {
    const path = await written()
    const before = readFileSync(path, 'utf8')
    const full = (async (...asked: Parameters<typeof open>) => {
      const handle = await open(...asked)
      handle.writeFile = () => Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
      return handle
    }) as typeof open
    await expect(writePlanFile(path, { ...sample, tool: '0.2.0' }, full)).rejects.toMatchObject({ code: 'plan.not-written', message: `the plan file ${path} cannot be written: the disk is full` })
    expect([readFileSync(path, 'utf8'), readdirSync(join(path, '..'))]).toEqual([before, ['plan.json']])
  })
})

describe('a plan that was shown, beside the world now', () => {
  const now = (steps: Plan['steps']): Plan => ({ steps, facts, findings: [{ level: 'warn', what: 'w', mend: 'm', steps: [] }], failures: [], taken: [], places: [] })
  const shown = { path: 'plan.json', file: JSON.parse(JSON.stringify(sample)) as PlanFile }

  it('takes the place of the plan that is made now, which gives the findings', () => {
    const made = now([planned('cluster'), record(['203.0.113.7'])])
    expect(asShown(shown, made)).toEqual({ ...made, steps: shown.file.steps })
    expect(sayShown(shown, made, new Date('2019-02-25T20:52:00Z'))).toBe('The plan of plan.json, made 12m ago by lifeboat 0.1.0: all that would run now is shown there.')
  })

  it('covers a world that needs fewer changes, and says how many are left out', () => {
    const made = now([planned('cluster', { changes: [], state: 'converged' }), record(['203.0.113.7'])])
    expect(asShown(shown, made).steps).toBe(shown.file.steps)
    expect(sayShown(shown, made, new Date('2019-02-25T20:40:05Z'))).toContain('; 1 of its 2 changes are not needed any more.')
  })

  it('does not cover another action on the same resource, and both are told', () => {
    const create = planned('dns', { changes: [{ resource: 'record A hub', action: 'create', after: { values: ['203.0.113.7'] }, harm: 'someone' }] })
    const refused = (): unknown => asShown(shown, now([planned('cluster'), create]))
    expect(refused).toThrow(/does not show what would run now\n {2}dns\n {4}shown: +update record A hub\n.*\(known after prod\)\n {4}now: +create record A hub\n/)
    expect(refused).toThrow(/harm: someone/)
  })

  it('does not cover what was not there, and what was there is not blamed for it', () => {
    const more = planned('cluster', { changes: [...planned('cluster').changes, { resource: 'disk x', action: 'delete' }] })
    expect(() => asShown(shown, now([more, record(['203.0.113.7'])]))).toThrow(/\n {2}cluster\n {4}now: +delete disk x\n {4}shown: nothing of that$/)
  })
})
