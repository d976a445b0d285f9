import type { ShellResult } from '../world/shell.js'
import { type Call, failed, isAlive, isRoot, killed, notPlayed, type Program } from './call.js'
import { look, write } from './files.js'

/** Cloud images let their first user become root without a password. */
const sudo: Program = (args, call) => {
  const rest = args[0] === '-n' ? args.slice(1) : args
  if (rest[0] === '--') return call.run(rest.slice(1), { user: 'root' })
  if (rest.length === 0 || rest[0]?.startsWith('-') === true) return notPlayed('sudo', args)
  return call.run(rest, { user: 'root' }).then((result) =>
    // sudo looks for the program itself, and says so in its own words.
    result.exitCode === 127 && /^sh: 1: \S+: not found$/.test(result.stderr.trim()) ? failed(1, `sudo: ${rest[0] ?? ''}: command not found`) : result,
  )
}

const shell: Program = (args, call) => {
  const [option, text] = args
  if (option === '-c' && text !== undefined && args.length === 2) return call.script(text)
  if ((option === '-ec' || option === '-euc') && text !== undefined && args.length === 2) return call.script(`set -e\n${text}`)
  return notPlayed('sh', args)
}

/** `flock [-n | -w SECONDS] FILE COMMAND…`: who comes second waits for the first, in order. */
const flock: Program = async (args, call) => {
  const parsed = flockArgs(args)
  if (!parsed) return notPlayed('flock', args)
  const { file, command, waitMs } = parsed
  if (!look(call, file)) {
    const refused = write(call, file, '')
    if (refused !== undefined) return failed(66, `flock: cannot open lock file ${file}: ${refused}`)
  } else if (!isRoot(call) && !file.startsWith('/tmp/') && !file.startsWith('/run/lock/')) {
    return failed(66, `flock: cannot open lock file ${file}: Permission denied`)
  }
  if (!(await takeLock(call, file, waitMs))) return { exitCode: 1, stdout: '', stderr: '' }
  if (!isAlive(call)) {
    passOn(call, file)
    return killed
  }
  try {
    return await runLocked(call, command)
  } finally {
    // The lock of a system that has ended is nobody's: the next one has its own.
    if (isAlive(call)) passOn(call, file)
  }
}

function runLocked(call: Call, command: readonly string[]): Promise<ShellResult> {
  if (command[0] === '-c' && command[1] !== undefined) return call.script(command[1])
  return call.run(command).then((result) =>
    result.exitCode === 127 && /^sh: 1: \S+: not found$/.test(result.stderr.trim())
      ? failed(69, `flock: failed to execute ${command[0] ?? ''}: No such file or directory`)
      : result,
  )
}

function flockArgs(args: readonly string[]): { file: string; command: readonly string[]; waitMs: number } | undefined {
  let waitMs = Number.POSITIVE_INFINITY
  let at = 0
  for (; args[at]?.startsWith('-') === true; at += 1) {
    const option = args[at]
    if (option === '-n' || option === '--nonblock') waitMs = 0
    else if (option === '-w' || option === '--timeout' || option === '--wait') {
      at += 1
      waitMs = Number(args[at]) * 1000
    } else if (option !== '-x' && option !== '-e' && option !== '--exclusive') return undefined
  }
  const [file, ...command] = args.slice(at)
  return file === undefined || command.length === 0 || Number.isNaN(waitMs) ? undefined : { file, command, waitMs }
}

/** True when the lock is ours; false when `waitMs` of the world's time have passed before. */
function takeLock({ world, host }: Call, file: string, waitMs: number): Promise<boolean> {
  const lock = host.locks.get(file) ?? { held: false, waiting: [] }
  host.locks.set(file, lock)
  if (!lock.held) {
    lock.held = true
    return Promise.resolve(true)
  }
  if (waitMs === 0) return Promise.resolve(false)
  return new Promise((resolve) => {
    const mine = (): void => {
      cancel()
      resolve(true)
    }
    const cancel = waitMs === Number.POSITIVE_INFINITY ? () => undefined : world.clock.schedule(waitMs, () => {
      lock.waiting = lock.waiting.filter((one) => one !== mine)
      resolve(false)
    })
    lock.waiting.push(mine)
  })
}

/** Hands the lock to the next in line. */
function passOn({ host }: Call, file: string): void {
  const lock = host.locks.get(file)
  const next = lock?.waiting.shift()
  if (next) next()
  else if (lock) lock.held = false
}

export const wrappers: Readonly<Record<string, Program>> = { sudo, flock, sh: shell, bash: shell, '/bin/sh': shell }
