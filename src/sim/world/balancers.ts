import { gatewayAddresses, gatewayType } from './egress.js'
import { sameId } from './ids.js'
import type { Resource } from './model.js'
import type { World } from './world.js'

/** One address of a load balancer, as it stands in its properties. */
export interface Frontend {
  readonly id: string
  readonly name: string
  readonly properties: { readonly publicIPAddress?: { readonly id: string } } & Readonly<Record<string, unknown>>
}

interface Named {
  readonly name: string
  readonly properties: Record<string, unknown>
}

interface AsRead extends Named {
  readonly etag?: unknown
  readonly type?: unknown
}

/** Parts of a load balancer that have ids of their own below it. */
export const balancerParts = [
  'frontendIPConfigurations',
  'backendAddressPools',
  'loadBalancingRules',
  'inboundNatRules',
  'outboundRules',
  'probes',
] as const

export const balancerType = 'Microsoft.Network/loadBalancers'
export const addressType = 'Microsoft.Network/publicIPAddresses'

export function partsOf(balancer: Resource, part: (typeof balancerParts)[number]): Named[] {
  return (balancer.properties[part] ?? []) as Named[]
}

export function frontendsOf(balancer: Resource): readonly Frontend[] {
  return partsOf(balancer, 'frontendIPConfigurations') as unknown as Frontend[]
}

/** Gives every part the id that it has below its load balancer. What a read says of a part besides means nothing in a write. */
export function settleBalancer(balancer: Resource): void {
  for (const part of balancerParts) {
    if (balancer.properties[part] === undefined) continue
    balancer.properties[part] = partsOf(balancer, part).map(({ etag: _etag, type: _type, ...one }: AsRead) => ({
      ...one,
      id: `${balancer.id}/${part}/${one.name}`,
      properties: { ...one.properties, provisioningState: 'Succeeded' },
    }))
  }
}

/** Its properties as they are read: each part with its type, and with the etag of the whole, another one after each change. */
export function balancerAsRead({ properties, type, etag }: Resource): Record<string, unknown> {
  const kept = balancerParts.filter((part) => properties[part] !== undefined)
  const read = (part: (typeof balancerParts)[number]): unknown =>
    (properties[part] as Named[]).map((one) => ({ ...one, type: `${type}/${part}`, ...(etag === undefined ? {} : { etag: `W/"${etag}"` }) }))
  return { ...properties, ...Object.fromEntries(kept.map((part) => [part, read(part)])) }
}

/** Id of what holds a public address: the configuration of a load balancer or an interface, or a NAT gateway. */
export function holderOf(world: World, address: string): string | undefined {
  return holders(world).get(address.toLowerCase())
}

function holders(world: World): Map<string, string> {
  const held = new Map<string, string>()
  const note = (one: { readonly id?: string; readonly properties?: { readonly publicIPAddress?: { readonly id?: string } } }): void => {
    const address = one.properties?.publicIPAddress?.id
    if (address !== undefined && one.id !== undefined) held.set(address.toLowerCase(), one.id)
  }
  for (const balancer of world.ofType(balancerType)) frontendsOf(balancer).forEach(note)
  for (const nic of world.ofType('Microsoft.Network/networkInterfaces')) {
    ((nic.properties['ipConfigurations'] ?? []) as Parameters<typeof note>[0][]).forEach(note)
  }
  for (const gateway of world.ofType(gatewayType)) {
    for (const address of gatewayAddresses(gateway)) held.set(address.toLowerCase(), gateway.id)
  }
  return held
}

/** Each public address says who holds it, as a read gives it back. */
export function linkAddresses(world: World): void {
  const held = holders(world)
  for (const address of world.ofType(addressType)) {
    const id = held.get(address.id.toLowerCase())
    delete address.properties['ipConfiguration']
    delete address.properties['natGateway']
    if (id !== undefined) address.properties[world.resource(id)?.type === gatewayType ? 'natGateway' : 'ipConfiguration'] = { id }
  }
}

/** Does this load balancer hold the public address that reads so? */
export function holdsAddress(world: World, balancer: string, ip: string): boolean {
  const found = world.resource(balancer)
  if (found === undefined) return false
  return frontendsOf(found).some(({ properties: { publicIPAddress: address } }) => {
    return address !== undefined && world.resource(address.id)?.properties['ipAddress'] === ip
  })
}

/** Puts a frontend with its rules into a load balancer, or takes them out of it. */
export function setFrontend(world: World, balancer: Resource, name: string, address: string | undefined): void {
  const id = `${balancer.id}/frontendIPConfigurations/${name}`
  const others = (part: 'frontendIPConfigurations' | 'loadBalancingRules'): Named[] =>
    partsOf(balancer, part).filter((one) => one.name !== name && !one.name.startsWith(`${name}-`))
  const fresh = (properties: Record<string, unknown>): Record<string, unknown> => ({ ...properties, provisioningState: 'Succeeded' })
  const rule = (port: number): Named & { id: string } => {
    const own = `${name}-TCP-${port}`
    const ports = { protocol: 'Tcp', frontendPort: port, backendPort: port }
    return { id: `${balancer.id}/loadBalancingRules/${own}`, name: own, properties: fresh({ frontendIPConfiguration: { id }, ...ports }) }
  }
  const made = address === undefined ? [] : [{ id, name, properties: fresh({ publicIPAddress: { id: address } }) }]
  balancer.properties['frontendIPConfigurations'] = [...others('frontendIPConfigurations'), ...made]
  balancer.properties['loadBalancingRules'] = [...others('loadBalancingRules'), ...(address === undefined ? [] : [rule(80), rule(443)])]
  linkAddresses(world)
}

/** Is this the id of something of that load balancer? */
export function isOf(balancer: Resource, id: string): boolean {
  return sameId(id.slice(0, balancer.id.length), balancer.id)
}
