import { z } from 'zod'
import { isPending, type Change, type Claim, type Observation } from '../contract/index.js'
import { resourceId } from '../contract/inputs.js'
import type { Disk, Machine } from '../platform/azure/door.js'
import { nameOf, sameId, samePlace } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { attachFindings } from './parts/attach-readiness.js'
import { attachActions, busyWith, diskLabel, findIn, foundDisk, wantedDisks, type WantedDisk } from './parts/disks.js'
import { naming } from './parts/naming.js'
import { lockFindings, rightsFindings, together } from './parts/readiness.js'
import { diskAction, machineType, pathOf, post } from './parts/writes.js'
import { claim, defineStep, ended, groupClaim, groupOf, hostLabel, inverted, known, minutes, seconds } from './step.js'

interface Seen {
  /** Names. */
  readonly missing: readonly string[]
}

interface Placed {
  readonly wanted: WantedDisk
  readonly disk: Disk
}

/** Attaches data disks to a machine at the LUNs they always had. A disk that another machine holds is left there. */
export const attachDisks = defineStep({
  uses: 'azure/attach-disks',
  summary: 'Data disks, attached to a machine at their LUNs',
  inputs: z.strictObject({
    machine: resourceId,
    resourceGroup: z.string(),
    /** Another group in which a disk may be: the one that it is moved out of, and that a refused move leaves it in. */
    from: z.string().optional(),
    disks: wantedDisks,
    /** Size and zone of a machine that is still to be made, for a plan that cannot take them from the step that makes it. */
    size: z.string().optional(),
    zone: z.string().optional(),
  }),
  outputs: z.object({ disks: z.array(foundDisk) }),
  identity: ['machine', 'resourceGroup', 'disks'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 30 * minutes }),
  preflight: (changes, wanted, { doors, planned }) =>
    together(
      attachFindings(wanted, doors, planned),
      rightsFindings(doors, [{ scope: wanted.machine, actions: attachActions }]),
      lockFindings(doors, wanted.machine, changes),
    ),
  async observe({ machine, resourceGroup, from, disks: wanted }, { doors }) {
    const found = await doors.azure.machines.get(machine)
    if (found === undefined) return { state: 'conflict', why: `there is no machine ${machine}`, mend: 'The step that makes it must come before.' }
    const disks = await findDisks(doors, resourceGroup, isPending(from) ? undefined : from, wanted)
    const going = leavingOf(found, disks)
    if (going !== undefined) return going
    const missing = disks.filter((one) => !isAttached(found, one))
    if (missing.length === 0) {
      const outputs = { disks: disks.map(({ wanted: { name, lun }, disk: { id, uniqueId } }) => ({ name, lun, id, uniqueId })) }
      return { state: 'converged', outputs, ...busyWith(found) }
    }
    if (found.provisioningState === 'Updating') return { state: 'in-flight', what: `${hostLabel(found.id)} is being changed` }
    const leaving = await detachingOf(doors, missing, machine)
    if (leaving !== undefined) return { state: 'in-flight', what: leaving }
    const wrong = wrongLun(found, disks) ?? missing.map((one) => misplaced(found, one)).find((one) => one !== undefined)
    if (wrong !== undefined) return { state: 'conflict', ...wrong }
    const seen = { missing: missing.map((one) => one.wanted.name) }
    return heldElsewhere(found, missing, seen) ?? { state: 'drifted', seen }
  },
  plan({ machine, disks }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const all = naming(disks, 'disks')
    const wanted = seen.state === 'drifted' ? all.filter(({ name }) => seen.seen.missing.includes(name)) : all
    const on = hostLabel(machine)
    return wanted.map(({ name, lun }) => ({ resource: diskLabel(name), action: 'update', before: { attachedTo: null }, after: { attachedTo: on, lun } }))
  },
  async apply(changes, { machine, resourceGroup, from, disks }, { doors, checkpoint, signal }) {
    const { machines } = doors.azure
    const planned = disks.filter(({ name }) => changes.some(({ resource }) => resource === diskLabel(name)))
    const found = await findDisks(doors, resourceGroup, from, planned)
    const away = changes.some(({ after }) => typeof after === 'object' && after !== null && 'attachedTo' in after && after.attachedTo === null)
    const operation = away
      ? await machines.detach(machine, found.map(({ disk }) => disk.id))
      : await machines.attach(machine, found.map(({ wanted: { lun }, disk: { id } }) => ({ id, lun })))
    await checkpoint({ [away ? 'detaching' : 'attaching']: planned.map(({ name }) => name) })
    await ended(operation, signal)
  },
  invert: (changes) => changes.map(inverted),
  writes: (_changes, { machine }) => [post(pathOf(machine, machineType), diskAction)],
  claims: ({ machine, resourceGroup, from }) => [
    claim('machine', known(machine)),
    ...sharedGroups([known(resourceGroup), from && known(from), isPending(machine) ? undefined : groupOf(machine)]),
  ],
  estimateMs: () => 30 * seconds,
})

