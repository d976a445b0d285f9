import { z } from 'zod'
import { isPending, resourceId, type Change } from '../contract/index.js'
import type { Machine } from '../platform/azure/door.js'
import { nameOf } from '../platform/azure/ids.js'
import { diskLabel, wantedDisk, type WantedDisk } from './parts/disks.js'
import { claim, defineStep, groupClaim, groupOf, idIn, inverted, known, minutes, seconds } from './step.js'

interface Seen {
  readonly attached: readonly (WantedDisk & { readonly id: string })[]
}

/**
 * Detaches data disks from a machine. Done when that machine has none of them, wherever they are by then. That nothing on
 * the machine still uses them is the fence's business: let it come before.
 */
export const detachDisks = defineStep({
  uses: 'azure/detach-disks',
  summary: 'Data disks, detached from the machine that had them',
  inputs: z.strictObject({ machine: resourceId, resourceGroup: z.string(), disks: z.array(wantedDisk).min(1) }),
  outputs: z.object({ machine: z.string() }),
  identity: ['machine', 'disks'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 60 * minutes }),
  preflight: async (_changes, { machine, disks }, { doors }) => {
    if (isPending(machine) || isPending(disks)) return []
    const found = await doors.azure.machines.get(machine)
    const there = new Map(found?.dataDisks.map((disk) => [nameOf(disk.id).toLowerCase(), disk.lun]))
    return disks.flatMap(({ name, lun }) => {
      const actual = there.get(name.toLowerCase())
      if (actual === undefined || actual === lun) return []
      return [{ level: 'stop' as const, what: `${name} is at LUN ${actual}, not ${lun}`, mend: 'Write the LUN it has into the runbook: the way back needs it.' }]
    })
  },
  async observe({ machine, disks }, { doors }) {
    const found = await doors.azure.machines.get(machine)
    if (found === undefined) return { state: 'converged', outputs: { machine } }
    const attached = attachedOf(disks, found)
    if (attached.length === 0) return { state: 'converged', outputs: { machine } }
    if (found.provisioningState === 'Updating') return { state: 'in-flight', what: `${nameOf(machine)} is being changed` }
    return { state: 'drifted', seen: { attached } }
  },
  plan({ machine, disks }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    if (isPending(disks)) return []
    const attached = seen.state === 'drifted' ? seen.seen.attached : disks
    return attached.map(({ name, lun }) => ({
      resource: diskLabel(name),
      action: 'update',
      before: { attachedTo: nameOf(String(machine)), lun },
      after: { attachedTo: null },
    }))
  },
  async apply(changes, { machine, disks }, { doors, checkpoint }) {
    const found = await doors.azure.machines.get(machine)
    if (found === undefined) return
    const planned = new Set(changes.map(({ resource }) => resource))
    if (changes.some(({ after }) => isAttachment(after))) {
      const group = groupIdOf(found.id)
      const wanted = disks.filter(({ name }) => planned.has(diskLabel(name)))
      const back = wanted.map(({ name, lun }) => ({ id: idIn(group, 'Microsoft.Compute/disks', name), lun }))
      return void (await (await doors.azure.machines.attach(machine, back)).done)
    }
    const ids = attachedOf(disks, found).filter(({ name }) => planned.has(diskLabel(name))).map(({ id }) => id)
    if (ids.length === 0) return
    const operation = await doors.azure.machines.detach(machine, ids)
    await checkpoint({ detaching: ids.length })
    await operation.done
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ machine, resourceGroup }) => [claim('machine', known(machine)), groupClaim(isPending(machine) ? known(resourceGroup) : groupOf(machine))],
  estimateMs: () => 30 * seconds,
})

function attachedOf(disks: readonly WantedDisk[], machine: Machine): (WantedDisk & { id: string })[] {
  return disks.flatMap((disk) => {
    const attached = machine.dataDisks.find(({ id }) => nameOf(id).toLowerCase() === disk.name.toLowerCase())
    return attached === undefined ? [] : [{ ...disk, id: attached.id }]
  })
}

/** The disks were in the machine's own group. */
function groupIdOf(id: string): string {
  return id.replace(/\/providers\/.*$/i, '')
}

function isAttachment(after: Change['after']): boolean {
  return typeof after === 'object' && after !== null && 'attachedTo' in after && after.attachedTo !== null
}
