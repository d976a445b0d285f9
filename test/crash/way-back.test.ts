import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { during, verified, type Arrives } from '../helpers/arrivals.js'
import { childrenOf } from '../helpers/children.js'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { served, worldState } from '../helpers/served.js'
import { cutDown, newServer, oldServer, poolPath, serverSteps } from '../helpers/storage-path.js'
import { quickWorld } from '../helpers/worlds.js'

type World = Awaited<ReturnType<typeof served>>

/** Where the run comes to its end. */
const everyPoint: readonly (readonly [string, Arrives])[] = [
  ['in the middle of the export', during('zpool export')],
  ['after the export', verified('fence')],
  ['after the safety copies', verified('snapshots')],
  ['in the middle of the detach', during('detach')],
  ['after the detach', verified('detach')],
  ['in the middle of the move', during('move')],
  ['after the move', verified('move')],
  ['in the middle of the attach', during('attach')],
  ['after the attach', verified('attach')],
  ['in the middle of the import', during('zpool import')],
  ['after the import', verified('import')],
  ['at its end', (_, cli) => cli.ended],
]

/** In the midst of each, and at the end, in CI; crash-test tries the way back from many more points, in less time. */
const wanted: Readonly<Record<string, RegExp>> = { exhaustive: /./, all: /in the middle|at its end/ }
const points = everyPoint.filter(([name]) => (wanted[process.env['CRASH'] ?? ''] ?? /middle of the import/).test(name))

/** Everything that users have of the storage: who has the disks at which LUN, who the pool, and what is served. */
async function storageOf(world: World): Promise<unknown> {
  const { vms, disks, pools, violations } = await worldState(world)
  const { services, exports } = world.world.host(oldServer) ?? {}
  return {
    attached: vms.map(({ id, powerState, dataDisks }) => [id, powerState, dataDisks]),
    groups: disks.filter(({ id }) => id.includes('DataDisk')).map(({ id, managedBy }) => [id, managedBy]),
    pools: pools.map(({ name, importedOn }) => [name, importedOn]),
    ...{ services, exports, violations },
  }
}

// One world: each test ends where it began, and so can begin where another one ended.
describe('the way back from any point of the storage path', () => {
  let world: World
  let runbook: string
  let before: unknown
  beforeAll(async () => {
    // Long enough to be still at work when the way back begins there.
    const long = { move: '10m', 'zpool import': '10m', 'zpool export': '6m' }
    const begunAt = points.map(([name]) => name).join()
    const atWork = Object.entries(long).filter(([what]) => begunAt.includes(what.replace('zpool ', '')))
    world = await served(quickWorld(({ durations }) => Object.assign(durations, Object.fromEntries(atWork))))
    const folder = temporaryFolder()
    runbook = poolPath(folder)
    const server = cutDown(folder, serverSteps, 'server')
    const made = await lifeboat(['run', server, '--cloud', world.cloudPath, '--confirm=server', '--yes', '--state-dir', temporaryFolder()]).ended
    expect(made.code, made.stderr).toBe(0)
    before = await storageOf(world)
    expect(before).toMatchObject({ pools: [['pool0', [oldServer]]], services: { nfs: true }, exports: [{ path: '/pool0/homes' }], violations: [] })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it.each(points)('%s: the old server has its disks at their LUNs and its pool, and serves the same homes', async (_, arrives) => {
    const flags = ['--yes', '--json', '--state-dir', temporaryFolder()]
    const run = lifeboat(['run', runbook, '--cloud', world.cloudPath, '--confirm=pool-path', ...flags])
    const { run: id } = await run.until(({ type }) => type === 'run.started')
    await arrives(world, run)
    // With all that it has started: what runs on a server goes on there without a client.
    const clients = childrenOf(run.child.pid)
    run.child.kill('SIGKILL')
    for (const pid of clients) process.kill(pid, 'SIGKILL')
    await run.ended

    const undo = lifeboat(['undo', id, '--confirm', 'pool-path', ...flags])
    const ended = await undo.ended
    expect(ended.code, ended.stderr + JSON.stringify(undo.events.filter(({ type }) => type === 'step.failed'))).toBe(0)
    expect(await storageOf(world)).toEqual(before)
    expect(world.world.host(newServer)?.exports).toEqual([])
    const again = await lifeboatHere(['plan', runbook, '--cloud', world.cloudPath, '--json', '--detailed-exitcode'])
    expect(again.code).toBe(10)
  })
})
