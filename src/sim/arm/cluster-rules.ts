import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { assertQuota } from './capacity.js'
import { assertNoRelics } from './cluster-copies.js'
import { findSubnet } from './network.js'
import { invalidReference } from './references.js'
import { assertPoolSize } from './sizes.js'
import { record, records, textOf } from './wire.js'

/** Refuses a cluster definition that Azure would refuse before it starts. */
export function assertClusterDefinition(
  world: World,
  id: string,
  body: Readonly<Record<string, unknown>>,
  before: Resource | undefined,
): void {
  const properties = record(body['properties'])
  if (textOf(body['location']) === undefined) {
    throw new WorldError(400, 'LocationRequired', 'The location property is required for this definition.')
  }
  if (before) assertUnchanged(properties, before)
  else assertNew(world, id, body, properties)
  const pools = records(properties['agentPoolProfiles'])
  for (const pool of pools) {
    const subnet = textOf(pool['vnetSubnetID'])
    if (subnet !== undefined && !findSubnet(world, subnet)) throw invalidReference(subnet, id)
    if (!/^[a-z][a-z0-9]{0,11}$/.test(String(pool['name']))) {
      throw new WorldError(400, 'InvalidParameter', `The agent pool name '${String(pool['name'])}' is not valid.`)
    }
    if (textOf(pool['vmSize']) === undefined) {
      throw new WorldError(400, 'InvalidParameter', `Agent pool ${String(pool['name'])} has no vmSize.`)
    }
  }
  if (!before) assertNoRelics(world, properties)
  const version = textOf(properties['kubernetesVersion'])
  const running = textOf(before?.properties['currentKubernetesVersion'])
  if (version !== undefined && version !== running) assertVersion(world, version)
}

function assertNew(
  world: World,
  id: string,
  body: Readonly<Record<string, unknown>>,
  properties: Record<string, unknown>,
): void {
  const pools = records(properties['agentPoolProfiles'])
  if (!pools.some((pool) => pool['mode'] === 'System')) {
    throw new WorldError(400, 'InvalidParameter', 'A cluster needs at least one agent pool of mode System.')
  }
  if (textOf(properties['dnsPrefix']) === undefined) {
    throw new WorldError(400, 'InvalidParameter', 'Required parameter dnsPrefix is missing (null).')
  }
  if (Object.keys(record(body['identity'])).length === 0 && properties['servicePrincipalProfile'] === undefined) {
    throw new WorldError(400, 'ServicePrincipalNotFound', 'A cluster needs an identity or a service principal.')
  }
  assertNodeGroupFree(world, id, textOf(properties['nodeResourceGroup']) ?? defaultNodeGroup(id, String(body['location'])))
  const sized = pools.flatMap((pool) => (textOf(pool['vmSize']) === undefined ? [] : [{ pool, size: String(pool['vmSize']) }]))
  for (const { pool, size } of sized) {
    const zones = pool['availabilityZones']
    assertPoolSize(world, String(pool['name']), size, Array.isArray(zones) ? zones.map(String) : [])
  }
  assertQuota(world, sized.map(({ pool, size }) => ({ size, count: Number(pool['count'] ?? 1) })), 400, 'ErrCode_InsufficientVCPUQuota')
}

/** `MC_{group}_{cluster}_{location}`, 80 characters at most. */
export function defaultNodeGroup(id: string, location: string): string {
  const [group, name] = [id.split('/')[4] ?? '', id.split('/').at(-1) ?? '']
  return `MC_${group}_${name}_${location.toLowerCase().replaceAll(' ', '')}`.slice(0, 80)
}

/** AKS makes the node group itself, and takes none that exists: one that a deleted cluster left behind is in the way too. */
function assertNodeGroupFree(world: World, id: string, group: string): void {
  if (group.toLowerCase() === id.split('/')[4]?.toLowerCase()) {
    throw new WorldError(400, 'NodeResourceGroupSameAsResourceGroup', `Node resource group '${group}' is the same as the group of the cluster, which is not allowed.`)
  }
  if (!world.group(group)) return
  const message = `Node resource group '${group}' under subscription '${world.spec.subscription}' already exists, please provide a new one.`
  throw new WorldError(400, 'NodeResourceGroupAlreadyExists', message)
}

/** What cannot be changed once a cluster stands. */
function assertUnchanged(properties: Record<string, unknown>, before: Resource): void {
  for (const key of ['dnsPrefix', 'nodeResourceGroup']) {
    const next = properties[key]
    if (next !== undefined && next !== before.properties[key]) {
      throw new WorldError(400, 'PropertyChangeNotAllowed', `Changing property '${key}' is not allowed.`)
    }
  }
  const networks = new Map(records(before.properties['agentPoolProfiles']).map((pool) => [pool['name'], pool]))
  for (const pool of records(properties['agentPoolProfiles'])) {
    const old = networks.get(pool['name'])
    for (const key of ['vmSize', 'vnetSubnetID']) {
      const [next, now] = [textOf(pool[key])?.toLowerCase(), textOf(old?.[key])?.toLowerCase()]
      if (old && next !== undefined && next !== now) {
        throw new WorldError(400, 'PropertyChangeNotAllowed', `Changing property 'properties.${key}' of an agent pool is not allowed.`)
      }
    }
  }
}

function assertVersion(world: World, version: string): void {
  const offered = world.spec.kubernetesVersions
  if (offered.includes(version) || offered.some((one) => one.startsWith(`${version}.`))) return
  const message = `Managed cluster: version ${version} is not supported in this region. Use one of ${offered.join(', ')}.`
  throw new WorldError(400, 'K8sVersionNotSupported', message)
}

/** As `kubernetesVersions` lists them: minors with their patches. */
export function versionsOf(world: World): unknown[] {
  const minors = new Map<string, string[]>()
  for (const version of world.spec.kubernetesVersions) {
    const minor = version.split('.').slice(0, 2).join('.')
    minors.set(minor, [...(minors.get(minor) ?? []), version])
  }
  return [...minors].map(([version, patches], at) => ({
    version,
    isDefault: at === minors.size - 1,
    isPreview: false,
    capabilities: { supportPlan: ['KubernetesOfficial'] },
    patchVersions: Object.fromEntries(patches.map((patch) => [patch, { upgrades: [] }])),
  }))
}
