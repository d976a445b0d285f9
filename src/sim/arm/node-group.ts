import { groupId, resourceId, within } from '../world/ids.js'
import { seededHex } from '../world/keys.js'
import type { Group, Resource } from '../world/model.js'
import type { World } from '../world/world.js'
import { record, records, textOf } from './wire.js'

/** The group in which AKS keeps a cluster's machines and addresses. */
export function nodeGroupOf(world: World, cluster: Resource): Group | undefined {
  const name = textOf(cluster.properties['nodeResourceGroup'])
  return name === undefined ? undefined : world.group(name)
}

/** Makes a cluster's node group, managed by it, with what stands in every one: scale sets, a load balancer, an address. */
export function makeNodeGroup(world: World, cluster: Resource): void {
  const name = String(cluster.properties['nodeResourceGroup'])
  const { subscription } = world.spec
  world.groups.set(name.toLowerCase(), {
    id: groupId(subscription, name),
    name,
    location: cluster.location,
    tags: {},
    managedBy: cluster.id,
    provisioningState: 'Succeeded',
    locks: new Set(),
  })
  const put = (type: string, each: string, properties: Record<string, unknown>, sku: Record<string, unknown>): void =>
    world.put({
      id: resourceId(subscription, name, type, each),
      name: each,
      type,
      location: cluster.location,
      tags: {},
      sku,
      etag: world.unique(each),
      properties: { provisioningState: 'Succeeded', ...properties },
    })
  const hash = seededHex(cluster.id, 8)
  for (const pool of records(cluster.properties['agentPoolProfiles'])) {
    const size = { name: pool['vmSize'], tier: 'Standard', capacity: pool['count'] }
    put('Microsoft.Compute/virtualMachineScaleSets', `aks-${String(pool['name'])}-${hash}-vmss`, {}, size)
  }
  put('Microsoft.Network/publicIPAddresses', `kubernetes-${hash}`, { publicIPAllocationMethod: 'Static' }, { name: 'Standard' })
  put('Microsoft.Network/loadBalancers', 'kubernetes', {}, { name: 'Standard' })
  const ownSubnet = records(cluster.properties['agentPoolProfiles']).some((pool) => pool['vnetSubnetID'] !== undefined)
  if (ownSubnet) return
  const network = resourceId(subscription, name, 'Microsoft.Network/virtualNetworks', `aks-vnet-${hash}`)
  const subnet = { provisioningState: 'Succeeded', addressPrefix: '10.224.0.0/16' }
  put(
    'Microsoft.Network/virtualNetworks',
    `aks-vnet-${hash}`,
    {
      addressSpace: { addressPrefixes: ['10.224.0.0/12'] },
      subnets: [{ id: `${network}/subnets/aks-subnet`, name: 'aks-subnet', properties: subnet }],
    },
    {},
  )
}

/** Ids of the virtual networks in which a cluster's nodes stand. */
export function networksOf(world: World, cluster: Resource): string[] {
  const own = [...nodesPerSubnet(cluster).keys()].map((subnet) => subnet.split('/').slice(0, -2).join('/'))
  const group = nodeGroupOf(world, cluster)
  const made = own.length > 0 || !group ? [] : world.ofType('Microsoft.Network/virtualNetworks').filter((one) => within(one.id, group.id))
  return [...new Set([...own, ...made.map((one) => one.id)])].map((id) => world.resource(id)?.id ?? id)
}

/** How many nodes each subnet must hold. */
export function nodesPerSubnet(cluster: Resource): Map<string, number> {
  const counts = new Map<string, number>()
  for (const pool of records(cluster.properties['agentPoolProfiles'])) {
    const subnet = textOf(record(pool)['vnetSubnetID'])?.toLowerCase()
    if (subnet === undefined) continue
    counts.set(subnet, (counts.get(subnet) ?? 0) + Number(pool['count'] ?? 1))
  }
  return counts
}
