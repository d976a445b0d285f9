import { afterAll, beforeAll, expect, it } from 'vitest'
import { importsOn, inTheLab, labWorld, newServer, oldServer, sumHomes, usedHomes, useHomes, writeHomes, type LabWorld } from '../helpers/lab.js'
import { plant, worldRequests, worldState } from '../helpers/served.js'

const clock = '/pool0/homes/prod/home/student/.clock'

inTheLab('an old server that is gone without an export, on real ZFS', () => {
  let world: LabWorld
  beforeAll(async () => {
    world = await labWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('is proved to be deallocated before the pool is forced, and everything that was synced is there', async () => {
    const before = await world.on(oldServer, writeHomes)
    // It goes on writing, for all that anybody knows, and answers nobody.
    await world.on(oldServer, `nohup sh -c 'while :; do date > ${clock}; sleep 1; done' < /dev/null > /dev/null 2>&1 &`)
    await plant(world.served, { hostDown: oldServer })

    const unasked = await world.run().ended
    expect([unasked.code, unasked.stderr]).toEqual([4, expect.stringContaining('does not answer, and may still') as string])
    expect(await writes(world)).toEqual([])

    const ended = await world.run('--accept', 'fence=deallocate').ended
    expect(ended.code, ended.stderr).toBe(0)
    const after = await world.on(newServer, sumHomes)
    expect(after.split('\n').filter((line) => !line.endsWith('.clock')).join('\n')).toBe(before)
    expect(after).toContain('.clock')
    expect(await importsOn(world, newServer)).toEqual([expect.stringMatching(/^zpool import -f -N /)])
    expect(await world.on(newServer, useHomes)).toBe(usedHomes)
    const done = await writes(world)
    const at = (end: string): number => done.findIndex((path) => path.endsWith(end))
    expect(at(`${oldServer}/deallocate`)).toBeGreaterThanOrEqual(0)
    expect(at(`${oldServer}/attachDetachDataDisks`)).toBeGreaterThan(at(`${oldServer}/deallocate`))
    const { pools, violations, vms } = await worldState(world.served)
    expect(violations).toEqual([])
    expect(pools).toMatchObject([{ name: 'pool0', importedOn: [newServer] }])
    expect(vms.find(({ id }) => id === oldServer)?.powerState).toBe('deallocated')
  })
})

/** What has been asked of the control plane that would change something, in its order. */
async function writes(world: LabWorld): Promise<string[]> {
  return (await worldRequests(world.served)).filter((entry) => entry.writes).map(({ path }) => path.split('?')[0] ?? '')
}
