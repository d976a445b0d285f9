import { describe, expect, it } from 'vitest'
import type { PlanFacts, PlannedStep } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { shown } from '../helpers/readme.js'
import { served, worldRequests, worldState, type Served, type WorldState } from '../helpers/served.js'
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

/** The README's plan says what would happen, and writes nothing. */
async function expectPlanned(world: Served, cloud: readonly string[]): Promise<void> {
  const plan = await lifeboat([...shown('plan'), ...cloud, '--json', '--detailed-exitcode']).ended
  expect(plan.code, plan.stderr).toBe(10)
  expect(await writes(world)).toBe(0)
  const { dryRun, firstHarm, steps } = JSON.parse(plan.stdout) as PlanFacts & { dryRun: boolean; steps: PlannedStep[] }
  expect([dryRun, firstHarm]).toEqual([true, 'fence'])
  expect(steps.find(({ id }) => id === 'staging')).toMatchObject({ state: 'assumed' })
  expect(JSON.stringify(steps.find(({ id }) => id === 'prod-dns')?.changes)).toContain('$pending')
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
  const dry = await lifeboat([...shown('undo'), ...state]).ended
  expect(dry.code, dry.stderr).toBe(0)
  expect(dry.stderr).toContain('Stays as it is:')
  expect(dry.stderr).toContain('snapshot of disk nfsserver_DataDisk_0 is kept')
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

  const again = lifeboat(['undo', run, '--confirm=data100', ...flags])
  expect((await again.ended).code, (await again.ended).stderr).toBe(0)
  expect(again.events).toEqual([])
  expect((await lifeboatHere(['undo', undo, '--confirm=data100', ...flags])).code).toBe(2)
}

// One failover for all that must hold along its way: each costs as much as a hundred other tests.
describe('data100, failed over by the real CLI in a simulated world, as the README leads through it', () => {
  it('plans without writing, runs, is stopped and resumed, has nothing left to do, and is put back, also when killed on the way', async () => {
    await using world = await served(quickWorld(), 240)
    const state = ['--state-dir', temporaryFolder()]
    const cloud = ['--cloud', world.cloudPath]
    const before = await starting(world)
    expect((await lifeboat(shown('validate')).ended).code).toBe(0)
    await expectPlanned(world, cloud)

    const run = lifeboat([...shown('run'), ...cloud, ...state, '--confirm=data100', '--yes', '--json'])
    await run.until((event) => event.type === 'step.started' && event.step === 'detach')
    run.child.kill('SIGTERM')
    const stopped = await run.ended
    expect(stopped.code, stopped.stderr).toBe(143)
    expect(run.events.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'interrupted' })

    const resumed = await lifeboat([...shown('resume'), ...state, '--yes']).ended
    expect(resumed.code, resumed.stderr).toBe(0)
    expectFailedOver(await worldState(world))
    await expectNothingLeft(world, cloud)

    const id = run.events[0]?.run ?? ''
    await expectUndoShown(world, id, state)
    await undone(id, state)
    expect(await starting(world)).toEqual(before)
    expect((await worldState(world)).snapshots).toHaveLength(2)
  })
})
