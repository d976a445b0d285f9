import { addressType, holderOf } from '../world/balancers.js'
import { sameId } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { invalidReference, notProvisioned } from './references.js'
import { list, records, idOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

/** How many public addresses a subscription may have in a region, where the world file does not say. Assumed. */
const usualLimit = 1000
/** The name that usages give them. */
const addressStock = 'StandardSkuPublicIpAddresses'

export const networkUsageRoutes: readonly Route[] = [
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/usages', handle: usages },
]

/** Checks and completes a public address that is being put: Standard, static, and one more than there were. */
export function preparePublicAddress(world: World, address: Resource, before: Resource | undefined): void {
  const sku = textOf(address.sku?.['name'])?.toLowerCase() ?? 'basic'
  if (sku === 'basic') {
    const message = 'Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.'
    throw new WorldError(400, 'IPv4BasicSkuPublicIpCountLimitReached', message)
  }
  if (textOf(address.properties['publicIPAllocationMethod'])?.toLowerCase() !== 'static') {
    throw new WorldError(400, 'PublicIPAddressMustBeStatic', `Standard SKU public IP address ${address.id} must have the allocation method Static.`)
  }
  const limit = limitOf(world)
  if (before === undefined && world.ofType(addressType).length >= limit) {
    const message = `Cannot create more than ${limit} public IP addresses for this subscription in this region.`
    throw new WorldError(400, 'PublicIPCountLimitReached', message)
  }
  address.properties['ipAddress'] = before?.properties['ipAddress'] ?? world.nextAddress()
  const holder = before?.properties['ipConfiguration'] ?? undefined
  if (holder !== undefined) address.properties['ipConfiguration'] = holder
  const gateway = before?.properties['natGateway'] ?? undefined
  if (gateway !== undefined) address.properties['natGateway'] = gateway
}

/** Checks a NAT gateway that is being put: its addresses are there, finished, of the same place, and nobody else's. */
export function prepareNatGateway(world: World, gateway: Resource): void {
  if (!/^standard(v2)?$/i.test(textOf(gateway.sku?.['name']) ?? '')) {
    throw new WorldError(400, 'InvalidRequestFormat', `NAT gateway ${gateway.name} needs the SKU Standard.`)
  }
  for (const id of records(gateway.properties['publicIpAddresses']).flatMap((one) => idOf(one) ?? [])) {
    const address = world.resource(id)
    if (address === undefined) throw invalidReference(id, gateway.id)
    if (address.properties['provisioningState'] !== 'Succeeded') throw notProvisioned(address, gateway.id)
    if (address.location !== gateway.location) {
      throw new WorldError(400, 'NatGatewayAndPublicIpRegionMismatch', `NAT gateway ${gateway.id} and public IP address ${id} are in different regions.`)
    }
    const [zone, others] = [gateway.zones?.[0], address.zones ?? []]
    if (zone !== undefined && others.length > 0 && !others.includes(zone)) {
      const message = `NAT gateway ${gateway.id} is in zone ${zone}, public IP address ${id} in zone ${others.join()}.`
      throw new WorldError(400, 'NatGatewayAndPublicIpZoneMismatch', message)
    }
    const holder = holderOf(world, id)
    if (holder === undefined || sameId(holder, gateway.id)) continue
    const message = `Resource ${gateway.id} is referencing public IP address ${id} that is already allocated to resource ${holder}.`
    throw new WorldError(400, 'PublicIPAddressInUse', message)
  }
}

/** Refuses a subnet whose NAT gateway is not there, not finished, or elsewhere. */
export function checkSubnetGateway(world: World, network: Resource, properties: Record<string, unknown>): void {
  const id = idOf(properties['natGateway'])
  if (id === undefined) return
  const gateway = world.resource(id)
  if (gateway === undefined) throw invalidReference(id, network.id)
  if (gateway.properties['provisioningState'] !== 'Succeeded') throw notProvisioned(gateway, network.id)
  if (gateway.location === network.location) return
  throw new WorldError(400, 'NatGatewayAndSubnetRegionMismatch', `NAT gateway ${id} and virtual network ${network.id} are in different regions.`)
}

function limitOf(world: World): number {
  return world.spec.quota[addressStock] ?? usualLimit
}

function usages({ world }: ArmRequest): ArmAnswer {
  const name = { value: addressStock, localizedValue: 'Public IP Addresses - Standard' }
  return list([{ name, unit: 'Count', currentValue: world.ofType(addressType).length, limit: limitOf(world) }])
}
