import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { loadCloud } from '../../src/platform/cloud/load.js'
import type { HostFacts } from '../../src/platform/ssh/config.js'
import { hostLock, openSsh } from '../../src/platform/ssh/ssh.js'
import { makeSshKey } from '../../src/sim/world/keys.js'
import { execFor, RecordedChildren } from '../helpers/doors.js'
import { served, worldRequests, type Served } from '../helpers/served.js'
import { subscription } from '../helpers/steps.js'

const group = `/subscriptions/${subscription}/resourceGroups/MC_data100-19s_data100-19s_westus2`
const machine = `${group}/providers/Microsoft.Compute/virtualMachines/nfsserver`
const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
  promise.then(
    () => new LifeboatError('none', ''),
    (error: unknown) => (error instanceof LifeboatError ? error : new LifeboatError('unexpected', String(error))),
  )

describe('the real ssh, through a jump host, to a server of the world', () => {
  let world: Served & AsyncDisposable
  beforeEach(async () => {
    world = await served()
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const host = () => world.world.host(machine)!
  const executed = async () => (await worldRequests(world)).filter(({ door }) => door === 'ssh').map(({ path }) => path)

  /** The door, with what the control plane would say of the host, or something else. */
  async function open(change: Partial<HostFacts> = {}, children = new RecordedChildren(), path = process.env['PATH'] ?? '') {
    const cloud = await loadCloud(world.cloudPath)
    const { exec, secrets } = execFor(children, clockOf(cloud))
    const { network, address, hostId, hostKey } = host()
    const facts = { vmId: hostId, network, address, hostKeys: [hostKey.public], ...change }
    const key = cloud.env?.['LIFEBOAT_SSH_KEY'] as string
    return {
      ssh: openSsh({ exec, clock: clockOf(cloud), reach: cloud.reach, secrets, path, facts: async () => facts }),
      at: { machine, user: 'hubadmin', key },
      children,
    }
  }

  it('hands words over as they are, and answers with exit code and both outputs', async () => {
    const { ssh, at } = await open()
    const words = ['printf', '%s|', "it's", '$HOME', 'a  b', '*', '']
    expect(await ssh.read(at, words)).toEqual({ exitCode: 0, stdout: "it's|$HOME|a  b|*||", stderr: '' })
    expect(await ssh.read(at, ['cat', '/no/such/file'])).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('sends nothing to a host that shows another key than the one that was read for it', async () => {
    const { ssh, at } = await open({ hostKeys: [makeSshKey('another').public] })
    const error = await failure(ssh.read(at, ['systemctl', 'is-active', 'nfs-server']))
    expect([error.code, error.retry]).toEqual(['ssh.host-key', undefined])
    expect(await executed()).toEqual([])
  })

  it('is not let in with a key that the server does not know', async () => {
    const { ssh, at } = await open()
    const error = await failure(ssh.read({ ...at, user: 'somebody' }, ['true']))
    expect(error.code).toBe('ssh.denied')
  })

  it('cannot reach a host that does not answer; that is worth another try', async () => {
    const { ssh, at } = await open()
    host().answers = false
    expect(await failure(ssh.read(at, ['true']))).toMatchObject({ code: 'ssh.unreachable', retry: {} })
    expect(await failure(ssh.write(at, [['true']]))).toMatchObject({ code: 'ssh.unreachable', retry: {} })
  })

  it('says so when the cloud file has no way into that network', async () => {
    const { ssh, at } = await open({ network: '/another' })
    expect((await failure(ssh.read(at, ['true']))).code).toBe('ssh.no-way')
  })

  it('says so when there is no ssh', async () => {
    const { ssh, at } = await open({}, new RecordedChildren(), '/nowhere')
    expect((await failure(ssh.read(at, ['true']))).code).toBe('ssh.missing')
  })

  it('writes as root under the host’s lock, journaled as a child to await', async () => {
    const { ssh, at, children } = await open()
    const result = await ssh.write(at, [['tee', '/etc/exports']], { input: '# mine\n' })
    expect(result).toMatchObject({ exitCode: 0, stdout: '# mine\n' })
    expect(await executed()).toEqual([expect.stringMatching(`^sudo -n flock -w \\d+ ${hostLock} tee `)])
    expect(children.startedOnes).toMatchObject([{ survivor: 'await' }])
    expect(children.endedOnes).toMatchObject([{ exitCode: 0 }])
  })

  it('does not write while another command holds the lock, and can try again', async () => {
    const { ssh, at } = await open()
    host().locks.set(hostLock, { held: true, waiting: [] })
    expect(await failure(ssh.write(at, [['tee', '/etc/mine']], { input: 'x' }))).toMatchObject({ code: 'ssh.locked', retry: {} })
    expect(host().files.has('/etc/mine')).toBe(false)
  })

  it('cannot tell what became of a command when the connection breaks in the middle', async () => {
    const { ssh, at } = await open()
    host().locks.set(hostLock, { held: true, waiting: [] })
    const broken = failure(ssh.write(at, [['tee', '/etc/mine']], { input: 'x' }))
    while (host().locks.get(hostLock)?.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
    host().answers = false
    world.world.changed()
    expect(await broken).toMatchObject({ code: 'ssh.interrupted', retry: {} })
  })

  it('is not confused by several commands at once', async () => {
    const { ssh, at } = await open()
    const said = await Promise.all(['a', 'b', 'c'].map((word) => ssh.read(at, ['echo', word])))
    expect(said.map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n', 'c\n'])
  })
})
