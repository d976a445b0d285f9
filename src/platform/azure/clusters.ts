import type { ManagedCluster, ManagedClusterAgentPoolProfile } from '@azure/arm-containerservice'
import { LifeboatError, Secret, type JsonObject } from '../../contract/index.js'
import type { AgentPool, Cluster, ClusterDefinition, ClusterDoor } from './door.js'
import { nameOf, parseId } from './ids.js'
import { submitted, type AzureSession } from './session.js'

export function openClusters(session: AzureSession, tags: Readonly<Record<string, string>>): ClusterDoor {
  return {
    async get(id) {
      const { group, name } = parseId(id)
      const found = await session.read(`reading cluster ${name}`, async () => (await session.clusters()).managedClusters.get(group, name))
      return found === undefined ? undefined : clusterOf(id, found)
    },
    create(id, definition) {
      const { group, name } = parseId(id)
      return session.start(`creating cluster ${name}`, async () =>
        submitted((await session.clusters()).managedClusters.createOrUpdate(group, name, { ...wireOf(definition), tags: { ...tags } })),
      )
    },
    delete(id) {
      const { group, name } = parseId(id)
      return session.start(`deleting cluster ${name}`, async () => submitted((await session.clusters()).managedClusters.delete(group, name)))
    },
    async credentials(id) {
      const { group, name } = parseId(id)
      const listed = await session.read(`listing credentials of cluster ${name}`, async () =>
        (await session.clusters()).managedClusters.listClusterUserCredentials(group, name),
      )
      const value = listed?.kubeconfigs?.[0]?.value
      if (value !== undefined) return new Secret(Buffer.from(value).toString('utf8'))
      throw new LifeboatError('azure.no-credentials', `Azure lists no credentials for cluster ${name}`)
    },
  }
}

function clusterOf(id: string, found: ManagedCluster): Cluster {
  const { fqdn, nodeResourceGroup, networkProfile } = found
  return {
    id: found.id ?? id,
    location: found.location,
    kubernetesVersion: found.kubernetesVersion ?? '',
    dnsPrefix: found.dnsPrefix ?? nameOf(id),
    identity: (found.identity === undefined ? null : { type: found.identity.type ?? 'None' }),
    agentPools: (found.agentPoolProfiles ?? []).map(poolOf),
    provisioningState: found.provisioningState ?? 'Unknown',
    ...(fqdn === undefined ? {} : { fqdn }),
    ...(nodeResourceGroup === undefined ? {} : { nodeResourceGroup }),
    ...(networkProfile === undefined ? {} : { networkProfile: writable(networkProfile) }),
  }
}

/** The parts of a network profile that decide how pods and services are addressed; the rest is Azure's own. */
function writable(profile: NonNullable<ManagedCluster['networkProfile']>): JsonObject {
  const { networkPlugin, networkPluginMode, networkPolicy, podCidr, serviceCidr, dnsServiceIP, loadBalancerSku } = profile
  const kept = { networkPlugin, networkPluginMode, networkPolicy, podCidr, serviceCidr, dnsServiceIP, loadBalancerSku }
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined))
}

function poolOf(pool: ManagedClusterAgentPoolProfile): AgentPool {
  const { name, mode, count, vmSize, availabilityZones, vnetSubnetID, osDiskSizeGB, minCount, maxCount } = pool
  return {
    name,
    mode: mode ?? 'User',
    count: count ?? 0,
    vmSize: vmSize ?? '',
    ...(availabilityZones === undefined || availabilityZones.length === 0 ? {} : { zones: availabilityZones }),
    ...(vnetSubnetID === undefined ? {} : { subnet: vnetSubnetID }),
    ...(osDiskSizeGB === undefined ? {} : { osDiskSizeGB }),
    ...(minCount === undefined ? {} : { minCount }),
    ...(maxCount === undefined ? {} : { maxCount }),
  }
}

function wireOf(definition: ClusterDefinition): ManagedCluster {
  const { location, kubernetesVersion, dnsPrefix, nodeResourceGroup, networkProfile, agentPools } = definition
  return {
    location,
    kubernetesVersion,
    dnsPrefix,
    identity: { type: 'SystemAssigned' },
    ...(nodeResourceGroup === undefined ? {} : { nodeResourceGroup }),
    ...(networkProfile === undefined ? {} : { networkProfile: networkProfile }),
    agentPoolProfiles: agentPools.map((pool) => ({
      name: pool.name,
      mode: pool.mode,
      count: pool.count,
      vmSize: pool.vmSize,
      type: 'VirtualMachineScaleSets',
      osType: 'Linux',
      ...(pool.zones === undefined ? {} : { availabilityZones: [...pool.zones] }),
      ...(pool.subnet === undefined ? {} : { vnetSubnetID: pool.subnet }),
      ...(pool.osDiskSizeGB === undefined ? {} : { osDiskSizeGB: pool.osDiskSizeGB }),
      ...(pool.minCount === undefined ? {} : { enableAutoScaling: true, minCount: pool.minCount }),
      ...(pool.maxCount === undefined ? {} : { maxCount: pool.maxCount }),
    })),
  }
}
