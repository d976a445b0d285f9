import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inTheLab, labWorld, newServer, oldServer, sumHomes, writeHomes, type LabWorld } from '../helpers/lab.js'
import { plant, worldState } from '../helpers/served.js'

// One failover, in which somebody switches the old server on again and again.
inTheLab('an old server that comes back in the middle, as a real machine', { shuffle: false }, () => {
  let world: LabWorld
  let before: string
  const accept = ['--accept', 'fence=deallocate'] as const
  /** Somebody who knows nothing of the failover starts it when that is asked of the control plane. */
  const startedAt = (method: string, path: string): Promise<void> =>
    plant(world.served, { match: { method, path }, meanwhile: { method: 'POST', path: `${oldServer}/start` } })
  const up = async (): Promise<void> => {
    await plant(world.served, { hostUp: oldServer })
    while (!world.served.world.answers(oldServer)) await setTimeout(1000)
  }
  beforeAll(async () => {
    world = await labWorld()
    before = await world.on(oldServer, writeHomes)
    await plant(world.served, { hostDown: oldServer })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('has its pool again while it has its disks; then they are not taken from it', async () => {
    await startedAt('PUT', 'data100-snapshots/.*/snapshots/')
    const run = world.run(...accept)
    const ended = await run.ended
    expect(ended.code, ended.stderr).toBe(1)
    expect(run.events.find((event) => event.type === 'step.failed')).toMatchObject({ step: 'detach', error: { code: 'detach.not-fenced' } })
    await up()
    expect(await world.on(oldServer, sumHomes)).toBe(before)
    before = await world.on(oldServer, `printf 'saved since' > /pool0/homes/prod/home/student/later && zpool sync pool0 && ${sumHomes}`)
    const { vms, pools, violations } = await worldState(world.served)
    expect(vms.find(({ id }) => id === oldServer)?.dataDisks).toHaveLength(2)
    expect(pools).toMatchObject([{ name: 'pool0', importedOn: [oldServer] }])
    expect(violations).toEqual([])
  })

  it('gets none of them once they are gone, though it still remembers its pool; never do two have it', async () => {
    await plant(world.served, { hostDown: oldServer })
    await startedAt('POST', 'data100-nfs/.*/attachDetachDataDisks')
    const ended = await world.resume(...accept).ended
    expect(ended.code, ended.stderr).toBe(0)
    // Fenced anew, it is copied anew: what it has written since it came back is in no older copy.
    const { snapshots } = await worldState(world.served)
    expect(snapshots).toHaveLength(4)
    await up()
    expect(await world.on(oldServer, 'systemctl is-enabled zfs-import-cache && test -s /etc/zfs/zpool.cache && zpool list -H -o name')).toBe('enabled\n')
    expect(await world.on(oldServer, 'ls /dev/disk/azure/scsi1 2>&1 || true')).toMatch(/No such file/)
    expect(await world.on(newServer, sumHomes)).toBe(before)
    const { pools, violations } = await worldState(world.served)
    expect(pools).toMatchObject([{ name: 'pool0', importedOn: [newServer] }])
    expect(violations).toEqual([])
  })
})
