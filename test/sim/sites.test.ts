import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { served, worldRequests, worldState } from '../helpers/served.js'
import { sites } from '../helpers/sites.js'
import { quickWorld, readCloud } from '../helpers/worlds.js'

describe.each([sites.minimal, sites['hubs-many']])('$name, failed over by the real CLI in its world', ({ name, runbook, world: file, after }) => {
  it('is in order, plans without writing, runs, and then has nothing left to do', async () => {
    await using world = await served(quickWorld(undefined, file))
    const cloud = ['--cloud', world.cloudPath]
    const plan = (): ReturnType<typeof lifeboat>['ended'] => lifeboat(['plan', runbook, ...cloud, '--json', '--detailed-exitcode']).ended

    const validated = await lifeboat(['validate', runbook, '--json']).ended
    expect(JSON.parse(validated.stdout)).toEqual({ diagnostics: [] })
    expect((await plan()).code).toBe(10)
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])

    const run = await lifeboat(['run', runbook, ...cloud, '--state-dir', temporaryFolder(), `--confirm=${name}`, '--yes']).ended
    expect(run.code, run.stderr).toBe(0)
    expectFailedOver(await worldState(world), after)

    const again = await plan()
    expect(again.code, again.stdout).toBe(0)
  })
})

describe('what the minimal site adds of its own', () => {
  it('runs in a place of the world, and what its commands said is shown', async () => {
    await using world = await served(quickWorld(undefined, sites.minimal.world))
    const { env } = readCloud(world.cloudPath)
    const target = join(env['DEPLOYMENTS'] ?? '', 'target')
    expect(readFileSync(target, 'utf8')).toBe('physics-1\n')

    const flags = ['--cloud', world.cloudPath, '--state-dir', temporaryFolder(), '--confirm=minimal', '--yes']
    const run = await lifeboat(['run', sites.minimal.runbook, ...flags]).ended
    expect(run.code, run.stderr).toBe(0)
    expect(run.stderr).toMatch(/deployments-stop +said: deployments went to physics-1, and go to none from now on/)
    expect(run.stderr).toMatch(/try-it +to be done by hand:\n.*try-it +  - Log in at the new address/)
    expect(readFileSync(target, 'utf8')).toBe('physics-2\n')
    const page = JSON.parse(readFileSync(join(env['STATUS_PAGES'] ?? '', 'hub.json'), 'utf8')) as { notices: { notice: string }[] }
    expect(page.notices.map(({ notice }) => notice)).toEqual(['moved', 'moving'])
  })
})
