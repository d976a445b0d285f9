import type { Host } from './model.js'

export interface ShellResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a shell script as root on a machine's operating system. The SSH room puts its own into `world.shell`. */
export type Shell = (machineId: string, script: string) => Promise<ShellResult>

/** What a world without the SSH room knows: reading the host keys of a machine. */
export function basicShell(hostOf: (machineId: string) => Host | undefined): Shell {
  return (machineId, script) => Promise.resolve(answer(hostOf(machineId), script))
}

function answer(host: Host | undefined, script: string): ShellResult {
  if (!host) return { exitCode: 255, stdout: '', stderr: 'no operating system' }
  const lines = script.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  const output: string[] = []
  for (const line of lines) {
    if (/^cat .*\/etc\/ssh\/ssh_host_\S*key\.pub/.test(line)) output.push(host.hostKey.public)
    else if (line.startsWith('echo ')) output.push(line.slice(5).replace(/^(['"])(.*)\1$/, '$2'))
    else return { exitCode: 127, stdout: output.join('\n'), stderr: `sh: ${line.split(' ')[0] ?? ''}: not found` }
  }
  return { exitCode: 0, stdout: output.map((line) => `${line}\n`).join(''), stderr: '' }
}

const readers = new Set([
  'cat', 'echo', 'printf', 'ls', 'test', '[', 'true', 'false', 'stat', 'head', 'tail', 'grep', 'sed', 'awk', 'sort', 'wc', 'cut', 'tr',
  'hostname', 'uname', 'id', 'whoami', 'date', 'uptime', 'df', 'lsblk', 'blkid', 'findmnt', 'readlink', 'lsmod', 'modinfo', 'ps', 'set',
  'exit', 'command', 'which', 'if', 'then', 'else', 'fi', 'for', 'do', 'done', 'showmount',
])
const readingVerbs: Readonly<Record<string, RegExp>> = {
  zpool: /^(list|status|get|history|version|iostat)$/,
  zfs: /^(list|get|version|holds)$/,
  systemctl: /^(is-active|is-enabled|is-failed|status|show|list-units|cat)$/,
  exportfs: /^(-v|-s)$/,
  'cloud-init': /^status$/,
  dpkg: /^(-l|-s|--list|--status)$/,
}

/** The world's judgement of a script: does every command in it only read? A command that is not known counts as writing. */
export function onlyReads(script: string): boolean {
  const quiet = script.replace(/\d?>\s*\/dev\/null|\d?>&\d/g, ' ')
  if (/>|`/.test(quiet.replace(/'[^']*'|"[^"$]*"/g, "''"))) return false
  const commands = quiet
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .flatMap((line) => line.split(/&&|\|\||[;|&]|\$\(|[(){}]/))
  return commands.every((command) => readsOne(command.trim().split(/\s+/).filter((word) => word !== '')))
}

function readsOne(words: readonly string[]): boolean {
  const rest = words[0] === 'sudo' ? words.slice(words[1] === '-n' ? 2 : 1) : words
  const [name, ...args] = rest
  if (name === undefined || /^\w+=/.test(name)) return true
  const program = name.split('/').at(-1) ?? name
  if (program === 'sed' && args.some((arg) => arg.startsWith('-i'))) return false
  if (program === 'zpool' && args[0] === 'import') return args.every((arg, at) => at === 0 || arg.startsWith('-') || arg.startsWith('/'))
    && !args.some((arg) => /^-[aFfN]/.test(arg))
  if (program === 'zpool' && args[0] === 'upgrade') return args.length === 2 && args[1] === '-v'
  const verbs = readingVerbs[program]
  if (verbs) return args[0] === undefined ? program === 'exportfs' : verbs.test(args[0])
  return readers.has(program)
}
