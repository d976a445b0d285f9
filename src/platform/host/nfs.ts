import { LifeboatError } from '../../contract/index.js'
import { ask, type Question } from './ask.js'
import { failed, machineName, unreadable, writeOn, type Host } from './run.js'

/** The unit's own name; `nfs-kernel-server` is Debian's alias for it, which systemctl does not enable. */
const unit = 'nfs-server'

export type ServiceState = 'active' | 'inactive' | 'changing'

/** Throws `host.unreadable` for what systemctl is not known to say. */
export const nfsState: Question<ServiceState> = {
  command: ['systemctl', 'is-active', unit],
  read({ stdout }, { at }) {
    const word = stdout.trim()
    switch (word) {
      case 'active':
      case 'reloading':
        return 'active'
      case 'inactive':
      case 'failed':
      case 'unknown':
        return 'inactive'
      case 'activating':
      case 'deactivating':
        return 'changing'
      default:
        throw unreadable(at, 'systemctl is-active', word)
    }
  },
}

export const stopNfs = (host: Host): Promise<void> => writeOn(host, [['systemctl', 'stop', unit]])
/** Now and at every boot. */
const start = ['systemctl', 'enable', '--now', unit]
export const startNfs = (host: Host): Promise<void> => writeOn(host, [start])

export interface Export {
  readonly path: string
  readonly clients: string
  /** As in exports(5): comma between them. */
  readonly options: string
}

/** What the kernel is told to export now. */
export const exportTable: Question<readonly Export[]> = {
  command: ['sudo', '-n', 'exportfs', '-v'],
  read(result, { at }) {
    if (result.exitCode !== 0) throw failed(at, exportTable.command, result)
    // A long path stands on a line of its own, its clients on the next, behind white space.
    const lines = result.stdout.replace(/\n(?=\s+\S)/g, ' ').split('\n').filter((line) => line.trim() !== '')
    return lines.map((line) => {
      const [, path, clients, options] = /^(\/\S*)\s+(\S+?)\(([^()\s]*)\)\s*$/.exec(line) ?? []
      if (path === undefined || clients === undefined || options === undefined) throw unreadable(at, 'exportfs -v', line)
      return { path, clients: clients === '<world>' ? '*' : clients, options }
    })
  },
}

const exportsFile = '/etc/exports.d/lifeboat.exports'

/** Empty where there is no such file. */
function textOf(file: string): Question<string> {
  const command = ['sudo', '-n', 'cat', file]
  return {
    command,
    read(result, { at }) {
      if (result.exitCode === 0) return result.stdout
      // What is asked in the same breath may miss something, too.
      if (result.stderr.includes(`${file}: No such file`)) return ''
      throw failed(at, command, result)
    },
  }
}

const writtenText = textOf(exportsFile)

/** Only plain lines are understood; others are nobody's twin. */
const linesOf = (text: Question<string>): Question<readonly Export[]> =>
  ({ command: text.command, read: (result, host) => parseExports(text.read(result, host)) })

/** The server's own file, which is the site's and left alone. */
export const ownExports = linesOf(textOf('/etc/exports'))
/** What stands in the file that this tool writes, whether it is exported or not. */
export const writtenExports = linesOf(writtenText)

/** Lines of exports(5): a path and its clients, each with its options. */
export function parseExports(text: string): readonly Export[] {
  return text.replaceAll('\\\n', ' ').split('\n').flatMap((line) => {
    const [path = '', ...clients] = wordsOf(line)
    return clients.flatMap((client) => clientOf(path, client) ?? [])
  })
}

