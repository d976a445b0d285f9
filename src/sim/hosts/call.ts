import type { Host } from '../world/model.js'
import type { ShellResult } from '../world/shell.js'
import type { World } from '../world/world.js'

/** What a program on a simulated host gets beside its arguments. */
export interface Call {
  readonly world: World
  readonly host: Host
  /** `root`, or the user who logged in. */
  readonly user: string
  /** Marks the run of the system in which this was started; see `isAlive`. */
  readonly boot: number
  /** All of standard input; read only by programs that read it, so nobody else waits for its end. */
  readonly stdin: () => Promise<string>
  /** Runs another program, as `sudo` and `flock` do. */
  run(words: readonly string[], change?: Partial<Pick<Call, 'user' | 'stdin'>>): Promise<ShellResult>
  /** Runs a text as `sh -c` does. */
  script(text: string): Promise<ShellResult>
}

export type Program = (args: readonly string[], call: Call) => ShellResult | Promise<ShellResult>

export function said(stdout: string): ShellResult {
  return { exitCode: 0, stdout, stderr: '' }
}

/** A failure in the program's own words; they get their newline here. */
export function failed(exitCode: number, stderr: string): ShellResult {
  return { exitCode, stdout: '', stderr: stderr === '' ? '' : `${stderr}\n` }
}

/** A program that is there, asked for something that is not played here: loud, so that nobody takes silence for success. */
export function notPlayed(program: string, args: readonly string[]): ShellResult {
  return failed(2, `${program}: the simulated host does not know this form: ${[program, ...args].join(' ')}`)
}

export const isRoot = (call: Call): boolean => call.user === 'root'

/** Are the packages for ZFS and NFS there, and the kernel module loaded? */
export function isReady({ world, host }: Pick<Call, 'world' | 'host'>): boolean {
  return world.clock.nowMs() >= host.readyFromMs
}

/** Is the system that started this still running? A stop and a start in between end everything that ran. */
export function isAlive({ world, host, boot }: Pick<Call, 'world' | 'host' | 'boot'>): boolean {
  return host.power === 'running' && host.sshFromMs === boot && world.host(host.machine) === host
}

/** What is left of a program that the end of its system took along; nobody is there to read it. */
export const killed: ShellResult = { exitCode: 137, stdout: '', stderr: '' }

export interface Options {
  /** Flags without a value, in the order given. */
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly rest: readonly string[]
}

/**
 * Single-letter options as getopt reads them: `-Hp`, `-o name`, `-oname`, `--` ends them. Undefined if one is neither among
 * `flags` nor among `withValue`.
 */
export function getopt(args: readonly string[], flags: string, withValue = ''): Options | undefined {
  const found = new Set<string>()
  const values = new Map<string, string[]>()
  let at = 0
  for (; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    if (arg === '--') {
      at += 1
      break
    }
    if (!arg.startsWith('-') || arg === '-') break
    for (let letter = 1; letter < arg.length; letter += 1) {
      const name = arg[letter] ?? ''
      if (flags.includes(name)) {
        found.add(name)
        continue
      }
      if (!withValue.includes(name)) return undefined
      const glued = arg.slice(letter + 1)
      const value = glued === '' ? args[(at += 1)] : glued
      if (value === undefined) return undefined
      values.set(name, [...(values.get(name) ?? []), value])
      break
    }
  }
  return { flags: found, values, rest: args.slice(at) }
}
