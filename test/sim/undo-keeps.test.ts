import { expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { served, worldState, worldWhere } from '../helpers/served.js'
import { cutDown, poolSteps, serverSteps } from '../helpers/storage-path.js'
import { worldFile } from '../helpers/worlds.js'

it('an undo right after the safety copies were begun keeps them and their group, though lists show neither yet (A3)', async () => {
  const folder = temporaryFolder()
  // Longer than anything here takes, however slow this machine is.
  await using world = await served(worldFile(({ durations }) => void (durations['list lag'] = '24h')))
  const runbook = cutDown(folder, [...serverSteps, ...poolSteps], 'storage')
  const flags = ['--confirm=storage', '--yes', '--json', '--state-dir', temporaryFolder()]
  const run = lifeboat(['run', runbook, '--cloud', world.cloudPath, ...flags])
  const id = (await run.until(({ type }) => type === 'run.started')).run
  await worldWhere(world, ({ snapshots }) => snapshots.length === 2)
  run.child.kill('SIGINT')
  expect((await run.ended).code).toBe(130)

  const undo = await lifeboat(['undo', id, ...flags]).ended
  expect(undo.code, undo.stderr).toBe(0)
  const { snapshots, pools, violations } = await worldState(world)
  expect(snapshots).toHaveLength(2)
  expect([...world.world.groups.keys()].filter((name) => /^data100-(snapshots|disks|nfs)$/.test(name))).toEqual(['data100-snapshots'])
  expect([pools.map(({ importedOn }) => importedOn.length), violations]).toEqual([[1], []])
})
