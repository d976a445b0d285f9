import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root, type RunningCli } from '../helpers/cli.js'
import { importsOn, inTheLab, labWorld, newServer, sumHomes, usedHomes, useHomes, writeHomes, type LabWorld } from '../helpers/lab.js'
import { worldState } from '../helpers/served.js'

const oldGroup = 'MC_data100-19s_data100-19s_westus2'

// One move and its way back: the second test goes on where the first one ended.
inTheLab('the quiet-hour move of data100 on real ZFS', { shuffle: false }, () => {
  let world: LabWorld
  let later: ReturnType<LabWorld['shipped']>
  let before = ''
  let id = ''
  beforeAll(async () => {
    world = await labWorld(join(root, 'fixtures/worlds/lab-attached.yaml'))
    later = world.shipped('data100-move-later')
    before = await world.on(newServer, writeHomes)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** The disks lie in that group, moved so often, and the one server serves from them what it served before. */
  async function expectServed(cli: RunningCli, group: string, moves: number): Promise<void> {
    const ended = await cli.ended
    expect(ended.code, ended.stderr + JSON.stringify(cli.events.filter(({ type }) => type === 'step.failed'))).toBe(0)
    expect(await world.on(newServer, sumHomes)).toBe(before)
    expect(await world.on(newServer, useHomes)).toBe(usedHomes)
    const { disks, pools, vms, violations } = await worldState(world.served)
    const data = disks.filter(({ id: disk }) => disk.includes('DataDisk'))
    expect(data.map((disk) => [disk.id.split('/')[4], disk.moves, disk.managedBy])).toEqual([[group, moves, newServer], [group, moves, newServer]])
    expect(vms.map(({ id: vm, dataDisks }) => [vm, dataDisks.map(({ lun }) => lun)])).toEqual([[newServer, [0, 1]]])
    expect(pools).toMatchObject([{ name: 'pool0', importedOn: [newServer] }])
    expect(violations).toEqual([])
  }

  it('gives the disks up, moves them, and takes them back: the same files, imported without -f', async () => {
    const run = later.run()
    id = (await run.until(({ type }) => type === 'run.started')).run
    await expectServed(run, 'data100-disks', 1)
    expect(await importsOn(world, newServer)).toEqual([expect.stringMatching(/^zpool import -N -d \S+ -o cachefile=none \d+$/)])
  })

  it('is put back by undo: the same files from disks in the group that they came from', async () => {
    await expectServed(later.undo(id), oldGroup, 2)
  })
})
