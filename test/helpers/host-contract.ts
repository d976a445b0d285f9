import { expect, it } from 'vitest'
import type { ShellResult } from '../../src/sim/world/shell.js'

/**
 * An NFS host with the mirror `pool0` of the disks at LUN 0 and 1 and the dataset `pool0/homes`, exported to 10.0.0.0/8: simulated, or a
 * real machine. Lines are run as the user who logs in by SSH.
 */
export interface HostUnderTest {
  run(line: string, input?: string): Promise<ShellResult>
}

interface Case {
  readonly line: string
  readonly input?: string
  /** `fails`: with any other code than 0; which one it is depends on what else is installed. */
  readonly exitCode?: number | 'fails'
  readonly stdout?: string | RegExp
  readonly stderr?: string | RegExp
}

const devices = '/dev/disk/azure/scsi1'
const line = '/pool0/homes 10.0.0.0/8(rw,sync,no_subtree_check,all_squash,anonuid=1000,anongid=1000)\n'

/**
 * What commands answer, and in which form, in an order that leads once through all that a failover does to a host: as found, let go,
 * imported, served. Both kinds of host run all of it, so that the simulated one cannot drift away from the real.
 */
const story: Readonly<Record<string, readonly Case[]>> = {
  'a server at work': [
    { line: 'sudo -n zpool list -H -p -o name,guid,health,readonly', stdout: /^pool0\t\d{15,20}\tONLINE\toff\n$/ },
    { line: 'sudo -n zpool list -H -p -o guid,capacity', stdout: /^\d{15,20}\t\d{1,2}\n$/ },
    { line: 'sudo -n zpool get -H -o value guid pool0', stdout: /^\d{15,20}\n$/ },
    {
      line: 'sudo -n zfs list -H -p -t filesystem -o name,mounted,canmount,mountpoint,used',
      stdout: /^pool0\tyes\ton\t\/pool0\t\d+\npool0\/homes\tyes\ton\t\/pool0\/homes\t\d+\n$/,
    },
    { line: 'sudo -n zfs get -H -p -o value compression pool0/homes', stdout: 'lz4\n' },
    { line: 'sudo -n zpool status pool0', stdout: /^ {2}pool: pool0\n state: ONLINE\n(.*\n)*config:\n\n\tNAME +STATE +READ WRITE CKSUM\n\tpool0 +ONLINE +0 +0 +0\n\t {2}mirror-0 +ONLINE +0 +0 +0\n(\t {4}lun[01] +ONLINE +0 +0 +0\n){2}\nerrors: No known data errors\n$/ },
    { line: 'sudo -n zpool get -H -o property,value all pool0', stdout: /^(?=.*\n)(\S+\t.*\n)*feature@async_destroy\t(enabled|active)\n(\S+\t.*\n)*feature@lz4_compress\tactive\n(\S+\t.*\n)*$/ },
    {
      line: 'sudo -n zpool upgrade -v',
      stdout: /^This system supports ZFS pool feature flags\.\n\nThe following features are supported:\n\nFEAT DESCRIPTION\n-+\n([a-z0-9_]+ .*\n {5}\S.*\n)+\n?The following legacy versions are also supported:\n/,
    },
    { line: 'sudo -n zpool list other', exitCode: 1, stderr: "cannot open 'other': no such pool\n" },
    { line: 'sudo -n zfs list other', exitCode: 1, stderr: "cannot open 'other': dataset does not exist\n" },
    { line: 'systemctl is-active nfs-server', stdout: 'active\n' },
    { line: 'systemctl is-active nfs-kernel-server', stdout: 'active\n' },
    { line: 'sudo -n exportfs -v', stdout: /^\/pool0\/homes\s+10\.0\.0\.0\/8\([a-z_0-9,=]*\brw\b[a-z_0-9,=]*\)\n$/ },
    { line: `ls ${devices}`, stdout: /^lun0\n(lun0-part\d\n)+lun1\n(lun1-part\d\n)+$/ },
    { line: 'cat /etc/ssh/ssh_host_*_key.pub', stdout: /^ssh-ed25519 [A-Za-z0-9+/=]+ \S+\n$/ },
    { line: 'cat /etc/ssh/ssh_host_ed25519_key', exitCode: 1, stderr: /Permission denied/ },
    { line: 'sh -c \'cloud-init status; test -d /sys/module/zfs && echo zfs: loaded\'', stdout: 'status: done\nzfs: loaded\n' },
    { line: 'no-such-program --x', exitCode: 127, stderr: /not found/ },
    { line: 'systemctl stop nfs-server', exitCode: 'fails', stderr: /./ },
    { line: 'sudo -n flock -w 5 /run/lock/lifeboat.lock cat', input: 'through\n', stdout: 'through\n' },
    { line: 'sudo -n flock -n -s -E 0 /run/lock/lifeboat.lock echo free', stdout: 'free\n' },
    { line: 'sudo -n flock /run/lock/lifeboat.lock flock -n -s -E 0 /run/lock/lifeboat.lock echo free', stdout: '' },
    { line: 'sudo -n zpool export other', exitCode: 1, stderr: "cannot open 'other': no such pool\n" },
  ],
  'its pool let go': [
    { line: 'sudo -n systemctl stop nfs-server' },
    { line: 'systemctl is-active nfs-server', exitCode: 3, stdout: 'inactive\n' },
    { line: 'sudo -n exportfs -v', stdout: '' },
    { line: 'sudo -n flock -w 30 /run/lock/lifeboat.lock zpool export pool0' },
    { line: 'sudo -n zpool list -H -p -o name,guid,health,readonly', stdout: '' },
    { line: 'sudo -n zpool list', stdout: /^(no pools available\n)?$/, stderr: /^(no pools available\n)?$/ },
    { line: 'sudo -n zfs list -H -p -t filesystem -o name,mounted,canmount,mountpoint,used', stdout: '', stderr: /^(no datasets available\n)?$/ },
  ],
  'its pool found and imported': [
    {
      line: `sudo -n zpool import -d ${devices}`,
      stdout: /^ {3}pool: pool0\n {5}id: \d{15,20}\n {2}state: ONLINE\n(.*\n)*? *config:\n\n\tpool0 +ONLINE\n\t {2}mirror-0 +ONLINE\n(\t {4}lun[01] +ONLINE\n){2}$/,
    },
    { line: `sudo -n zpool import -N -d ${devices} -o cachefile=none 1234567890123456`, exitCode: 1, stderr: "cannot import '1234567890123456': no such pool available\n" },
    // As a damaged one is looked at.
    { line: `sudo -n zpool import -N -d ${devices} -o cachefile=none -o readonly=on pool0` },
    { line: 'sudo -n zpool list -H -p -o name,guid,health,readonly', stdout: /^pool0\t\d{15,20}\tONLINE\ton\n$/ },
    { line: 'sudo -n zpool export pool0' },
    { line: `sudo -n zpool import -N -d ${devices} -o cachefile=none pool0` },
    { line: 'sudo -n zpool list -H -p -o name,health', stdout: 'pool0\tONLINE\n' },
    { line: 'sudo -n zfs list -H -p -t filesystem -o name,mounted', stdout: 'pool0\tno\npool0/homes\tno\n' },
    { line: `sudo -n zpool import -d ${devices}`, stdout: '', stderr: 'no pools available to import\n' },
    { line: `sudo -n zpool import -d ${devices} pool0`, exitCode: 1, stderr: /^cannot import 'pool0': (a pool with that name already exists|no such pool available)\n/ },
  ],
  'its homes served again': [
    { line: 'sudo -n flock -w 30 /run/lock/lifeboat.lock sh -c \'zfs mount pool0 && zfs mount pool0/homes\'' },
    { line: 'sudo -n zfs mount pool0/homes', exitCode: 1, stderr: "cannot mount 'pool0/homes': filesystem already mounted\n" },
    { line: 'sudo -n zfs mount pool0/other', exitCode: 1, stderr: "cannot open 'pool0/other': dataset does not exist\n" },
    { line: 'sudo -n zfs mount -a' },
    { line: 'sudo -n zfs list -H -p -t filesystem -o name,mounted', stdout: 'pool0\tyes\npool0/homes\tyes\n' },
    { line: 'sudo -n tee /etc/exports.d/lifeboat.exports', input: line, exitCode: 1, stderr: 'tee: /etc/exports.d/lifeboat.exports: No such file or directory\n' },
    { line: 'sudo -n mkdir -p /etc/exports.d' },
    { line: 'sudo -n tee /etc/exports.d/lifeboat.exports', input: line, stdout: line },
    { line: 'sudo -n exportfs -ra', exitCode: 1, stderr: /^exportfs: duplicated export entries:\n(exportfs: \t10\.0\.0\.0\/8:\/pool0\/homes\n){2}/ },
    { line: 'sudo -n tee /etc/exports' },
    { line: 'sudo -n exportfs -ra' },
    { line: 'sudo -n systemctl enable --now nfs-server', stderr: /^(|Created symlink .*\n)*$/ },
    { line: 'systemctl is-active nfs-server', stdout: 'active\n' },
    { line: 'sudo -n exportfs -v', stdout: /^\/pool0\/homes\s+10\.0\.0\.0\/8\((?=.*\brw\b)(?=.*\ball_squash\b)(?=.*anonuid=1000)[a-z_0-9,=]*\)\n$/ },
    ...(['mp', 'mountpoint', 'mp=/pool0', 'mountpoint=/not-mounted'] as const).flatMap((option): Case[] => [
      { line: 'sudo -n tee /etc/exports.d/lifeboat.exports', input: line.replace(')', `,${option})`), stdout: /./ },
      { line: 'sudo -n exportfs -ra' },
      { line: 'sudo -n exportfs -v', stdout: new RegExp(`,${option.replace(/^mp\b/, 'mountpoint')},anonuid=1000,[a-z_0-9,=]*\\)\n$`) },
    ]),
  ],
}

/** One test, since each command finds what the one before it has left; what differs is told all together. */
export function itAnswersAsHostsDo(host: () => HostUnderTest): void {
  it('answers the commands of a failover in the form in which an NFS host answers them', async () => {
    const wrong: unknown[] = []
    for (const [chapter, cases] of Object.entries(story)) {
      for (const { line: command, input, exitCode = 0, stdout = '', stderr = '' } of cases) {
        const result = await host().run(command, input)
        const same = (text: string, wanted: string | RegExp): boolean => (typeof wanted === 'string' ? text === wanted : wanted.test(text))
        // A failure's standard output and a success's standard error are nobody's business unless a case says so.
        const asWanted = exitCode === 'fails' ? result.exitCode !== 0 : result.exitCode === exitCode
        const fine = asWanted && (exitCode !== 0 || same(result.stdout, stdout)) && (stderr === '' || same(result.stderr, stderr))
        if (!fine) wrong.push({ chapter, command, ...result, wanted: { exitCode, stdout: String(stdout), stderr: String(stderr) } })
      }
    }
    expect(wrong).toEqual([])
  })
}
