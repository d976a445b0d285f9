import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Finding, type Patience, type PlanInputs } from '../contract/index.js'
import { durationMs, resourceId } from '../contract/inputs.js'
import type { Machine } from '../platform/azure/door.js'
import { nameOf, sameId } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { attachActions, busyWith, diskIn, diskLabel, wantedDisks, type WantedDisk } from './parts/disks.js'
import { assertFenced, detachChanges, escalationOf, isForced, isStop, letGoByStopping, startedLater, stuck, type Escalation } from './parts/detach.js'
import { naming } from './parts/naming.js'
import { lockFindings, rightsFindings, together } from './parts/readiness.js'
import { diskAction, machineType, pathOf, post } from './parts/writes.js'
import { claim, defineStep, ended, endedWithin, groupClaim, groupOf, hostLabel, inverted, known, minutes, seconds } from './step.js'

interface AttachedDisk extends WantedDisk {
  readonly id: string
}

interface Seen {
  readonly attached: readonly AttachedDisk[]
  /** What the operator has chosen for a detach that is stuck. */
  readonly escalation?: Escalation
}

const how = z.enum(['exported', 'deallocated', 'gone', 'not-needed'])

const inputs = z.strictObject({
  machine: resourceId,
  resourceGroup: z.string(),
  disks: wantedDisks,
  /**
   * How the machine was fenced, by each of its fences: one that was deallocated must still be so right before its disks are taken. An
   * output of each: this step then waits for them, and does not begin where one was skipped.
   */
  fenced: z.union([how, z.array(how).min(1)]).optional(),
  /** A group in which they may stay attached: for disks that are only let go of so that they can be moved there. */
  unlessIn: z.string().optional(),
  /** How long a detach may take before the operator is asked. It takes seconds; stuck ones have taken 45 minutes. */
  patience: durationMs.default(10 * minutes),
})
type Inputs = z.infer<typeof inputs>

/**
 * Detaches data disks from a machine. Done when that machine has none of them (but for those in `unlessIn`), wherever they are by
 * then. That nothing on the machine still uses them is the fence's business: let it come before.
 */
