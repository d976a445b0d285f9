import { sameId } from '../world/ids.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { formatAddress, inside, overlap, parseAddress, parseRange, usable } from '../world/addresses.js'
import { checkSubnetGateway } from './nat-gateways.js'
import { nodesPerSubnet } from './node-group.js'
import { invalidReference, notProvisioned } from './references.js'
import { mentions } from './remove.js'
import { idOf, record, records, textOf } from './wire.js'

/** A subnet as it stands in its network's properties. */
export interface Subnet {
  id: string
  name: string
  etag: string
  properties: Record<string, unknown>
}

export function subnetsOf(network: Resource): Subnet[] {
  return (network.properties['subnets'] ?? []) as Subnet[]
}

/** The subnet with this id and its network. */
export function findSubnet(world: World, id: string): { network: Resource; subnet: Subnet } | undefined {
  const network = world.resource(id.split('/').slice(0, -2).join('/'))
  const subnet = network && subnetsOf(network).find((one) => sameId(one.id, id))
  return network && subnet && { network, subnet }
}

/** Checks and completes a virtual network that is being put; `before` is what stands there now. */
export function prepareNetwork(world: World, network: Resource, before: Resource | undefined): void {
  const prefixes = record(network.properties['addressSpace'])['addressPrefixes']
  const ranges = Array.isArray(prefixes) ? prefixes.map((prefix) => parseRange(String(prefix))) : []
  if (ranges.length === 0 || ranges.includes(undefined)) {
    throw new WorldError(400, 'InvalidAddressPrefixFormat', `The address space of ${network.id} is not valid.`)
  }
  const old = before ? subnetsOf(before) : []
  const given = network.properties['subnets']
  // A body without subnets leaves them as they are; a list that leaves one out deletes it.
  const next = given === undefined ? old : records(given).map((one) => completeSubnet(world, network, one, old))
  for (const gone of old.filter((one) => !next.some((each) => sameId(each.id, one.id)))) assertSubnetFree(world, gone)
  network.properties['subnets'] = next
  checkRanges(network)
}

/** One subnet put on its own: the network as it will be. */
export function withSubnet(world: World, network: Resource, name: string, body: Record<string, unknown>): Subnet {
  const subnet = completeSubnet(world, network, { ...body, name }, subnetsOf(network))
  const others = subnetsOf(network).filter((one) => !sameId(one.id, subnet.id))
  checkRanges({ ...network, properties: { ...network.properties, subnets: [...others, subnet] } })
  return subnet
}

export function assertSubnetFree(world: World, subnet: Subnet): void {
  const users = ['Microsoft.Network/networkInterfaces', 'Microsoft.ContainerService/managedClusters']
    .flatMap((type) => world.ofType(type))
    .find((one) => mentions(one.properties, subnet.id))
  if (users) {
    throw new WorldError(400, 'InUseSubnetCannotBeDeleted', `Subnet ${subnet.name} is in use by ${users.id} and cannot be deleted.`)
  }
}

function completeSubnet(world: World, network: Resource, body: Record<string, unknown>, old: readonly Subnet[]): Subnet {
  const name = textOf(body['name'])
  if (name === undefined) throw new WorldError(400, 'InvalidRequestFormat', `A subnet of ${network.id} has no name.`)
  const before = old.find((one) => one.name.toLowerCase() === name.toLowerCase())
  const { ipConfigurations: _readOnly, ...properties } = record(body['properties'])
  const guard = idOf(properties['networkSecurityGroup'])
  if (guard !== undefined && !world.resource(guard)) throw invalidReference(guard, network.id)
  checkSubnetGateway(world, network, properties)
  // Private unless somebody says otherwise, or unless it was there before that became the rule.
  const defaultOutboundAccess = properties['defaultOutboundAccess'] ?? (before === undefined ? false : before.properties['defaultOutboundAccess'])
  return {
    id: before?.id ?? `${network.id}/subnets/${name}`,
    name: before?.name ?? name,
    etag: world.unique(name),
    properties: {
      ...properties,
      ...(defaultOutboundAccess === undefined ? {} : { defaultOutboundAccess }),
      provisioningState: 'Succeeded',
    },
  }
}

