import { principalOf, whyNoLoadBalancer } from './arm/cluster-identity.js'
import { nodeGroupOf } from './arm/node-group.js'
import { principalMay } from './arm/role-assignments.js'
import { addressType, balancerType, holderOf, setFrontend } from './world/balancers.js'
import { resourceId, sameId } from './world/ids.js'
import type { Resource } from './world/model.js'
import type { World } from './world/world.js'
import type { AddressAnswer, BalancedService } from './kube/controllers/context.js'

/** Until Azure has given a Service of type LoadBalancer its public address; assumed. */
const addressAfterMs = 30_000

const annotation = (name: string): string => `service.beta.kubernetes.io/${name}`

/** As AKS names what it makes for a Service. */
const frontendName = (uid: string): string => `a${uid.replaceAll('-', '')}`

/**
 * The public address of a Service: the next free one, or the one that it names by annotation, which its cluster's load balancer
 * takes if nobody else holds it.
 */
export function addressFor(world: World, cluster: Resource, service: BalancedService): AddressAnswer {
  const { annotations } = service
  const balancing = whyNoLoadBalancer(world, cluster)
  if (balancing !== undefined) return { refused: balancing }
  const name = annotations[annotation('azure-pip-name')]
  if (name === undefined) return { address: world.nextAddress(), afterMs: addressAfterMs }
  const nodes = nodeGroupOf(world, cluster)
  const group = annotations[annotation('azure-load-balancer-resource-group')] ?? nodes?.name ?? ''
  const { subscription } = world.spec
  const id = resourceId(subscription, world.group(group)?.name ?? group, addressType, name)
  const address = world.resource(id)
  const balancer = world.resource(resourceId(subscription, nodes?.name ?? '', balancerType, 'kubernetes'))
  if (address === undefined || balancer === undefined) {
    return refused(`findMatchedPIPByName: failed to find PIP ${name} in resource group ${group}`)
  }
  const principal = principalOf(cluster)
  const join = 'Microsoft.Network/publicIPAddresses/join/action'
  if (principal !== undefined && !principalMay(world, principal, join, address.id)) {
    return refused(
      `PUT ${balancer.id}: RESPONSE 403: ERROR CODE LinkedAuthorizationFailed: The client with object id '${principal}' does not have ` +
        `permission to perform action '${join}' on the linked scope(s) '${address.id}' or the linked scope(s) are invalid.`,
    )
  }
  const frontend = `${balancer.id}/frontendIPConfigurations/${frontendName(service.uid)}`
  const holder = holderOf(world, address.id)
  if (holder !== undefined && !sameId(holder, frontend)) {
    return refused(
      `PUT ${balancer.id}: RESPONSE 400: ERROR CODE PublicIPAddressInUse: Resource ${balancer.id} is referencing public IP address ` +
        `${address.id} that is already allocated to resource ${holder}.`,
    )
  }
  setFrontend(world, balancer, frontendName(service.uid), address.id)
  return { address: String(address.properties['ipAddress']), afterMs: addressAfterMs }
}

/** A Service that is gone leaves the load balancer; a reserved address stays, and is free again. */
export function releaseAddress(world: World, cluster: Resource, uid: string): void {
  const balancer = world.resource(resourceId(world.spec.subscription, nodeGroupOf(world, cluster)?.name ?? '', balancerType, 'kubernetes'))
  if (balancer !== undefined) setFrontend(world, balancer, frontendName(uid), undefined)
}

function refused(why: string): AddressAnswer {
  return { refused: `Error syncing load balancer: failed to ensure load balancer: ${why}` }
}
