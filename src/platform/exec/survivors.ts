import { LifeboatError, type Clock } from '../../contract/index.js'
import type { Child } from '../scope.js'
import { processes } from './processes.js'

/** Real milliseconds between SIGTERM and SIGKILL: helm ends in 10 ms on SIGTERM (facts/helm-wire), ssh at once. */
const graceMs = 10_000
const lookEveryMs = 200

export interface Handling {
  readonly clock: Clock
  /** Called once if the child still runs, before it is awaited or ended. */
  readonly found?: () => void
  readonly signal?: AbortSignal
}

/**
 * Ends or awaits a child that outlived the process that started it. Resolves only when it is gone: a pid that now belongs
 * to another process is never signalled. Rejects with the signal's reason when that is aborted; the child may still run then. Throws
 * `child.elsewhere` for a child of another host, where nobody here can look.
 */
export async function handleSurvivor(child: Child, { clock, found, signal }: Handling): Promise<'ended' | 'awaited' | 'gone'> {
  if (child.host !== processes.host) {
    throw new LifeboatError('child.elsewhere', `\`${child.command}\` (pid ${child.pid}) was started on ${child.host} and may still run there`, {
      blame: 'user',
      hint: `Make sure on ${child.host} that it has ended, then resume there, or here with a journal that says so.`,
    })
  }
  if (!(await isAlive(child))) return 'gone'
  found?.()
  if (child.survivor === 'await') {
    while (await isAlive(child)) await clock.sleepReal(lookEveryMs, signal)
    return 'awaited'
  }
  signalGroup(child.pid, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += lookEveryMs) {
    if (!(await isAlive(child))) return 'ended'
    await clock.sleepReal(lookEveryMs, signal)
  }
  signalGroup(child.pid, 'SIGKILL')
  while (await isAlive(child)) await clock.sleepReal(lookEveryMs, signal)
  return 'ended'
}

function isAlive(child: Child): Promise<boolean> {
  return processes.alive(child.pid, child.started)
}

/** Children lead their own process group, so that what they started ends with them. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended by itself in between.
  }
}
