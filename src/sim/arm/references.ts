import type { Resource } from '../world/model.js'
import { WorldError } from '../world/world.js'

/** Azure does not build upon what is not finished itself. */
export function notProvisioned(resource: Resource, user: string): WorldError {
  const message =
    `Cannot proceed with operation because resource ${resource.id} used by resource ${user} is not in Succeeded state. ` +
    `Resource is in ${String(resource.properties['provisioningState'])} state.`
  return new WorldError(409, 'ReferencedResourceNotProvisioned', message)
}

export function invalidReference(id: string, from: string): WorldError {
  return new WorldError(400, 'InvalidResourceReference', `Resource ${id} referenced by resource ${from} was not found.`)
}
