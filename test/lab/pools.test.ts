import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask } from '../../src/platform/host/ask.js'
import { activeFeatures, knownFeatures } from '../../src/platform/host/features.js'
import { importablePools, importPool } from '../../src/platform/host/pools.js'
import type { Host } from '../../src/platform/host/run.js'
import { wholePool } from '../../src/steps/parts/pool.js'
import { inTheLab, labWorld, oldServer, sshTo, type LabWorld } from '../helpers/lab.js'

const zhack = 'zhack -d /dev/disk/azure/scsi1 feature'

// What real ZFS says of pools that are not as they should be; each test goes on from what the one before it has left on the disks.
inTheLab('a pool that cannot simply be imported, on real ZFS', { shuffle: false }, () => {
  let world: LabWorld
  let host: Host
  let guid: string
  const none: ReadonlySet<string> = new Set()
  const found = async () => (await ask(host, importablePools))[0]
  const wanted = () => ({ pool: { name: 'pool0', guid, devices: 2 } })
  const on = (...script: string[]): Promise<string> => world.on(oldServer, script.join(' && '))
  beforeAll(async () => {
    world = await labWorld()
    ;({ host, guid } = await sshTo(world, oldServer))
    await on('systemctl stop nfs-server')
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('tells the features that it uses, all of which its own server knows', async () => {
    const [active, known] = await ask(host, activeFeatures('pool0'), knownFeatures)
    expect(active).toContain('lz4_compress')
    expect(active.filter((feature) => !known.includes(feature))).toEqual([])
    expect(known.length).toBeGreaterThan(active.length)
  })

  it('with a disk that is gone is degraded, and the disk is named; it is imported only by choice', async () => {
    await on('zpool offline pool0 /dev/disk/azure/scsi1/lun1', 'zpool export pool0')
    const pools = await found()
    expect(() => wholePool(pools, wanted(), none)).toThrow(/lun1 is OFFLINE/)
    expect(wholePool(pools, wanted(), new Set(['degraded']))).toMatchObject({ state: 'DEGRADED' })
    await on(`zpool import -d /dev/disk/azure/scsi1 ${guid}`, 'zpool online pool0 /dev/disk/azure/scsi1/lun1', 'zpool wait -t resilver pool0', 'zpool export pool0')
    expect(wholePool(await found(), wanted(), none)).toMatchObject({ state: 'ONLINE', exported: true })
  })

  it('that uses a feature that this ZFS does not know is refused for that, by ZFS and before it', async () => {
    await on(`${zhack} enable -d future pool0 org.example:future`, `${zhack} ref pool0 org.example:future`)
    const pools = await found()
    expect(pools).toMatchObject([{ name: 'pool0', guid, state: 'UNAVAIL', unknownFeatures: ['org.example:future'] }])
    expect(() => wholePool(pools, wanted(), none)).toThrow(/does not know: org\.example:future/)
    await expect(importPool(host, { guid, name: 'pool0' })).rejects.toMatchObject({ code: 'zfs.import', message: expect.stringContaining('unsupported') as string })
  })

  it('of whose name there are two is found by its guid', async () => {
    await on(
      'zpool create -f pool0 /dev/disk/azure/scsi1/lun0', 'zpool export pool0',
      'zpool create -f pool0 /dev/disk/azure/scsi1/lun1', 'zpool get -H -o value guid pool0 > /root/guid', 'zpool export pool0',
    )
    guid = (await on('cat /root/guid')).trim()
    const pools = await found()
    expect(pools.map(({ name }) => name)).toEqual(['pool0', 'pool0'])
    const one = { pool: { name: 'pool0', guid, devices: 1 } }
    expect(wholePool(pools, one, none)).toMatchObject({ guid, devices: [{ name: 'lun1' }] })
    await importPool(host, one.pool)
    expect((await on('zpool get -H -o value guid pool0')).trim()).toBe(guid)
  })
})
