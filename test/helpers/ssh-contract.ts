import { expect, it } from 'vitest'
import { LifeboatError, type Clock } from '../../src/contract/index.js'
import type { Cloud } from '../../src/platform/cloud/schema.js'
import type { Exec } from '../../src/platform/exec/exec.js'
import type { HostFacts } from '../../src/platform/ssh/config.js'
import { hostLock } from '../../src/platform/ssh/door.js'
import { openSsh } from '../../src/platform/ssh/ssh.js'
import { makeSshKey } from '../../src/sim/world/keys.js'
import type { World } from '../../src/sim/world/world.js'
import { RecordedChildren } from './doors.js'
import { switchOff } from './hosts.js'
import { subscription } from './steps.js'

/** The ssh client with which somebody goes into the world of data100: the real one over sockets, or the model in this process. */
export interface SshUnderTest {
  readonly world: World
  readonly cloud: Cloud
  readonly clock: Clock
  readonly execFor: (children: RecordedChildren) => { readonly exec: Exec; readonly secrets: string }
  /** The work's end; whatever time it takes passes. */
  settled<T>(work: Promise<T>): Promise<T>
  /** Until something holds in the world. */
  until(holds: () => boolean): Promise<void>
  /** SIGKILL to a child. */
  kill(pid: number): void
}

const group = `/subscriptions/${subscription}/resourceGroups/MC_data100-19s_data100-19s_westus2`
const machine = `${group}/providers/Microsoft.Compute/virtualMachines/nfsserver`
const network = `${group}/providers/Microsoft.Network/virtualNetworks/aks-vnet`

