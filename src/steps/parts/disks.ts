import { z } from 'zod'
import type { Disk } from '../../platform/azure/door.js'
import type { Platform } from '../../platform/platform.js'
import { idIn } from '../step.js'

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
export async function diskIn({ azure }: Platform, group: string, name: string): Promise<Disk | undefined> {
  const found = await azure.groups.get(group)
  return found === undefined ? undefined : azure.disks.get(idIn(found.id, 'Microsoft.Compute/disks', name))
}
