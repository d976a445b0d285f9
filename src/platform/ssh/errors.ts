import { LifeboatError } from '../../contract/index.js'
import type { Finished } from '../exec/exec.js'

/** ssh's own failures (exit code 255), told apart by its texts. `wrote`: the command may have begun. */
export function sshError(name: string, { stderr }: Finished, wrote: boolean): LifeboatError {
  const said = lastLine(stderr)
  if (/host key verification failed|host identification has changed|no matching host key/i.test(stderr)) {
    return new LifeboatError('ssh.host-key', `what answers at the address of ${name} does not have its host key`, {
      hint: 'Nothing was sent to it. Another machine may have its address, or it was installed anew: find out before you go on.',
    })
  }
  if (/permission denied|too many authentication failures|identity file .* not accessible|bad permissions/i.test(stderr)) {
    return new LifeboatError('ssh.denied', `${name} does not let us in: ${said}`, {
      blame: 'user',
      hint: 'Is this the key, and this the user, that the server knows? Only its owner may be able to read the key file.',
    })
  }
  if (/bad configuration option|terminating, \d+ bad configuration|bad owner or permissions on/i.test(stderr)) {
    return new LifeboatError('ssh.config', `ssh does not take its configuration: ${said}`, { blame: 'tool' })
  }
  const neverThere =
    /connection refused|connection timed out|timed out during banner|no route to host|could not resolve|administratively prohibited|open failed|stdio forwarding failed|kex_exchange_identification|network is unreachable/i
  if (wrote && !neverThere.test(stderr)) return interrupted(name, said)
  return new LifeboatError('ssh.unreachable', `${name} cannot be reached by SSH: ${said}`, { retry: {} })
}

/** The command may still be running there, under the host's lock. */
export function interrupted(name: string, said: string): LifeboatError {
  return new LifeboatError('ssh.interrupted', `the connection to ${name} broke in the middle: ${said}`, {
    retry: {},
    hint: 'What was begun there goes on under the host’s lock; the next look tells what came of it.',
  })
}

/** Somebody else's command held the host's lock all the time. */
export function locked(name: string): LifeboatError {
  return new LifeboatError('ssh.locked', `another command of this tool is still at work on ${name}`, {
    retry: {},
    hint: 'See on that server what runs: `fuser -v /run/lock/lifeboat.lock`.',
  })
}

/** sudo's own refusal, which is no answer of the command. */
export function sudoRefusal(name: string, { exitCode, stderr }: Finished): LifeboatError | undefined {
  const line = stderr.split('\n').find((one) => /^sudo: (a password is required|a terminal is required|.*not in the sudoers)/.test(one))
  if (exitCode === 0 || line === undefined) return undefined
  return new LifeboatError('ssh.sudo', `the user may not become root on ${name}: ${line}`, {
    blame: 'user',
    hint: 'Allow sudo without a password for this user, as cloud images do for their first one.',
  })
}

export function missingSsh(): LifeboatError {
  return new LifeboatError('ssh.missing', 'ssh was not found on PATH', { blame: 'user', hint: 'Install the OpenSSH client.' })
}

function lastLine(stderr: string): string {
  return stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
}
