import { balancerParts, frontendsOf, holderOf, isOf, linkAddresses, partsOf, settleBalancer } from '../world/balancers.js'
import { sameId } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { invalidReference } from './references.js'
import { idOf, record, records } from './wire.js'

/** Checks and completes a load balancer that is being put: a public address has one holder, and rules have a frontend. */
export function prepareBalancer(world: World, balancer: Resource, _before: Resource | undefined): void {
  for (const part of balancerParts) {
    if (balancer.properties[part] !== undefined) balancer.properties[part] = records(balancer.properties[part])
  }
  settleBalancer(balancer)
  for (const { properties } of frontendsOf(balancer)) {
    const address = idOf(properties.publicIPAddress)
    if (address === undefined) continue
    if (world.resource(address) === undefined) throw invalidReference(address, balancer.id)
    const holder = holderOf(world, address)
    if (holder !== undefined && !isOf(balancer, holder)) throw addressInUse(balancer.id, address, holder)
  }
  for (const part of ['loadBalancingRules', 'inboundNatRules', 'outboundRules'] as const) {
    for (const { properties } of partsOf(balancer, part)) {
      const named = [properties['frontendIPConfiguration'], ...records(properties['frontendIPConfigurations'])].flatMap((one) => idOf(record(one)) ?? [])
      const gone = named.find((id) => !frontendsOf(balancer).some((frontend) => sameId(frontend.id, id)))
      if (gone !== undefined) throw invalidReference(gone, balancer.id)
    }
  }
}

/** After it has been put. */
export const linkBalancer = linkAddresses

function addressInUse(balancer: string, address: string, holder: string): WorldError {
  const message = `Resource ${balancer} is referencing public IP address ${address} that is already allocated to resource ${holder}.`
  return new WorldError(400, 'PublicIPAddressInUse', message)
}
