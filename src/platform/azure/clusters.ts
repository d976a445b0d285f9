import type { ManagedCluster, ManagedClusterAgentPoolProfile } from '@azure/arm-containerservice'
import { LifeboatError, Secret, type JsonObject } from '../../contract/index.js'
import type { AgentPool, Cluster, ClusterDefinition, ClusterDoor } from './door.js'
import { nameOf } from './ids.js'
import { submitted } from './pollers.js'
import type { AzureSession } from './session.js'

export function openClusters(session: AzureSession, tags: Readonly<Record<string, string>>): ClusterDoor {
  return {
    async get(id) {
      const { group, name } = session.parse(id)
      const found = await session.read(`reading cluster ${name}`, async () => (await session.clusters()).managedClusters.get(group, name))
      return found === undefined ? undefined : clusterOf(id, found)
    },
    create(id, definition) {
      const { group, name } = session.parse(id)
      const wanted = { ...wireOf(definition), tags: { ...definition.tags, ...tags } }
      return session.start(`creating cluster ${name}`, async () =>
        submitted((await session.clusters()).managedClusters.createOrUpdate(group, name, wanted)),
      )
    },
    delete(id) {
      const { group, name } = session.parse(id)
      return session.remove(`deleting cluster ${name}`, async () => submitted((await session.clusters()).managedClusters.delete(group, name)))
    },
    async credentials(id) {
      const { group, name } = session.parse(id)
      const listed = await session.readByPost(`listing credentials of cluster ${name}`, async () =>
        (await session.clusters()).managedClusters.listClusterUserCredentials(group, name),
      )
      const value = listed?.kubeconfigs?.[0]?.value
      if (value !== undefined) return new Secret(Buffer.from(value).toString('utf8'))
      throw new LifeboatError('azure.no-credentials', `Azure lists no credentials for cluster ${name}`)
    },
  }
}

function clusterOf(id: string, found: ManagedCluster): Cluster {
  const { fqdn, nodeResourceGroup, networkProfile, sku, systemData } = found
  const power = found.powerState?.code
  const [identity] = Object.keys(found.identity?.userAssignedIdentities ?? {})
  return {
    id: found.id ?? id,
    location: found.location,
    kubernetesVersion: found.kubernetesVersion ?? '',
    dnsPrefix: found.dnsPrefix ?? nameOf(id),
    agentPools: (found.agentPoolProfiles ?? []).map(poolOf),
    provisioningState: found.provisioningState ?? 'Unknown',
    ...(identity === undefined ? {} : { identity }),
    ...(power === undefined ? {} : { powerState: power }),
    ...(fqdn === undefined ? {} : { fqdn }),
    ...(nodeResourceGroup === undefined ? {} : { nodeResourceGroup }),
    ...(networkProfile === undefined ? {} : { networkProfile: plain(networkProfile) }),
    ...(sku === undefined ? {} : { sku: plain(sku) }),
    ...(systemData?.createdAt === undefined ? {} : { createdAt: systemData.createdAt }),
    tags: found.tags ?? {},
    rest: restOf(found, ownOfClusters),
  }
}

/** What has a field of its own in a cluster and in a pool. */
const ownOfClusters = [
  'id', 'name', 'type', 'location', 'tags', 'sku', 'systemData', 'identity', 'kubernetesVersion', 'dnsPrefix', 'fqdn', 'agentPoolProfiles',
  'provisioningState', 'powerState', 'nodeResourceGroup', 'networkProfile',
]
const ownOfPools = [
  'name', 'mode', 'count', 'vmSize', 'availabilityZones', 'vnetSubnetID', 'osDiskSizeGB', 'maxPods', 'nodeLabels', 'nodeTaints', 'enableAutoScaling',
  'minCount', 'maxCount',
]

function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}

function restOf(found: object, own: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(plain(found)).filter(([key]) => !own.includes(key)))
}

function poolOf(pool: ManagedClusterAgentPoolProfile): AgentPool {
  const { name, mode, count, vmSize, availabilityZones, vnetSubnetID, osDiskSizeGB, maxPods, nodeLabels, nodeTaints } = pool
  const scales = pool.enableAutoScaling === true
  return {
    name,
    mode: mode ?? 'User',
    count: count ?? 0,
    vmSize: vmSize ?? '',
    ...(availabilityZones === undefined || availabilityZones.length === 0 ? {} : { zones: availabilityZones }),
    ...(vnetSubnetID === undefined ? {} : { subnet: vnetSubnetID }),
    ...(osDiskSizeGB === undefined ? {} : { osDiskSizeGB }),
    ...(maxPods === undefined ? {} : { maxPods }),
    ...(nodeLabels === undefined || Object.keys(nodeLabels).length === 0 ? {} : { labels: nodeLabels }),
    ...(nodeTaints === undefined || nodeTaints.length === 0 ? {} : { taints: nodeTaints }),
    ...(scales && pool.minCount !== undefined ? { minCount: pool.minCount } : {}),
    ...(scales && pool.maxCount !== undefined ? { maxCount: pool.maxCount } : {}),
    rest: restOf(pool, ownOfPools),
  }
}

function wireOf(definition: ClusterDefinition): ManagedCluster {
  const { location, kubernetesVersion, dnsPrefix, nodeResourceGroup, networkProfile, agentPools, identity, sku, rest } = definition
  return {
    ...(rest as Partial<ManagedCluster> | undefined),
    ...(sku === undefined ? {} : { sku }),
    location,
    kubernetesVersion,
    dnsPrefix,
    identity: identity === undefined ? { type: 'SystemAssigned' } : { type: 'UserAssigned', userAssignedIdentities: { [identity]: {} } },
    ...(nodeResourceGroup === undefined ? {} : { nodeResourceGroup }),
    ...(networkProfile === undefined ? {} : { networkProfile }),
    agentPoolProfiles: agentPools.map((pool) => ({
      osType: 'Linux',
      ...(pool.rest as Partial<ManagedClusterAgentPoolProfile> | undefined),
      name: pool.name,
      mode: pool.mode,
      count: pool.count,
      vmSize: pool.vmSize,
      type: 'VirtualMachineScaleSets',
      ...(pool.zones === undefined ? {} : { availabilityZones: [...pool.zones] }),
      ...(pool.subnet === undefined ? {} : { vnetSubnetID: pool.subnet }),
      ...(pool.osDiskSizeGB === undefined ? {} : { osDiskSizeGB: pool.osDiskSizeGB }),
      ...(pool.maxPods === undefined ? {} : { maxPods: pool.maxPods }),
      ...(pool.labels === undefined ? {} : { nodeLabels: { ...pool.labels } }),
      ...(pool.taints === undefined ? {} : { nodeTaints: [...pool.taints] }),
      ...scalingOf(pool),
    })),
  }
}

/** The autoscaler needs both of its limits. */
function scalingOf({ count, minCount, maxCount }: AgentPool): Pick<ManagedClusterAgentPoolProfile, 'enableAutoScaling' | 'minCount' | 'maxCount'> {
  if (minCount === undefined && maxCount === undefined) return {}
  return { enableAutoScaling: true, minCount: minCount ?? Math.min(1, count), maxCount: maxCount ?? count }
}
