import { readFileSync } from 'node:fs'

/** What a config file says of one alias: of each option the first that fits, names in lower case (ssh_config(5)). */
export function optionsFor(text: string, alias: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  let applies = true
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? []
    if (name.toLowerCase() === 'host') applies = value.split(/\s+/).some((pattern) => pattern === alias || pattern === '*')
    else if (name !== '' && applies && !options.has(name.toLowerCase())) options.set(name.toLowerCase(), unquoted(value))
  }
  return options
}

/** `%` begins a token in paths; of these only `%%` is played. */
function unquoted(value: string): string {
  return value.replace(/^"(.*)"$/, '$1').replaceAll('%%', '%')
}

/** Type and key of a public line, or of a line of known hosts behind its name. */
export function keyOf(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(' ')
}

interface Shown {
  /** What the host is called in the file. */
  readonly alias: string
  readonly hostKey: string
  readonly file: string
}

/** What ssh says of a host key that is not the one it knows, or that it does not know; undefined if it is the one. */
export function whyNotBelieved({ alias, hostKey, file }: Shown): string | undefined {
  const [type = ''] = hostKey.split(' ')
  const kind = type === 'ssh-ed25519' ? 'ED25519' : type.toUpperCase()
  const known = textOf(file).split('\n').map((line, at) => ({ at: at + 1, words: line.trim().split(/\s+/) }))
  const ofHost = known.filter(({ words }) => words[0] === alias && words[1] === type)
  if (ofHost.some(({ words }) => words.slice(1).join(' ') === hostKey)) return undefined
  const last = 'Host key verification failed.'
  const [offending] = ofHost
  if (offending === undefined) return `No ${kind} host key is known for ${alias} and you have requested strict checking.\n${last}`
  return [
    ...framed('WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!'),
    'IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!',
    'Someone could be eavesdropping on you right now (man-in-the-middle attack)!',
    'It is also possible that a host key has just been changed.',
    'Please contact your system administrator.',
    `Add correct host key in ${file} to get rid of this message.`,
    `Offending ${kind} key in ${file}:${offending.at}`,
    `Host key for ${alias} has changed and you have requested strict checking.`,
    last,
  ].join('\n')
}

function framed(text: string): string[] {
  const line = '@'.repeat(59)
  return [line, `@    ${text}     @`, line]
}

/** A file that cannot be read is an empty one to ssh. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
