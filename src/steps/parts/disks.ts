import { z } from 'zod'
import { LifeboatError } from '../../contract/index.js'
import type { Disk, Machine } from '../../platform/azure/door.js'
import type { Platform } from '../../platform/platform.js'
import { hostLabel, idIn } from '../step.js'

/** A data disk as the runbook states it. */
export const wantedDisk = z.strictObject({ name: z.string(), lun: z.number().int().min(0).max(63) })
export type WantedDisk = z.infer<typeof wantedDisk>

/** Several of them; two at one LUN, or one twice, is a mistake of the runbook. */
export const wantedDisks = z
  .array(wantedDisk)
  .min(1)
  .refine((disks) => new Set(disks.map(({ name }) => name.toLowerCase())).size === disks.length, 'a disk is named twice')
  .refine((disks) => new Set(disks.map(({ lun }) => lun)).size === disks.length, 'two disks have the same LUN')

/** A data disk where it is now. `uniqueId` stays with it when it moves, its id does not. */
export const foundDisk = z.strictObject({ name: z.string(), lun: z.number().int(), id: z.string(), uniqueId: z.string() })
export type FoundDisk = z.infer<typeof foundDisk>

/** What attaching and detaching takes, at the machine. */
export const attachActions: readonly string[] = ['Microsoft.Compute/virtualMachines/attachDetachDataDisks/action']

export const diskLabel = (name: string): string => `disk ${name}`

/** A disk by its name in a group; undefined if the group or the disk is not there. */
export function diskIn({ azure }: Platform, group: string, name: string): Promise<Disk | undefined> {
  return azure.disks.get(idIn(azure.groups.idOf(group), 'Microsoft.Compute/disks', name))
}

interface InGroup {
  readonly resourceGroup: string
  readonly disks: readonly WantedDisk[]
}

/** Do all these disks lie in that group? */
export async function allIn(doors: Platform, { resourceGroup, disks }: InGroup): Promise<boolean> {
  const found = await Promise.all(disks.map(({ name }) => diskIn(doors, resourceGroup, name)))
  return found.every((disk) => disk !== undefined)
}

/** What is at work on a machine may be attaching a disk, or taking one off: it looks as before until it is over. */
export function busyWith({ id, provisioningState }: Machine): { readonly busy?: string } {
  return provisioningState === 'Updating' ? { busy: `${hostLabel(id)} is being changed` } : {}
}

/** A wanted disk in the two groups of a move, as far as it is in either. */
export interface Place {
  readonly disk: WantedDisk
  readonly here: Disk | undefined
  readonly there: Disk | undefined
}

/**
 * The target is asked after the source, so that a disk that is just being moved there is seen in one of them at least; and the source once
 * more, for one that is just coming back.
 */
export async function placeOf(doors: Platform, from: string, to: string | undefined, disk: WantedDisk): Promise<Place> {
  const here = await diskIn(doors, from, disk.name)
  const there = to === undefined ? undefined : await diskIn(doors, to, disk.name)
  if (here !== undefined || there !== undefined || to === undefined) return { disk, here, there }
  return { disk, here: await diskIn(doors, from, disk.name), there }
}

/** Where a disk is, whichever of two groups that be. Throws `disk.lost` for none, and `disk.twice` for two different ones. */
export async function findIn(doors: Platform, from: string, to: string | undefined, disk: WantedDisk): Promise<Disk> {
  const { here, there } = await placeOf(doors, from, to, disk)
  const groups = to === undefined ? from : `${from} or ${to}`
  if (here !== undefined && there !== undefined && here.uniqueId !== there.uniqueId) {
    throw new LifeboatError('disk.twice', `there is a disk ${disk.name} in each of ${from} and ${to ?? ''}, and they are two`, { hint: twiceHint })
  }
  const found = there ?? here
  if (found !== undefined) return found
  throw new LifeboatError('disk.lost', `there is no disk ${disk.name} in ${groups}`, { hint: 'Find it with `az disk list` before anything else is done.' })
}

export const twiceHint = 'Find out which of them holds the data (`az disk show`), and move the other elsewhere, or delete it.'
