import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadCloud } from '../../src/platform/cloud/load.js'
import { importedPools, mountedDatasets, mountPool } from '../../src/platform/host/pools.js'
import { exportTable, nfsState } from '../../src/platform/host/nfs.js'
import { ask } from '../../src/platform/host/ask.js'
import { itAnswersAsHostsDo } from '../helpers/host-contract.js'
import { inTheLab, labWorld, oldServer, sshTo, type LabWorld } from '../helpers/lab.js'
import { worldState } from '../helpers/served.js'

inTheLab("the world's old server, as a real machine", { shuffle: false }, () => {
  let world: LabWorld
  let config: string
  beforeAll(async () => {
    world = await labWorld()
    config = await sshConfig(world)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('is a Debian with real ZFS, and answers the same door by SSH as a simulated one', async () => {
    const { host, guid } = await sshTo(world, oldServer)
    const [pools, datasets, nfs, exports] = await ask(host, importedPools, mountedDatasets, nfsState, exportTable)
    expect(pools).toEqual([{ name: 'pool0', guid, health: 'ONLINE' }])
    expect(datasets.map(({ name, mounted }) => [name, mounted])).toEqual([['pool0', true], ['pool0/homes', true]])
    expect([nfs, exports.map(({ path, clients }) => [path, clients])]).toEqual(['active', [['/pool0/homes', '10.0.0.0/8']]])
    expect((await host.ssh.read(host.at, ['cat', '/sys/module/zfs/version'])).stdout).toMatch(/^2\./)
  })

  it("tells the world what it does: the world's state is what the machine says", async () => {
    const state = await worldState(world.served)
    expect(state.pools).toMatchObject([{ name: 'pool0', importedOn: [oldServer] }])
    expect(state.violations).toEqual([])
  })

  it('mounts what can be mounted of a pool, beside a dataset without its key and one that has come by halves', async () => {
    const { host } = await sshTo(world, oldServer)
    await world.on(oldServer, `
      set -e
      truncate -s 300M /var/tmp/other && zpool create other /var/tmp/other
      printf 'password1\\npassword1\\n' | zfs create -o encryption=on -o keyformat=passphrase other/a-vault
      zfs create other/c-homes && head -c 30000000 /dev/urandom > /other/c-homes/x && zfs snapshot other/c-homes@1
      zfs send other/c-homes@1 | head -c 9000000 | zfs receive -s other/b-half || true
      zfs unmount other/a-vault && zfs unload-key other/a-vault && zfs unmount other/c-homes`)
    await mountPool(host, 'other')
    const mounted = await world.on(oldServer, 'zfs list -H -o name,mounted -r other')
    expect(mounted).toBe('other\tyes\nother/a-vault\tno\nother/b-half\tno\nother/c-homes\tyes\n')
    await world.on(oldServer, 'zpool destroy other && rm /var/tmp/other')
  })

  // Last: it lets the pool go and takes it back.
  itAnswersAsHostsDo(() => ({
    async run(line, input = '') {
      const { exitCode = 255, stdout, stderr } = await execa('ssh', ['-F', config, '-T', 'machine', line], { reject: false, stripFinalNewline: false, input })
      return { exitCode, stdout, stderr }
    },
  }))
})

/** As a careful client writes it: own files only, keys known beforehand, through the jump host. */
async function sshConfig({ served, folder }: LabWorld): Promise<string> {
  const cloud = await loadCloud(served.cloudPath)
  const host = served.world.host(oldServer)
  const way = cloud.reach.ssh.find(({ network }) => network === host?.network)
  if (!host || !way || way.via === 'direct') throw new TypeError('no way')
  const { jump } = way.via
  const key = (public_: string): string => public_.split(' ').slice(0, 2).join(' ')
  writeFileSync(join(folder, 'known'), `machine ${key(host.hostKey.public)}\njump ${key(jump.hostKey)}\n`)
  const identity = `IdentityFile ${String(cloud.env?.['LIFEBOAT_SSH_KEY'])}`
  const lines = [
    'Host machine', `HostName ${host.address}`, 'HostKeyAlias machine', `User ${host.user}`, identity, 'ProxyJump jump',
    // One connection for all: shaking hands takes an emulated machine seconds.
    'ControlMaster auto', `ControlPath ${join(folder, 'master')}`, 'ControlPersist 60',
    'Host jump', `HostName ${jump.host}`, `Port ${jump.port}`, 'HostKeyAlias jump', `User ${jump.user}`, identity,
    'Host *', `UserKnownHostsFile ${join(folder, 'known')}`, 'GlobalKnownHostsFile /dev/null', 'StrictHostKeyChecking yes', 'IdentitiesOnly yes',
    'IdentityAgent none', 'BatchMode yes', 'LogLevel ERROR',
  ]
  const path = join(folder, 'ssh-config')
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}
