import { z } from 'zod'
import { isPending, LifeboatError, type ApplyContext, type Change, type Finding, type PlanInputs } from '../contract/index.js'
import type { Disk } from '../platform/azure/door.js'
import { nameOf } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { diskIn, diskLabel, foundDisk, placeOf, twiceHint, wantedDisks, type FoundDisk, type Place, type WantedDisk } from './parts/disks.js'
import { unmovableFindings } from './parts/move-readiness.js'
import { naming } from './parts/naming.js'
import { rightsFindings, together, type Need } from './parts/readiness.js'
import { defineStep, ended, groupClaim, hours, inverted, known, minutes, seconds } from './step.js'

interface Seen {
  /** Names of the disks that are still in the source. */
  readonly waiting: readonly string[]
}

const withinMs = 4 * hours

const inputs = z.strictObject({ from: z.string(), to: z.string(), disks: wantedDisks })
type Inputs = z.infer<typeof inputs>

/**
 * Moves disks to another resource group. Azure locks both groups until it is over, and may end with part of it done: each
 * disk is looked at by itself, in either group. What is still in the source is moved again; a move that is still going on
 * answers 409, which is in flight and no failure.
 */
export const moveResources = defineStep({
  uses: 'azure/move-resources',
  summary: 'Disks, moved to another resource group',
  inputs,
  outputs: z.object({ resourceGroup: z.string(), disks: z.array(foundDisk) }),
  identity: ['from', 'to', 'disks'],
  verification: () => ({ everyMs: 10 * seconds, withinMs }),
  preflight: (changes, wanted, { doors }) =>
    together(
      lostFindings(changes, wanted, doors),
      unmovableFindings(wanted.from, isPending(wanted.disks) ? [] : plannedOf(changes, wanted.disks), doors),
      lockFindings(doors, [wanted.from, wanted.to].filter((group): group is string => !isPending(group))),
      rightsFindings(doors, needsOf(changes, wanted)),
    ),
  async observe({ from, to, disks }, { doors }) {
    const places = await Promise.all(disks.map((disk) => placeOf(doors, from, to, disk)))
    const lost = places.find(isLost)
    if (lost !== undefined) {
      return { state: 'conflict', why: `disk ${lost.disk.name} is neither in ${from} nor in ${to}`, mend: 'Find it with `az disk list` before anything else is done.' }
    }
    const twice = places.find(({ here, there }) => here !== undefined && there !== undefined)
    if (twice !== undefined) {
      // A disk on its way may be seen in both for a moment; two disks of one name are a matter for a person.
      if (twice.here?.uniqueId === twice.there?.uniqueId) return { state: 'in-flight', what: `disk ${twice.disk.name} is being moved` }
      const why = `there is a disk ${twice.disk.name} in ${from} and another one in ${to}`
      return { state: 'conflict', why, mend: twiceHint }
    }
    const waiting = places.filter(({ there }) => there === undefined).map(({ disk }) => disk.name)
    if (waiting.length === 0) return { state: 'converged', outputs: { resourceGroup: to, disks: places.map(foundIn) } }
    return { state: 'drifted', seen: { waiting } }
  },
  plan({ from, to, disks }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const names = seen.state === 'drifted' ? seen.seen.waiting : naming(disks, 'disks').map(({ name }) => name)
    return names.map((name) => ({ resource: diskLabel(name), action: 'update', before: { group: from }, after: { group: to } }))
  },
  async apply(changes, { from, to, disks }, ctx) {
    const back = groupAfter(changes) === from && from !== to
    const [source, target] = back ? [to, from] : [from, to]
    await move(source, target, plannedOf(changes, disks), ctx)
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ from, to }) => [groupClaim(known(from), 'alone'), groupClaim(known(to), 'alone')],
  estimateMs: () => 6 * minutes,
})

