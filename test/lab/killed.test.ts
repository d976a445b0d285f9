import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EventOf } from '../../src/contract/index.js'
import { during, verified } from '../helpers/arrivals.js'
import type { RunningCli } from '../helpers/cli.js'
import {
  importsOn, inTheLab, labWorld, letImportsGo, midImport, newServer, notedImports, oldServer, slowImports, sumHomes, usedHomes,
  useHomes, waitsForHost, writeHomes, type LabWorld,
} from '../helpers/lab.js'
import { worldState } from '../helpers/served.js'

type Arrives = (world: LabWorld, cli: RunningCli) => Promise<unknown>

const inServed = (arrives: (world: LabWorld['served'], cli: RunningCli) => Promise<unknown>): Arrives => (world, cli) => arrives(world.served, cli)
const at = (step: string): Arrives => inServed(verified(step))

/** Where the run is killed, in the order in which it comes there. */
const everyPoint: readonly (readonly [string, Arrives])[] = [
  ['after the export', at('fence')],
  ['after the detach', at('detach')],
  ['in the middle of the move', inServed(during('move'))],
  ['after the attach', at('attach')],
  ['in the middle of the import', midImport],
  ['after the import', at('import')],
]
const points = process.env['LAB'] === 'sample' ? everyPoint.filter(([name]) => /export|middle of the import/.test(name)) : everyPoint

const withDeadClient = process.env['LAB'] !== 'sample'

/** This life ends too, and with it the client: nothing is left here to wait for, while the import goes on over there. The next one. */
async function withoutClient(world: LabWorld, cli: RunningCli, pid: number): Promise<RunningCli> {
  cli.child.kill('SIGKILL')
  process.kill(-pid, 'SIGKILL')
  await cli.ended
  const next = world.resume()
  await waitsForHost(next)
  return next
}

inTheLab('a failover that is killed again and again, on real ZFS', () => {
  let world: LabWorld
  beforeAll(async () => {
    world = await labWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it(`is resumed each time (${points.map(([name]) => name).join(', ')}), and a zpool import that outlives it, or its ssh as well, is awaited, not raced`, async () => {
    const before = await world.on(oldServer, writeHomes)
    let cli = world.run()
    for (const [name, arrives] of points) {
      // The new server is there before the old one is fenced.
      if (name === 'after the export') {
        await at('nfs')(world, cli)
        await world.on(newServer, slowImports)
      }
      await arrives(world, cli)
      cli.child.kill('SIGKILL')
      expect((await cli.ended).signal, name).toBe('SIGKILL')
      cli = world.resume()
      if (arrives !== midImport) continue
      // The next life has found what is still at work, and waits for it.
      const { pid } = (await cli.until(({ type }) => type === 'survivor.found')) as EventOf<'survivor.found'>
      expect(await world.on(newServer, notedImports)).toBe('begin\n')
      expect(cli.events.filter(({ type }) => type === 'survivor.handled'), 'it has gone on').toEqual([])
      if (withDeadClient) cli = await withoutClient(world, cli, pid)
      await world.on(newServer, letImportsGo)
    }
    const ended = await cli.ended
    expect(ended.code, ended.stderr).toBe(0)
    expect(await world.on(newServer, notedImports)).toBe('begin\nend 0\n')
    expect(await importsOn(world, newServer)).toHaveLength(1)
    expect(await world.on(newServer, sumHomes)).toBe(before)
    expect(await world.on(newServer, useHomes)).toBe(usedHomes)
    const state = await worldState(world.served)
    expect(state.pools).toMatchObject([{ name: 'pool0', importedOn: [newServer] }])
    expect(state.violations).toEqual([])
  })
})
