import { sameId, within } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { nodeGroupOf } from './node-group.js'
import { principalMay } from './role-assignments.js'
import { record, records, textOf } from './wire.js'

/** Ids of the user-assigned identities in a body's `identity`. */
export function userAssigned(identity: unknown): string[] {
  return Object.keys(record(record(identity)['userAssignedIdentities']))
}

/** Refuses an identity that Azure would refuse, and fills in what it gives back of each. */
export function completedIdentity(world: World, asked: Record<string, unknown>): Record<string, unknown> {
  if (textOf(asked['type']) !== 'UserAssigned') return asked
  const ids = userAssigned(asked)
  if (ids.length !== 1) {
    throw new WorldError(400, 'InvalidParameter', 'A managed cluster takes exactly one user assigned identity.')
  }
  const known = ids.map((id) => {
    const { principalId, clientId } = existingIdentity(world, id).properties
    return [id, { principalId, clientId }] as const
  })
  return { type: 'UserAssigned', userAssignedIdentities: Object.fromEntries(known) }
}

function existingIdentity(world: World, id: string): Resource {
  const found = world.resource(id)
  if (found !== undefined && sameId(found.type, 'Microsoft.ManagedIdentity/userAssignedIdentities')) return found
  throw new WorldError(400, 'FailedIdentityOperation', `Identity operation failed: the resource '${id}' was not found.`)
}

/** The principal as which a cluster acts; undefined where the world file does not say. */
export function principalOf(cluster: Resource): string | undefined {
  const own = textOf(cluster.identity?.['principalId'])
  const [first] = Object.values(record(cluster.identity?.['userAssignedIdentities']))
  return own ?? textOf(record(first)['principalId'])
}

function subnetsOf(cluster: Resource): string[] {
  return records(cluster.properties['agentPoolProfiles']).flatMap((pool) => textOf(pool['vnetSubnetID']) ?? [])
}

/**
 * Why a cluster cannot put its nodes behind a load balancer, in its own words; undefined if it can. AKS itself joins the nodes
 * to a subnet, so a cluster comes up all the same; its own identity is asked for the right only when a service wants an address.
 */
export function whyNoLoadBalancer(world: World, cluster: Resource): string | undefined {
  const principal = principalOf(cluster)
  if (principal === undefined) return undefined
  const nodeGroup = nodeGroupOf(world, cluster)?.id
  const action = 'Microsoft.Network/virtualNetworks/subnets/join/action'
  const refused = subnetsOf(cluster).find(
    (subnet) => !(nodeGroup !== undefined && within(subnet, nodeGroup)) && !principalMay(world, principal, action, subnet),
  )
  if (refused === undefined) return undefined
  const error = {
    code: 'LinkedAuthorizationFailed',
    message:
      `The client '${principal}' with object id '${principal}' has permission to perform action 'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write'; ` +
      `however, it does not have permission to perform action(s) '${action}' on the linked scope(s) '${refused}'.`,
  }
  return `Error syncing load balancer: failed to ensure load balancer: Retriable: false, RetryAfter: 0s, HTTPStatusCode: 403, RawError: ${JSON.stringify({ error })}`
}
