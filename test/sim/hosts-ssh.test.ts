import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startHosts, type Hosts } from '../../src/sim/hosts/server.js'
import { scaledClock } from '../../src/sim/world/clock.js'
import { makeSshKey } from '../../src/sim/world/keys.js'
import type { Host, Pool } from '../../src/sim/world/model.js'
import type { World } from '../../src/sim/world/world.js'
import { writeSecret } from '../helpers/leaks.js'
import { addSecond, guid, makeData100, newNetwork, only, switchOff } from '../helpers/hosts.js'

describe('with the real ssh', () => {
  let clock: ReturnType<typeof scaledClock>
  let world: World
  let host: Host
  let hosts: Hosts
  let folder: string

  beforeEach(async () => {
    world = makeData100((epochMs) => (clock = scaledClock(epochMs, 60)))
    host = only(world.hosts.values())
    hosts = await startHosts(world)
    folder = mkdtempSync(join(tmpdir(), 'hosts-'))
    writeSecret(join(folder, 'key'), only(world.keys.values()).private)
    writeSecret(join(folder, 'other'), makeSshKey('other').private)
  })
  afterEach(async () => {
    await hosts.stop()
    clock.stop()
    rmSync(folder, { recursive: true })
  })

  interface Wish {
    readonly to?: Host
    readonly network?: string
    readonly user?: string
    readonly key?: string
    readonly knownKey?: string
    readonly input?: string
  }

  /** The configuration that a careful client writes: own files only, keys known beforehand, through the jump host. */
  function configure(wish: Wish): string {
    const to = wish.to ?? host
    const way = hosts.ssh.find((one) => one.network === (wish.network ?? to.network))
    if (way === undefined || way.via === 'direct') throw new TypeError('no way')
    const { jump } = way.via
    const keyOf = (line: string): string => line.split(' ').slice(0, 2).join(' ')
    const path = join(folder, 'known')
    writeFileSync(path, `machine ${keyOf(wish.knownKey ?? to.hostKey.public)}\njump ${keyOf(jump.hostKey)}\n`)
    const lines = [
      'Host machine', `HostName ${to.address}`, 'HostKeyAlias machine', `User ${wish.user ?? to.user}`, `IdentityFile ${join(folder, wish.key ?? 'key')}`,
      'ProxyJump jump',
      'Host jump', `HostName ${jump.host}`, `Port ${jump.port}`, 'HostKeyAlias jump', `User ${jump.user}`, `IdentityFile ${join(folder, 'key')}`,
      'Host *', `UserKnownHostsFile ${path}`, 'GlobalKnownHostsFile /dev/null', 'StrictHostKeyChecking yes', 'IdentitiesOnly yes', 'IdentityAgent none',
      'BatchMode yes', 'LogLevel ERROR',
    ]
    const config = join(folder, `config-${Math.abs(way.network.length)}-${wish.user ?? ''}-${wish.key ?? ''}`)
    writeFileSync(config, `${lines.join('\n')}\n`)
    return config
  }

  const ssh = (line: string, wish: Wish = {}) =>
    execa('ssh', ['-F', configure(wish), '-T', 'machine', line], {
      reject: false,
      stripFinalNewline: false,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder },
      extendEnv: false,
      input: wish.input ?? '',
    })

  test('commands run through the jump host, with input, output, errors and exit code, and are logged (S1, S14)', async () => {
    expect(await ssh('zpool list -H -p -o name,guid,health')).toMatchObject({ exitCode: 0, stdout: `pool0\t${guid}\tONLINE\n` })
    expect(await ssh('cat; foo', { input: 'from here\n' })).toMatchObject({ exitCode: 127, stdout: 'from here\n', stderr: 'sh: 1: foo: not found\n' })
    expect(world.requests.map(({ door, method, path, status, writes }) => ({ door, method, path, status, writes }))).toEqual([
      { door: 'ssh', method: 'EXEC', path: 'zpool list -H -p -o name,guid,health', status: 0, writes: false },
      { door: 'ssh', method: 'EXEC', path: 'cat; foo', status: 127, writes: true },
    ])
  })

  test('a large input and output come through whole', async () => {
    const input = 'a line of some length\n'.repeat(30_000)
    expect((await ssh('cat', { input })).stdout).toBe(input)
  })

  test('each network leads to its own machine, though the address is the same (S1)', async () => {
    const second = addSecond(world)
    expect(second.address).toBe(host.address)
    expect((await ssh('hostname')).stdout).toBe('nfsserver\n')
    expect((await ssh('hostname', { to: second })).stdout).toBe('nfs2\n')
  })

  test('another host key, another user, another key: nobody gets in (S2)', async () => {
    expect(await ssh('true', { knownKey: makeSshKey('wrong').public })).toMatchObject({ exitCode: 255, stderr: expect.stringMatching(/host key verification failed/i) as string })
    expect(await ssh('true', { user: 'root' })).toMatchObject({ exitCode: 255, stderr: expect.stringMatching(/permission denied/i) as string })
    expect(await ssh('true', { key: 'other' })).toMatchObject({ exitCode: 255, stderr: expect.stringMatching(/permission denied/i) as string })
    expect(world.requests).toEqual([])
  })

  test('a machine that is off, dead, or of no such network cannot be reached (S1, S3)', async () => {
    expect(await ssh('true', { network: newNetwork })).toMatchObject({ exitCode: 255 })
    host.answers = false
    expect(await ssh('true')).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('stdio forwarding failed') as string })
    host.answers = true
    host.sshFromMs = clock.nowMs() + 3_600_000
    expect(await ssh('true')).toMatchObject({ exitCode: 255 })
    host.sshFromMs = clock.nowMs()
    expect(await ssh('true')).toMatchObject({ exitCode: 0 })
  })

  test('a machine whose security group forgets the operators’ side does not answer, though it is up (A39)', async () => {
    const guard = [...world.resources.values()].find(({ name }) => name === 'aks-agentpool-nsg')
    const rule = (access: string): unknown => ({
      name: 'ssh',
      properties: { priority: 100, access, direction: 'Inbound', protocol: 'Tcp', sourceAddressPrefix: '10.250.0.0/24', destinationPortRange: '22' },
    })
    guard!.properties['securityRules'] = [rule('Deny')]
    expect(await ssh('true')).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('stdio forwarding failed') as string })
    guard!.properties['securityRules'] = [rule('Allow')]
    expect(await ssh('true')).toMatchObject({ exitCode: 0 })
  })

  test('a command goes on when its connection breaks, and keeps its lock (S4)', async () => {
    await ssh('sudo -n systemctl stop nfs-server')
    world.spec.durations['zpool export'] = 240_000
    const cut = ssh('sudo -n flock -w 600 /run/lock/x.lock zpool export pool0')
    await began(world, 'zpool export')
    cut.kill('SIGKILL')
    await cut
    expect((await ssh('zpool list -H -o name')).stdout).toBe('pool0\n')
    expect(await ssh('sudo -n flock -w 600 /run/lock/x.lock zpool list -H -o name')).toMatchObject({ exitCode: 0, stdout: '' })
    expect(pool0(world).exported).toBe(true)
  })

  test('a connection that breaks by itself ends the client, and not the command (S4)', async () => {
    await ssh('sudo -n systemctl stop nfs-server')
    world.spec.durations['zpool export'] = 240_000
    world.sshBreaks = () => {
      world.sshBreaks = () => undefined
      return 1000
    }
    expect((await ssh('sudo -n zpool export pool0')).exitCode).toBe(255)
    // A naive client takes it for failed: it is still being exported.
    expect((await ssh('zpool list -H -o name')).stdout).toBe('pool0\n')
    while (!pool0(world).exported) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  test('a machine that goes down takes its connections with it (S3)', async () => {
    world.spec.durations['zpool export'] = 3_600_000
    await ssh('sudo -n systemctl stop nfs-server')
    const cut = ssh('sudo -n zpool export pool0')
    await began(world, 'zpool export')
    switchOff(host, pool0(world))
    world.changed()
    expect((await cut).exitCode).toBe(255)
  })
})

const pool0 = (world: World): Pool => only(world.pools)

/** Until the world has begun an operation of that kind. */
async function began(world: World, what: string): Promise<void> {
  while (!world.operations.some((one) => one.what === what)) await new Promise((resolve) => setTimeout(resolve, 10))
}
