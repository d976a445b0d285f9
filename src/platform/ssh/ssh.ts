import { createHash, randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LifeboatError, type Clock, type CommandWrite } from '../../contract/index.js'
import type { Cloud } from '../cloud/schema.js'
import type { Exec, Finished } from '../exec/exec.js'
import { findOnPath } from '../exec/find.js'
import { verbsOf } from '../exec/verbs.js'
import { assertPrivate } from '../files/private.js'
import { knownHosts, machineAlias, sshConfig, wayInto, type HostFacts, type Login, type SshWay } from './config.js'
import type { SshDoor, SshHost, SshOptions, SshResult } from './door.js'
import { interrupted, locked, missingSsh, sshError, sudoRefusal } from './errors.js'
import { inTurn, quoteWords } from './quote.js'

export interface OpenSshOptions {
  readonly exec: Exec
  readonly clock: Clock
  readonly reach: Pick<Cloud['reach'], 'ssh'>
  /** Private folder of the run. */
  readonly secrets: string
  /** PATH on which ssh is looked for. */
  readonly path: string
  /** Address, network and host keys of a machine, by its resource id. */
  readonly facts: (machine: string) => Promise<HostFacts>
}

/** Real programs get at least this long, whatever the run's clock does (design §5). */
const leastRealMs = 60_000
const defaultTimeoutMs = 10 * 60_000
/** The host's own lock: whatever changes the host runs under it, also what outlived an earlier run of ours. */
export const hostLock = '/run/lock/lifeboat.lock'

/** The real OpenSSH client as a door. */
export function openSsh(options: OpenSshOptions): SshDoor {
  const { exec, clock, path, reach } = options
  const realMs = (wish: SshOptions): number => Math.max(leastRealMs, clock.toReal(wish.timeoutMs ?? defaultTimeoutMs))

  async function ssh(): Promise<string> {
    const file = await findOnPath('ssh', path)
    if (file === undefined) throw missingSsh()
    return file
  }

  async function run(host: SshHost, words: readonly string[], wish: SshOptions, writes?: readonly CommandWrite[]): Promise<Finished> {
    const file = await ssh()
    await assertPrivate(host.key)
    const config = await configFor(host, options)
    const line = quoteWords(words)
    const result = await exec.run({
      file,
      args: ['-F', config, '-T', machineAlias, line],
      // Nothing of the operator's home may be read. ssh takes `~` from the password file, so every path in the config is absolute.
      env: { HOME: options.secrets },
      timeoutMs: realMs(wish),
      say: `ssh ${nameOf(host)} ${line}`,
      ...(wish.input === undefined ? {} : { input: wish.input }),
      ...(wish.signal === undefined ? {} : { signal: wish.signal }),
      ...(writes === undefined ? {} : { survivor: 'await' as const, writes }),
    })
    if (result.exitCode === 255) throw sshError(nameOf(host), result, writes !== undefined)
    const refused = sudoRefusal(nameOf(host), result)
    if (refused !== undefined) throw refused
    return result
  }

  return {
    read: (host, command, wish = {}): Promise<SshResult> => run(host, command, wish),
    async write(host, commands, wish = {}): Promise<SshResult> {
      // Less than we wait ourselves, so that it is the lock that gives up, and says so.
      const waitSeconds = String(Math.max(1, Math.floor((realMs(wish) * 0.8) / 1000)))
      try {
        const locking = ['sudo', '-n', 'flock', '-w', waitSeconds, hostLock]
        const result = await run(host, [...locking, ...inTurn(commands)], wish, verbsOf(commands, labelOf(host)))
        // Only flock fails without a word.
        if (result.exitCode === 1 && result.stdout === '' && result.stderr === '') throw locked(nameOf(host))
        return result
      } catch (error) {
        if (!(error instanceof LifeboatError) || !['exec.timeout', 'exec.killed'].includes(error.code)) throw error
        throw interrupted(nameOf(host), error.message)
      }
    },
    networks: () => reach.ssh.map(({ network }) => network),
    async tryJump(network, login) {
      const { via } = wayInto(network, reach.ssh)
      if (via === 'direct') return
      const file = await ssh()
      await assertPrivate(jumpKeyOf(via) ?? login.key)
      const config = await configAt({ vmId: 'none', network, address: loopback, hostKeys: [] }, login, via, options.secrets)
      // Its own port: something that is there, and that takes a jump host no time to refuse.
      const args = ['-F', config, '-T', '-W', `${loopback}:22`, 'jump']
      const name = `the jump host ${via.jump.host}:${via.jump.port}`
      const result = await exec.run({ file, args, env: { HOME: options.secrets }, timeoutMs: leastRealMs, say: `ssh to ${name}` })
      if (result.exitCode === 255 && !letIn(result.stderr)) throw sshError(name, result, false)
    },
    async version() {
      const file = await ssh()
      const { stderr, stdout } = await exec.run({ file, args: ['-V'], env: {}, timeoutMs: leastRealMs })
      return { path: file, version: /OpenSSH\w*_(\d+\.\d+)/.exec(stderr + stdout)?.[1] ?? '' }
    },
  }
}

const loopback = '127.0.0.1'

/** What only one who was let in gets to hear: that the channel he asked for is not opened. */
function letIn(stderr: string): boolean {
  return /open failed|stdio forwarding failed|administratively prohibited/i.test(stderr)
}

/** `GROUP/NAME`: old and new server often bear one name. */
function labelOf(host: SshHost): string {
  return `${/\/resourceGroups\/([^/]+)/i.exec(host.machine)?.[1] ?? '?'}/${nameOf(host)}`
}

function nameOf({ machine }: SshHost): string {
  return machine.split('/').at(-1) ?? machine
}

/**
 * Writes the config file for one host and login, unless it stands there: its folder bears a digest of what it holds, and it
 * comes into place at once, so that commands side by side never read half of it.
 */
async function configFor(login: SshHost, { facts, reach, secrets }: OpenSshOptions): Promise<string> {
  const host = await facts(login.machine)
  return configAt(host, login, wayInto(host.network, reach.ssh).via, secrets)
}

async function configAt(host: HostFacts, login: Login, via: SshWay['via'], secrets: string): Promise<string> {
  const jumpKey = jumpKeyOf(via)
  const known = knownHosts(host, via)
  const digest = createHash('sha256').update(JSON.stringify([host, login, via])).digest('hex').slice(0, 16)
  const folder = join(secrets, `ssh-${digest}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await place(join(folder, 'known_hosts'), known)
  await place(join(folder, 'config'), sshConfig({ host, login, via, jumpKey, knownHosts: join(folder, 'known_hosts') }))
  return join(folder, 'config')
}

async function place(path: string, text: string): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString('hex')}`
  await writeFile(partial, text, { mode: 0o600 })
  await rename(partial, path)
}

function jumpKeyOf(via: SshWay['via']): string | undefined {
  if (via === 'direct' || via.jump.identity === undefined) return undefined
  if ('file' in via.jump.identity) return via.jump.identity.file
  throw new LifeboatError('ssh.config', `the key for the jump host ${via.jump.host} must be given as a file`, {
    blame: 'user',
    hint: 'Write `identity: { file: … }` in the cloud file: ssh reads keys from files only.',
  })
}
