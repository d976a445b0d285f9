import { balancerAsRead, balancerType } from '../world/balancers.js'
import type { Resource } from '../world/model.js'

/** What a read must not give back, by the lower-case type. */
const secret: Readonly<Record<string, readonly string[]>> = {
  'microsoft.containerservice/managedclusters': ['servicePrincipalProfile'],
}

/** A resource as it stands on the wire. */
export function bodyOf(resource: Resource): Record<string, unknown> {
  const hidden = secret[resource.type.toLowerCase()] ?? []
  const read = resource.type.toLowerCase() === balancerType.toLowerCase() ? balancerAsRead(resource) : resource.properties
  const properties = Object.fromEntries(Object.entries(read).filter(([key]) => !hidden.includes(key)))
  return {
    id: resource.id,
    name: resource.name,
    type: resource.type,
    ...(resource.location === '' ? {} : { location: resource.location }),
    tags: resource.tags,
    ...(resource.etag === undefined ? {} : { etag: `W/"${resource.etag}"` }),
    ...(resource.zones === undefined ? {} : { zones: resource.zones }),
    ...(resource.sku === undefined ? {} : { sku: resource.sku }),
    ...(resource.identity === undefined ? {} : { identity: resource.identity }),
    ...(resource.systemData === undefined ? {} : { systemData: resource.systemData }),
    ...(resource.managedBy === undefined ? {} : { managedBy: resource.managedBy }),
    properties,
  }
}
