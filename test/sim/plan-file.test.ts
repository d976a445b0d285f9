import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EventOf, PlannedStep } from '../../src/contract/index.js'
import { data100, lifeboat, root, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { served, worldRequests, type Served } from '../helpers/served.js'
import { worldFile } from '../helpers/worlds.js'

const quiet = async (world: Served): Promise<void> => expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])

/** `plan --out` in a world; answers with the path. */
async function planIn(world: Served): Promise<string> {
  const path = join(temporaryFolder(), 'data100.plan.json')
  const { code, stdout, stderr } = await lifeboatHere(['plan', data100, '--cloud', world.cloudPath, '--out', path])
  expect([code, stdout.includes('Plan for data100')], stderr).toEqual([0, true])
  expect(stderr).toContain(`lifeboat run RUNBOOK --plan ${path}`)
  return path
}

const runIn = (world: Served, path: string, ...flags: string[]): ReturnType<typeof lifeboatHere> =>
  lifeboatHere(['run', data100, '--cloud', world.cloudPath, '--plan', path, '--state-dir', temporaryFolder(), ...flags])

describe('a plan that is kept in a file', () => {
  it('is what a later run shows, journals and follows; it holds no secret and is for nobody else to read', async () => {
    await using world = await served()
    const path = await planIn(world)
    const text = readFileSync(path, 'utf8')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const cloud = JSON.parse(readFileSync(world.cloudPath, 'utf8')) as { credential: { secret: { file: string } }; env: Record<string, string | { file: string }> }
    expect(text).not.toContain(readFileSync(cloud.credential.secret.file, 'utf8').trim())
    expect(text).toContain('"$pending"')

    // Somebody has made one of the groups meanwhile: the run needs less than the file shows.
    const { groups, spec } = world.world
    const id = `/subscriptions/${spec.subscription}/resourceGroups/data100-network`
    groups.set('data100-network', { id, name: 'data100-network', location: spec.location, tags: {}, provisioningState: 'Succeeded', locks: new Set() })
    const run = lifeboat(['run', data100, '--cloud', world.cloudPath, '--plan', path, '--state-dir', temporaryFolder(), '--confirm=data100', '--yes', '--json'])
    const said = (await run.until((event) => event.type === 'notice' && event.message.startsWith('The plan of'))) as EventOf<'notice'>
    expect(said.message).toMatch(/made \S+ ago by lifeboat \S+: all that would run now is shown there; 1 of its \d+ changes are not needed any more/)
    const planned = (await run.until(({ type }) => type === 'run.planned')) as EventOf<'run.planned'>
    expect(planned.steps).toEqual((JSON.parse(text) as { steps: PlannedStep[] }).steps)
    const verified = (step: string, changes: number) => run.until((event) => event.type === 'step.verified' && event.step === step && event.changes === changes)
    await Promise.all([verified('group-network', 0), verified('group-nfs', 1)])
    run.child.kill('SIGTERM')
    expect((await run.ended).code).toBe(143)
  })

  it('is only compared by a dry run, which shows both sides where the world has moved on; a run is then refused, exit code 4', async () => {
    await using world = await served()
    const path = await planIn(world)
    const same = await runIn(world, path, '--dry-run')
    expect([same.code, same.stderr.includes('all that would run now is shown there')], same.stderr).toEqual([0, true])

    const records = world.world.recordSets
    records.splice(records.findIndex(({ name, type }) => name === 'data100' && type === 'A'), 1)
    for (const flags of [['--dry-run'], ['--confirm=data100', '--yes']]) {
      const { code, stderr } = await runIn(world, path, ...flags)
      expect(code, stderr).toBe(4)
      expect(stderr).toMatch(/\n {4}shown: +update record A data100\.datahub\.berkeley\.edu\n[\s\S]*\n {4}now: +create record A data100\.datahub\.berkeley\.edu/)
    }
    await quiet(world)
  })

  it('is refused for another cloud, and for a file of the runbook that has changed; exit code 2, and nothing is asked of the cloud', async () => {
    await using world = await served()
    const path = await planIn(world)
    await using other = await served(worldFile(() => undefined))
    const elsewhere = await runIn(other, path, '--confirm=data100', '--yes')
    expect([elsewhere.code, /is a plan on [\s\S]* and this run is on/.test(elsewhere.stderr)], elsewhere.stderr).toEqual([2, true])
    expect(await worldRequests(other)).toEqual([])

    const key = (JSON.parse(readFileSync(world.cloudPath, 'utf8')) as { env: { LIFEBOAT_SSH_KEY: string } }).env.LIFEBOAT_SSH_KEY
    writeFileSync(key, `${readFileSync(key, 'utf8')}\n`)
    const changed = await runIn(world, path, '--confirm=data100', '--yes')
    expect(changed.code, changed.stderr).toBe(2)
    expect(changed.stderr).toMatch(/has changed since:\s+\[plan-file\.other\]\n {2}\/\S+: other contents\n/)
    await quiet(world)
  })

  it('is told to be none, or to have no place, before the cloud is asked', async () => {
    await using world = await served()
    const foreign = await runIn(world, join(root, 'package.json'), '--confirm=data100', '--yes')
    expect([foreign.code, foreign.stderr.includes('package.json is no plan file')], foreign.stderr).toEqual([2, true])
    const nowhere = await lifeboatHere(['plan', data100, '--cloud', world.cloudPath, '--out', '/nowhere/at/all/plan.json'])
    expect([nowhere.code, nowhere.stderr.includes('there is no folder /nowhere/at/all'), nowhere.stdout], nowhere.stderr).toEqual([2, true, ''])
    expect(await worldRequests(world)).toEqual([])
  })
})
