import { describe, expect, it } from 'vitest'
import type { StorageRecord } from '../../src/steps/parts/storage-record.js'
import type { AzureWorld } from '../helpers/azure.js'
import { inAzure } from '../helpers/contract-worlds.js'
import { moduleOf } from '../helpers/contract-cases.js'
import { Driven } from '../helpers/steps.js'
import { fenceAndDetach, machineType, oldDisks, oldGroup, putMachine } from '../helpers/world.js'

const pool = { name: 'pool0', guid: '9464217329115420731', devices: 2 }

interface Stage extends AsyncDisposable {
  readonly world: AzureWorld
  look(): ReturnType<Driven['see']>
  record(): Promise<{ record: StorageRecord | null; remark: string }>
  /** The pool goes to a new server and is imported there, held against the record. */
  bringOver(record: StorageRecord | null, accept?: string): Promise<void>
}

async function stage(): Promise<Stage> {
  let world: AzureWorld | undefined
  const at = await inAzure(moduleOf('zfs/record'), (own) => {
    world = own
    const machine = own.test.id(oldGroup, machineType, 'nfsserver')
    return { machine, pool, user: 'hubadmin', sshKey: own.key }
  })
  const own = world!
  const during = at.during!
  const look = () => during(new Driven(at.module, at.doors, at.clock, at.inputs).see())
  return {
    world: own,
    look,
    record: async () => {
      const seen = await look()
      if (seen.state !== 'converged') throw new Error(seen.state)
      return seen.outputs as { record: StorageRecord | null; remark: string }
    },
    bringOver: async (record, accept) => {
      const { test } = own
      const machine = await during(putMachine(test))
      await during(fenceAndDetach(test))
      await during((await own.azure.machines.attach(machine, oldDisks(test).map((id, lun) => ({ id, lun })))).done)
      await during(at.clock.sleep(30 * 60_000))
      const disks = oldDisks(test).map((id, lun) => ({ name: `nfsserver_DataDisk_${lun}`, lun, id, uniqueId: String(test.world.resource(id)?.properties['uniqueId']) }))
      const step = new Driven(moduleOf('zfs/import-pool'), at.doors, at.clock, { machine, user: 'hubadmin', sshKey: own.key, pool, disks, record })
      if (accept !== undefined) step.accepted.add(accept)
      await during(step.make())
    },
    [Symbol.asyncDispose]: at.close,
  }
}

const poolOf = ({ test }: AzureWorld) => test.world.pools[0]!

describe('what lies on a pool before it changes hands', () => {
  it('is recorded on its old server: datasets, what was set on them, layout, exports', async () => {
    await using on = await stage()
    const { record, remark } = await on.record()
    expect(remark).toBe('pool0 recorded: 2 datasets, 1 export')
    expect(record).toMatchObject({
      layout: ['mirror-0 of 2'],
      datasets: [
        { name: 'pool0', mountpoint: '/pool0', usedBytes: 612 * 1024 ** 3, properties: {} },
        { name: 'pool0/homes', mountpoint: '/pool0/homes', usedBytes: 611 * 1024 ** 3, properties: { compression: 'lz4', atime: 'off' } },
      ],
      exports: [{ path: '/pool0/homes' }],
    })
  })

  it('is held against what comes over: the same is mounted', async () => {
    await using on = await stage()
    await on.bringOver((await on.record()).record)
    expect(poolOf(on.world).datasets.map(({ mounted }) => mounted)).toEqual([true, true])
  })

  it.each([
    ['a dataset that is gone', (world: AzureWorld) => void poolOf(world).datasets.pop(), 'pool0/homes (611.0 GiB) is not there'],
    [
      'one that holds less',
      (world: AzureWorld) => void poolOf(world).datasets.splice(1, 1, { ...poolOf(world).datasets[1]!, usedBytes: 3 * 1024 ** 3 }),
      'pool0/homes held 611.0 GiB and holds 3.0 GiB',
    ],
    ['a property that is another', (world: AzureWorld) => void (poolOf(world).datasets[1]!.properties['atime'] = 'on'), 'atime of pool0/homes was off and is on'],
  ])('%s stops before anything is mounted, with the choice to use it all the same (S16)', async (_what, change, told) => {
    await using on = await stage()
    const { record } = await on.record()
    change(on.world)
    await expect(on.bringOver(record)).rejects.toMatchObject({
      code: 'zfs.differs',
      message: expect.stringContaining(told) as string,
      alternative: { id: 'as-it-is' },
    })
    const { importedOn, datasets } = poolOf(on.world)
    expect([importedOn.length, datasets.some(({ mounted }) => mounted)]).toEqual([1, false])
  })

  it('is used as it is where the operator has chosen that', async () => {
    await using on = await stage()
    const { record } = await on.record()
    poolOf(on.world).datasets.pop()
    await on.bringOver(record, 'as-it-is')
    expect(poolOf(on.world).datasets.map(({ mounted }) => mounted)).toEqual([true])
  })

  it('is waited for while its old server is being started, which is neither gone nor silent', async () => {
    await using on = await stage()
    const host = on.world.test.world.host(on.world.test.id(oldGroup, machineType, 'nfsserver'))!
    host.power = 'starting'
    on.world.test.clock.schedule(90_000, () => (host.power = 'running'))
    expect(await on.look()).toMatchObject({ state: 'converged', outputs: { record: { datasets: [{}, {}] } } })
    host.power = 'starting'
    expect(await on.look()).toMatchObject({ outputs: { record: null, remark: expect.stringMatching(/nfsserver is starting$/) as string } })
    host.power = 'stopped'
    expect(await on.look()).toMatchObject({ state: 'converged', outputs: { record: null } })
  })

  it('leaves no record where nobody can tell any more, and says why; the pool comes over all the same', async () => {
    await using on = await stage()
    const machine = on.world.test.id(oldGroup, machineType, 'nfsserver')
    on.world.test.world.host(machine)!.answers = false
    const { record, remark } = await on.record()
    expect([record, remark]).toEqual([null, expect.stringMatching(/^no record of pool0: .*nfsserver does not answer$/)])
    on.world.test.world.host(machine)!.answers = true
    await on.bringOver(null)
    expect(poolOf(on.world).datasets.every(({ mounted }) => mounted)).toBe(true)
  })
})
