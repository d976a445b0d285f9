import { z } from 'zod'
import { isPending, LifeboatError, resourceId, type Change, type Finding, type PlanInputs } from '../contract/index.js'
import type { Machine } from '../platform/azure/door.js'
import { nameOf } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { attachActions, diskIn, diskLabel, wantedDisks, type WantedDisk } from './parts/disks.js'
import { naming } from './parts/naming.js'
import { lockFindings, rightsFindings, together } from './parts/readiness.js'
import { claim, defineStep, ended, groupClaim, groupOf, hostLabel, inverted, known, minutes, seconds } from './step.js'

interface AttachedDisk extends WantedDisk {
  readonly id: string
}

interface Seen {
  readonly attached: readonly AttachedDisk[]
}

const inputs = z.strictObject({ machine: resourceId, resourceGroup: z.string(), disks: wantedDisks })
type Inputs = z.infer<typeof inputs>

/**
 * Detaches data disks from a machine. Done when that machine has none of them, wherever they are by then. That nothing on
 * the machine still uses them is the fence's business: let it come before.
 */
export const detachDisks = defineStep({
  uses: 'azure/detach-disks',
  summary: 'Data disks, detached from the machine that had them',
  inputs,
  outputs: z.object({ machine: z.string() }),
  identity: ['machine', 'resourceGroup', 'disks'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 60 * minutes }),
  preflight: (changes, wanted, { doors }) =>
    together(
      lunFindings(wanted, doors),
      rightsFindings(doors, [{ scope: wanted.machine, actions: attachActions }]),
      lockFindings(doors, wanted.machine, changes),
    ),
  async observe({ machine, resourceGroup, disks }, { doors }) {
    const found = await doors.azure.machines.get(machine)
    const attached = found === undefined ? [] : attachedOf(disks, found)
    if (found === undefined || attached.length === 0) return { state: 'converged', outputs: { machine } }
    if (found.provisioningState === 'Updating') return { state: 'in-flight', what: `${hostLabel(machine)} is being changed` }
    const stranger = attached.find(({ id }) => groupOf(id).toLowerCase() !== resourceGroup.toLowerCase())
    if (stranger !== undefined) {
      const why = `${hostLabel(machine)} has a disk ${stranger.name} that is in ${groupOf(stranger.id)}, not in ${resourceGroup}`
      return { state: 'conflict', why, mend: 'Find out whether it is the one that is meant, then detach it by hand or write its group into the runbook.' }
    }
    return { state: 'drifted', seen: { attached } }
  },
  plan({ machine, disks }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const attached = seen.state === 'drifted' ? seen.seen.attached : naming(disks, 'disks')
    const on = hostLabel(machine)
    return attached.map(({ name, lun }) => ({
      resource: diskLabel(name),
      action: 'update',
      before: { attachedTo: on, lun },
      after: { attachedTo: null },
    }))
  },
  async apply(changes, { machine, resourceGroup, disks }, { doors, checkpoint, signal }) {
    const { machines } = doors.azure
    const planned = disks.filter(({ name }) => changes.some(({ resource }) => resource === diskLabel(name)))
    if (changes.some(({ after }) => isAttachment(after))) {
      const back = await Promise.all(planned.map(async ({ name, lun }) => ({ lun, disk: await diskIn(doors, resourceGroup, name) })))
      const gone = planned.filter((_, index) => back[index]?.disk === undefined)
      if (gone.length > 0) throw new LifeboatError('detach.no-disk', `${gone.map(({ name }) => name).join(', ')} is not in ${resourceGroup}`, { blame: 'user' })
      const wish = back.flatMap(({ lun, disk }) => (disk === undefined ? [] : [{ id: disk.id, lun }]))
      return ended(await machines.attach(machine, wish), signal)
    }
    const found = await machines.get(machine)
    const ids = found === undefined ? [] : attachedOf(planned, found).map(({ id }) => id)
    if (ids.length === 0) return
    const operation = await machines.detach(machine, ids)
    await checkpoint({ detaching: ids.map(nameOf) })
    await ended(operation, signal)
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ machine, resourceGroup }) => [
    claim('machine', known(machine)),
    groupClaim(known(resourceGroup)),
    ...(isPending(machine) || groupOf(machine).toLowerCase() === known(resourceGroup).toLowerCase() ? [] : [groupClaim(groupOf(machine))]),
  ],
  estimateMs: () => 30 * seconds,
})

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

function isAttachment(after: Change['after']): boolean {
  return typeof after === 'object' && after !== null && 'attachedTo' in after && after.attachedTo !== null
}
