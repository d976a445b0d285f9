import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inTheLab, labWorld, newServer, oldServer, sumHomes, usedHomes, useHomes, writeHomes, type LabWorld } from '../helpers/lab.js'
import { worldState } from '../helpers/served.js'
import { doorsTo } from '../helpers/steps.js'

// One failover and its way back, with a reboot after each.
inTheLab('a reboot of the server that has the pool, as a real machine', { shuffle: false }, () => {
  let world: LabWorld
  let before = ''
  let id = ''
  beforeAll(async () => {
    world = await labWorld()
    before = await world.on(oldServer, writeHomes)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** Off and on again, as the control plane does it, until it has booted. */
  const rebooted = async (machine: string): Promise<void> => {
    const { doors } = await doorsTo(world.served.cloudPath)
    await (await doors.azure.machines.deallocate(machine)).done
    await (await doors.azure.machines.start(machine)).done
    while (!world.served.world.answers(machine)) await setTimeout(1000)
    await world.on(machine, 'systemctl is-system-running --wait || true')
  }

  it('of the new one brings neither pool nor homes, though NFS runs: nobody gets the folder below', async () => {
    const run = world.run()
    expect((await run.ended).code, (await run.ended).stderr).toBe(0)
    id = run.events[0]?.run ?? ''
    await rebooted(newServer)
    expect(await world.on(newServer, 'zpool list -H -o name; systemctl is-active nfs-server; exportfs -v')).toMatch(/^active\n\/pool0\/homes\s.*,mountpoint,/)
    // As a host leaves it that was cut off with the dataset mounted.
    expect(await world.on(newServer, 'mkdir -p /pool0/homes && ls /pool0/homes')).toBe('')
    expect(await world.on(newServer, 'mkdir -p /mnt/homes && mount -t nfs4 -o soft,timeo=50,retrans=1,retry=0 10.240.0.7:/pool0/homes /mnt/homes 2>&1 || echo refused')).toMatch(/refused\n$/)
  })

  it('is over with the same command: the same files are served', async () => {
    const again = world.run()
    expect((await again.ended).code, (await again.ended).stderr).toBe(0)
    expect(await world.on(newServer, sumHomes)).toBe(before)
    // What mountd has told the kernel of the empty folder holds for a minute.
    await setTimeout(60_000)
    expect(await world.on(newServer, useHomes)).toBe(usedHomes)
  })

  it('of the old one, once the failover is undone, brings its pool and its homes back by itself', async () => {
    // The second run has only gone on from the first.
    const undo = await world.undo(id, '--accept-changes').ended
    expect(undo.code, undo.stderr).toBe(0)
    await rebooted(oldServer)
    expect(await world.on(oldServer, sumHomes)).toBe(before)
    expect(await world.on(oldServer, useHomes)).toBe(usedHomes)
    const { pools, violations } = await worldState(world.served)
    expect(pools).toMatchObject([{ name: 'pool0', importedOn: [oldServer] }])
    expect(violations).toEqual([])
  })
})
