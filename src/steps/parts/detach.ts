import { LifeboatError, type Alternative, type ApplyContext, type Change, type Kept, type Pending } from '../../contract/index.js'
import type { Machine } from '../../platform/azure/door.js'
import type { Platform } from '../../platform/platform.js'
import { endedWithin, hostLabel, minutes } from '../step.js'
import { diskLabel, type WantedDisk } from './disks.js'

/** What there is for a detach that does not end, one after the other (facts/azure): each only if the operator chooses it. */
export type Escalation = 'deallocate' | 'force'

/** `deallocate` has no more to give once the machine is deallocated. */
export function escalationOf({ provisioningState, powerState }: Machine, accepted: ReadonlySet<string>): Escalation | undefined {
  if (accepted.has('force')) return 'force'
  return accepted.has('deallocate') && provisioningState === 'Updating' && powerState !== 'deallocated' ? 'deallocate' : undefined
}

const forceHarm = 'what the old server has not written to these disks yet is lost'

export function detachChanges(machine: string | Pending, disks: readonly WantedDisk[], escalation?: Escalation): Change[] {
  const on = hostLabel(machine)
  const away = disks.map(({ name, lun }): Change => {
    const change: Change = { resource: diskLabel(name), action: 'update', before: { attachedTo: on, lun }, after: { attachedTo: null } }
    return escalation === 'force' ? { ...change, after: { attachedTo: null, by: 'force' }, harm: forceHarm } : change
  })
  return escalation === 'deallocate' ? [stop(machine), ...away] : away
}

const stoppedMachine = 'old server'

function stop(machine: string | Pending): Change {
  return {
    resource: stoppedMachine,
    action: 'update',
    before: { machine: hostLabel(machine), power: 'running' },
    after: { machine: hostLabel(machine), power: 'deallocated' },
    harm: 'whatever else still runs on the old server stops',
  }
}

export const isStop = ({ resource }: Change): boolean => resource === stoppedMachine

export function isForced({ after }: Change): boolean {
  return typeof after === 'object' && after !== null && 'by' in after && after.by === 'force'
}

/** The disks come first, and they are another step's. */
export function startedLater({ resource }: Change): Kept {
  return { resource, kept: 'it stays stopped until its disks are back: the way back of its fence starts it then, or you do (`az vm start`)' }
}

/** Stopping a machine ends what it holds on to; the disks are detached from it then. */
export async function letGoByStopping(machine: string, ctx: ApplyContext<Platform>): Promise<void> {
  ctx.progress(`stopping ${hostLabel(machine)}, which does not let go of its disks`)
  const operation = await ctx.doors.azure.machines.deallocate(machine)
  await ctx.checkpoint({ deallocating: hostLabel(machine) })
  if (await endedWithin(operation, 10 * minutes, ctx)) return
  throw new LifeboatError('detach.not-stopped', `${hostLabel(machine)} is still being stopped after 10 min`, { hint: 'Trying again looks how far it is.' })
}

/** A server that was fenced by stopping it and runs again has its pool again, too: its disks must not be taken under it. */
export function assertFenced({ id, powerState }: Machine, fenced: readonly string[]): void {
  if (fenced.includes('not-needed')) {
    throw new LifeboatError('detach.not-fenced', `${hostLabel(id)} was not fenced, since its disks lay where they should; now they do not`, {
      hint: 'Nothing was detached. Find out who moved them; then stop here and resume: the fence is looked at again first.',
    })
  }
  if (!fenced.includes('deallocated') || powerState === 'deallocated') return
  throw new LifeboatError('detach.not-fenced', `${hostLabel(id)} was stopped and is ${powerState ?? 'in an unknown state'} now: it may write again`, {
    hint: 'Nothing was detached. Find out who started it; then stop here and resume: the fence is looked at again first.',
  })
}

export interface Tried {
  readonly force: boolean
  readonly patienceMs: number
}

export function stuck({ id, powerState }: Machine, disks: readonly WantedDisk[], { force, patienceMs }: Tried): LifeboatError {
  const names = disks.map(({ name }) => name).join(', ')
  const next = force ? undefined : powerState === 'deallocated' ? forced(id, disks) : stopped(id, disks)
  return new LifeboatError('detach.stuck', `${hostLabel(id)} has not let go of ${names} after ${Math.round(patienceMs / minutes)} min`, {
    hint: `Detaching takes seconds as a rule; stuck ones have ended by themselves after 30 to 45 min. Trying again goes on waiting.${force ? ' Azure support can free them.' : ''}`,
    ...(next === undefined ? {} : { alternative: next }),
  })
}

function stopped(machine: string, disks: readonly WantedDisk[]): Alternative {
  const offer = `${hostLabel(machine)} is stopped (deallocated), which makes it let go, and the disks are detached then. It is fenced already: no hub loses more by it.`
  return { id: 'deallocate', offer, changes: detachChanges(machine, disks, 'deallocate') }
}

function forced(machine: string, disks: readonly WantedDisk[]): Alternative {
  const offer = `the disks are taken from ${hostLabel(machine)} by force (ForceDetach), the last resort: ${forceHarm}. The safety copies were made before.`
  return { id: 'force', offer, changes: detachChanges(machine, disks, 'force') }
}
