import { linkAddresses, settleBalancer } from './balancers.js'
import { parseId, groupId, resourceId } from './ids.js'
import { seededHex, seededUuid } from './keys.js'
import type { Pool, Resource } from './model.js'
import { dataDisksOf, type World } from './world.js'

const gib = 1024 ** 3

/** Puts everything of the world's file into the world, with what a file need not say: unique ids, etags, states. */
export function populate(world: World): void {
  const { spec } = world
  for (const group of spec.groups) {
    world.groups.set(group.name.toLowerCase(), {
      id: groupId(spec.subscription, group.name),
      name: group.name,
      location: spec.location,
      tags: { ...group.tags },
      ...(group.managedBy === undefined ? {} : { managedBy: group.managedBy }),
      provisioningState: 'Succeeded',
      locks: new Set(),
    })
  }
  for (const one of spec.resources) world.put(fromSpec(world, one))
  for (const id of spec.preparedImages) world.put(fromSpec(world, { id, tags: {}, properties: {} }))
  for (const machine of world.ofType('Microsoft.Compute/virtualMachines')) settleMachine(world, machine)
  linkAddresses(world)
  for (const pool of spec.pools) world.pools.push(poolFrom(world, pool))
  for (const host of spec.hosts) putHost(world, host)
  for (const zone of spec.zones) putZone(world, zone)
  for (const lock of spec.locks) putLock(world, lock)
}

function fromSpec(world: World, one: World['spec']['resources'][number]): Resource {
  const id = parseId(one.id)
  const { name, type } = { name: id?.name ?? '', type: id?.type ?? '' }
  const resource: Resource = {
    id: one.id,
    name,
    type,
    location: world.spec.location,
    tags: { ...one.tags },
    etag: seededUuid(one.id),
    properties: { provisioningState: 'Succeeded', ...structuredClone(one.properties) },
    ...(one.zones ? { zones: one.zones } : {}),
    ...(one.sku ? { sku: one.sku } : {}),
    ...(one.identity ? { identity: one.identity } : {}),
  }
  if (/\/disks$/i.test(type)) {
    resource.properties['uniqueId'] = seededUuid(`disk ${one.id}`)
    resource.properties['diskState'] = 'Unattached'
  }
  if (/\/virtualNetworks$/i.test(type)) fillSubnetIds(resource)
  if (/\/managedClusters$/i.test(type)) settleCluster(resource)
  if (/\/loadBalancers$/i.test(type)) settleBalancer(resource)
  return resource
}

/** Subnets stand inside their network; each carries its own id and state. */
function fillSubnetIds(network: Resource): void {
  const subnets = (network.properties['subnets'] ?? []) as { id?: string; name: string; properties: Record<string, unknown> }[]
  network.properties['subnets'] = subnets.map((subnet) => ({
    ...subnet,
    id: `${network.id}/subnets/${subnet.name}`,
    properties: { provisioningState: 'Succeeded', ...subnet.properties },
  }))
}

function settleCluster(cluster: Resource): void {
  const given = cluster.properties['dnsPrefix']
  const prefix = typeof given === 'string' ? given : cluster.name
  cluster.properties['fqdn'] ??= `${prefix}-${seededHex(cluster.id, 8)}.hcp.${cluster.location}.azmk8s.io`
  cluster.properties['powerState'] ??= { code: 'Running' }
}

/** What attaching leaves behind on both sides. */
function settleMachine(world: World, machine: Resource): void {
  machine.properties['vmId'] = seededUuid(`vm ${machine.id}`)
  const osDisk = (machine.properties['storageProfile'] as { osDisk?: { managedDisk?: { id?: string } } } | undefined)?.osDisk
  for (const id of [osDisk?.managedDisk?.id, ...dataDisksOf(machine).map((disk) => disk.managedDisk.id)]) {
    const disk = id === undefined ? undefined : world.resource(id)
    if (!disk) continue
    disk.managedBy = machine.id
    disk.properties['diskState'] = 'Attached'
  }
  const profile = machine.properties['networkProfile'] as { networkInterfaces?: { id: string }[] } | undefined
  for (const { id } of profile?.networkInterfaces ?? []) {
    const nic = world.resource(id)
    if (nic) nic.properties['virtualMachine'] = { id: machine.id }
  }
}

