import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { served, worldRequests, worldState, worldWhere, type Served, type WorldState } from '../helpers/served.js'
import { sites, type Site } from '../helpers/sites.js'
import { quickWorld, readCloud } from '../helpers/worlds.js'

/**
 * Is in order, plans without writing, runs by the real CLI (killed once the world is so, and resumed), and then has nothing left to
 * do. Answers with what was said in all.
 */
async function failedOver(world: Served, { name, runbook, after }: Site, killedWhere?: (state: WorldState) => boolean): Promise<string> {
  const cloud = ['--cloud', world.cloudPath]
  const plan = (): ReturnType<typeof lifeboatHere> => lifeboatHere(['plan', runbook, ...cloud, '--json', '--detailed-exitcode'])

  const validated = await lifeboatHere(['validate', runbook, '--json'])
  expect(JSON.parse(validated.stdout)).toEqual({ diagnostics: [] })
  expect((await plan()).code).toBe(10)
  expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])

  const flags = ['--state-dir', temporaryFolder(), '--yes']
  const run = lifeboat(['run', runbook, ...cloud, `--confirm=${name}`, ...flags])
  if (killedWhere !== undefined) {
    await worldWhere(world, killedWhere)
    run.child.kill('SIGKILL')
  }
  const lives = [await run.ended, ...(killedWhere === undefined ? [] : [await lifeboat(['resume', ...flags]).ended])]
  const said = lives.map(({ stderr }) => stderr).join('')
  expect(lives.at(-1)?.code, said).toBe(0)
  expectFailedOver(await worldState(world), after)

  const again = await plan()
  expect(again.code, again.stdout).toBe(0)
  return said
}

describe('a site, failed over by the real CLI in its world', () => {
  it('hubs-many: has nothing left to do afterwards', async () => {
    await using world = await served(quickWorld(undefined, sites['hubs-many'].world))
    await failedOver(world, sites['hubs-many'])
  })

  it('minimal: the same, killed among its disks and resumed; its own commands ran in a place of the world, and what they said is shown', async () => {
    await using world = await served(quickWorld(undefined, sites.minimal.world))
    const { env } = readCloud(world.cloudPath)
    const target = join(env['DEPLOYMENTS'] ?? '', 'target')
    expect(readFileSync(target, 'utf8')).toBe('physics-1\n')

    const said = await failedOver(world, sites.minimal, ({ operations }) => operations.some(({ what }) => what === 'detach'))
    expect(said).toMatch(/deployments-stop +said: deployments went to physics-1, and go to none from now on/)
    expect(said).toMatch(/try-it +to be done by hand:\n.*try-it +  - Log in at the new address/)
    expect(readFileSync(target, 'utf8')).toBe('physics-2\n')
    const page = JSON.parse(readFileSync(join(env['STATUS_PAGES'] ?? '', 'hub.json'), 'utf8')) as { notices: { notice: string }[] }
    expect(page.notices.map(({ notice }) => notice)).toEqual(['moved', 'moving'])
  })
})
