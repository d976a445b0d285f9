import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningCli } from '../helpers/cli.js'
import { inTheLab, labWorld, newServer, oldServer, sumHomes, writeHomes, type LabWorld } from '../helpers/lab.js'
import { worldState } from '../helpers/served.js'
import { doorsTo } from '../helpers/steps.js'

const failures = ({ events }: RunningCli): unknown[] => events.flatMap((event) => (event.type === 'step.failed' ? [event] : []))
const saying = (text: RegExp): string => expect.stringMatching(text) as string

// One failover: each test goes on where the one before it ended.
inTheLab('a real mirror with one disk', { shuffle: false }, () => {
  let world: LabWorld
  let before: string
  beforeAll(async () => {
    world = await labWorld()
    before = await world.on(oldServer, writeHomes)
    await world.on(oldServer, 'zpool offline pool0 /dev/disk/azure/scsi1/lun1')
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('is said before the fence to have lost the other; and that one is not where it should be: which it is, and where, is told', async () => {
    const run = world.run()
    await run.until((event) => event.type === 'step.verified' && event.step === 'attach')
    run.child.kill('SIGKILL')
    expect((await run.ended).stderr).toMatch(/pool0 is DEGRADED on the old server/)

    const { doors } = await doorsTo(world.served.cloudPath)
    const { machines } = doors.azure
    const second = (await machines.get(newServer))?.dataDisks.find(({ lun }) => lun === 1)?.id ?? ''
    await (await machines.detach(newServer, [second])).done
    await (await machines.attach(oldServer, [{ id: second, lun: 5 }])).done
    const held = world.resume()
    expect((await held.ended).code).toBe(1)
    const where = /MC_data100-19s_data100-19s_westus2\/nfsserver has a disk nfsserver_DataDisk_1 that is in data100-disks/
    expect(failures(held)).toMatchObject([{ step: 'detach', error: { message: saying(where) } }])
    expect((await worldState(world.served)).pools).toMatchObject([{ name: 'pool0', importedOn: [] }])
    await (await machines.detach(oldServer, [second])).done
  })

  it('is not imported before somebody has chosen that, and is told which disk it is; then its files are all there', async () => {
    const asked = world.resume()
    expect((await asked.ended).code).toBe(1)
    expect(failures(asked)).toMatchObject([{ step: 'import', error: { code: 'zfs.devices', message: saying(/lun1 is OFFLINE/) } }])
    expect((await worldState(world.served)).pools).toMatchObject([{ name: 'pool0', importedOn: [] }])

    const chosen = await world.resume('--accept', 'import=degraded').ended
    expect(chosen.code, chosen.stderr).toBe(0)
    expect(await world.on(newServer, sumHomes)).toBe(before)
    const state = await worldState(world.served)
    expect(state.pools).toMatchObject([{ name: 'pool0', health: 'DEGRADED', importedOn: [newServer] }])
    expect(state.violations).toEqual([])
  })
})
