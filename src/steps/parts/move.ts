import { LifeboatError, type Alternative, type ApplyContext, type Finding } from '../../contract/index.js'
import type { Disk } from '../../platform/azure/door.js'
import { nameOf } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { endedWithin, minutes, seconds } from '../step.js'
import { diskIn, type WantedDisk } from './disks.js'

/** The alternative to a move: the disks stay, and are attached from where they are. */
export const acrossGroups = 'attach-across-groups'

export interface DiskMove {
  readonly source: string
  readonly target: string
  readonly disks: readonly WantedDisk[]
  /** Milliseconds of the run's clock. */
  readonly patienceMs: number
  /** False on the way back: there the disks must come home. */
  readonly mayStay: boolean
}

/**
 * Moves what is in the source, as often as a move that is still going on keeps it from that: the lock of the groups makes
 * posting again safe, and what the other move has taken along by then is left out. What that one brings into the source while this
 * looks and asks is looked for again. Throws `move.refused` for a move that Azure does not make or ends in part, `move.overrun` for one
 * that outlasts patience, `move.locked` for a lock of people's.
 */
export async function moveDisks(wish: DiskMove, ctx: ApplyContext<Platform>): Promise<void> {
  const { source, target, disks, patienceMs, mayStay } = wish
  const { doors, clock, signal, progress } = ctx
  const deadlineMs = clock.now().getTime() + patienceMs
  let left = disks
  for (;;) {
    const found = (await Promise.all(left.map(({ name }) => diskIn(doors, source, name)))).filter((disk) => disk !== undefined)
    try {
      // On the way back a move that this run began may not have taken anything along yet.
      if (found.length === 0) return await (mayStay ? undefined : assertAtRest(wish, doors))
      assertUnattached(found)
      await moveOnce(wish, found.map(({ id }) => id), deadlineMs, ctx)
      // What was not here when it was looked at may have come since: the move that took it along has ended in between.
      left = left.filter(({ name }) => !found.some((disk) => nameOf(disk.id).toLowerCase() === name.toLowerCase()))
      if (left.length === 0) return
    } catch (error) {
      if (!isHeldUp(error)) throw refused(error, wish)
      const locks = await moveLockFindings(doors, [source, target])
      if (locks[0] !== undefined) throw await lockedByPeople(locks[0], wish, doors, error)
      if (clock.now().getTime() >= deadlineMs) throw overrun(wish)
      progress(`a move holds the lock of ${source} or ${target}: waiting for its end`)
      await clock.sleep(10 * seconds, signal)
    }
  }
}

/** A move of what is home already would be held up by one that is still going on; asking whether it can be made changes nothing. */
async function assertAtRest({ source, target, disks }: DiskMove, doors: Platform): Promise<void> {
  const home = (await Promise.all(disks.map(({ name }) => diskIn(doors, target, name)))).filter((disk) => disk !== undefined)
  try {
    await doors.azure.groups.validateMove(target, source, home.map(({ id }) => id))
  } catch (error) {
    // Where they cannot be moved for what they are, Azure has looked: no move is in the way. Whatever else it says is no proof of that.
    if (isVerdict(error)) return
    if (!isAnswer(error)) throw error
    throw new LifeboatError('move.unknown', `whether a move between ${source} and ${target} is still going on cannot be told: ${error.message}`, {
      retry: {},
      cause: error,
    })
  }
}

/** Azure's own word, in so far as it gives no other reason to try again. */
function isAnswer(error: unknown): error is LifeboatError {
  return error instanceof LifeboatError && ['azure.refused', 'azure.operation-failed'].includes(error.code)
}

/**
 * Of a validation that was made: ResourceMoveProviderValidationFailed, MoveCannotProceed…, InvalidResourceMoveRequest. By Azure's code,
 * since a text names groups too; an operation that failed has its code in the text alone, in front.
 */
function isVerdict(error: unknown): boolean {
  if (!isAnswer(error)) return false
  const { code, message = '' } = (error.cause ?? {}) as { readonly code?: string; readonly message?: string }
  return /^\w*Move\w*$/.test(code ?? /\b(\w+):/.exec(message)?.[1] ?? '')
}

