import type { HostLock } from '../world/model.js'
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

interface Locking {
  readonly file: string
  readonly command: readonly string[]
  readonly waitMs: number
  /** `-s`: beside others that hold it so. */
  readonly shared: boolean
  /** `-E`: what is answered where it is not had in time. */
  readonly conflictCode: number
}

/** `flock [-s] [-n | -w SECONDS] [-E CODE] FILE COMMAND…`: who comes second waits for the first, in order. */
const flock: Program = async (args, call) => {
  const wish = flockArgs(args)
  if (!wish) return notPlayed('flock', args)
  const { file } = wish
  if (!look(call, file)) {
    const refused = write(call, file, '')
    if (refused !== undefined) return failed(66, `flock: cannot open lock file ${file}: ${refused}`)
  } else if (!isRoot(call) && !file.startsWith('/tmp/') && !file.startsWith('/run/lock/')) {
    return failed(66, `flock: cannot open lock file ${file}: Permission denied`)
  }
  if (!(await takeLock(call, wish))) return { exitCode: wish.conflictCode, stdout: '', stderr: '' }
  if (!isAlive(call)) {
    letGo(call, wish)
    return killed
  }
  try {
    return await runLocked(call, wish.command)
  } finally {
    // The lock of a system that has ended is nobody's: the next one has its own.
    if (isAlive(call)) letGo(call, wish)
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

function flockArgs(args: readonly string[]): Locking | undefined {
  let [waitMs, shared, conflictCode] = [Number.POSITIVE_INFINITY, false, 1]
  let at = 0
  for (; args[at]?.startsWith('-') === true; at += 1) {
    const option = args[at]
    if (option === '-n' || option === '--nonblock') waitMs = 0
    else if (option === '-s' || option === '--shared') shared = true
    else if (option === '-w' || option === '--timeout' || option === '--wait') waitMs = Number(args[(at += 1)]) * 1000
    else if (option === '-E' || option === '--conflict-exit-code') conflictCode = Number(args[(at += 1)])
    else if (option !== '-x' && option !== '-e' && option !== '--exclusive') return undefined
  }
  const [file, ...command] = args.slice(at)
  if (file === undefined || command.length === 0 || Number.isNaN(waitMs) || Number.isNaN(conflictCode)) return undefined
  return { file, command, waitMs, shared, conflictCode }
}

/** True when the lock is ours; false when `waitMs` of the world's time have passed before. */
function takeLock({ world, host }: Call, { file, waitMs, shared }: Locking): Promise<boolean> {
  const lock = host.locks.get(file) ?? { held: false, sharers: 0, waiting: [] }
  host.locks.set(file, lock)
  if (isFree(lock, shared)) {
    hold(lock, shared)
    return Promise.resolve(true)
  }
  if (waitMs === 0) return Promise.resolve(false)
  return new Promise((resolve) => {
    const mine = {
      shared,
      goOn: (): void => {
        cancel()
        resolve(true)
      },
    }
    const cancel = waitMs === Number.POSITIVE_INFINITY ? () => undefined : world.clock.schedule(waitMs, () => {
      lock.waiting = lock.waiting.filter((one) => one !== mine)
      resolve(false)
    })
    lock.waiting.push(mine)
  })
}

const isFree = ({ held, sharers }: HostLock, shared: boolean): boolean => !held && (shared || sharers === 0)

function hold(lock: HostLock, shared: boolean): void {
  if (shared) lock.sharers += 1
  else lock.held = true
}

/** Hands the lock to the next in line, or to more than one that share it. */
function letGo({ host }: Call, { file, shared }: Locking): void {
  const lock = host.locks.get(file)
  if (lock === undefined) return
  if (shared) lock.sharers -= 1
  else lock.held = false
  for (let next = lock.waiting[0]; next !== undefined && isFree(lock, next.shared); next = lock.waiting[0]) {
    lock.waiting.shift()
    hold(lock, next.shared)
    next.goOn()
  }
}

export const wrappers: Readonly<Record<string, Program>> = { sudo, flock, sh: shell, bash: shell, '/bin/sh': shell }
