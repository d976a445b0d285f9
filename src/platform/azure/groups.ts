import type { Group, GroupDoor } from './door.js'
import { isWithin } from './ids.js'
import { listLocks } from './locks.js'
import { begun } from './pollers.js'
import type { AzureSession } from './session.js'

type Tags = Readonly<Record<string, string>>

async function idsOf(pages: AsyncIterable<{ readonly id?: string }>): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of pages) if (id !== undefined) ids.push(id)
  return ids
}

export function openGroups(session: AzureSession, tags: Tags): GroupDoor {
  const path = (name: string): string => `/subscriptions/${session.subscription}/resourceGroups/${name}`

  async function get(name: string): Promise<Group | undefined> {
    const doing = `reading resource group ${name}`
    const group = await session.read(doing, async () => (await session.resources()).resourceGroups.get(name))
    if (group === undefined) return undefined
    return {
      id: group.id ?? path(name),
      name: group.name ?? name,
      location: group.location,
      provisioningState: group.properties?.provisioningState ?? 'Succeeded',
      tags: group.tags ?? {},
    }
  }

  return {
    idOf: path,
    get,
    async create(name, location) {
      if ((await get(name)) !== undefined) return 'there'
      return (await put(session, name, { location, tags: { ...tags } })) === 200 ? 'put-over' : 'made'
    },
    async tag(name, added) {
      const doing = `tagging resource group ${name}`
      const poller = await session.write(doing, async () =>
        begun((await session.resources()).tagsOperations.beginUpdateAtScope(path(name), { operation: 'Merge', properties: { tags: { ...added } } })),
      )
      await session.wait(poller, doing)
    },
    delete: (name) =>
      session.remove(`deleting resource group ${name}`, async () => begun((await session.resources()).resourceGroups.beginDelete(name))),
    async list(name) {
      if ((await get(name)) === undefined) return undefined
      return session.read(`listing resource group ${name}`, async () => {
        const ids: string[] = []
        for await (const one of (await session.resources()).resources.listByResourceGroup(name)) ids.push(one.id ?? '')
        return ids
      })
    },
    async holds(name) {
      const found = await session.read(`listing what data is in resource group ${name}`, async () => {
        const { disks, snapshots, virtualMachines } = await session.compute()
        return Promise.all([disks.listByResourceGroup(name), snapshots.listByResourceGroup(name), virtualMachines.list(name)].map(idsOf))
      })
      return (found ?? []).flat()
    },
    async locks(name) {
      const locks = await listLocks(session)
      const group = name === undefined ? `/subscriptions/${session.subscription}` : path(name)
      return locks.filter(({ scope }) => isWithin(group, scope) || (name !== undefined && isWithin(scope, group)))
    },
    move: (from, to, ids) =>
      session.start(`moving ${ids.length} resources from ${from} to ${to}`, async () =>
        begun((await session.resources()).resources.beginMoveResources(from, { resources: [...ids], targetResourceGroup: path(to) })),
      ),
    async validateMove(from, to, ids) {
      const operation = await session.start(`validating the move of ${ids.length} resources from ${from} to ${to}`, async () =>
        begun(
          (await session.resources()).resources.beginValidateMoveResources(from, { resources: [...ids], targetResourceGroup: path(to) }),
        ),
      )
      await operation.done
    },
  }
}

/** Answers with the HTTP status: 201 for one that is new, 200 for one that was there. */
async function put(session: AzureSession, name: string, group: { location: string; tags: Record<string, string> }): Promise<number> {
  let status = 0
  const onResponse = (raw: { readonly status: number }): void => void (status = raw.status)
  await session.write(`creating resource group ${name}`, async () =>
    (await session.resources()).resourceGroups.createOrUpdate(name, group, { onResponse }),
  )
  return status
}
