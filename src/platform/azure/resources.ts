import type { GenericResource, ResourcesCreateOrUpdateByIdOptionalParams } from '@azure/arm-resources'
import { LifeboatError, type JsonObject } from '../../contract/index.js'
import type { ResourceDoor } from './door.js'
import { nameOf, parseId } from './ids.js'
import { begun } from './pollers.js'
import type { AzureSession } from './session.js'

/** The version with which each type is spoken to; the generic calls have none of their own (facts/arm-wire). */
const apiVersions: Readonly<Record<string, string>> = {
  'microsoft.network/virtualnetworks': '2025-05-01',
  'microsoft.network/virtualnetworks/subnets': '2025-05-01',
  'microsoft.network/networksecuritygroups': '2025-05-01',
  'microsoft.network/networkinterfaces': '2025-05-01',
  'microsoft.network/publicipaddresses': '2025-05-01',
  'microsoft.network/natgateways': '2025-05-01',
  'microsoft.network/loadbalancers': '2025-05-01',
  'microsoft.compute/images': '2024-07-01',
  'microsoft.compute/galleries/images/versions': '2024-03-03',
  'microsoft.managedidentity/userassignedidentities': '2023-01-31',
}

/** What is written by an SDK of its own, and by this only looked for. */
const apiVersionsToLook: Readonly<Record<string, string>> = {
  ...apiVersions,
  'microsoft.compute/disks': '2024-03-02',
  'microsoft.compute/snapshots': '2024-03-02',
  'microsoft.compute/virtualmachines': '2024-07-01',
  'microsoft.containerservice/managedclusters': '2025-05-01',
}

/** Anything that needs no SDK of its own, by its id. */
export function openResources(session: AzureSession, tags: Readonly<Record<string, string>>): ResourceDoor {
  return {
    async get(id) {
      session.parse(id)
      let etag: string | undefined
      const onResponse = ({ bodyAsText }: RawAnswer): void => void (etag = etagIn(bodyAsText))
      const read = async (): Promise<GenericResource> => (await session.resources()).resources.getById(id, versionFor(id), { onResponse })
      const found = await session.read(`reading ${nameOf(id)}`, read)
      if (found === undefined) return undefined
      return {
        id: found.id ?? id,
        location: found.location ?? '',
        properties: (found.properties ?? {}) as JsonObject,
        tags: found.tags ?? {},
        ...(found.sku === undefined ? {} : { sku: { ...found.sku } }),
        ...(etag === undefined ? {} : { etag }),
      }
    },
    async exists(id) {
      session.parse(id)
      const version = apiVersionsToLook[parseId(id).type.toLowerCase()]
      if (version === undefined) return true
      const found = await session.read(`looking for ${nameOf(id)}`, async () => (await session.resources()).resources.getById(id, version))
      return found !== undefined
    },
    put(resource) {
      session.parse(resource.id)
      const { id, location, properties, sku, etag } = resource
      // Subnets and other parts of a resource have neither place nor tags.
      const own = parseId(id).type.split('/').length > 2 ? {} : { location, tags: { ...(resource.tags ?? tags) } }
      const body = { properties, ...own, ...(sku === undefined ? {} : { sku: sku as object }) }
      return session.start(`writing ${nameOf(id)}`, async () =>
        begun((await session.resources()).resources.beginCreateOrUpdateById(id, versionFor(id), body, onlyIf(etag))),
      )
    },
    delete(id) {
      session.parse(id)
      return session.remove(`deleting ${nameOf(id)}`, async () =>
        begun((await session.resources()).resources.beginDeleteById(id, versionFor(id))),
      )
    },
  }
}

interface RawAnswer {
  readonly bodyAsText?: string | null
}

/** The SDK's generic resource has none: only the answer itself tells it. */
function etagIn(text: string | null | undefined): string | undefined {
  try {
    const { etag } = JSON.parse(text ?? '') as { readonly etag?: unknown }
    return typeof etag === 'string' && etag !== '' ? etag : undefined
  } catch {
    // What was answered is judged by whoever reads it.
    return undefined
  }
}

/**
 * The condition is for the write alone. The SDK sends its headers with each poll too, and the last of them reads the resource, which has
 * another etag by then: they are taken away as soon as the write is answered.
 */
function onlyIf(etag: string | undefined): ResourcesCreateOrUpdateByIdOptionalParams {
  if (etag === undefined) return {}
  const customHeaders: Record<string, string> = { 'If-Match': etag }
  return { requestOptions: { customHeaders }, onResponse: () => void delete customHeaders['If-Match'] }
}

function versionFor(id: string): string {
  const { type } = parseId(id)
  const version = apiVersions[type.toLowerCase()]
  if (version === undefined) throw new LifeboatError('tool.bug', `no API version is known for ${type}`, { blame: 'tool' })
  return version
}
