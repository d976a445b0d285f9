import { isPending, type Finding, type Pending } from '../../contract/index.js'
import type { Platform } from '../../platform/platform.js'
import { diskIn, type WantedDisk } from './disks.js'

/** Disks that Azure does not move, whatever else is right: those encrypted by way of a key vault (facts/azure). */
export async function unmovableFindings(from: string | Pending, disks: readonly WantedDisk[], doors: Platform): Promise<Finding[]> {
  if (isPending(from)) return []
  const found = await Promise.all(disks.map(({ name }) => diskIn(doors, from, name)))
  return disks
    .filter((_, index) => found[index]?.keyVaultEncrypted === true)
    .map(({ name }) => ({
      level: 'stop',
      what: `the disk ${name} is encrypted by way of a key vault, and Azure does not move such disks`,
      mend: 'Leave it in its group: drop the step that moves it, and attach it from there (`resourceGroup` of azure/attach-disks).',
    }))
}
