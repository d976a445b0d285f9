import { parseAddress, parseRange } from './addresses.js'
import { sameId } from './ids.js'
import type { Resource } from './model.js'
import type { World } from './world.js'

type Fields = Readonly<Record<string, unknown>>

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fields) : [])
const texts = (one: unknown, several: unknown): string[] => [
  ...(typeof one === 'string' && one !== '' ? [one] : []),
  ...(Array.isArray(several) ? several.map(String) : []),
]

/**
 * May a TCP connection from the private address `from` come to `port` of a machine? Asks the security groups of its subnet
 * and of its interface, as Azure does: both must let it in, the rule with the lowest priority number decides, and without
 * one a group lets in only its own virtual network. Without any group everything comes in.
 */
export function allows(world: World, machineId: string, from: string, port: number): boolean {
  const machine = world.resource(machineId)
  const nicId = fields(list(fields(machine?.properties['networkProfile'])['networkInterfaces'])[0])['id']
  const nic = typeof nicId === 'string' ? world.resource(nicId) : undefined
  const subnetId = fields(fields(list(nic?.properties['ipConfigurations'])[0]?.['properties'])['subnet'])['id']
  if (typeof subnetId !== 'string') return true
  const network = world.resource(subnetId.split('/').slice(0, -2).join('/'))
  const subnet = list(network?.properties['subnets']).find((one) => typeof one['id'] === 'string' && sameId(one['id'], subnetId))
  const own = texts(undefined, fields(network?.properties['addressSpace'])['addressPrefixes'])
  const guards = [fields(subnet?.['properties'])['networkSecurityGroup'], nic?.properties['networkSecurityGroup']]
  return guards.every((guard) => {
    const id = fields(guard)['id']
    const group = typeof id === 'string' ? world.resource(id) : undefined
    return group === undefined || groupAllows(group, from, port, own)
  })
}

function groupAllows(group: Resource, from: string, port: number, own: readonly string[]): boolean {
  const rules = list(group.properties['securityRules'])
    .map((rule) => fields(rule['properties']))
    .filter((rule) => rule['direction'] === 'Inbound' && ['*', 'tcp'].includes(textOf(rule['protocol']).toLowerCase()))
    .sort((one, other) => Number(one['priority']) - Number(other['priority']))
  const deciding = rules.find(
    (rule) =>
      texts(rule['sourceAddressPrefix'], rule['sourceAddressPrefixes']).some((prefix) => covers(prefix, from, own)) &&
      texts(rule['destinationPortRange'], rule['destinationPortRanges']).some((range) => coversPort(range, port)),
  )
  return deciding ? deciding['access'] === 'Allow' : own.some((prefix) => covers(prefix, from, own))
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function covers(prefix: string, address: string, own: readonly string[]): boolean {
  if (prefix === '*' || prefix === '0.0.0.0/0') return true
  if (prefix === 'VirtualNetwork') return own.some((one) => covers(one, address, []))
  const range = parseRange(prefix.includes('/') ? prefix : `${prefix}/32`)
  const value = parseAddress(address)
  return range !== undefined && value !== undefined && value >= range.first && value <= range.last
}

function coversPort(range: string, port: number): boolean {
  if (range === '*') return true
  const [first = '', last = first] = range.split('-')
  return port >= Number(first) && port <= Number(last)
}
