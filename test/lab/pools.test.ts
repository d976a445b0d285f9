import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LifeboatError } from '../../src/contract/index.js'
import { ask } from '../../src/platform/host/ask.js'
import { activeFeatures, knownFeatures } from '../../src/platform/host/features.js'
import { importablePools, importPool } from '../../src/platform/host/pools.js'
import type { Host } from '../../src/platform/host/run.js'
import { nfsFence } from '../../src/steps/nfs-fence.js'
import { wholePool } from '../../src/steps/parts/pool.js'
import { zfsImportPool } from '../../src/steps/zfs-import-pool.js'
import { inTheLab, labWorld, oldServer, sshTo, type LabWorld } from '../helpers/lab.js'
import { Driven, doorsTo, type OpenedDoors } from '../helpers/steps.js'

const zhack = 'zhack -d /dev/disk/azure/scsi1 feature'

/**
 * A pool `hurt` on the second disk, as it is when its server dies: its states lie seconds apart. The disk is a copy of a file while that is
 * in use.
 */
const diedInUse = `
  modprobe loop && truncate -s 256M /root/hurt && losetup /dev/loop1 /root/hurt && zpool create -f -O compression=off hurt /dev/loop1 &&
  zpool get -H -o value guid hurt > /root/guid &&
  (for i in 1 2 3 4; do head -c 100000 /dev/urandom > /hurt/file$i; zpool sync hurt; sleep 3; done; head -c 100000 /dev/urandom > /hurt/last; zpool sync hurt) &&
  dd if=/dev/loop1 of=/dev/disk/azure/scsi1/lun1 bs=1M conv=fsync status=none && zpool destroy hurt && losetup -d /dev/loop1`

/** Overwrites every copy of the block that its newest state begins with. 4 MiB precede the first block of a device. */
const lastStateSpoilt = `
  zdb -e -p /dev/disk/azure/scsi1 -uuuu hurt > /root/uberblock && grep -o 'DVA\\[[0-9]\\]=<0:[0-9a-f]*' /root/uberblock | sed 's/.*://' > /root/copies && test -s /root/copies &&
  (while read at; do dd if=/dev/urandom of=/dev/disk/azure/scsi1/lun1 bs=512 count=1 seek=$((0x$at + 0x400000)) oflag=seek_bytes conv=notrunc,fsync status=none; done < /root/copies)`

// What real ZFS says of pools that are not as they should be; each test goes on from what the one before it has left on the disks.
inTheLab('a pool that cannot simply be imported, on real ZFS', { shuffle: false }, () => {
  let world: LabWorld
  let host: Host
  let guid: string
  let doors: OpenedDoors['doors']
  let clock: OpenedDoors['clock']
  let login: { readonly machine: string; readonly user: string; readonly sshKey: string }
  const none: ReadonlySet<string> = new Set()
  const found = async () => (await ask(host, importablePools))[0]
  const wanted = () => ({ pool: { name: 'pool0', guid, devices: 2 } })
  const on = (...script: string[]): Promise<string> => world.on(oldServer, script.join(' && '))
  beforeAll(async () => {
    world = await labWorld()
    ;({ host, guid } = await sshTo(world, oldServer))
    ;({ doors, clock } = await doorsTo(world.served.cloudPath))
    login = { machine: oldServer, user: host.at.user, sshKey: host.at.key }
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

  it('whose name another one has is a conflict that names both; ZFS itself would not import it either', async () => {
    const other = (await found())[0]?.guid ?? ''
    const wanted = { ...login, pool: { name: 'pool0', guid: other, devices: 1 } }
    const disks = [{ name: 'nfsserver_DataDisk_0', lun: 0, id: `${oldServer}/disk`, uniqueId: 'any' }]
    const why = expect.stringMatching(`has the pool pool0 with guid ${guid}`) as string
    expect(await new Driven(zfsImportPool, doors, clock, { ...wanted, disks }).see()).toMatchObject({ state: 'conflict', why })
    expect(await new Driven(nfsFence, doors, clock, wanted).see()).toMatchObject({ state: 'conflict', why })
    await expect(importPool(host, wanted.pool)).rejects.toMatchObject({ message: expect.stringContaining("cannot import 'pool0': pool already exists") as string })
  })

  it('that is nearly full is told before the fence, and after the import', async () => {
    // ZFS keeps 128 MiB of a small pool for itself: of two gibibytes, more than nine tenths can be used.
    await on(
      'modprobe loop', 'losetup --sizelimit 2G /dev/loop0 /dev/disk/azure/scsi1/lun0', 'zpool create -f -O checksum=off full /dev/loop0',
      '(dd if=/dev/zero of=/full/homes bs=1M count=1730 status=none; zpool sync full)', 'zpool get -H -o value guid full > /root/guid',
    )
    const pool = { name: 'full', guid: (await on('cat /root/guid')).trim(), devices: 1 }
    const { inputs, ctx } = new Driven(nfsFence, doors, clock, { ...login, pool })
    const findings = await nfsFence.preflight([{ resource: 'zpool full', action: 'run', after: { imported: false } }], inputs, ctx)
    expect(findings).toMatchObject([{ level: 'warn', what: expect.stringMatching(/^full is 9\d % full/) as string }])
    const disks = [{ name: 'nfsserver_DataDisk_0', lun: 0, id: `${oldServer}/disk`, uniqueId: 'any' }]
    const seen = await new Driven(zfsImportPool, doors, clock, { ...login, pool, disks }).see()
    expect(seen).toMatchObject({ state: 'converged', outputs: { remark: expect.stringMatching(/^full is 9\d % full/) as string } })
    await on('zpool destroy full', 'losetup -d /dev/loop0')
  })

  it('whose last state cannot be read is given up, with what a person could do and what ZFS says that it costs (S21)', async () => {
    await on('zpool destroy pool0', diedInUse, lastStateSpoilt)
    guid = (await on('cat /root/guid')).trim()
    const wanted = { pool: { name: 'hurt', guid, devices: 1 } }
    const pools = await found()
    expect(() => wholePool(pools, wanted, none)).toThrow(/cannot read the last state of the pool hurt: all its devices are there, and it is FAULTED/)
    const failure: unknown = await importPool(host, wanted.pool).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'zfs.damaged', hint: expect.stringMatching(/-F -n .*costs nothing.*for good \(about \d+ seconds, says ZFS\)/) as string })
    // The commands do what is said of them; only a person types them.
    const [tries = '', , goesBack = ''] = [...(failure as LifeboatError).hint?.matchAll(/`sudo (zpool import [^`]*)`/g) ?? []].map(([, command]) => command)
    expect(await on(`(${tries} || true)`)).toContain('Would be able to return hurt to its state as of')
    expect(await on('zpool list -H -o name')).toBe('')
    expect(await on(goesBack, 'zpool list -H -o name,health')).toBe('hurt\tONLINE\n')
  })
})
