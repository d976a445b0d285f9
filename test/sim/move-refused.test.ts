import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { EventOf, PlannedStep } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder, type RunningCli } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { served, worldRequests, worldState, type WorldState } from '../helpers/served.js'
import { failedNicWorld } from '../helpers/worlds.js'

const finished = ({ events }: RunningCli) => events.find((event): event is EventOf<'run.finished'> => event.type === 'run.finished')

/** The hubs are up on the new server, and the disks still where they were. */
function expectAcross(state: WorldState): void {
  expect(state.violations).toEqual([])
  const data = state.disks.filter(({ id }) => id.includes('DataDisk'))
  expect(data.map(({ id, managedBy, moves }) => [/resourceGroups\/([^/]+)/i.exec(id)?.[1], /resourceGroups\/([^/]+)/i.exec(managedBy ?? '')?.[1], moves])).toEqual([
    ['MC_data100-19s_data100-19s_westus2', 'data100-nfs', 0],
    ['MC_data100-19s_data100-19s_westus2', 'data100-nfs', 0],
  ])
  expect(state.pools.map(({ importedOn }) => importedOn.length)).toEqual([1])
  expect(state.hubs.filter(({ answers, address }) => answers && address.startsWith('203.0.113.'))).toHaveLength(2)
}

describe('a group that lets nothing be moved out of it (A17)', () => {
  it('stops the run with another way on offer; resumed that way the hubs come up, and nothing is left to do', async () => {
    await using world = await served(failedNicWorld(), 240)
    const state = temporaryFolder()
    const cloud = ['--cloud', world.cloudPath]
    const flags = ['--state-dir', state, '--yes', '--json']

    const first = lifeboat(['run', data100, ...cloud, '--confirm=data100', ...flags])
    const stopped = await first.ended
    expect(stopped.code, stopped.stderr).toBe(1)
    expect((await worldState(world)).disks.filter(({ id }) => id.includes('DataDisk')).map(({ managedBy }) => managedBy)).toEqual([null, null])
    const [choice] = finished(first)?.choices ?? []
    expect(choice).toMatchObject({ step: 'move', alternative: 'attach-across-groups' })
    expect(choice?.command).toMatch(/^lifeboat resume \S+ --state-dir \S+ --accept move=attach-across-groups$/)

    const mistyped = await lifeboatHere(['resume', '--accept', 'moves=attach-across-groups', ...flags])
    expect([mistyped.code, mistyped.stderr]).toEqual([2, expect.stringContaining('did you mean "move"?')])

    const second = lifeboat([...(choice?.command.split(' ').slice(1) ?? []), '--yes', '--json'])
    expect((await second.ended).code, (await second.ended).stderr).toBe(0)
    expectAcross(await worldState(world))
    expect(finished(second)?.remarks?.join()).toContain('do not delete a cluster whose node group it is')

    // The journal is lost: what is attached across groups counts as moved later, and says so.
    rmSync(state, { recursive: true })
    const plan = await lifeboatHere(['plan', data100, ...cloud, '--json', '--detailed-exitcode'])
    expect(plan.code, plan.stdout).toBe(0)
    const { steps } = JSON.parse(plan.stdout) as { steps: PlannedStep[] }
    expect(steps.find(({ id }) => id === 'move')).toMatchObject({ state: 'converged', remark: expect.stringContaining('stayed in MC_') as string })
    const shown = await lifeboatHere(['plan', data100, ...cloud])
    expect(shown.stdout).toContain('remark: nfsserver_DataDisk_0, nfsserver_DataDisk_1 stayed in MC_')
    const before = (await worldRequests(world)).filter(({ writes }) => writes).length
    expect((await lifeboat(['run', data100, ...cloud, '--confirm=data100', ...flags]).ended).code).toBe(0)
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toHaveLength(before)
  })
})
