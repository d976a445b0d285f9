import { LifeboatError, type Clock } from '../../contract/index.js'
import type { Child } from '../scope.js'
import { thisMachine } from './processes.js'
import type { ProcessTable } from './starter.js'

/** Real milliseconds between SIGTERM and SIGKILL: helm ends in 10 ms on SIGTERM (facts/helm-wire), ssh at once. */
const graceMs = 10_000
const lookEveryMs = 200

export interface Handling {
  readonly clock: Clock
  /** Called once if the child still runs, before it is awaited or ended. */
  readonly found?: () => void
  readonly signal?: AbortSignal
  /** Where the child runs; this machine if absent. */
  readonly on?: ProcessTable
}

/**
 * Ends or awaits a child that outlived the process that started it. Resolves only when it is gone: a pid that now belongs
 * to another process is never signalled. Rejects with the signal's reason when that is aborted; the child may still run then. Throws
 * `child.elsewhere` for a child of another host, where nobody here can look.
 */
export async function handleSurvivor(child: Child, { clock, found, signal, on = thisMachine }: Handling): Promise<'ended' | 'awaited' | 'gone'> {
  const isAlive = async (): Promise<boolean> => (await on.startOf(child.pid)) === child.started
  if (child.host !== on.host) {
    throw new LifeboatError('child.elsewhere', `\`${child.command}\` (pid ${child.pid}) was started on ${child.host} and may still run there`, {
      blame: 'user',
      hint: `Make sure on ${child.host} that it has ended, then resume there, or here with a journal that says so.`,
    })
  }
  if (!(await isAlive())) return 'gone'
  found?.()
  if (child.survivor === 'await') {
    while (await isAlive()) await clock.sleepReal(lookEveryMs, signal)
    return 'awaited'
  }
  on.signalGroup(child.pid, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += lookEveryMs) {
    if (!(await isAlive())) return 'ended'
    await clock.sleepReal(lookEveryMs, signal)
  }
  on.signalGroup(child.pid, 'SIGKILL')
  while (await isAlive()) await clock.sleepReal(lookEveryMs, signal)
  return 'ended'
}
