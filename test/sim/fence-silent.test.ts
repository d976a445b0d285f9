import { describe, expect, it } from 'vitest'
import type { PlanFacts, PlannedStep } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { served, worldRequests, worldState } from '../helpers/served.js'
import { quickWorld } from '../helpers/worlds.js'

describe('an old server that does not answer', () => {
  it('is stopped only by choice, as the plan shows; its pool is imported with -f then, and all is as wanted', async () => {
    await using world = await served(quickWorld())
    for (const host of world.world.hosts.values()) host.answers = false
    const flags = ['--cloud', world.cloudPath, '--json']
    const confirmed = [...flags, '--state-dir', temporaryFolder(), '--confirm=data100', '--yes']

    // `--yes` passes gates and chooses nothing.
    expect((await lifeboatHere(['run', data100, ...confirmed])).code).toBe(4)
    const accept = ['--accept', 'fence=deallocate']
    const plan = await lifeboatHere(['plan', data100, ...flags, ...accept])
    expect(plan.code, plan.stderr).toBe(0)
    const planned = JSON.parse(plan.stdout) as PlanFacts & { steps: PlannedStep[] }
    const { steps, firstHarm, pointOfNoReturn } = planned
    expect([firstHarm, pointOfNoReturn]).toEqual(['fence', null])
    expect(steps.find(({ id }) => id === 'fence')?.changes).toMatchObject([{ resource: 'old server', after: { power: 'deallocated' } }])
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])

    const run = lifeboat(['run', data100, ...confirmed, ...accept])
    expect((await run.ended).code, (await run.ended).stderr).toBe(0)
    const fenced = run.events.flatMap((event) => (event.type === 'step.verified' && event.step === 'fence' ? [event.outputs] : []))
    expect(fenced).toEqual([{ how: 'deallocated' }])
    expect((await worldRequests(world)).filter(({ path }) => path.includes('zpool import -f'))).toHaveLength(1)
    expectFailedOver(await worldState(world))
    expect((await lifeboatHere(['plan', data100, ...flags, '--detailed-exitcode'])).code).toBe(0)
  })
})
