import { LifeboatError, type ApplyContext, type Change, type Pending } from '../../contract/index.js'
import type { Platform } from '../../platform/platform.js'
import { endedWithin, hostLabel, minutes, seconds } from '../step.js'

/** The alternative: a server that cannot be told to stop writing is stopped with its machine. */
export const deallocate = 'deallocate'

export const deallocateAction = 'Microsoft.Compute/virtualMachines/deallocate/action'
export const startAction = 'Microsoft.Compute/virtualMachines/start/action'

/** How a server's silence is told: by ssh, or by the control plane, which asks it for its host key first. */
const silences = new Set(['ssh.unreachable', 'exec.timeout', 'azure.operation-failed', 'azure.run-command'])

export function isSilence(error: unknown): error is LifeboatError {
  return error instanceof LifeboatError && silences.has(error.code)
}

/** Nothing was asked of it: its agent is at somebody else's script. It may be as well as ever. */
export function isUnasked(error: unknown): error is LifeboatError {
  return error instanceof LifeboatError && error.code === 'azure.agent-busy'
}

export function stopMachine(machine: string | Pending): Change {
  return {
    resource: 'old server',
    action: 'update',
    before: { machine: hostLabel(machine), power: 'running' },
    after: { machine: hostLabel(machine), power: 'deallocated' },
    harm: 'every notebook still open on its hubs loses its files, and what the server had not written to its disks yet is lost; its pool is not exported',
  }
}

/** That it took effect is told by observing: nothing but the control plane's `deallocated` counts. */
export async function stopForGood(machine: string, ctx: ApplyContext<Platform>): Promise<void> {
  const { machines } = ctx.doors.azure
  ctx.progress(`stopping the machine ${hostLabel(machine)}`)
  try {
    const operation = await machines.deallocate(machine)
    await ctx.checkpoint({ deallocating: hostLabel(machine) })
    if (!(await endedWithin(operation, 10 * minutes, ctx))) throw notStopped(machine, 'it is still being stopped after 10 min', undefined)
  } catch (error) {
    if (!(error instanceof LifeboatError) || error.retry !== undefined || error.code === 'fence.not-stopped') throw error
    throw notStopped(machine, error.message, error)
  }
}

/**
 * A server that was deallocated, by its fence or because it did not let go of its disks, is started again and waited for. What it
 * had imported when it went down it imports again by itself, if the disks are there. False for one that runs.
 */
export async function startAgain(machine: string, ctx: ApplyContext<Platform>): Promise<boolean> {
  const { machines } = ctx.doors.azure
  const found = await machines.get(machine)
  if (found === undefined) throw new LifeboatError('fence.gone', `${hostLabel(machine)} is gone, and cannot serve again`, { blame: 'user' })
  if (found.powerState === 'running') return false
  ctx.progress(`starting the machine ${hostLabel(machine)}`)
  const operation = await machines.start(machine)
  await ctx.checkpoint({ starting: hostLabel(machine) })
  if (await endedWithin(operation, 10 * minutes, ctx)) return true
  throw new LifeboatError('fence.not-started', `${hostLabel(machine)} is still being started after 10 min`, { retry: {} })
}

/** Asks again until the server answers, for as long as a boot may take. */
export async function onceItAnswers<T>(machine: string, ask: () => Promise<T>, ctx: ApplyContext<Platform>): Promise<T> {
  const { clock, progress, signal } = ctx
  const untilMs = clock.now().getTime() + 10 * minutes
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if ((!isSilence(error) && !isUnasked(error)) || clock.now().getTime() >= untilMs) throw error
      progress(`${hostLabel(machine)} boots: ${error.message}`)
      await clock.sleep(10 * seconds, signal)
    }
  }
}

function notStopped(machine: string, why: string, cause: unknown): LifeboatError {
  return new LifeboatError('fence.not-stopped', `${hostLabel(machine)} does not answer and cannot be stopped: ${why}`, {
    cause,
    hint:
      'It may still write, so nothing has been detached and the pool is untouched. See what Azure says of it (`az vm get-instance-view`): a lock, a ' +
      'missing right, a broken machine. Azure support can stop it. Its disks must not be taken from it while it may run. Then resume.',
  })
}
