import { z } from 'zod'
import { isPending, LifeboatError, type Change } from '../contract/index.js'
import type { Disk } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'
import { diskIn, diskLabel, foundDisk, wantedDisk, type FoundDisk, type WantedDisk } from './parts/disks.js'
import { defineStep, groupClaim, hours, inverted, known, minutes, seconds } from './step.js'

interface Seen {
  /** Names of the disks that are still in the source. */
  readonly waiting: readonly string[]
}

/**
 * Moves disks to another resource group. Azure locks both groups until it is over, and may end with part of it done: each
 * disk is looked at by itself, in either group. What is still in the source is moved again; a move that is still going on
 * answers 409, which is in flight and no failure.
 */
export const moveResources = defineStep({
  uses: 'azure/move-resources',
  summary: 'Disks, moved to another resource group',
  inputs: z.strictObject({ from: z.string(), to: z.string(), disks: z.array(wantedDisk).min(1) }),
  outputs: z.object({ resourceGroup: z.string(), disks: z.array(foundDisk) }),
  identity: ['from', 'to', 'disks'],
  verification: () => ({ everyMs: 10 * seconds, withinMs: 4 * hours }),
  preflight: async (_changes, { from, disks }, { doors }) => {
    if (isPending(from) || isPending(disks)) return []
    const found = await Promise.all(disks.map(({ name }) => diskIn(doors, from, name)))
    return disks
      .filter((_, index) => found[index] === undefined)
      .map(({ name }) => ({ level: 'stop' as const, what: `there is no disk ${name} in ${from}`, mend: 'Look at `az disk list`, and at the names in the runbook.' }))
  },
  async observe({ from, to, disks }, { doors }) {
    const places = await Promise.all(disks.map((disk) => placeOf(doors, from, to, disk)))
    const lost = places.find((place) => place.here === undefined && place.there === undefined)
    if (lost !== undefined) {
      return { state: 'conflict', why: `disk ${lost.disk.name} is neither in ${from} nor in ${to}`, mend: 'Find it with `az disk list` before anything else is done.' }
    }
    const waiting = places.filter(({ there }) => there === undefined).map(({ disk }) => disk.name)
    if (waiting.length === 0) return { state: 'converged', outputs: { resourceGroup: to, disks: places.map(foundIn) } }
    return { state: 'drifted', seen: { waiting } }
  },
  plan({ from, to, disks }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    if (isPending(disks)) return []
    const names = seen.state === 'drifted' ? seen.seen.waiting : disks.map(({ name }) => name)
    return names.map((name) => ({ resource: diskLabel(name), action: 'update', before: { group: from }, after: { group: to } }))
  },
  async apply(changes, { from, to, disks }, { doors, checkpoint, progress }) {
    const goal = groupAfter(changes)
    const [source, target] = goal === from ? [to, from] : [from, to]
    const planned = disks.filter(({ name }) => changes.some(({ resource }) => resource === diskLabel(name)))
    const found = await Promise.all(planned.map(({ name }) => diskIn(doors, source, name)))
    const ids = found.flatMap((disk) => (disk === undefined ? [] : [disk.id]))
    if (ids.length === 0) return
    assertUnattached(found)
    const operation = await doors.azure.groups.move(source, target, ids)
    await checkpoint({ moving: ids.length, from: source, to: target })
    progress(`moving ${ids.length} disks; ${source} and ${target} are locked until it is over`)
    await operation.done
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ from, to }) => [groupClaim(known(from), 'alone'), groupClaim(known(to), 'alone')],
  estimateMs: () => 5 * minutes,
})

interface Place {
  readonly disk: WantedDisk
  readonly here: Disk | undefined
  readonly there: Disk | undefined
}

async function placeOf(doors: Platform, from: string, to: string, disk: WantedDisk): Promise<Place> {
  const [here, there] = await Promise.all([diskIn(doors, from, disk.name), diskIn(doors, to, disk.name)])
  return { disk, here, there }
}

function foundIn({ disk, there }: Place): FoundDisk {
  return { ...disk, id: there?.id ?? '', uniqueId: there?.uniqueId ?? '' }
}

function groupAfter([first]: readonly Change[]): string | undefined {
  const after = first?.after
  return typeof after === 'object' && after !== null && 'group' in after && typeof after.group === 'string' ? after.group : undefined
}

function assertUnattached(disks: readonly (Disk | undefined)[]): void {
  for (const disk of disks) {
    if (disk?.managedBy === undefined) continue
    throw new LifeboatError('move.attached', `disk ${disk.id} is still attached to ${disk.managedBy}`, { retry: {} })
  }
}