function checkRanges(network: Resource): void {
  const prefixes = record(network.properties['addressSpace'])['addressPrefixes'] as string[]
  const space = prefixes.flatMap((prefix) => parseRange(prefix) ?? [])
  const ranges = subnetsOf(network).map((subnet) => {
    const text = prefixOf(subnet)
    const range = parseRange(text)
    if (!range) throw new WorldError(400, 'InvalidCIDRNotation', `The address prefix ${text} in subnet ${subnet.name} is not valid.`)
    if (!space.some((one) => inside(range, one))) {
      throw new WorldError(400, 'NetcfgInvalidSubnet', `Subnet '${subnet.name}' is not valid in virtual network '${network.name}'.`)
    }
    return { name: subnet.name, range }
  })
  for (const [at, one] of ranges.entries()) {
    const other = ranges.slice(at + 1).find((each) => overlap(each.range, one.range))
    if (other) {
      const message = `Subnet '${other.name}' is not valid because its IP address range overlaps with that of subnet '${one.name}'.`
      throw new WorldError(400, 'NetcfgSubnetRangesOverlap', message)
    }
  }
}

function prefixOf(subnet: Subnet): string {
  const several = subnet.properties['addressPrefixes']
  return textOf(subnet.properties['addressPrefix']) ?? (Array.isArray(several) ? String(several[0]) : '')
}

/** Checks an interface that is being put and gives it its private addresses. */
export function prepareInterface(world: World, nic: Resource, before: Resource | undefined): void {
  const configurations = records(nic.properties['ipConfigurations'])
  if (configurations.length === 0) {
    throw new WorldError(400, 'InvalidRequestFormat', `Network interface ${nic.name} must have at least one IP configuration.`)
  }
  const guard = idOf(nic.properties['networkSecurityGroup'])
  if (guard !== undefined && !world.resource(guard)) throw invalidReference(guard, nic.id)
  const machine = before?.properties['virtualMachine']
  if (machine !== undefined) nic.properties['virtualMachine'] = machine
  const taken = new Set<string>()
  nic.properties['ipConfigurations'] = configurations.map((one, at) => {
    const name = textOf(one['name']) ?? `ipconfig${at + 1}`
    const properties = placed(world, nic, record(one['properties']), configurationOf(before, name), taken)
    const primary = properties['primary'] ?? at === 0
    return { id: `${nic.id}/ipConfigurations/${name}`, name, properties: { ...properties, primary, provisioningState: 'Succeeded' } }
  })
}

function configurationOf(nic: Resource | undefined, name: string): Record<string, unknown> {
  const found = records(nic?.properties['ipConfigurations']).find((one) => one['name'] === name)
  return record(found?.['properties'])
}

function placed(
  world: World,
  nic: Resource,
  asked: Record<string, unknown>,
  before: Record<string, unknown>,
  taken: Set<string>,
): Record<string, unknown> {
  const subnetId = idOf(asked['subnet']) ?? ''
  const found = findSubnet(world, subnetId)
  if (!found) throw invalidReference(subnetId, nic.id)
  if (found.network.properties['provisioningState'] !== 'Succeeded') throw notProvisioned(found.network, nic.id)
  checkOutside(world, nic, idOf(asked['publicIPAddress']), idOf(before['publicIPAddress']))
  const range = parseRange(prefixOf(found.subnet))
  if (!range) throw new WorldError(400, 'NetcfgInvalidSubnet', `Subnet ${found.subnet.name} has no address range.`)
  const free = usable(range)
  const others = new Set([...addressesIn(world, found.subnet.id, nic.id), ...taken])
  const isStatic = textOf(asked['privateIPAllocationMethod'])?.toLowerCase() === 'static'
  const wanted = isStatic ? textOf(asked['privateIPAddress']) : textOf(before['privateIPAddress'])
  const address = wanted ?? firstFree(free, others)
  if (address === undefined) throw new WorldError(400, 'SubnetIsFull', `Subnet ${found.subnet.name} does not have any free address.`)
  const value = parseAddress(address)
  if (value === undefined || value < free.first || value > free.last) {
    const where = value !== undefined && value >= range.first && value <= range.last ? 'reserved in' : 'not in the range of'
    const code = where === 'reserved in' ? 'PrivateIPAddressInReservedRange' : 'PrivateIPAddressNotInSubnet'
    throw new WorldError(400, code, `Private static IP address ${address} is ${where} subnet ${found.subnet.name}.`)
  }
  if (others.has(address)) {
    const message = `Private IP address ${address} in ${nic.id} is in use. Free it, or use another one of subnet ${found.subnet.name}.`
    throw new WorldError(400, 'PrivateIPAddressInUse', message)
  }
  taken.add(address)
  return { ...asked, subnet: { id: found.subnet.id }, privateIPAddress: address, privateIPAllocationMethod: isStatic ? 'Static' : 'Dynamic' }
}