async function lostFindings(changes: readonly Change[], { from, to, disks }: PlanInputs<Inputs>, doors: Platform): Promise<Finding[]> {
  if (isPending(from) || isPending(disks)) return []
  const places = await Promise.all(plannedOf(changes, disks).map((disk) => placeOf(doors, from, isPending(to) ? undefined : to, disk)))
  return places.filter(isLost).map(({ disk }) => ({
    level: 'stop' as const,
    what: `there is no disk ${disk.name} in ${from}`,
    mend: 'Look at `az disk list`, and at the names in the runbook.',
  }))
}

/** azure-docs, move-resource-group-and-subscription: the action on the source, group write on the target. */
function needsOf(changes: readonly Change[], { from, to }: PlanInputs<Inputs>): Need[] {
  const groups = 'Microsoft.Resources/subscriptions/resourceGroups'
  const [source, target] = groupAfter(changes) === from ? [to, from] : [from, to]
  return [
    { scope: source, actions: [`${groups}/validateMoveResources/action`, `${groups}/moveResources/action`] },
    { scope: target, actions: [`${groups}/write`] },
  ]
}

/**
 * Moves what is in the source, as often as a move that is still going on keeps it from that: the lock of the groups makes
 * posting again safe, and what the other move has taken along by then is left out.
 */
async function move(source: string, target: string, disks: readonly WantedDisk[], ctx: ApplyContext<Platform>): Promise<void> {
  const { doors, clock, signal, progress, checkpoint } = ctx
  const { groups } = doors.azure
  const deadlineMs = clock.now().getTime() + withinMs
  for (;;) {
    const found = (await Promise.all(disks.map(({ name }) => diskIn(doors, source, name)))).filter((disk) => disk !== undefined)
    if (found.length === 0) return
    assertUnattached(found)
    const ids = found.map(({ id }) => id)
    try {
      progress(`asking whether ${ids.length} disks can be moved to ${target}`)
      await groups.validateMove(source, target, ids)
      const operation = await groups.move(source, target, ids)
      await checkpoint({ moving: ids.map(nameOf), from: source, to: target })
      progress(`moving ${ids.length} disks; ${source} and ${target} are locked until it is over`)
      return await ended(operation, signal)
    } catch (error) {
      if (!isHeldUp(error) || clock.now().getTime() >= deadlineMs) throw error
      const [lock] = await lockFindings(doors, [source, target])
      if (lock !== undefined) throw new LifeboatError('move.locked', lock.what, { hint: lock.mend, blame: 'user', cause: error })
      progress(`a move holds the lock of ${source} or ${target}: waiting for its end`)
      await clock.sleep(10 * seconds, signal)
    }
  }
}

/** A move needs to write and delete in both its groups; a lock that people have set is not waited for. */
async function lockFindings({ azure }: Platform, groups: readonly string[]): Promise<Finding[]> {
  const locks = (await Promise.all(groups.map((group) => azure.groups.locks(group)))).flat()
  return locks.map(({ id, level }) => ({ level: 'stop', what: `the management lock ${id} (${level}) keeps disks from being moved`, mend: 'Remove it for the time of the move: `az lock delete --ids`.' }))
}

function isHeldUp(error: unknown): boolean {
  return error instanceof LifeboatError && ['azure.locked', 'azure.in-flight'].includes(error.code)
}

const isLost = ({ here, there }: Place): boolean => here === undefined && there === undefined

function foundIn({ disk, there }: Place): FoundDisk {
  return { ...disk, id: there?.id ?? '', uniqueId: there?.uniqueId ?? '' }
}

function plannedOf(changes: readonly Change[], disks: readonly WantedDisk[]): WantedDisk[] {
  return disks.filter(({ name }) => changes.some(({ resource }) => resource === diskLabel(name)))
}

function groupAfter([first]: readonly Change[]): string | undefined {
  const after = first?.after
  return typeof after === 'object' && after !== null && 'group' in after && typeof after.group === 'string' ? after.group : undefined
}

function assertUnattached(disks: readonly Disk[]): void {
  for (const { id, managedBy } of disks) {
    if (managedBy === undefined) continue
    throw new LifeboatError('move.attached', `disk ${id} is still attached to ${managedBy}`, { retry: {} })
  }
}
