import { sayWrite, type Write } from '../../src/contract/index.js'
import { changes } from '../../src/sim/hosts/judge.js'
import { parseScript } from '../../src/sim/hosts/parse.js'

interface Seen {
  readonly door?: string
  readonly method: string
  readonly path: string
  readonly writes: boolean
}

/**
 * What a world has judged to be writes, in the words of predictions: taken from the world's own log by the world's own
 * parser of scripts, and from nothing that this tool has logged. On which host a command ran the world's log does not say; of
 * helm it sees what was written in which namespace.
 */
export function worldWrites(requests: readonly Seen[]): readonly Write[] {
  return requests.filter(({ writes }) => writes).flatMap(writesOf)
}

/** Each once, however often it was sent. */
export function once(all: readonly Write[]): readonly Write[] {
  return [...new Map(all.map((write) => [sayWrite(write).toLowerCase(), write])).values()]
}

function writesOf({ door, method, path }: Seen): readonly Write[] {
  if (method === 'EXEC') return verbsIn(path).map((command) => ({ command }))
  if (door === 'arm') return [{ method, path: path.replace(/^\/subscriptions\/[^/]+\//i, '') }]
  const namespace = /\/namespaces\/([^/]+)/.exec(path)?.[1]
  // What belongs to no namespace comes with what does.
  return namespace === undefined ? [] : [{ command: 'kube', on: namespace }]
}

/** A prediction in as many words as a world has. */
export function asWorldSees(write: Write): Write {
  if ('method' in write) return write
  const [program = ''] = write.command.split(' ')
  if (program === 'helm' || program === 'kubectl') return { command: 'kube', on: write.on?.split('/')[0] ?? '' }
  return { command: write.command }
}

const ofMany = /^(zpool|zfs|systemctl)$/

/** `zpool import` and `zfs mount` of a script, without what only reads. */
function verbsIn(line: string): string[] {
  return parseScript(line).flatMap(({ commands }) => commands.flatMap(({ words }) => verbOf(words.map(({ text }) => text))))
}

function verbOf(words: readonly string[]): string[] {
  const [name = '', ...rest] = words
  if (name === 'sudo') return verbOf(rest.filter((word) => word !== '-n'))
  if (name === 'flock') return verbOf(rest.slice(rest.findIndex((word) => word.startsWith('/')) + 1))
  if (name === 'sh' && rest[0] === '-c') return verbsIn(rest[1] ?? '')
  if (!changes(words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' '))) return []
  return [ofMany.test(name) ? `${name} ${rest.find((word) => !word.startsWith('-')) ?? ''}` : name]
}