function sharedGroups(groups: readonly (string | undefined)[]): Claim[] {
  const names = groups.flatMap((group) => group?.toLowerCase() ?? [])
  return [...new Set(names)].map((group) => groupClaim(group))
}

async function findDisks(doors: Platform, group: string, other: string | undefined, wanted: readonly WantedDisk[]): Promise<Placed[]> {
  // What has been moved lies in the first; a move that was refused or ended in part leaves disks in the second.
  const [first, second] = other === undefined ? [group, undefined] : [other, group]
  return Promise.all(wanted.map(async (one) => ({ wanted: one, disk: await findIn(doors, first, second, one) })))
}

function isAttached(machine: Machine, { wanted, disk }: Placed): boolean {
  return machine.dataDisks.some(({ id, lun }) => sameId(id, disk.id) && lun === wanted.lun)
}

/**
 * A disk that the machine is letting go of stands there until the end of that, and is as good as gone: an operation of an earlier life may
 * hang for long. Where nothing is at work on the machine any more, nobody can tell whether it goes.
 */
function leavingOf(machine: Machine, disks: readonly Placed[]): Observation<never, never> | undefined {
  const going = disks.filter(({ disk }) => machine.dataDisks.some(({ id, leaving }) => leaving === true && sameId(id, disk.id)))
  if (going.length === 0) return undefined
  const names = going.map(({ wanted: { name } }) => name).join(', ')
  const on = hostLabel(machine.id)
  if (machine.provisioningState === 'Updating') return { state: 'in-flight', what: `${on} is letting go of ${names}` }
  const mend = 'Look at `az vm show`. If nobody uses it there, detach it by hand (`az vm disk detach`), then resume: what has to be attached is attached then.'
  return { state: 'conflict', why: `${names} is to be detached from ${on} (toBeDetached), and nothing is at work there`, mend }
}

/** Another machine that holds a disk and is letting go of it just now, in words. */
async function detachingOf({ azure }: Platform, disks: readonly Placed[], machine: string): Promise<string | undefined> {
  for (const { disk } of disks) {
    if (disk.managedBy === undefined || sameId(disk.managedBy, machine)) continue
    const holder = await azure.machines.get(disk.managedBy)
    if (holder?.provisioningState === 'Updating') return `${hostLabel(holder.id)}, which holds ${nameOf(disk.id)}, is being changed`
  }
  return undefined
}

interface Conflict {
  readonly why: string
  readonly mend: string
}

function wrongLun(machine: Machine, disks: readonly Placed[]): Conflict | undefined {
  for (const { id, lun } of machine.dataDisks) {
    const ours = disks.find(({ disk }) => sameId(disk.id, id))
    if (ours !== undefined && ours.wanted.lun !== lun) {
      return { why: `disk ${ours.wanted.name} is attached at LUN ${lun}, not ${ours.wanted.lun}`, mend: 'Detach it, or write that LUN into the runbook.' }
    }
    if (ours === undefined && disks.some(({ wanted }) => wanted.lun === lun)) {
      return { why: `LUN ${lun} of ${hostLabel(machine.id)} is taken by ${nameOf(id)}`, mend: 'Free it, or write another LUN into the runbook.' }
    }
  }
  return undefined
}

/** Disks attach to one machine at a time (facts/azure). A step before this one may be going to detach them. */
function heldElsewhere(machine: Machine, disks: readonly Placed[], seen: Seen): Observation<never, Seen> | undefined {
  const held = disks.flatMap(({ wanted: { name }, disk: { managedBy } }) => {
    return managedBy === undefined || sameId(managedBy, machine.id) ? [] : [{ name, by: hostLabel(managedBy) }]
  })
  const [first] = held
  if (first === undefined) return undefined
  const changes = held.map(({ name, by }) => ({ resource: diskLabel(name), before: { attachedTo: by } }))
  const mend = 'Detach it there first, once nothing on that machine uses it.'
  return { state: 'conflict', why: `disk ${first.name} is attached to ${first.by}`, mend, until: { changes, seen } }
}

/** Disks attach within one region only, zonal ones within their zone (facts/azure). */
function misplaced(machine: Machine, { wanted: { name }, disk }: Placed): Conflict | undefined {
  const { location, zones } = disk
  if (!samePlace(location, machine.location)) {
    return { why: `disk ${name} is in ${location}, ${hostLabel(machine.id)} in ${machine.location}`, mend: 'A disk does not leave its region: make the machine there.' }
  }
  if (zones.length === 1 && !zones.some((zone) => machine.zones.includes(zone))) {
    const where = machine.zones[0] === undefined ? 'in none' : `in ${machine.zones[0]}`
    return { why: `disk ${name} is in zone ${zones.join()}, ${hostLabel(machine.id)} ${where}`, mend: 'Make the machine in the zone of its disks.' }
  }
  return undefined
}
