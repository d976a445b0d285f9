import { sameId } from './ids.js'
import type { Resource } from './model.js'
import type { World } from './world.js'

type Fields = Readonly<Record<string, unknown>>

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fields) : [])
const idIn = (value: unknown): string | undefined => {
  const { id } = fields(value)
  return typeof id === 'string' ? id : undefined
}

/**
 * Does what a machine asks of the internet come out? By a public address on its interface, by a NAT gateway on its subnet that
 * has an address itself, or by Azure's own default address where its subnet has not done without (`defaultOutboundAccess`).
 */
export function hasWayOut(world: World, machine: Resource): boolean {
  const nic = world.resource(idIn(list(fields(machine.properties['networkProfile'])['networkInterfaces'])[0]) ?? '')
  const configurations = list(nic?.properties['ipConfigurations']).map((one) => fields(one['properties']))
  if (configurations.some((one) => idIn(one['publicIPAddress']) !== undefined)) return true
  const subnetId = idIn(configurations[0]?.['subnet'])
  // A machine of the world's file whose place is not told.
  if (subnetId === undefined) return true
  const network = world.resource(subnetId.split('/').slice(0, -2).join('/'))
  const subnet = list(network?.properties['subnets']).find((one) => typeof one['id'] === 'string' && sameId(one['id'], subnetId))
  const { natGateway, defaultOutboundAccess } = fields(subnet?.['properties'])
  const gateway = world.resource(idIn(natGateway) ?? '')
  if (gateway !== undefined) return gatewayAddresses(gateway).length > 0
  return defaultOutboundAccess !== false
}

/** Ids of the public addresses of a NAT gateway. */
export function gatewayAddresses(gateway: Resource): readonly string[] {
  return list(gateway.properties['publicIpAddresses']).flatMap((one) => idIn(one) ?? [])
}

export const gatewayType = 'Microsoft.Network/natGateways'