function poolFrom(world: World, one: World['spec']['pools'][number]): Pool {
  const disks = one.disks.map((name) => {
    const disk = world.ofType('Microsoft.Compute/disks').find((candidate) => candidate.name === name)
    return String(disk?.properties['uniqueId'])
  })
  const mounted = one.importedOn !== undefined
  return {
    guid: one.guid,
    name: one.name,
    disks,
    layout: one.layout,
    sizeBytes: one.sizeGiB * gib,
    allocatedBytes: one.allocatedGiB * gib,
    health: 'ONLINE',
    datasets: one.datasets.map(({ usedGiB, ...dataset }) => ({ ...dataset, usedBytes: usedGiB * gib, mounted })),
    features: one.features,
    importedOn: one.importedOn === undefined ? [] : [world.resource(one.importedOn)?.id ?? one.importedOn],
    exported: one.importedOn === undefined,
    ...(one.importedOn === undefined ? {} : { lastHostId: seededHex(`hostid ${one.importedOn.toLowerCase()}`, 8) }),
  }
}

function putHost(world: World, one: World['spec']['hosts'][number]): void {
  const machine = world.resource(one.machine)
  if (!machine) return
  const place = addressOf(world, machine)
  world.hosts.set(machine.id.toLowerCase(), {
    machine: machine.id,
    power: 'running',
    network: place?.network ?? '',
    address: place?.address ?? '',
    sshFromMs: world.clock.nowMs(),
    readyFromMs: world.clock.nowMs(),
    cloudInitUntilMs: world.clock.nowMs(),
    answers: !one.silent,
    hostId: seededHex(`hostid ${machine.id.toLowerCase()}`, 8),
    hostKey: world.makeKey(`root@${machine.name}`),
    user: one.user,
    authorizedKeys: one.authorizedKeys.flatMap((name) => world.keys.get(name)?.public ?? []),
    services: { nfs: one.nfs },
    exports: one.exports.map((each) => ({ ...each })),
    files: new Map(),
    running: new Map(),
    locks: new Map(),
  })
}

/** Where a machine is: the virtual network of its first interface, and its private address there. */
export function addressOf(world: World, machine: Resource): { network: string; address: string } | undefined {
  const profile = machine.properties['networkProfile'] as { networkInterfaces?: { id: string }[] } | undefined
  const nic = world.resource(profile?.networkInterfaces?.[0]?.id ?? '')
  const configurations = nic?.properties['ipConfigurations'] as
    | { properties?: { privateIPAddress?: string; subnet?: { id: string } } }[]
    | undefined
  const first = configurations?.[0]?.properties
  if (first?.privateIPAddress === undefined || first.subnet === undefined) return undefined
  return { network: first.subnet.id.split('/').slice(0, -2).join('/'), address: first.privateIPAddress }
}

function putLock(world: World, { name, scope = `/subscriptions/${world.spec.subscription}`, level }: World['spec']['locks'][number]): void {
  const type = 'Microsoft.Authorization/locks'
  world.put({ id: `${scope}/providers/${type}/${name}`, name, type, location: '', tags: {}, properties: { level } })
}

function putZone(world: World, one: World['spec']['zones'][number]): void {
  const id = parseId(one.id)
  if (!id) return
  world.put({
    id: resourceId(id.subscription, world.group(id.group)?.name ?? id.group, 'Microsoft.Network/dnszones', id.name),
    name: id.name,
    type: 'Microsoft.Network/dnszones',
    location: 'global',
    tags: {},
    etag: seededUuid(one.id),
    properties: { nameServers: one.nameServers, zoneType: 'Public', maxNumberOfRecordSets: 10_000 },
  })
  for (const record of one.records) {
    const values = [...record.values]
    world.recordSets.push({
      zone: id.name,
      name: record.name,
      type: record.type,
      ttl: record.ttl,
      values,
      etag: seededUuid(`${one.id} ${record.name} ${record.type}`),
      metadata: {},
    })
    world.published.set(`${id.name}/${record.name}/${record.type}`.toLowerCase(), { ttl: record.ttl, values })
  }
}
