import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sayWrite, type Fidelity, type PlanFacts, type PlannedStep, type Write } from '../../src/contract/index.js'
import { matched } from '../../src/engine/fidelity.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { shown } from '../helpers/readme.js'
import { served, worldRequests, worldState, type RequestEntry, type Served, type WorldState } from '../helpers/served.js'
import { asWorldSees, once, worldWrites } from '../helpers/world-writes.js'
import { quickWorld } from '../helpers/worlds.js'

/** What an undo gives back: all but the safety copies, which are kept, and the hubs' own history. */
async function starting(world: Served): Promise<object> {
  const { clusters, vms, disks, recordSets, releases, pools, hubs, violations }: WorldState = await worldState(world)
  return {
    clusters: clusters.map(({ id }) => id).sort(),
    vms: vms.map(({ id, powerState, dataDisks }) => [id, powerState, dataDisks.map(({ id: disk, lun }) => `${lun} ${disk}`).sort()]).sort(),
    disks: disks.map(({ id, managedBy }) => [id, managedBy]).sort(),
    recordSets: recordSets.map(({ name, type, ttl, values }) => [name, type, ttl, values]).sort(),
    releases,
    pools,
    hubs: hubs.filter(({ answers }) => answers).map(({ host, address }) => [host, address]),
    violations,
  }
}

const writes = async (world: Served): Promise<number> => (await worldRequests(world)).filter(({ writes: does }) => does).length

interface Planned extends PlanFacts {
  readonly dryRun: boolean
  readonly marks: Write[]
  readonly steps: (PlannedStep & { readonly writes?: Write[] })[]
}

/** The README's plan says what would happen, and writes nothing. */
async function expectPlanned(world: Served, cloud: readonly string[]): Promise<Planned> {
  const plan = await lifeboatHere([...shown('plan'), ...cloud, '--json', '--detailed-exitcode'])
  expect(plan.code, plan.stderr).toBe(10)
  expect(await writes(world)).toBe(0)
  const planned = JSON.parse(plan.stdout) as Planned
  const { dryRun, firstHarm, steps } = planned
  expect([dryRun, firstHarm]).toEqual([true, 'fence'])
  expect(steps.find(({ id }) => id === 'staging')).toMatchObject({ state: 'assumed' })
  expect(JSON.stringify(steps.find(({ id }) => id === 'prod-dns')?.changes)).toContain('$pending')
  return planned
}

interface Logged {
  readonly kind: string
  readonly writes?: readonly Write[]
}

