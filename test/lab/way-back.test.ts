import { afterAll, beforeAll, expect, it } from 'vitest'
import { during, verified, type Arrives } from '../helpers/arrivals.js'
import { childrenOf } from '../helpers/children.js'
import {
  inTheLab, labWorld, letImportsGo, midImport, newServer, notedImports, oldServer, ordinaryImports, slowImports, sumHomes, usedHomes,
  useHomes, waitsForHost, writeHomes, type LabWorld,
} from '../helpers/lab.js'
import type { RunningCli } from '../helpers/cli.js'
import { worldState } from '../helpers/served.js'

/** Where the run comes to its end. After the import: storage.test.ts. */
const points: readonly (readonly [string, Arrives])[] = [
  ['after the export', verified('fence')],
  ['after the detach', verified('detach')],
  ['in the middle of the move', during('move')],
  ['after the attach', verified('attach')],
]

// One world: each test ends where it began, and so can begin where another one ended.
inTheLab('the way back on real ZFS, from a run that was killed', () => {
  let world: LabWorld
  let storage: ReturnType<LabWorld['apart']>
  let before: string
  beforeAll(async () => {
    world = await labWorld()
    storage = world.apart()
    const made = await storage.makeServer().ended
    expect(made.code, made.stderr).toBe(0)
    before = await world.on(oldServer, writeHomes)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it.each(points)('%s: the old server serves the same files again, from disks at their old LUNs', async (_, arrives) => {
    const run = storage.run()
    const { run: id } = await run.until(({ type }) => type === 'run.started')
    await arrives(world.served, run)
    run.child.kill('SIGKILL')
    await run.ended

    await expectPutBack(storage.undo(id))
  })

  it('in the middle of the import, with the client dead too: it is awaited, and then put back', async () => {
    await world.on(newServer, slowImports)
    const run = storage.run()
    const { run: id } = await run.until(({ type }) => type === 'run.started')
    await midImport(world, run)
    const clients = childrenOf(run.child.pid)
    run.child.kill('SIGKILL')
    for (const pid of clients) process.kill(pid, 'SIGKILL')
    await run.ended

    const undo = storage.undo(id)
    await waitsForHost(undo)
    expect(await world.on(newServer, notedImports)).toBe('begin\n')
    expect((await worldState(world.served)).vms.find(({ id: vm }) => vm === newServer)?.dataDisks).toHaveLength(2)
    await world.on(newServer, letImportsGo)
    await expectPutBack(undo)
    expect(await world.on(newServer, notedImports)).toBe('begin\nend 0\n')
    await world.on(newServer, ordinaryImports)
  })

  async function expectPutBack(undo: RunningCli): Promise<void> {
    const ended = await undo.ended
    expect(ended.code, ended.stderr + JSON.stringify(undo.events.filter(({ type }) => type === 'step.failed'))).toBe(0)
    expect(await world.on(oldServer, sumHomes)).toBe(before)
    expect(await world.on(oldServer, useHomes)).toBe(usedHomes)
    expect((await world.on(oldServer, 'ls /dev/disk/azure/scsi1')).split('\n').filter((name) => /^lun\d+$/.test(name))).toEqual(['lun0', 'lun1'])
    const { pools, vms, violations } = await worldState(world.served)
    expect(pools).toMatchObject([{ name: 'pool0', importedOn: [oldServer] }])
    expect(vms.map(({ id: vm, dataDisks }) => [vm, dataDisks.map(({ lun }) => lun)])).toEqual([[oldServer, [0, 1]], [newServer, []]])
    expect(violations).toEqual([])
  }
})