/** A public address is there, and finished when an interface comes to it. */
function checkOutside(world: World, nic: Resource, id: string | undefined, before: string | undefined): void {
  if (id === undefined) return
  const address = world.resource(id)
  if (address === undefined) throw invalidReference(id, nic.id)
  if (!sameId(before ?? '', id) && address.properties['provisioningState'] !== 'Succeeded') throw notProvisioned(address, nic.id)
}

function firstFree(range: { first: number; last: number }, others: ReadonlySet<string>): string | undefined {
  for (let value = range.first; value <= range.last; value += 1) {
    if (!others.has(formatAddress(value))) return formatAddress(value)
  }
  return undefined
}

/** Addresses in use in a subnet: interfaces, and the nodes of clusters. */
export function addressesIn(world: World, subnetId: string, except?: string): Set<string> {
  const interfaces = interfaceAddressesIn(world, subnetId, except)
  return new Set([...interfaces, ...[...nodesIn(world, subnetId, interfaces).values()].flat()])
}

/** The addresses that a cluster's nodes have in a subnet. */
export function nodeAddressesIn(world: World, subnetId: string, cluster: Resource): readonly string[] {
  return nodesIn(world, subnetId, interfaceAddressesIn(world, subnetId)).get(cluster.id) ?? []
}

function interfaceAddressesIn(world: World, subnetId: string, except?: string): Set<string> {
  const used = new Set<string>()
  for (const nic of world.ofType('Microsoft.Network/networkInterfaces')) {
    if (except !== undefined && sameId(nic.id, except)) continue
    for (const one of records(nic.properties['ipConfigurations'])) {
      const properties = record(one['properties'])
      const address = textOf(properties['privateIPAddress'])
      if (address !== undefined && sameId(idOf(properties['subnet']) ?? '', subnetId)) used.add(address)
    }
  }
  return used
}

/** By cluster: its nodes take the first addresses that are free. */
function nodesIn(world: World, subnetId: string, interfaces: ReadonlySet<string>): Map<string, string[]> {
  const nodes = new Map<string, string[]>()
  const range = parseRange(prefixOf(findSubnet(world, subnetId)?.subnet ?? { id: '', name: '', etag: '', properties: {} }))
  if (!range) return nodes
  const used = new Set(interfaces)
  for (const cluster of world.ofType('Microsoft.ContainerService/managedClusters')) {
    const own: string[] = []
    const count = nodesPerSubnet(cluster).get(subnetId.toLowerCase()) ?? 0
    for (let at = 0; at < count; at += 1) {
      const address = firstFree(usable(range), used)
      if (address === undefined) break
      used.add(address)
      own.push(address)
    }
    nodes.set(cluster.id, own)
  }
  return nodes
}

/** As `CheckIPAddressAvailability` tells it: may an interface have this address, and if not, which of the same subnet could it have? */
export function availabilityIn(world: World, network: Resource, address: string): unknown {
  const value = parseAddress(address)
  const subnet = subnetsOf(network).find((one) => {
    const range = parseRange(prefixOf(one))
    return value !== undefined && range !== undefined && value >= range.first && value <= range.last
  })
  const range = subnet && parseRange(prefixOf(subnet))
  if (!range || value === undefined) {
    throw new WorldError(400, 'PrivateIPAddressNotInAnySubnet', `Private static IP address ${address} does not belong to the range of any subnet.`)
  }
  const free = usable(range)
  const used = addressesIn(world, subnet.id)
  const isPlatformReserved = value < free.first || value > free.last
  if (!isPlatformReserved && !used.has(address)) return { available: true, availableIPAddresses: [], isPlatformReserved }
  const others: string[] = []
  for (let other = free.first; other <= free.last && others.length < 5; other += 1) {
    if (!used.has(formatAddress(other))) others.push(formatAddress(other))
  }
  return { available: false, availableIPAddresses: others, isPlatformReserved }
}