const wordsOf = (line: string): string[] => line.replace(/#.*/, '').trim().split(/\s+/)

function clientOf(path: string, client: string): Export | undefined {
  const [, clients, options] = /^([^()]+)\(([^()]*)\)$/.exec(client) ?? []
  return clients === undefined || options === undefined ? undefined : { path, clients, options }
}

/** The file without these exports; lines that have none of them stay as they are, to the letter. Empty where no export is left. */
export function withoutExports(text: string, gone: readonly Export[]): string {
  const lines = text.split(/(?<!\\)\n/).flatMap((line) => {
    const [path = '', ...clients] = wordsOf(line.replaceAll('\\\n', ' '))
    const left = clients.filter((client) => {
      const one = clientOf(path, client)
      return one === undefined || twinOf(one, gone) === undefined
    })
    if (left.length === clients.length) return [line]
    return left.length === 0 ? [] : [[path, ...left].join(' ')]
  })
  const isEmpty = lines.every((line) => wordsOf(line).join('') === '')
  return isEmpty ? '' : `${lines.join('\n').trimEnd()}\n`
}

/** An export, and where the dataset is mounted that it lies on. */
export interface MountedExport extends Export {
  readonly mountpoint: string
}

/**
 * Never what lies below a mountpoint: after a boot the pool is not imported until somebody says so, the server starts by itself, and users
 * would find an empty folder of the system disk, and write to it. With this option (exports(5)) nobody is served before that is mounted.
 */
function onlyMounted({ path, options, mountpoint }: MountedExport): string {
  if (isOnlyMounted(options)) return options
  return `${options},mountpoint${path === mountpoint ? '' : `=${mountpoint}`}`
}

export const isOnlyMounted = (options: string): boolean => options.split(',').some((one) => /^(mp|mountpoint)(=|$)/.test(one.trim()))

/**
 * Has these served now and after every boot, in place of `before`; other exports of the host are left alone, also those in the file that is
 * written to: another run's, or another step's. What the server's own file exports already is not written again: `exportfs` fails
 * where the same stands twice. Throws `nfs.other-options` where it stands there with other options.
 */
export async function writeExports(host: Host, exports: readonly MountedExport[], before: readonly Export[]): Promise<void> {
  const [own, text] = await ask(host, ownExports, writtenText)
  const clash = otherOptions(host, own, exports)
  if (clash !== undefined) throw clash
  const missing = exports.filter((one) => twinOf(one, own) === undefined)
  const left = withoutExports(text, [...exports, ...before])
  const input = `${left === '' && missing.length > 0 ? '# Written by lifeboat.\n' : left}${missing.map(lineOf).join('')}`
  const write = input === '' ? [['rm', '-f', exportsFile]] : [['mkdir', '-p', '/etc/exports.d'], ['tee', exportsFile]]
  const serve = exports.length === 0 ? [] : [start]
  await writeOn(host, [...write, ['exportfs', '-ra'], ...serve], input === '' ? {} : { input })
}

const lineOf = (one: MountedExport): string => `${one.path} ${one.clients}(${onlyMounted(one)})\n`

export const twinOf = (one: Export, own: readonly Export[]): Export | undefined =>
  own.find(({ path, clients }) => path === one.path && clients === one.clients)

/** `nfs.other-options` where the server's own file (`own`) exports one of these with other options; undefined where it does not. */
export function otherOptions({ at }: Host, own: readonly Export[], exports: readonly Export[]): LifeboatError | undefined {
  const other = exports.filter((one) => !sameOptions(one.options, twinOf(one, own)?.options ?? one.options))
  if (other.length === 0) return undefined
  const what = other.map(({ path, clients }) => `${path} to ${clients}`).join(', ')
  return new LifeboatError('nfs.other-options', `/etc/exports on ${machineName(at)} exports ${what} with other options than the runbook's`, {
    blame: 'user',
    hint: 'That file is yours and is left alone. Take the line out of it, or write its options into the runbook.',
  })
}

/** Does `shown` (with all the defaults that exportfs spells out) do what `wanted` says, and nothing else? */
export function sameOptions(wanted: string, shown: string): boolean {
  const [a, b] = [meaningOf(wanted), meaningOf(shown)]
  const facts = new Set([...a.facts.keys(), ...b.facts.keys()])
  return [...facts].every((key) => a.facts.get(key) === b.facts.get(key)) && [...a.others].every((option) => b.others.has(option))
}

/** Pairs of options of which one always holds, the default first: exports(5). */
const pairs: readonly (readonly [string, string])[] = [
  ['ro', 'rw'],
  ['sync', 'async'],
  ['root_squash', 'no_root_squash'],
  ['no_all_squash', 'all_squash'],
  ['secure', 'insecure'],
  ['no_subtree_check', 'subtree_check'],
  ['hide', 'nohide'],
  ['wdelay', 'no_wdelay'],
]
/** Who anonymous is unless said otherwise. */
const nobody: readonly (readonly [string, string])[] = [['anonuid', '65534'], ['anongid', '65534']]

function meaningOf(options: string): { facts: ReadonlyMap<string, string>; others: ReadonlySet<string> } {
  const facts = new Map<string, string>([...pairs.map(([usual]) => [usual, usual] as const), ...nobody])
  const others = new Set<string>()
  for (const option of options.split(',').map((one) => one.trim()).filter((one) => one !== '')) {
    const pair = pairs.find((one) => one.includes(option))
    const [key = '', value] = option.replace(/^mp(?==|$)/, 'mountpoint').split('=')
    if (pair !== undefined) facts.set(pair[0], option)
    else if (value !== undefined && facts.has(key)) facts.set(key, value)
    else others.add(value === undefined ? key : `${key}=${value}`)
  }
  return { facts, others }
}
