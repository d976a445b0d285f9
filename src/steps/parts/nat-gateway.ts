import type { Change, Json } from '../../contract/index.js'
import type { Resource } from '../../platform/azure/door.js'
import { sameId, samePlace } from '../../platform/azure/ids.js'

/**
 * The subnets whose machines go out by it, in whatever zone they are. It is made in no zone of our choosing: Azure then puts it into one,
 * and it goes down with that one (azure-docs, nat-availability-zones; StandardV2, which spans zones, takes addresses of its own SKU and is
 * not on offer everywhere). A new server needs its way out for its first boot alone; where a zone is down at that moment, `image` of
 * azure/nfs-vm needs none. A gateway of the site's own, zonal or not, is used as it is.
 */
export interface WantedGateway {
  readonly subnets: readonly string[]
}

/** What is there of a NAT gateway and its public address. */
export interface FoundGateway {
  readonly gateway?: Resource
  readonly address?: Resource
}

/** The same, as a plan needs it. */
export interface SeenGateway {
  readonly gateway?: { readonly hasAddress: boolean; readonly failed: boolean }
  readonly address: boolean
  /** Making it was a failure: nothing can be given it then (409). */
  readonly addressFailed?: boolean
}

export const gatewayType = 'Microsoft.Network/natGateways'
export const addressType = 'Microsoft.Network/publicIPAddresses'
/** Of the gateway, and of its public address. */
export const natName = (network: string): string => `${network}-nat`
export const gatewayLabel = (network: string): string => `natGateway ${natName(network)}`
export const addressLabel = (network: string): string => `publicIPAddress ${natName(network)}`

/** Standard is the only SKU whose addresses a NAT gateway takes, and those are static (azure-docs, nat-gateway-resource). */
export const standardAddress = { sku: 'Standard', allocation: 'Static' }

/** A public address, and the gateway that goes out by it. One that has another address already needs none of ours. */
export function gatewayChanges(network: string, seen: SeenGateway | undefined): Change[] {
  const { gateway } = seen ?? {}
  if (gateway?.hasAddress === true && !gateway.failed) return []
  const after = { publicAddress: natName(network) }
  const address = gateway?.hasAddress === true ? [] : addressChanges(network, seen)
  if (gateway === undefined) return [...address, { resource: gatewayLabel(network), action: 'create', after }]
  const before = { ...(gateway.hasAddress ? {} : { publicAddress: null }), ...(gateway.failed ? { state: 'Failed' } : {}) }
  return [...address, { resource: gatewayLabel(network), action: 'update', before, after }]
}

function addressChanges(network: string, seen: SeenGateway | undefined): Change[] {
  const own = { resource: addressLabel(network), after: standardAddress }
  if (seen?.address !== true) return [{ ...own, action: 'create' }]
  return seen.addressFailed === true ? [{ ...own, action: 'update', before: { state: 'Failed' } }] : []
}

export function seenGateway({ gateway, address }: FoundGateway): SeenGateway {
  return {
    address: address !== undefined,
    addressFailed: address?.properties['provisioningState'] === 'Failed',
    ...(gateway === undefined
      ? {}
      : { gateway: { hasAddress: addressesOf(gateway).length > 0, failed: gateway.properties['provisioningState'] === 'Failed' } }),
  }
}

/** In what they cannot serve; undefined if they can. */
export function gatewayConflict(location: string, { gateway, address }: FoundGateway): string | undefined {
  for (const one of [gateway, address]) {
    if (one !== undefined && !samePlace(one.location, location)) return `${nameIn(one)} exists in ${one.location}, not in ${location}`
  }
  if (address === undefined || (gateway !== undefined && addressesOf(gateway).length > 0)) return undefined
  const sku = (address.sku as { readonly name?: string } | undefined)?.name
  if (sku !== 'Standard') return `public address ${nameIn(address)} has the SKU ${sku ?? 'Basic'}, and a NAT gateway takes Standard ones only`
  const holder = idOf(address.properties['natGateway']) ?? idOf(address.properties['ipConfiguration'])
  if (holder === undefined || sameId(holder, gateway?.id)) return undefined
  return `public address ${nameIn(address)} is held by ${holder}`
}

export function addressResource(id: string, location: string): Resource {
  return { id, location, sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static', publicIPAddressVersion: 'IPv4' } }
}

/** A gateway with this public address, or without any; what is there already stays as it is otherwise. */
export function gatewayResource(id: string, location: string, there: Resource | undefined, address: string | null): Resource {
  const base: Resource = there ?? { id, location, sku: { name: 'Standard' }, properties: {} }
  const { subnets: _readOnly, ...properties } = base.properties
  return { ...base, properties: { ...properties, publicIpAddresses: address === null ? [] : [{ id: address }] } }
}

/** Ids of the public addresses by which a NAT gateway goes out; its prefixes count as well. */
export function addressesOf(gateway: Resource): readonly string[] {
  const several = [gateway.properties['publicIpAddresses'], gateway.properties['publicIpPrefixes']]
  return several.flatMap((list) => (Array.isArray(list) ? list.flatMap((one: Json) => idOf(one) ?? []) : []))
}

function nameIn({ id }: Resource): string {
  return id.split('/').at(-1) ?? id
}

function idOf(value: Json | undefined): string | undefined {
  return (value as { readonly id?: string } | null | undefined)?.id
}