/** Validates right before, since what was validated earlier may have changed; then moves. */
async function moveOnce(wish: DiskMove, ids: readonly string[], deadlineMs: number, ctx: ApplyContext<Platform>): Promise<void> {
  const { source, target } = wish
  const { groups } = ctx.doors.azure
  ctx.progress(`asking whether ${ids.length} disks can be moved to ${target}`)
  await groups.validateMove(source, target, ids)
  const operation = await groups.move(source, target, ids)
  await ctx.checkpoint({ moving: ids.map(nameOf), from: source, to: target })
  ctx.progress(`moving ${ids.length} disks; ${source} and ${target} are locked until it is over`)
  const left = Math.max(0, deadlineMs - ctx.clock.now().getTime())
  if (!(await endedWithin(operation, left, ctx))) throw overrun(wish)
}

/** A move needs to write and delete in both its groups; a lock that people have set is not waited for. */
export async function moveLockFindings({ azure }: Platform, groups: readonly string[]): Promise<Finding[]> {
  const locks = (await Promise.all(groups.map((group) => azure.groups.locks(group)))).flat()
  return locks.map(({ id, level }) => ({
    level: 'stop',
    what: `the management lock ${id} (${level}) keeps disks from being moved`,
    mend: 'Remove it for the time of the move: `az lock delete --ids`.',
  }))
}

/** Attaching writes the disk: only a ReadOnly lock where the disk is would be in its way too. */
async function lockedByPeople({ what, mend }: Finding, wish: DiskMove, { azure }: Platform, cause: unknown): Promise<LifeboatError> {
  const here = await azure.groups.locks(wish.source)
  const open = here.every(({ level }) => level !== 'ReadOnly')
  return new LifeboatError('move.locked', what, { hint: mend, blame: 'user', cause, ...(open ? offer(wish) : {}) })
}

/** What Azure has decided for good: no lock is left then, so the disks can be attached from where they are. */
function refused(error: unknown, wish: DiskMove): unknown {
  if (!(error instanceof LifeboatError) || !['azure.refused', 'azure.operation-failed'].includes(error.code)) return error
  return new LifeboatError('move.refused', error.message, {
    blame: error.blame,
    cause: error,
    hint: error.hint ?? 'What has been moved stays there; trying again moves the rest.',
    ...offer(wish),
  })
}

/** While it goes on, nothing can be attached (the disks are locked with their groups), and nobody can end it. So nothing is offered. */
function overrun({ source, target, patienceMs }: DiskMove): LifeboatError {
  return new LifeboatError('move.overrun', `the disks are still being moved from ${source} to ${target} after ${Math.round(patienceMs / minutes)} min`, {
    hint:
      'Azure gives a move up to four hours, keeps both groups locked until it ends, and lets nobody cancel it: until then the disks can neither ' +
      'be attached nor moved otherwise. Nothing is lost. Trying again, or a resume, goes on waiting; should it fail, the disks that are ' +
      'left can be attached from where they are.',
  })
}

function offer({ source, mayStay }: DiskMove): { readonly alternative?: Alternative } {
  if (!mayStay) return {}
  const text =
    `the disks that are still in ${source} stay there and are attached to the new server from there, which Azure allows within a subscription and ` +
    `region. It takes no time now. The price: whatever deletes ${source} (a node group goes with its cluster) deletes them, until they are ` +
    'moved later, for which they must be detached for a while.'
  return { alternative: { id: acrossGroups, offer: text, changes: [] } }
}

function isHeldUp(error: unknown): boolean {
  return error instanceof LifeboatError && ['azure.locked', 'azure.in-flight'].includes(error.code)
}

function assertUnattached(disks: readonly Disk[]): void {
  for (const { id, managedBy } of disks) {
    if (managedBy === undefined) continue
    throw new LifeboatError('move.attached', `disk ${id} is still attached to ${managedBy}`, { retry: {} })
  }
}
