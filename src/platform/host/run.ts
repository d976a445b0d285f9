import { LifeboatError } from '../../contract/index.js'
import type { SshDoor, SshHost, SshOptions, SshResult } from '../ssh/door.js'
import { inTurn } from '../ssh/quote.js'

/** A host together with the way to it. */
export interface Host {
  readonly ssh: Pick<SshDoor, 'read' | 'write'>
  readonly at: SshHost
}

/** Runs commands that change the host, in turn and under its lock. Throws `host.failed` unless all their exit codes are 0. */
export async function writeOn({ ssh, at }: Host, commands: readonly (readonly string[])[], options?: SshOptions): Promise<void> {
  const result = await ssh.write(at, commands, options)
  if (result.exitCode !== 0) throw failed(at, inTurn(commands), result)
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