export const detachDisks = defineStep({
  uses: 'azure/detach-disks',
  summary: 'Data disks, detached from the machine that had them',
  inputs,
  outputs: z.object({ machine: z.string() }),
  identity: ['machine', 'resourceGroup', 'disks', 'unlessIn'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 60 * minutes }),
  preflight: (changes, wanted, { doors }) =>
    together(
      lunFindings(wanted, doors),
      rightsFindings(doors, [{ scope: wanted.machine, actions: attachActions }]),
      lockFindings(doors, wanted.machine, changes),
    ),
  async observe({ machine, resourceGroup, disks, patience, unlessIn }, { doors, accepted }) {
    const found = await doors.azure.machines.get(machine)
    const attached = found === undefined ? [] : attachedOf(disks, found).filter(({ id }) => !isSameGroup(groupOf(id), unlessIn))
    if (found === undefined || attached.length === 0) return { state: 'converged', outputs: { machine }, ...(found && busyWith(found)) }
    const escalation = escalationOf(found, accepted)
    if (found.powerState === 'deallocating') return { state: 'in-flight', what: `${hostLabel(machine)} is being deallocated` }
    if (found.provisioningState === 'Updating' && escalation === undefined) {
      return { state: 'in-flight', what: `${hostLabel(machine)} is being changed`, ...patienceWith(found, attached, patience) }
    }
    const stranger = attached.find(({ id }) => !isSameGroup(groupOf(id), resourceGroup))
    if (stranger !== undefined) {
      const why = `${hostLabel(machine)} has a disk ${stranger.name} that is in ${groupOf(stranger.id)}, not in ${resourceGroup}`
      return { state: 'conflict', why, mend: 'Find out whether it is the one that is meant, then detach it by hand or write its group into the runbook.' }
    }
    return { state: 'drifted', seen: escalation === undefined ? { attached } : { attached, escalation } }
  },
  plan({ machine, disks }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const { attached, escalation } = seen.state === 'drifted' ? seen.seen : { attached: naming(disks, 'disks') }
    return detachChanges(machine, attached, escalation)
  },
  async apply(changes, wanted, ctx) {
    const { machine, resourceGroup, disks } = wanted
    const { doors, signal } = ctx
    const { machines } = doors.azure
    const planned = disks.filter(({ name }) => changes.some(({ resource }) => resource === diskLabel(name)))
    if (changes.some(({ after }) => isAttachment(after))) {
      const back = await Promise.all(planned.map(async ({ name, lun }) => ({ lun, disk: await diskIn(doors, resourceGroup, name) })))
      const gone = planned.filter((_, index) => back[index]?.disk === undefined)
      if (gone.length > 0) throw new LifeboatError('detach.no-disk', `${gone.map(({ name }) => name).join(', ')} is not in ${resourceGroup}`, { blame: 'user' })
      const wish = back.flatMap(({ lun, disk }) => (disk === undefined ? [] : [{ id: disk.id, lun }]))
      return ended(await machines.attach(machine, wish), signal)
    }
    if (changes.some(isStop)) await letGoByStopping(machine, ctx)
    const found = await machines.get(machine)
    const ids = found === undefined ? [] : attachedOf(planned, found).map(({ id }) => id)
    if (found === undefined || ids.length === 0) return
    assertFenced(found, [wanted.fenced ?? []].flat())
    const force = changes.some(isForced)
    const operation = await machines.detach(machine, ids, force)
    await ctx.checkpoint({ [force ? 'detaching by force' : 'detaching']: ids.map(nameOf) })
    const isOver = await endedWithin(operation, wanted.patience, ctx)
    if (!isOver) throw stuck(found, attachedOf(planned, found), { force, patienceMs: wanted.patience })
  },
  invert: (changes) => changes.map((change) => (isStop(change) ? startedLater(change) : inverted(change))),
  writes(changes, { machine }) {
    const path = pathOf(machine, machineType)
    const disks = changes.some((change) => !isStop(change)) ? [post(path, diskAction)] : []
    return [...(changes.some(isStop) ? [post(path, 'deallocate')] : []), ...disks]
  },
  claims: ({ machine, resourceGroup }) => [
    claim('machine', known(machine)),
    groupClaim(known(resourceGroup)),
    ...(isPending(machine) || groupOf(machine).toLowerCase() === known(resourceGroup).toLowerCase() ? [] : [groupClaim(groupOf(machine))]),
  ],
  estimateMs: () => 30 * seconds,
})

/** A detach of an earlier life of the run may hang as well as one of this life. What else changes the machine is only waited for. */
function patienceWith(
  found: Machine,
  attached: readonly AttachedDisk[],
  ms: PlanInputs<Inputs>['patience'],
): { readonly patience?: Patience } {
  const leaving = attached.filter(({ id }) => found.dataDisks.some((disk) => disk.leaving === true && sameId(disk.id, id)))
  if (leaving.length === 0 || isPending(ms)) return {}
  return { patience: { ms, error: stuck(found, leaving, { force: false, patienceMs: ms }) } }
}

async function lunFindings({ machine, disks }: PlanInputs<Inputs>, { azure }: Platform): Promise<Finding[]> {
  if (isPending(machine) || isPending(disks)) return []
  const found = await azure.machines.get(machine)
  const there = new Map(found?.dataDisks.map((disk) => [nameOf(disk.id).toLowerCase(), disk.lun]))
  return disks.flatMap(({ name, lun }) => {
    const actual = there.get(name.toLowerCase())
    if (actual === undefined || actual === lun) return []
    return [{ level: 'stop' as const, what: `${name} is at LUN ${actual}, not ${lun}`, mend: 'Write the LUN it has into the runbook: the way back needs it.' }]
  })
}

/** By name, so that a disk is found on the machine whatever group it has been moved to. The LUN is the one it has. */
function attachedOf(disks: readonly WantedDisk[], machine: Machine): AttachedDisk[] {
  return disks.flatMap(({ name }) => {
    const attached = machine.dataDisks.find(({ id }) => nameOf(id).toLowerCase() === name.toLowerCase())
    return attached === undefined ? [] : [{ name, lun: attached.lun, id: attached.id }]
  })
}

const isSameGroup = (one: string, other: string | undefined): boolean => one.toLowerCase() === other?.toLowerCase()

function isAttachment(after: Change['after']): boolean {
  return typeof after === 'object' && after !== null && 'attachedTo' in after && after.attachedTo !== null
}
