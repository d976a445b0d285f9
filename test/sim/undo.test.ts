import { describe, expect, it } from 'vitest'
import type { Fidelity } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
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

const finishedRun = async (world: Served, state: string): Promise<string> => {
  const run = lifeboat(['run', data100, '--cloud', world.cloudPath, '--state-dir', state, '--confirm=data100', '--yes', '--json'])
  expect((await run.ended).code, (await run.ended).stderr).toBe(0)
  return run.events[0]?.run ?? ''
}

/** Without the name nothing begins, and a dry run only reads. */
async function expectShownOnly(world: Served, run: string, state: string): Promise<void> {
  const writes = async (): Promise<number> => (await worldRequests(world)).filter(({ writes: does }) => does).length
  const made = await writes()
  const nobody = await lifeboatHere(['undo', run, '--state-dir', state, '--yes'])
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--confirm=data100')])
  const shown = await lifeboatHere(['undo', '--state-dir', state, '--dry-run'])
  expect(shown.code, shown.stderr).toBe(0)
  expect(shown.stderr).toContain('snapshot of disk nfsserver_DataDisk_0 is kept')
  expect(await writes()).toBe(made)
}

describe('lifeboat undo', () => {
  it('shows what it would put back, needs the name, and gives back the state from before, also when it is killed on the way', async () => {
    await using world = await served(quickWorld(), 240)
    const state = temporaryFolder()
    const flags = ['--state-dir', state, '--yes', '--json']
    const before = await starting(world)
    const run = await finishedRun(world, state)
    expect(await starting(world)).not.toEqual(before)
    await expectShownOnly(world, run, state)

    const first = lifeboat(['undo', run, '--confirm=data100', ...flags])
    const undo = (await first.until((event) => event.type === 'step.intent' && event.step === 'detach')).run
    first.child.kill('SIGKILL')
    await first.ended

    const both = await lifeboatHere(['undo', run, '--confirm=data100', ...flags])
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining(`lifeboat resume ${undo}`)])

    const second = await lifeboat(['resume', ...flags]).ended
    expect(second.code, second.stderr).toBe(0)
    expect(await starting(world)).toEqual(before)
    expect((await worldState(world)).snapshots).toHaveLength(2)
    const { total } = JSON.parse((await lifeboatHere(['report', undo, '--fidelity', '--state-dir', state, '--json'])).stdout) as Fidelity
    expect([total.missing, total.unpredicted, total.happened > 20], JSON.stringify(total)).toEqual([0, 0, true])

    const again = lifeboat(['undo', run, '--confirm=data100', ...flags])
    expect((await again.ended).code, (await again.ended).stderr).toBe(0)
    expect(again.events).toEqual([])
    expect((await lifeboatHere(['undo', undo, '--confirm=data100', ...flags])).code).toBe(2)
  })
})
