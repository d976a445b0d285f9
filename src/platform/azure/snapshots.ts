import type { SnapshotDoor } from './door.js'
import { submitted } from './pollers.js'
import type { AzureSession } from './session.js'

export function openSnapshots(session: AzureSession, tags: Readonly<Record<string, string>>): SnapshotDoor {
  return {
    async get(id) {
      const { group, name } = session.parse(id)
      const found = await session.read(`reading snapshot ${name}`, async () => (await session.compute()).snapshots.get(group, name))
      if (found === undefined) return undefined
      return {
        id: found.id ?? id,
        provisioningState: found.provisioningState ?? 'Unknown',
        createdAt: found.timeCreated ?? new Date(0),
        of: found.creationData?.sourceUniqueId ?? '',
      }
    },
    create(id, disk) {
      const { group, name } = session.parse(id)
      return session.start(`making snapshot ${name}`, async () =>
        submitted(
          (await session.compute()).snapshots.createOrUpdate(group, name, {
            location: disk.location,
            incremental: true,
            creationData: { createOption: 'Copy', sourceResourceId: disk.id },
            tags: { ...tags },
          }),
        ),
      )
    },
    delete(id) {
      const { group, name } = session.parse(id)
      return session.remove(`deleting snapshot ${name}`, async () => submitted((await session.compute()).snapshots.delete(group, name)))
    },
  }
}
