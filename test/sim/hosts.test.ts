import { beforeEach, describe, expect, test } from 'vitest'
import { changes } from '../../src/sim/hosts/judge.js'
import { hostShell, runOnHost } from '../../src/sim/hosts/shell.js'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import type { Host, Pool } from '../../src/sim/world/model.js'
import type { ShellResult } from '../../src/sim/world/shell.js'
import type { World } from '../../src/sim/world/world.js'
import { addSecond, guid, makeData100, moveDisks, only, switchOff } from '../helpers/hosts.js'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('inside a host', () => {
  let clock: VirtualClock
  let world: World
  let host: Host
  let pool: Pool

  beforeEach(() => {
    world = makeData100((epochMs) => (clock = virtualClock(epochMs)))
    host = only(world.hosts.values())
    pool = only(world.pools)
  })

  const start = (line: string, on = host, user = on.user, input = ''): Promise<ShellResult> =>
    runOnHost(world, on, { user, stdin: () => Promise.resolve(input) }, line)
  /** Runs a line, and lets so much of the world's time pass that everything in it ends. */
  async function run(line: string, on = host, user = on.user, input = ''): Promise<ShellResult> {
    const result = start(line, on, user, input)
    for (let step = 0; step < 4; step += 1) {
      await settle()
      clock.advance(60_000)
    }
    return result
  }
  const root = (line: string, on = host, input = ''): Promise<ShellResult> => run(`sudo -n ${line}`, on, on.user, input)
  /** Everything that must happen on the old server before its disks may go. */
  const release = async (): Promise<void> => {
    expect((await root('systemctl stop nfs-kernel-server')).exitCode).toBe(0)
    expect(await root('zpool export pool0')).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  }

  test.each([
    ['echo \'a  b\' "c;d" e\\ f', 'a  b c;d e f\n'],
    ['echo one; echo two', 'one\ntwo\n'],
    ['false && echo no || echo yes', 'yes\n'],
    ['true || echo no; ! false && echo yes', 'yes\n'],
    ["sh -c 'echo inner && hostname'", 'inner\nnfsserver\n'],
    ["printf '%s-%s\\n' a b", 'a-b\n'],
    ['cat nothing 2>/dev/null || echo none', 'none\n'],
    ['echo piped | cat', 'piped\n'],
    ['test -d /sys/module/zfs && [ -e /etc/ssh ] && echo there # or not', 'there\n'],
    ['set -e\nfalse\necho no', ''],
    ['zpool list -H -o name &&\n  echo listed', 'pool0\nlisted\n'],
    ['cat /sys/module/zfs/version', '2.1.5-1ubuntu6~22.04.4\n'],
  ])('the shell runs %j (S6)', async (line, stdout) => {
    expect((await start(line)).stdout).toBe(stdout)
  })

  test.each([
    ['foo --bar', 127, 'sh: 1: foo: not found'],
    ['sudo -n foo', 1, 'sudo: foo: command not found'],
    ['zpool scrub pool0', 2, 'does not know this form: zpool scrub pool0'],
    ['zpool list -Z', 2, 'does not know this form'],
    ['echo $HOME', 2, 'does not know $'],
    ['echo `id`', 2, 'does not know `'],
    ['for x in a; do echo; done', 2, 'does not know for'],
    ["echo 'open", 2, 'Unterminated quoted string'],
    ['&& echo', 2, 'unexpected'],
    ['cat /nothing', 1, 'cat: /nothing: No such file or directory'],
  ])('%j does not pass for success (S6)', async (line, exitCode, text) => {
    const result = await start(line)
    expect(result.exitCode).toBe(exitCode)
    expect(result.stderr).toContain(text)
  })

  test('a pattern stands for the files that there are, so that host keys can be read (S6)', async () => {
    expect((await start('cat /etc/ssh/ssh_host_*_key.pub')).stdout).toBe(`${host.hostKey.public}\n`)
    expect((await start("cat '/etc/ssh/ssh_host_*_key.pub'")).exitCode).toBe(1)
    expect((await start('cat /etc/ssh/ssh_host_ed25519_key')).stderr).toContain('Permission denied')
  })

  test('a pool and its datasets are listed as scripts ask for them', async () => {
    expect((await start('zpool list -H -p -o name,guid,health,capacity')).stdout).toBe(`pool0\t${guid}\tONLINE\t60\n`)
    expect((await start('zfs list -H -p -o name,mountpoint,mounted,used')).stdout).toBe(
      `pool0\t/pool0\tyes\t${612 * 1024 ** 3}\npool0/homes\t/pool0/homes\tyes\t${611 * 1024 ** 3}\n`,
    )
    expect((await start('zpool get -H -o value guid pool0')).stdout).toBe(`${guid}\n`)
    expect((await start('zfs get -H -p -o value compression pool0/homes')).stdout).toBe('lz4\n')
    expect((await start('zpool list other')).stderr).toBe("cannot open 'other': no such pool\n")
    expect((await start('zfs list other')).stderr).toBe("cannot open 'other': dataset does not exist\n")
  })

  test('a pool that is exported over NFS is busy; one that is let go is not (S10, S13)', async () => {
    expect((await root('zpool export pool0')).stderr).toBe("cannot export 'pool0': pool is busy\n")
    expect((await root('zfs unmount pool0/homes')).stderr).toContain('pool or dataset is busy')
    expect((await root('systemctl stop nfs-kernel-server')).exitCode).toBe(0)
    expect(await start('systemctl is-active nfs-kernel-server')).toEqual({ exitCode: 3, stdout: 'inactive\n', stderr: '' })
    const exporting = start('sudo -n zpool export pool0')
    await settle()
    expect(pool.importedOn).toEqual([host.machine])
    expect(world.operations.map(({ what, status }) => `${what} ${status}`)).toEqual(['zpool export running'])
    clock.advance(world.durationOf('zpool export'))
    expect((await exporting).exitCode).toBe(0)
    expect([pool.exported, pool.importedOn]).toEqual([true, []])
  })

  test('a pool whose disks are gone is suspended, and cannot be let go (S20)', async () => {
    await root('systemctl stop nfs-kernel-server')
    moveDisks(world, host, addSecond(world))
    expect((await start('zpool list -H -o health')).stdout).toBe('SUSPENDED\n')
    expect((await start('zpool status pool0')).stdout).toContain(' state: SUSPENDED\n')
    expect(await root('zpool export pool0')).toMatchObject({ exitCode: 1, stderr: "cannot export 'pool0': pool I/O is currently suspended\n" })
    expect(pool).toMatchObject({ exported: false, importedOn: [host.machine] })
  })

  test('an export that somebody starts to use again in the meantime fails (S10)', async () => {
    await root('systemctl stop nfs-server')
    const exporting = start('sudo -n zpool export pool0')
    await settle()
    await start('sudo -n systemctl start nfs-server')
    clock.advance(world.durationOf('zpool export'))
    expect((await exporting).stderr).toContain('pool is busy')
  })

  test('a pool is found only where its disks are, and imported once (S8)', async () => {
    const second = addSecond(world)
    await release()
    expect((await root('zpool import -d /dev/disk/azure/scsi1', second)).stderr).toBe('no pools available to import\n')
    expect((await root(`zpool import ${guid}`, second)).stderr).toBe(`cannot import '${guid}': no such pool available\n`)
    moveDisks(world, host, second)
    expect((await start('ls /dev/disk/azure/scsi1', host)).exitCode).toBe(2)
    expect((await start('ls /dev/disk/azure/scsi1', second)).stdout).toContain('lun1\n')
    const found = await root('zpool import -d /dev/disk/azure/scsi1', second)
    expect(found.stdout).toContain(`   pool: pool0\n     id: ${guid}\n  state: ONLINE\n`)
    expect(found.stdout).toContain('\t    lun1    ONLINE\n')
    const line = `zpool import -N -d /dev/disk/azure/scsi1 -o cachefile=none ${guid}`
    expect((await root(line, second)).exitCode).toBe(0)
    expect(pool).toMatchObject({ importedOn: [second.machine], exported: false, lastHostId: 'beef0001', health: 'ONLINE' })
    expect(pool.datasets.map((one) => one.mounted)).toEqual([false, false])
    expect(await root(line, second)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('a pool with that name already exists\nuse the form') as string })
    expect((await root('zfs mount -a', second)).exitCode).toBe(0)
    expect((await start('zfs list -H -o name,mounted', second)).stdout).toBe('pool0\tyes\npool0/homes\tyes\n')
    expect(world.violations).toEqual([])
  })

  test('one dataset is mounted by itself, if it may be; all of them with those of other pools (S23)', async () => {
    await root('systemctl stop nfs-server')
    await root('zfs unmount pool0')
    const at = (name: string, mountpoint: string, canmount = 'on') => ({ name, mountpoint, usedBytes: 1, properties: { canmount }, mounted: false })
    pool.datasets.push(at('pool0/off', '/off', 'off'), at('pool0/legacy', 'legacy'))
    const kept = { ...structuredClone(pool), name: 'pool1', guid: '22', datasets: [at('pool1', '/pool1')] }
    world.pools.push(kept)
    const mount = async (name: string) => (await root(`zfs mount ${name}`)).stderr.replace(/^cannot mount '.*?': /, '')
    expect([await mount('pool0'), await mount('pool0')]).toEqual(['', 'filesystem already mounted\n'])
    expect([await mount('pool0/off'), await mount('pool0/legacy')]).toEqual(["'canmount' property is set to 'off'\n", 'legacy mountpoint\n'])
    const mounted = () => [...pool.datasets, ...kept.datasets].filter((one) => one.mounted).map(({ name }) => name)
    expect(mounted()).toEqual(['pool0'])
    await root('zfs mount -a')
    expect(mounted()).toEqual(['pool0', 'pool0/homes', 'pool1'])
  })

  test('no pool is imported beside another of its name, whatever its guid (S19)', async () => {
    const second = addSecond(world)
    await release()
    moveDisks(world, host, second)
    world.pools.push({ ...structuredClone(pool), guid: '77', disks: [], importedOn: [second.machine], exported: false })
    const result = await root(`zpool import -N -d /dev/disk/azure/scsi1 -o cachefile=none ${guid}`, second)
    expect(result).toMatchObject({ exitCode: 1, stderr: "cannot import 'pool0': pool already exists\n" })
    expect(pool.importedOn).toEqual([])
  })

  test('a pool whose last state cannot be read is not imported, with -f neither, until somebody gives up what was written since (S21)', async () => {
    const second = addSecond(world)
    await release()
    moveDisks(world, host, second)
    pool.damage = { seconds: 12 }
    const folder = '-d /dev/disk/azure/scsi1'
    expect((await root(`zpool import ${folder}`, second)).stdout).toMatch(/state: FAULTED[^]*corrupted data[^]*lun0 +ONLINE[^]*lun1 +ONLINE/)
    for (const flags of ['-N', '-f -N']) {
      const refused = await root(`zpool import ${flags} ${folder} ${guid}`, second)
      expect(refused).toMatchObject({ exitCode: 1, stderr: "cannot import 'pool0': I/O error\n", stdout: expect.stringContaining('Approximately 12 seconds') as string })
    }
    const tried = await root(`zpool import -F -n -N ${folder} ${guid}`, second)
    expect(tried).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('Would discard approximately 12 seconds') as string })
    expect([pool.importedOn, pool.lostSeconds]).toEqual([[], undefined])
    expect((await root(`zpool import -F -N ${folder} ${guid}`, second)).exitCode).toBe(0)
    expect([pool.importedOn, pool.lostSeconds]).toEqual([[second.machine], 12])
  })

  test('half a mirror is imported degraded, half a stripe is not (S8)', async () => {
    const second = addSecond(world)
    await release()
    moveDisks(world, host, second, 1)
    switchOff(host, pool)
    expect((await root('zpool import', second)).stdout).toContain('  state: DEGRADED\n')
    Object.assign(pool, { layout: 'stripe' })
    expect((await root('zpool import', second)).stdout).toContain('cannot be imported')
    expect((await root('zpool import pool0', second)).exitCode).toBe(1)
    Object.assign(pool, { layout: 'mirror' })
    expect((await root('zpool import pool0', second)).exitCode).toBe(0)
    expect((await start('zpool list -H -o health', second)).stdout).toBe('DEGRADED\n')
    expect((await start('zpool status -x', second)).stdout).toContain('UNAVAIL')
  })

  test('what nobody exported is refused, and forced: while its owner lives that is a violation (S9)', async () => {
    const second = addSecond(world)
    moveDisks(world, host, second)
    const refused = await root(`zpool import ${guid}`, second)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/^cannot import 'pool0': pool was previously in use from another system\.\nLast accessed by nfsserver /)
    expect(refused.stderr).toMatch(/use 'zpool import -f' to import the pool\.\n$/)
    expect((await root('zpool import', second)).stdout).toContain('last accessed by another system')
    expect(world.violations).toEqual([])
    expect((await root('zpool import -f pool0', second)).exitCode).toBe(0)
    expect(world.violations).toEqual([expect.stringContaining(`while it was still imported on ${host.machine}`)])
  })

  test('forcing is no violation when the owner is off and has no disk of it (S9)', async () => {
    const second = addSecond(world)
    moveDisks(world, host, second)
    switchOff(host, pool)
    expect((await root('zpool import pool0', second)).exitCode).toBe(1)
    expect((await root('zpool import -f pool0', second)).exitCode).toBe(0)
    expect([world.violations, pool.importedOn]).toEqual([[], [second.machine]])
  })

  test('an import while another running machine still has a disk of the pool is a violation (S9)', async () => {
    const second = addSecond(world)
    await release()
    moveDisks(world, host, second, 1)
    await root('zpool import pool0', second)
    expect(world.violations).toEqual([expect.stringContaining('still had its disk nfsserver_DataDisk_1')])
  })

  test('reading without root fails, or looks empty (S11)', async () => {
    expect(await start('zpool import')).toEqual({ exitCode: 1, stdout: '', stderr: 'cannot discover pools: permission denied\n' })
    expect(await start('exportfs -v')).toMatchObject({ exitCode: 0, stdout: '' })
    expect((await root('exportfs -v')).stdout).toBe(
      '/pool0/homes  \t10.0.0.0/8(sync,wdelay,hide,no_subtree_check,anonuid=1000,anongid=1000,sec=sys,rw,secure,root_squash,all_squash)\n',
    )
    expect((await start('systemctl stop nfs-kernel-server')).stderr).toContain('Interactive authentication required')
    expect((await start('tee /etc/exports', host, host.user, 'x')).stderr).toContain('Permission denied')
  })

  test('exports take effect when they are read again, and only of what is mounted (S12)', async () => {
    const second = addSecond(world)
    await release()
    moveDisks(world, host, second)
    await root(`zpool import -N ${guid}`, second)
    const text = '/pool0/homes 10.0.0.0/8(rw,sync,no_subtree_check) *(ro)\n'
    expect((await root('tee /etc/exports.d/lifeboat.exports', second, text)).stderr).toContain('No such file or directory')
    await root('mkdir -p /etc/exports.d', second)
    expect((await root('flock -w 60 /run/lock/lifeboat.lock tee /etc/exports.d/lifeboat.exports', second, text)).stdout).toBe(text)
    expect(second.exports).toEqual([])
    expect(await root('exportfs -ra', second)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Failed to stat /pool0/homes') as string })
    await root('zfs mount -a', second)
    expect(await root('exportfs -ra', second)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(second.exports.map((one) => one.clients)).toEqual(['10.0.0.0/8', '*'])
    expect((await root('exportfs -v', second)).stdout).toContain('<world>(sync,wdelay,hide,no_subtree_check,sec=sys,ro,secure,root_squash,no_all_squash)\n')
    expect(second.services.nfs).toBe(false)
    expect((await root('systemctl enable --now nfs-kernel-server', second)).exitCode).toBe(0)
    expect((await start('systemctl is-active nfs-kernel-server', second)).stdout).toBe('active\n')
    await root('systemctl stop nfs-kernel-server', second)
    expect(second.exports).toEqual([])
  })

  test('before cloud-init is done there is no ZFS and no NFS (S7)', async () => {
    const second = addSecond(world, { readyFromMs: clock.nowMs() + 180_000 })
    const early = await start('zpool list', second)
    expect([early.exitCode, early.stderr]).toEqual([127, 'sh: 1: zpool: not found\n'])
    expect((await start('test -d /sys/module/zfs', second)).exitCode).toBe(1)
    expect((await start('systemctl is-active nfs-kernel-server', second)).stdout).toBe('inactive\n')
    expect((await start('sudo -n systemctl start nfs-kernel-server', second)).exitCode).toBe(5)
    expect((await start('sudo -n modprobe zfs', second)).exitCode).toBe(1)
    expect((await start('cloud-init status', second)).stdout).toBe('status: running\n')
    clock.advance(180_000)
    expect((await start('cloud-init status && test -d /sys/module/zfs && zpool list', second)).stdout).toBe('status: done\nno pools available\n')
    const never = addSecond(world, { readyFromMs: Number.POSITIVE_INFINITY })
    expect((await start('cloud-init status; zpool list', never)).exitCode).toBe(127)
  })

  test('the second to come waits for the lock, in order, as long as it said (S4, S5)', async () => {
    await start('sudo -n systemctl stop nfs-server')
    const first = start('sudo -n flock -w 600 /run/lock/x.lock zpool export pool0')
    await settle()
    expect((await start('flock -n /run/lock/x.lock true')).exitCode).toBe(1)
    const impatient = start('sudo -n flock -w 1 /run/lock/x.lock echo late')
    const patient = start('sudo -n flock -w 600 /run/lock/x.lock zpool list -H')
    await settle()
    clock.advance(1000)
    expect(await impatient).toEqual({ exitCode: 1, stdout: '', stderr: '' })
    clock.advance(world.durationOf('zpool export'))
    expect((await first).exitCode).toBe(0)
    // It ran after the export, not beside it.
    expect(await patient).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect((await start('flock -n /run/lock/x.lock echo free')).stdout).toBe('free\n')
  })

  test('a lock is shared by those who ask for it so, and not with one who has it alone (S5)', async () => {
    await start('sudo -n systemctl stop nfs-server')
    const shared = 'sudo -n flock -n -s -E 0 /run/lock/x.lock echo free'
    expect(await start(shared)).toMatchObject({ exitCode: 0, stdout: 'free\n' })
    const alone = start('sudo -n flock -w 600 /run/lock/x.lock zpool export pool0')
    await settle()
    expect(await start(shared)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect((await start('flock -n -s -E 9 /run/lock/x.lock true')).exitCode).toBe(9)
    const after = start('flock -s /run/lock/x.lock echo after')
    clock.advance(world.durationOf('zpool export'))
    expect((await alone).exitCode).toBe(0)
    expect((await after).stdout).toBe('after\n')
    // It is held by one who shares it: another may share it, and who wants it alone waits for the end.
    world.spec.durations['zpool import'] = 60_000
    const sharing = start('sudo -n flock -s /run/lock/x.lock zpool import -d /dev/disk/azure/scsi1 pool0')
    await settle()
    expect(await start(shared)).toMatchObject({ stdout: 'free\n' })
    expect((await start('flock -n /run/lock/x.lock true')).exitCode).toBe(1)
    const next = start('flock /run/lock/x.lock echo alone')
    clock.advance(60_000)
    expect((await sharing).exitCode).toBe(0)
    expect((await next).stdout).toBe('alone\n')
  })

  test('what runs ends with the system, and leaves no lock behind (S4)', async () => {
    await start('sudo -n systemctl stop nfs-server')
    const cut = start('sudo -n flock /run/lock/x.lock zpool export pool0 && echo done')
    await settle()
    switchOff(host, pool)
    clock.advance(60_000)
    expect((await cut).exitCode).toBe(137)
    expect(pool.exported).toBe(false)
    host.power = 'running'
    host.sshFromMs = clock.nowMs()
    expect((await start('flock -n /run/lock/x.lock echo free')).stdout).toBe('free\n')
  })

  test('runCommand is the same shell as root (S14)', async () => {
    const shell = hostShell(world)
    expect(await shell(host.machine, '#!/bin/sh\nid -u\nexportfs -v | cat\nfoo\necho end')).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^0\n\/pool0\/homes .*\nend\n$/s) as string,
      stderr: 'sh: 1: foo: not found\n',
    })
  })

  test.each([
    ['sudo -n flock -w 60 /run/lock/lifeboat.lock zpool list -H', false],
    ['sudo -n zpool import -d /dev/disk/azure/scsi1', false],
    ["sh -c 'exportfs -v; zfs list'", false],
    ["echo 'a; rm -r b > c'", false],
    ['cat /etc/exports 2>/dev/null', false],
    [`sudo -n zpool import -N -d /dev/disk/azure/scsi1 -o cachefile=none ${guid}`, true],
    ['sudo -n flock -w 60 /run/lock/lifeboat.lock zfs mount -a', true],
    ["sh -c 'zpool export pool0'", true],
    ['echo x > /etc/exports', true],
    ['tee /etc/exports', true],
    ['systemctl is-active nfs-server && systemctl stop nfs-server', true],
    ['foo $(bar)', true],
  ])('%j: would it change anything? %s (S14)', (line, expected) => {
    expect(changes(line)).toBe(expected)
  })
})
