import { expect, it } from 'vitest'
import { runOnHost } from '../../src/sim/hosts/shell.js'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { served, worldState, worldWhere } from '../helpers/served.js'
import { cutDown, newServer, oldServer, poolSteps, serverSteps } from '../helpers/storage-path.js'
import { worldFile } from '../helpers/worlds.js'

it('an undo right after the safety copies were begun keeps them and their group, though lists show neither yet (A3)', async () => {
  const folder = temporaryFolder()
  // Longer than anything here takes, however slow this machine is.
  await using world = await served(worldFile(({ durations }) => void (durations['list lag'] = '24h')), 240)
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

it('an undo leaves the disks of a pool that somebody has imported by hand where they are, and takes them once it is exported', { timeout: 180_000 }, async () => {
  await using at = await served(undefined, 240)
  const { world } = at
  const runbook = cutDown(temporaryFolder(), [...serverSteps, ...poolSteps], 'storage')
  const flags = ['--confirm=storage', '--yes', '--json', '--state-dir', temporaryFolder()]
  const root = (line: string) => runOnHost(world, world.host(newServer)!, { user: 'root', stdin: () => Promise.resolve('') }, line)
  const importedOn = async () => (await worldState(at)).pools.map((pool) => pool.importedOn)
  // Before the run itself could import it, its server falls silent.
  const silence: Parameters<typeof world.tamper.add>[0] = ({ what }) => {
    const host = world.host(newServer)
    if (what !== 'attach' || host === undefined) return undefined
    host.answers = false
    world.tamper.delete(silence)
    return undefined
  }
  world.tamper.add(silence)
  const run = lifeboat(['run', runbook, '--cloud', at.cloudPath, ...flags])
  expect((await run.ended).code, (await run.ended).stderr).toBe(1)
  const id = run.events[0]?.run ?? ''
  world.host(newServer)!.answers = true
  expect(await root('zpool import -N -d /dev/disk/azure/scsi1 -o cachefile=none pool0 && zfs mount -a')).toMatchObject({ exitCode: 0 })
  const resume = lifeboat(['resume', id, ...flags.slice(1)])
  expect((await resume.ended).code, (await resume.ended).stderr).toBe(0)
  expect(resume.events.find((event) => event.type === 'step.verified' && event.step === 'import')).toMatchObject({ changes: 0 })

  const refused = await lifeboat(['undo', id, ...flags]).ended
  expect([refused.code, refused.stdout]).toEqual([4, expect.stringMatching(/import still stands on this.*Export that pool on the server that has it/)])
  expect(await importedOn()).toEqual([[newServer]])

  expect(await root('systemctl stop nfs-server && zpool export pool0')).toMatchObject({ exitCode: 0 })
  const undo = await lifeboat(['undo', id, ...flags]).ended
  expect(undo.code, undo.stderr).toBe(0)
  expect([await importedOn(), (await worldState(at)).violations]).toEqual([[[oldServer]], []])
})
