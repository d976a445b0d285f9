import type { DiskDoor } from './door.js'
import type { AzureSession } from './session.js'

export function openDisks(session: AzureSession): DiskDoor {
  return {
    async get(id) {
      const { group, name } = session.parse(id)
      const found = await session.read(`reading disk ${name}`, async () => (await session.compute()).disks.get(group, name))
      if (found === undefined) return undefined
      const { managedBy, managedByExtended } = found
      return {
        id: found.id ?? id,
        uniqueId: found.uniqueId ?? '',
        location: found.location,
        zones: found.zones ?? [],
        sizeGB: found.diskSizeGB ?? 0,
        state: found.diskState ?? 'Unknown',
        sku: found.sku?.name ?? '',
        keyVaultEncrypted: found.encryptionSettingsCollection?.enabled === true,
        ...(managedBy === undefined ? {} : { managedBy }),
        ...(managedByExtended === undefined ? {} : { sharedBy: managedByExtended }),
      }
    },
  }
}
