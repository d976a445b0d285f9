import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Fidelity } from '../../src/contract/index.js'
import { temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { plant, served } from '../helpers/served.js'
import { groupSteps, resumeSmall, runSmall, smallRunbook, type Small } from '../helpers/small.js'

const reportOf = ({ state }: Pick<Small, 'state'>, ...more: readonly string[]): ReturnType<typeof lifeboatHere> =>
  lifeboatHere(['report', '--fidelity', '--state-dir', state, ...more])

async function fidelityOf(small: Pick<Small, 'state'>): Promise<Fidelity> {
  const { code, stdout, stderr } = await reportOf(small, '--json')
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Fidelity
}

const logOf = ({ state }: Pick<Small, 'state'>): string => join(state, 'runs', readdirSync(join(state, 'runs'))[0] ?? '', 'log.ndjson')

/** A module that makes two groups, and says of itself what it is told to. */
const module = (writes: string): string => `
export default ({ z, defineStep, groupClaim, inverted, seconds, minutes }) => defineStep({
  uses: './own.mjs', summary: 'Two groups', inputs: z.strictObject({ name: z.string() }), outputs: z.object({}), identity: ['name'],
  verification: () => ({ everyMs: seconds, withinMs: minutes }), preflight: async () => [],
  observe: async ({ name }, { doors }) => (await doors.azure.groups.get(name) ? { state: 'converged', outputs: {} } : { state: 'absent' }),
  plan: ({ name }) => [{ resource: 'groups of ' + name, action: 'create', after: {} }],
  async apply(_changes, { name }, { doors }) {
    await doors.azure.groups.create(name + '-hidden', 'westus2')
    await doors.azure.groups.create(name, 'westus2')
  },
  ${writes}
  invert: (changes) => changes.map(inverted), claims: ({ name }) => [groupClaim(name)], estimateMs: () => seconds,
})`

function ownRunbook(writes: string): string {
  const path = smallRunbook(`${groupSteps('one')}  - { id: own, uses: ./own.mjs, needs: [one], with: { name: own } }\n`)
  writeFileSync(join(dirname(path), 'own.mjs'), module(writes))
  return path
}

/** Nothing is worked out from a log that was cut, or is gone. */
async function expectNothingOfHalf(small: Small): Promise<void> {
  const whole = readFileSync(logOf(small), 'utf8').split('\n')
  writeFileSync(logOf(small), whole.filter((line) => !line.includes('"step.applied"')).join('\n'))
  const cut = await reportOf(small)
  expect([cut.code, cut.stdout]).toEqual([4, ''])
  expect(cut.stderr).toContain("the log of this run is not whole: 2 of the journal's records are not told there")
  rmSync(logOf(small))
  const gone = await reportOf(small, '--json')
  expect([gone.code, gone.stdout]).toEqual([4, ''])
  expect(gone.stderr).toContain('the log of this run cannot be read')
}

describe('report --fidelity', () => {
  it('names what a module of the site writes without having said so, and what it says and does not write, as long as the log is whole', async () => {
    await using world = await served()
    const lies = "writes: ({}, { name }) => [{ method: 'PUT', path: 'resourceGroups/' + name }, { method: 'DELETE', path: 'resourceGroups/never' }],"
    const small = { world, runbook: ownRunbook(lies), state: temporaryFolder() }
    const { code, stderr } = await runSmall(small).ended
    expect(code, stderr).toBe(0)
    const { steps, total } = await fidelityOf(small)
    expect(total).toMatchObject({ predicted: 4, happened: 3, missing: 1, unpredicted: 1, precision: 0.75, recall: 0.75 })
    expect(steps.find(({ step }) => step === 'own')).toMatchObject({
      precision: 0.5,
      recall: 0.5,
      missing: [{ write: { method: 'DELETE', path: 'resourceGroups/never' } }],
      unpredicted: [{ write: { method: 'PUT', path: 'resourcegroups/own-hidden' }, outcome: 'accepted' }],
    })
    const { stdout } = await reportOf(small)
    expect(stdout).toContain('Sent unpredicted:\n  own  PUT resource group own-hidden\n')
    expect(stdout).toContain('Predicted, and did not happen:\n  own  DELETE resource group never\n')
    await expectNothingOfHalf(small)
  })

  it('counts a module that does not say what it writes as not predicted, in the plan and afterwards', async () => {
    await using world = await served()
    const small = { world, runbook: ownRunbook(''), state: temporaryFolder() }
    const plan = await lifeboatHere(['plan', small.runbook, '--cloud', world.cloudPath, '--json'])
    const planned = JSON.parse(plan.stdout) as { steps: readonly { id: string; writes?: unknown }[]; marks: unknown }
    expect(planned.steps.map(({ id, writes }) => [id, writes])).toEqual([['one', [{ method: 'PUT', path: 'resourceGroups/one' }]], ['own', undefined]])
    expect(planned.marks).toEqual([{ method: 'PATCH', path: 'resourceGroups/one/providers/Microsoft.Resources/tags/default' }])
    const verbose = await lifeboatHere(['plan', small.runbook, '--cloud', world.cloudPath, '--verbose'])
    expect(verbose.stdout).toContain('    writes  PUT resource group one\n')
    expect(verbose.stdout).toContain('    writes  not predicted: its module does not say\n')

    expect((await runSmall(small).ended).code).toBe(0)
    const { notPredicted, total } = await fidelityOf(small)
    expect(notPredicted).toEqual(['own'])
    expect(total).toMatchObject({ happened: 2, unpredicted: 2, precision: 1, recall: 0.5 })
  })

  it('counts the lives of a run together, and a write once however often it is sent', async () => {
    await using world = await served()
    await plant(world, { match: { method: 'PUT', path: '/two$' }, times: 2, answer: { status: 503, code: 'Busy', message: 'try again' } })
    await plant(world, { match: { method: 'PUT', path: '/three$' }, times: 1, drop: 'after' })
    const small = { world, runbook: smallRunbook(groupSteps('one', 'two', 'three', 'four')), state: temporaryFolder() }
    const run = runSmall(small)
    await run.until((event) => event.type === 'step.intent' && event.step === 'three')
    run.child.kill('SIGKILL')
    await run.ended
    const open = await fidelityOf(small)
    expect(open.total.open).toBeGreaterThanOrEqual(1)
    expect([open.total.missing, open.total.unpredicted]).toEqual([0, 0])

    const { code, stderr } = await resumeSmall(small).ended
    expect(code, stderr).toBe(0)
    const { steps, total } = await fidelityOf(small)
    expect(total).toMatchObject({ predicted: 8, happened: 8, missing: 0, open: 0, unpredicted: 0, precision: 1, recall: 1 })
    const two = steps.find(({ step }) => step === 'two')?.happened
    expect(two).toMatchObject([{ times: 3, outcome: 'accepted', answer: 201 }])
    expect((await reportOf(small)).stdout).toContain('all 2 lives of it together')
  })

  it('needs its flag, and a run that there is', async () => {
    const state = temporaryFolder()
    const bare = await lifeboatHere(['report', '--state-dir', state])
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('--fidelity') as unknown])
    expect((await reportOf({ state })).code).toBe(2)
    expect((await reportOf({ state }, 'nonsense')).code).toBe(2)
  })
})
