import { LifeboatError } from '../../contract/index.js'
import type { Cloud } from '../cloud/schema.js'

/** Where a machine is, read through the control plane. */
export interface HostFacts {
  /** Azure's own unique id of the machine: the name under which its host key is known. */
  readonly vmId: string
  readonly network: string
  readonly address: string
  /** Its public address, if it has one: by it goes who goes there directly. */
  readonly publicAddress?: string
  /** Lines of `ssh_host_*_key.pub`, read by runCommand. */
  readonly hostKeys: readonly string[]
}

export interface Login {
  readonly user: string
  /** Path of the private key. */
  readonly key: string
}

export type SshWay = Cloud['reach']['ssh'][number]

export interface ConfigFacts {
  readonly host: HostFacts
  readonly login: Login
  readonly via: SshWay['via']
  /** Private key for the jump host; the login's own if absent. */
  readonly jumpKey: string | undefined
  /** Where the known hosts will stand. */
  readonly knownHosts: string
}

/** The name under which the config file knows the machine. */
export const machineAlias = 'machine'

/**
 * All that ssh gets: no agent, no other keys, no other configuration, and a host is believed only if it shows the key that
 * was read for this very machine (design §9). ProxyJump hands the same file on to the ssh that goes to the jump host, which
 * options on the command line would not reach (facts/helm-wire).
 */
export function sshConfig({ host, login, via, jumpKey, knownHosts }: ConfigFacts): string {
  const machine = [
    `Host ${machineAlias}`,
    `  HostName ${plain(via === 'direct' ? (host.publicAddress ?? host.address) : host.address)}`,
    `  HostKeyAlias ${plain(host.vmId)}`,
    `  User ${plain(login.user)}`,
    `  IdentityFile ${path(login.key)}`,
  ]
  const common = [
    'Host *',
    `  UserKnownHostsFile ${path(knownHosts)}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    '  PreferredAuthentications publickey',
    '  BatchMode yes',
    '  ForwardAgent no',
    '  ConnectTimeout 20',
    '  ServerAliveInterval 15',
    '  ServerAliveCountMax 4',
    '  ControlMaster no',
    '  ControlPath none',
    '  LogLevel ERROR',
  ]
  return `${[...machine, ...jumpLines(via, login, jumpKey), ...common].join('\n')}\n`
}

function jumpLines(via: SshWay['via'], login: Login, jumpKey: string | undefined): string[] {
  if (via === 'direct') return []
  const { host, port, user } = via.jump
  return [
    '  ProxyJump jump',
    'Host jump',
    `  HostName ${plain(host)}`,
    `  Port ${port}`,
    '  HostKeyAlias jump',
    `  User ${plain(user)}`,
    `  IdentityFile ${path(jumpKey ?? login.key)}`,
  ]
}

export function knownHosts(host: HostFacts, via: SshWay['via']): string {
  const lines = host.hostKeys.map((line) => `${plain(host.vmId)} ${keyOf(line)}`)
  if (via !== 'direct') lines.push(`jump ${keyOf(via.jump.hostKey)}`)
  return `${lines.join('\n')}\n`
}

/** The way into a network. Throws `ssh.no-way`. */
export function wayInto(network: string, ways: readonly SshWay[]): SshWay {
  const way = ways.find((one) => one.network.toLowerCase() === network.toLowerCase())
  if (way !== undefined) return way
  throw new LifeboatError('ssh.no-way', `the cloud file names no way by SSH into the network ${network}`, {
    blame: 'user',
    hint: 'Add it under reach.ssh: a jump host in that network, or `direct`.',
  })
}

/** Type and key, without the comment. */
function keyOf(line: string): string {
  const [type = '', key = ''] = line.trim().split(/\s+/)
  if (/^(ssh|ecdsa|sk)-[a-z0-9@.-]+$/.test(type) && /^[A-Za-z0-9+/]+=*$/.test(key)) return `${type} ${key}`
  throw new LifeboatError('ssh.host-key', `this is no public key of a host: ${line.trim().slice(0, 60)}`, { blame: 'user' })
}

/** A word of the config file: one that would be read as more than one word, or as a pattern, is refused. */
function plain(word: string): string {
  if (/^[A-Za-z0-9_.:@-]+$/.test(word) && !word.startsWith('-')) return word
  throw unusable(word)
}

/** A path, quoted; `%` begins a token in these. */
function path(word: string): string {
  if (/["\\\p{Cc}]/u.test(word)) throw unusable(word)
  return `"${word.replaceAll('%', '%%')}"`
}

function unusable(word: string): LifeboatError {
  return new LifeboatError('ssh.config', `ssh cannot be told of ${JSON.stringify(word)}`, {
    blame: 'user',
    hint: 'Users, hosts and addresses are single words; paths have no quotes and no backslashes.',
  })
}
