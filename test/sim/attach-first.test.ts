import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PlannedStep } from '../../src/contract/index.js'
import { lifeboat, root, temporaryFolder, type RunningCli } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { served, worldRequests, worldState, worldWhere, type Served } from '../helpers/served.js'
import { sites } from '../helpers/sites.js'
import { quickWorld } from '../helpers/worlds.js'

const oldGroup = 'MC_data100-19s_data100-19s_westus2'
const later = join(root, 'runbooks/data100-move-later.yaml')
const attachFirst = sites['data100-attach-first']

interface Planned {
  readonly code: number | null
  readonly steps: readonly PlannedStep[]
}

async function planned(world: Served, runbook: string): Promise<Planned> {
  const { code, stdout } = await lifeboatHere(['plan', runbook, '--cloud', world.cloudPath, '--json', '--detailed-exitcode'])
  return { code, steps: (JSON.parse(stdout) as { steps: PlannedStep[] }).steps }
}

/** Group of each data disk, how often it has been moved, and the group of the machine that has it. */
async function placesIn(world: Served): Promise<(string | number | undefined)[][]> {
  const groupIn = (id: string | null): string | undefined => /resourceGroups\/([^/]+)/i.exec(id ?? '')?.[1]
  const { disks, violations } = await worldState(world)
  expect(violations).toEqual([])
  return disks.filter(({ id }) => id.includes('DataDisk')).map(({ id, moves, managedBy }) => [groupIn(id), moves, groupIn(managedBy)])
}

const both = <T>(one: T): T[] => [one, one]
const failure = ({ events }: RunningCli): unknown => events.find(({ type }) => type === 'step.failed')

describe('disks that are attached first and moved later', () => {
  it('bring the hubs up from the group that they are in, and nothing is left to do; the plan says what else there is to choose', async () => {
    await using world = await served(quickWorld())
    const { steps } = await planned(world, attachFirst.runbook)
    const move = steps.find(({ id }) => id === 'move')
    expect(move).toMatchObject({ state: 'converged', changes: [], remark: expect.stringMatching(/stay in MC_.* before they have been moved/) as string })
    expect(move?.variants?.map(({ value, chosen, estimateMs }) => [value, chosen, estimateMs])).toEqual([
      ['before-attach', false, 360_000], ['after-cutover', true, 0], ['never', false, 0],
    ])

    const run = await lifeboat(['run', attachFirst.runbook, '--cloud', world.cloudPath, '--confirm=data100-attach-first', '--yes', '--state-dir', temporaryFolder()]).ended
    expect(run.code, run.stderr).toBe(0)
    expect(run.stderr).toContain('For that they must be detached, in a quiet hour')
    expectFailedOver(await worldState(world), attachFirst.after)

    const again = await planned(world, attachFirst.runbook)
    expect(again.code).toBe(0)
    expect(again.steps.find(({ id }) => id === 'move')?.variants).toBe(undefined)
  })

  it('are not held against a run that begins where another one ended, with a new server and the disks still at the old one', async () => {
    await using world = await served(quickWorld())
    const run = lifeboat(['run', attachFirst.runbook, '--cloud', world.cloudPath, '--confirm=data100-attach-first', '--yes', '--json', '--state-dir', temporaryFolder()])
    await run.until((event) => event.type === 'step.verified' && event.step === 'nfs')
    run.child.kill('SIGKILL')
    await run.ended
    const { code, steps } = await planned(world, attachFirst.runbook)
    expect(code).toBe(10)
    const state = (step: string): unknown => steps.find(({ id }) => id === step)?.state
    expect([state('nfs'), state('detach'), state('attach')]).toEqual(['converged', 'drifted', 'drifted'])
    const [attachment] = steps.find(({ id }) => id === 'attach')?.changes ?? []
    expect(attachment).toMatchObject({ resource: 'disk nfsserver_DataDisk_0', before: { attachedTo: null } })
  })

  it('are moved in a quiet hour, killed in the midst of it and resumed; then neither runbook has anything left to do; and it can be undone', async () => {
    await using world = await served(join(root, 'fixtures/worlds/data100-attached.yaml'))
    const flags = ['--yes', '--json', '--state-dir', temporaryFolder()]
    const before = await planned(world, later)
    expect(before.code).toBe(10)
    expect(before.steps.flatMap(({ id, changes }) => changes.map(({ action, resource }) => `${id}: ${action} ${resource}`))).toEqual([
      'group-disks: create resourceGroup data100-disks', 'group-snapshots: create resourceGroup data100-snapshots',
      'fence: run nfs-server', 'fence: run zpool pool0',
      'snapshots: create snapshot of disk nfsserver_DataDisk_0', 'snapshots: create snapshot of disk nfsserver_DataDisk_1',
      ...['detach', 'move', 'attach'].flatMap((step) => [0, 1].map((lun) => `${step}: update disk nfsserver_DataDisk_${lun}`)),
      'import: run zpool pool0', 'exports: run nfs-server',
    ])

    let cli = lifeboat(['run', later, '--cloud', world.cloudPath, '--confirm=data100-move-later', ...flags])
    const id = (await cli.until(({ type }) => type === 'run.started')).run
    for (const what of ['zpool export', 'move', 'zpool import']) {
      await worldWhere(world, ({ operations }) => operations.some((operation) => operation.what === what))
      cli.child.kill('SIGKILL')
      await cli.ended
      cli = lifeboat(['resume', ...flags])
    }
    const ended = await cli.ended
    expect(ended.code, ended.stderr + JSON.stringify(failure(cli))).toBe(0)
    expect(await placesIn(world)).toEqual(both(['data100-disks', 1, 'data100-nfs']))

    const writes = async (): Promise<number> => (await worldRequests(world)).filter((request) => request.writes).length
    const soFar = await writes()
    expect((await planned(world, later)).code).toBe(0)
    expect((await lifeboat(['run', later, '--cloud', world.cloudPath, '--confirm=data100-move-later', ...flags]).ended).code).toBe(0)
    expect(await writes()).toBe(soFar)

    const undo = lifeboat(['undo', id, '--confirm', 'data100-move-later', ...flags])
    expect((await undo.ended).code, JSON.stringify(failure(undo))).toBe(0)
    expect(await placesIn(world)).toEqual(both([oldGroup, 2, 'data100-nfs']))
    expect((await worldState(world)).pools.map(({ importedOn }) => importedOn.length)).toEqual([1])
    expect((await planned(world, later)).steps.find((step) => step.id === 'fence')?.changes).toHaveLength(2)
  })
})
