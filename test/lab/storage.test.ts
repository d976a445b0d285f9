import { afterAll, beforeAll, expect, it } from 'vitest'
import { importsOn, inTheLab, labWorld, newServer, oldServer, sumHomes, usedHomes, useHomes, writeHomes, type LabWorld } from '../helpers/lab.js'
import { worldState } from '../helpers/served.js'

// One failover and its way back: each test goes on where the one before it ended.
inTheLab('the storage path of data100 on real ZFS', { shuffle: false }, () => {
  let world: LabWorld
  let before = ''
  let id = ''
  beforeAll(async () => {
    world = await labWorld()
    before = await world.on(oldServer, writeHomes)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('ends with the same files on the new server, imported without -f, and an NFS mount that reads and writes', async () => {
    expect(before.split('\n').filter(Boolean)).toHaveLength(3)
    const run = world.run()
    const ended = await run.ended
    expect(ended.code, ended.stderr).toBe(0)
    id = run.events[0]?.run ?? ''
    expect(await world.on(newServer, sumHomes)).toBe(before)
    expect(await importsOn(world, newServer)).toEqual([expect.stringMatching(/^zpool import -N -d \S+ -o cachefile=none \d+$/)])
    expect(await world.on(newServer, useHomes)).toBe(usedHomes)
    const state = await worldState(world.served)
    expect(state.pools).toMatchObject([{ name: 'pool0', importedOn: [newServer] }])
    expect(state.violations).toEqual([])
  })

  it('is put back by undo: the old server serves the same files again', async () => {
    const undo = world.undo(id)
    const ended = await undo.ended
    expect(ended.code, ended.stderr).toBe(0)
    expect(await world.on(oldServer, sumHomes)).toBe(before)
    expect(await world.on(oldServer, useHomes)).toBe(usedHomes)
    const state = await worldState(world.served)
    expect(state.pools).toMatchObject([{ name: 'pool0', importedOn: [oldServer] }])
    expect(state.violations).toEqual([])
  })
})
