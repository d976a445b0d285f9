import { describe, expect, it } from 'vitest'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { served, worldRequests, worldState, type RequestEntry, type Served } from '../helpers/served.js'
import { quickWorld } from '../helpers/worlds.js'

const runFlags = (world: Served, state: string): string[] => [
  data100,
  ...['--cloud', world.cloudPath, '--state-dir', state, '--confirm=data100', '--yes', '--json'],
]

const writesOf = (requests: readonly RequestEntry[]): RequestEntry[] => requests.filter(({ writes }) => writes)

describe('data100, failed over by the real CLI in a simulated world', () => {
  it('plans without writing, runs, and then has nothing left to do', async () => {
    await using world = await served(quickWorld())
    const state = temporaryFolder()

    const plan = await lifeboat(['plan', data100, '--cloud', world.cloudPath, '--json', '--detailed-exitcode']).ended
    expect(plan.code, plan.stderr).toBe(10)
    expect(writesOf(await worldRequests(world))).toEqual([])
    const planned = JSON.parse(plan.stdout) as {
      dryRun: boolean
      firstHarm: string
      pointOfNoReturn: string | null
      steps: { id: string; state: string; changes: unknown[] }[]
    }
    expect(planned.dryRun).toBe(true)
    expect(planned.firstHarm).toBe('fence')
    expect(planned.steps.find(({ id }) => id === 'staging')).toMatchObject({ state: 'assumed' })
    expect(JSON.stringify(planned.steps.find(({ id }) => id === 'prod-dns')?.changes)).toContain('$pending')

    const run = await lifeboat(['run', ...runFlags(world, state)]).ended
    expect(run.code, run.stderr).toBe(0)
    expectFailedOver(await worldState(world))

    const again = await lifeboatHere(['plan', data100, '--cloud', world.cloudPath, '--json', '--detailed-exitcode'])
    expect(again.code, again.stdout).toBe(0)

    const before = writesOf(await worldRequests(world)).length
    const second = lifeboat(['run', ...runFlags(world, state)])
    expect((await second.ended).code, (await second.ended).stderr).toBe(0)
    expect(writesOf(await worldRequests(world)).slice(before)).toEqual([])
    expect(second.events.filter(({ type }) => type === 'question.asked')).toEqual([])
  })
})