/** The plan beside what the world saw, and the run's log beside the same; then what the README's report says of both. */
async function expectForetold({ steps, marks }: Planned, requests: readonly RequestEntry[], state: string): Promise<void> {
  const [run = ''] = readdirSync(join(state, 'runs'))
  const log = readFileSync(join(state, 'runs', run, 'log.ndjson'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Logged)
  const toAzure = log.flatMap(({ kind, writes: sent = [] }) => (kind === 'sending' ? sent.filter((write) => 'method' in write) : []))
  const inWorld = worldWrites(requests.filter(({ door }) => door === 'arm'))
  const texts = (all: readonly Write[]): string[] => all.map((write) => sayWrite(write).toLowerCase()).sort()
  expect(texts(toAzure)).toEqual(texts(inWorld))

  const seen = once(worldWrites(requests))
  const predicted = [...steps.flatMap(({ writes: own = [] }) => own), ...marks].map(asWorldSees)
  const { pairs, missing, unpredicted } = matched(predicted, seen.map((write) => ({ write })))
  const strange = JSON.stringify({ missing, unpredicted })
  expect(pairs.length).toBeGreaterThan(30)
  expect(pairs.length / (pairs.length + missing.length), strange).toBeGreaterThanOrEqual(0.99)
  expect(pairs.length / (pairs.length + unpredicted.length), strange).toBeGreaterThanOrEqual(0.99)

  const report = await lifeboatHere([...shown('report'), '--json', '--state-dir', state])
  const { total } = JSON.parse(report.stdout) as Fidelity
  expect(total).toMatchObject({ predicted: 39, happened: 39, missing: 0, unpredicted: 0, precision: 1, recall: 1 })
  const told = await lifeboatHere([...shown('report'), '--state-dir', state])
  expect([told.code, /^total .* 1\.000 {3}1\.000$/m.test(told.stdout)], told.stdout + told.stderr).toEqual([0, true])
}

/** Neither a plan nor another run finds anything that is not as wanted. */
async function expectNothingLeft(world: Served, cloud: readonly string[]): Promise<void> {
  const again = await lifeboatHere(['plan', data100, ...cloud, '--json', '--detailed-exitcode'])
  expect(again.code, again.stdout).toBe(0)

  const before = await writes(world)
  const second = lifeboat(['run', data100, ...cloud, '--state-dir', temporaryFolder(), '--confirm=data100', '--yes', '--json'])
  expect((await second.ended).code, (await second.ended).stderr).toBe(0)
  expect(await writes(world)).toBe(before)
  expect(second.events.filter(({ type }) => type === 'question.asked')).toEqual([])
}

/** The README's undo, and any without the name, only shows what it would put back. */
async function expectUndoShown(world: Served, run: string, state: readonly string[]): Promise<void> {
  const made = await writes(world)
  const nobody = await lifeboatHere(['undo', run, ...state, '--yes'])
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--confirm=data100')])
  const dry = await lifeboatHere([...shown('undo'), ...state])
  expect(dry.code, dry.stderr).toBe(0)
  expect(dry.stdout).toContain('Stays as it is:')
  expect(dry.stdout).toContain('snapshot of disk nfsserver_DataDisk_0 is kept')
  expect(await writes(world)).toBe(made)
}

/** Undone, killed on the way and gone on with. */
async function undone(run: string, state: readonly string[]): Promise<void> {
  const flags = [...state, '--yes', '--json']
  const first = lifeboat(['undo', run, '--confirm=data100', ...flags])
  const undo = (await first.until((event) => event.type === 'step.intent' && event.step === 'detach')).run
  first.child.kill('SIGKILL')
  await first.ended

  const both = await lifeboatHere(['undo', run, '--confirm=data100', ...flags])
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining(`lifeboat resume ${undo}`)])

  const second = await lifeboat(['resume', ...flags]).ended
  expect(second.code, second.stderr).toBe(0)
  const { total } = JSON.parse((await lifeboatHere(['report', undo, '--fidelity', '--json', ...state])).stdout) as Fidelity
  expect([total.missing, total.unpredicted, total.happened > 20], JSON.stringify(total)).toEqual([0, 0, true])

  const again = lifeboat(['undo', run, '--confirm=data100', ...flags])
  expect((await again.ended).code, (await again.ended).stderr).toBe(0)
  expect(again.events).toEqual([])
  expect((await lifeboatHere(['undo', undo, '--confirm=data100', ...flags])).code).toBe(2)
}

// One failover for all that must hold along its way: each costs as much as a hundred other tests.
describe('data100, failed over by the real CLI in a simulated world, as the README leads through it', () => {
  it('plans without writing, runs, is stopped and resumed, has nothing left to do, and is put back, also when killed on the way', async () => {
    await using world = await served(quickWorld(), 240)
    const folder = temporaryFolder()
    const state = ['--state-dir', folder]
    const cloud = ['--cloud', world.cloudPath]
    const before = await starting(world)
    expect((await lifeboatHere(shown('validate'))).code).toBe(0)
    const planned = await expectPlanned(world, cloud)

    const run = lifeboat([...shown('run'), ...cloud, ...state, '--confirm=data100', '--yes', '--json'])
    await run.until((event) => event.type === 'step.started' && event.step === 'detach')
    run.child.kill('SIGTERM')
    const stopped = await run.ended
    expect(stopped.code, stopped.stderr).toBe(143)
    expect(run.events.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'interrupted' })

    const resumed = await lifeboat([...shown('resume'), ...state, '--yes']).ended
    expect(resumed.code, resumed.stderr).toBe(0)
    expectFailedOver(await worldState(world))
    await expectForetold(planned, await worldRequests(world), folder)
    await expectNothingLeft(world, cloud)

    const id = run.events[0]?.run ?? ''
    await expectUndoShown(world, id, state)
    await undone(id, state)
    expect(await starting(world)).toEqual(before)
    expect((await worldState(world)).snapshots).toHaveLength(2)
  })
})