/** What the door makes of an ssh client, whichever it is. */
export function itGoesIntoHosts(under: () => SshUnderTest): void {
  const host = () => under().world.host(machine)!
  const executed = () => under().world.requests.filter(({ door }) => door === 'ssh').map(({ path }) => path)
  const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
    under().settled(
      promise.then(
        () => new LifeboatError('none', ''),
        (error: unknown) => (error instanceof LifeboatError ? error : new LifeboatError('unexpected', String(error))),
      ),
    )

  /** The door, with what the control plane would say of the host, or something else. */
  function open(change: Partial<HostFacts> = {}, children = new RecordedChildren(), path = process.env['PATH'] ?? '') {
    const { cloud, clock, execFor } = under()
    const { exec, secrets } = execFor(children)
    const { address, hostId, hostKey } = host()
    const facts = { vmId: hostId, network, address, hostKeys: [hostKey.public], ...change }
    const key = cloud.env?.['LIFEBOAT_SSH_KEY'] as string
    return {
      ssh: openSsh({ exec, clock, reach: cloud.reach, secrets, path, facts: async () => facts }),
      at: { machine, user: 'hubadmin', key },
      children,
    }
  }

  it('hands words over as they are, and answers with exit code and both outputs', async () => {
    const { ssh, at } = open()
    const words = ['printf', '%s|', "it's", '$HOME', 'a  b', '*', '']
    expect(await under().settled(ssh.read(at, words))).toEqual({ exitCode: 0, stdout: "it's|$HOME|a  b|*||", stderr: '' })
    expect(await under().settled(ssh.read(at, ['cat', '/no/such/file']))).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('carries a large input and output whole', async () => {
    const { ssh, at } = open()
    const input = 'a line of some length\n'.repeat(30_000)
    expect((await under().settled(ssh.read(at, ['cat'], { input }))).stdout).toBe(input)
  })

  it('sends nothing to a host that shows another key than the one that was read for it, or one that nobody read', async () => {
    for (const hostKeys of [[makeSshKey('another').public], []]) {
      const { ssh, at } = open({ hostKeys })
      const error = await failure(ssh.read(at, ['systemctl', 'is-active', 'nfs-server']))
      expect([error.code, error.retry]).toEqual(['ssh.host-key', undefined])
    }
    expect(executed()).toEqual([])
  })

  it('is not let in with a key or a user that the server does not know', async () => {
    const { ssh, at } = open()
    expect((await failure(ssh.read({ ...at, user: 'somebody' }, ['true']))).code).toBe('ssh.denied')
    expect(executed()).toEqual([])
  })

  it('cannot reach a host that does not answer; that is worth another try', async () => {
    const { ssh, at } = open()
    host().answers = false
    expect(await failure(ssh.read(at, ['true']))).toMatchObject({ code: 'ssh.unreachable', retry: {} })
    expect(await failure(ssh.write(at, [['true']]))).toMatchObject({ code: 'ssh.unreachable', retry: {} })
  })

  it('cannot reach a host that is not there, nor one that has no server yet', async () => {
    const { ssh, at } = open({ address: '10.240.0.99' })
    expect(await failure(ssh.read(at, ['true']))).toMatchObject({ code: 'ssh.unreachable' })
    host().sshFromMs = under().world.clock.nowMs() + 24 * 3_600_000
    expect(await failure(open().ssh.read(at, ['true']))).toMatchObject({ code: 'ssh.unreachable' })
  })

  it('tries a jump host without going further', async () => {
    const { ssh, at } = open()
    await under().settled(ssh.tryJump(network, at))
    expect(executed()).toEqual([])
  })

  it('says so when the cloud file has no way into that network', async () => {
    const { ssh, at } = open({ network: '/another' })
    expect((await failure(ssh.read(at, ['true']))).code).toBe('ssh.no-way')
  })

  it('says so when there is no ssh', async () => {
    const { ssh, at } = open({}, new RecordedChildren(), '/nowhere')
    expect((await failure(ssh.read(at, ['true']))).code).toBe('ssh.missing')
  })

  it('tells its version', async () => {
    expect((await under().settled(open().ssh.version())).version).toMatch(/^\d+\.\d+$/)
  })

  it('writes as root under the host’s lock, journaled as a child to await', async () => {
    const { ssh, at, children } = open()
    const result = await under().settled(ssh.write(at, [['tee', '/etc/exports']], { input: '# mine\n' }))
    expect(result).toMatchObject({ exitCode: 0, stdout: '# mine\n' })
    expect(executed()).toEqual([expect.stringMatching(`^sudo -n flock -w \\d+ ${hostLock} tee `)])
    expect(children.startedOnes).toMatchObject([{ survivor: 'await' }])
    expect(children.endedOnes).toMatchObject([{ exitCode: 0 }])
  })

  it('does not write while another command holds the lock, and can try again', async () => {
    const { ssh, at } = open()
    host().locks.set(hostLock, { held: true, sharers: 0, waiting: [] })
    expect(await failure(ssh.write(at, [['tee', '/etc/mine']], { input: 'x' }))).toMatchObject({ code: 'ssh.locked', retry: {} })
    expect(host().files.has('/etc/mine')).toBe(false)
  })

  it('cannot tell what became of a command when the connection breaks in the middle', async () => {
    const { ssh, at } = open()
    host().locks.set(hostLock, { held: true, sharers: 0, waiting: [] })
    const broken = ssh.write(at, [['tee', '/etc/mine']], { input: 'x' })
    broken.catch(() => undefined)
    await under().until(() => (host().locks.get(hostLock)?.waiting.length ?? 0) > 0)
    host().answers = false
    under().world.changed()
    expect(await failure(broken)).toMatchObject({ code: 'ssh.interrupted', retry: {} })
  })

  it('killed in the middle leaves the command at work on the host', async () => {
    const { ssh, at, children } = open()
    host().locks.set(hostLock, { held: true, sharers: 0, waiting: [] })
    // Time passes in one place only: whoever waits for the end would have the lock time out meanwhile.
    const killed = ssh.write(at, [['tee', '/etc/mine']], { input: 'x' })
    killed.catch(() => undefined)
    await under().until(() => (host().locks.get(hostLock)?.waiting.length ?? 0) > 0)
    under().kill(children.startedOnes[0]!.pid)
    expect((await failure(killed)).code).toBe('ssh.interrupted')
    expect(executed()).toEqual([])
    host().locks.get(hostLock)!.waiting[0]!.goOn()
    await under().until(() => executed().length > 0)
    expect(host().files.has('/etc/mine')).toBe(true)
  })

  it('hears no more of a machine that goes down', async () => {
    const { ssh, at } = open()
    await under().settled(ssh.write(at, [['systemctl', 'stop', 'nfs-server']]))
    under().world.spec.durations['zpool export'] = 24 * 3_600_000
    const cut = ssh.write(at, [['zpool', 'export', 'pool0']])
    cut.catch(() => undefined)
    await under().until(() => under().world.operations.some(({ what }) => what === 'zpool export'))
    switchOff(host(), under().world.pools[0]!)
    under().world.changed()
    expect((await failure(cut)).code).toBe('ssh.interrupted')
  })

  it('is not confused by several commands at once', async () => {
    const { ssh, at } = open()
    const said = await under().settled(Promise.all(['a', 'b', 'c'].map((word) => ssh.read(at, ['echo', word]))))
    expect(said.map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n', 'c\n'])
  })
}
