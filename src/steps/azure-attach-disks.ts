import { z } from 'zod'
import { isPending, LifeboatError, resourceId, type Change } from '../contract/index.js'
import type { Machine } from '../platform/azure/door.js'
import { nameOf, sameId } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { diskIn, diskLabel, foundDisk, wantedDisk, type FoundDisk, type WantedDisk } from './parts/disks.js'
import { claim, defineStep, groupClaim, groupOf, inverted, known, minutes, seconds } from './step.js'

interface Seen {
  /** Names. */
  readonly missing: readonly string[]
}

/** Attaches data disks to a machine at the LUNs they always had. A disk that another machine holds is left there. */
export const attachDisks = defineStep({
  uses: 'azure/attach-disks',
  summary: 'Data disks, attached to a machine at their LUNs',
  inputs: z.strictObject({ machine: resourceId, resourceGroup: z.string(), disks: z.array(wantedDisk).min(1) }),
  outputs: z.object({ disks: z.array(foundDisk) }),
  identity: ['machine', 'resourceGroup', 'disks'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 30 * minutes }),
  preflight: async () => [],
  async observe({ machine, resourceGroup, disks: wanted }, { doors }) {
    const found = await doors.azure.machines.get(machine)
    if (found === undefined) return { state: 'conflict', why: `there is no machine ${machine}`, mend: 'The step that makes it must come before.' }
    const disks = await findDisks(doors, resourceGroup, wanted)
    const wrong = wrongLun(found, disks)
    if (wrong !== undefined) return { state: 'conflict', ...wrong }
    const missing = disks.filter((disk) => !isAttached(found, disk))
    if (missing.length === 0) return { state: 'converged', outputs: { disks: disks.map(({ name, lun, id, uniqueId }) => ({ name, lun, id, uniqueId })) } }
    if (found.provisioningState === 'Updating') return { state: 'in-flight', what: `${nameOf(found.id)} is being changed` }
    const holder = missing.find(({ managedBy }) => managedBy !== undefined && !sameId(managedBy, machine))
    if (holder?.managedBy !== undefined) {
      return { state: 'conflict', why: `disk ${holder.name} is attached to ${holder.managedBy}`, mend: 'Detach it there first, once nothing on that machine uses it.' }
    }
    return { state: 'drifted', seen: { missing: missing.map(({ name }) => name) } }
  },
  plan({ machine, disks }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    if (isPending(disks)) return []
    const wanted = seen.state === 'drifted' ? disks.filter(({ name }) => seen.seen.missing.includes(name)) : disks
    return wanted.map(({ name, lun }) => ({ resource: diskLabel(name), action: 'update', before: { attachedTo: null }, after: { attachedTo: machine, lun } }))
  },
  async apply(changes, { machine, resourceGroup, disks }, { doors, checkpoint }) {
    const planned = disks.filter(({ name }) => changes.some(({ resource }) => resource === diskLabel(name)))
    const found = await findDisks(doors, resourceGroup, planned)
    const away = changes.some(({ after }) => typeof after === 'object' && after !== null && 'attachedTo' in after && after.attachedTo === null)
    const { machines } = doors.azure
    const operation = await (away ? machines.detach(machine, found.map(({ id }) => id)) : machines.attach(machine, found))
    await checkpoint({ [away ? 'detaching' : 'attaching']: found.length })
    await operation.done
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ machine }) => [claim('machine', known(machine)), ...(isPending(machine) ? [] : [groupClaim(groupOf(machine))])],
  estimateMs: () => 30 * seconds,
})

interface PlacedDisk extends FoundDisk {
  readonly managedBy?: string
}

async function findDisks(doors: Platform, group: string, wanted: readonly WantedDisk[]): Promise<PlacedDisk[]> {
  return Promise.all(
    wanted.map(async (disk) => {
      const found = await diskIn(doors, group, disk.name)
      if (found === undefined) throw new LifeboatError('attach.no-disk', `there is no disk ${disk.name} in ${group}`, { blame: 'user' })
      const { id, uniqueId, managedBy } = found
      return { ...disk, id, uniqueId, ...(managedBy === undefined ? {} : { managedBy }) }
    }),
  )
}

function isAttached(machine: Machine, disk: FoundDisk): boolean {
  return machine.dataDisks.some(({ id, lun }) => sameId(id, disk.id) && lun === disk.lun)
}

function wrongLun(machine: Machine, disks: readonly FoundDisk[]): { why: string; mend: string } | undefined {
  for (const { id, lun } of machine.dataDisks) {
    const wanted = disks.find((disk) => sameId(disk.id, id))
    if (wanted !== undefined && wanted.lun !== lun) {
      return { why: `disk ${wanted.name} is attached at LUN ${lun}, not ${wanted.lun}`, mend: 'Detach it, or write that LUN into the runbook.' }
    }
    if (wanted === undefined && disks.some((disk) => disk.lun === lun)) {
      return { why: `LUN ${lun} of ${nameOf(machine.id)} is taken by ${nameOf(id)}`, mend: 'Free it, or write another LUN into the runbook.' }
    }
  }
  return undefined
}
