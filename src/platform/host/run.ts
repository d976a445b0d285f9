import { LifeboatError } from '../../contract/index.js'
import type { SshDoor, SshHost, SshOptions, SshResult } from '../ssh/door.js'
import { quoteWords } from '../ssh/quote.js'

/** A host together with the way to it. */
export interface Host {
  readonly ssh: Pick<SshDoor, 'read' | 'write'>
  readonly at: SshHost
}

/** Runs a command that changes the host, under its lock. Throws `host.failed` unless its exit code is 0. */
export async function writeOn({ ssh, at }: Host, command: readonly string[], options?: SshOptions): Promise<void> {
  const result = await ssh.write(at, command, options)
  if (result.exitCode !== 0) throw failed(at, command, result)
}

/** Commands that belong together, as one: one after the other up to the first that fails. */
export function allOf(commands: readonly (readonly string[])[]): readonly string[] {
  return ['sh', '-c', commands.map(quoteWords).join(' && ')]
}

export function machineName({ machine }: SshHost): string {
  return machine.split('/').at(-1) ?? machine
}

/** What a program said on standard error, as one line for people. */
export function said({ stderr, stdout, exitCode }: SshResult): string {
  const text = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').slice(-2).join(' ')
  return text === '' ? `exit code ${exitCode}` : text.slice(0, 400)
}

export function failed(at: SshHost, command: readonly string[], result: SshResult): LifeboatError {
  const line = command.filter((word) => word !== 'sudo' && word !== '-n').join(' ')
  return new LifeboatError('host.failed', `\`${line}\` failed on ${machineName(at)}: ${said(result)}`)
}

/** What a program answers and this tool does not understand: then the host's state is unknown. */
export function unreadable(at: SshHost, program: string, text: string): LifeboatError {
  const line = text.trim().split('\n')[0] ?? ''
  return new LifeboatError('host.unreadable', `${program} on ${machineName(at)} answers what cannot be read: ${line.slice(0, 200)}`)
}
