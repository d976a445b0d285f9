import { LifeboatError, type Clock, type CommandWrite } from '../../contract/index.js'
import type { Cloud } from '../cloud/schema.js'
import type { Exec, Finished } from '../exec/exec.js'
import { verbsOf } from '../exec/verbs.js'
import { assertPrivate } from '../files/private.js'
import { machineAlias, wayInto, type HostFacts, type SshWay } from './config.js'
import { hostLock, type SshDoor, type SshHost, type SshOptions, type SshResult } from './door.js'
import { interrupted, locked, missingSsh, sshError, sudoRefusal } from './errors.js'
import { SshFiles } from './files.js'
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
  /** Those of all steps, so that each is written once; their own if absent. */
  readonly files?: SshFiles
}

/** Real programs get at least this long, whatever the run's clock does (design §5). */
const leastRealMs = 60_000
const defaultTimeoutMs = 10 * 60_000

/** The real OpenSSH client as a door. */
export function openSsh(options: OpenSshOptions): SshDoor {
  const { exec, clock, facts, reach } = options
  const files = options.files ?? new SshFiles(options)
  const realMs = (wish: SshOptions): number => Math.max(leastRealMs, clock.toReal(wish.timeoutMs ?? defaultTimeoutMs))

  async function run(host: SshHost, words: readonly string[], wish: SshOptions, writes?: readonly CommandWrite[]): Promise<Finished> {
    const file = await clientOf(files)
    await assertPrivate(host.key)
    const about = await facts(host.machine)
    const { via } = wayInto(about.network, reach.ssh)
    const config = await files.configFor({ host: about, login: host, via, jumpKey: jumpKeyOf(via) })
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
      const file = await clientOf(files)
      await assertPrivate(jumpKeyOf(via) ?? login.key)
      const host = { vmId: 'none', network, address: loopback, hostKeys: [] }
      const config = await files.configFor({ host, login, via, jumpKey: jumpKeyOf(via) })
      // Its own port: something that is there, and that takes a jump host no time to refuse.
      const args = ['-F', config, '-T', '-W', `${loopback}:22`, 'jump']
      const name = `the jump host ${via.jump.host}:${via.jump.port}`
      const result = await exec.run({ file, args, env: { HOME: options.secrets }, timeoutMs: leastRealMs, say: `ssh to ${name}` })
      if (result.exitCode === 255 && !letIn(result.stderr)) throw sshError(name, result, false)
    },
    async version() {
      const file = await clientOf(files)
      const { stderr, stdout } = await exec.run({ file, args: ['-V'], env: {}, timeoutMs: leastRealMs })
      return { path: file, version: /OpenSSH\w*_(\d+\.\d+)/.exec(stderr + stdout)?.[1] ?? '' }
    },
  }
}

const loopback = '127.0.0.1'

async function clientOf(files: SshFiles): Promise<string> {
  const file = await files.client()
  if (file === undefined) throw missingSsh()
  return file
}

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

function jumpKeyOf(via: SshWay['via']): string | undefined {
  if (via === 'direct' || via.jump.identity === undefined) return undefined
  if ('file' in via.jump.identity) return via.jump.identity.file
  throw new LifeboatError('ssh.config', `the key for the jump host ${via.jump.host} must be given as a file`, {
    blame: 'user',
    hint: 'Write `identity: { file: … }` in the cloud file: ssh reads keys from files only.',
  })
}
