import type { Json, JsonObject } from '../../contract/index.js'
import type { AgentPool, Cluster, ClusterDefinition } from '../../platform/azure/door.js'

/** A definition for a new cluster, and what of its source is not in it. */
export interface Likeness {
  readonly definition: Pick<ClusterDefinition, 'agentPools' | 'networkProfile' | 'sku' | 'tags' | 'rest'>
  /** For people: each says what it is that the new cluster will not have. */
  readonly left: readonly string[]
}

/** Of the settings that only pass through, those that mean the same in another cluster; names as the door has them. */
const copiedOfPools: ReadonlySet<string> = new Set([
  'osType', 'osSKU', 'osDiskType', 'kubeletDiskType', 'kubeletConfig', 'linuxOSConfig', 'workloadRuntime', 'gpuInstanceProfile', 'gpuProfile',
  'scaleSetPriority', 'scaleSetEvictionPolicy', 'spotMaxPrice', 'scaleDownMode', 'enableNodePublicIP', 'enableEncryptionAtHost', 'enableUltraSSD',
  'enableFips', 'securityProfile', 'upgradeSettings', 'tags',
])
const copiedOfClusters: ReadonlySet<string> = new Set([
  'enableRbac', 'linuxProfile', 'autoScalerProfile', 'autoUpgradeProfile', 'storageProfile', 'supportPlan', 'publicNetworkAccess',
  'workloadAutoScalerProfile', 'nodeResourceGroupProfile',
])
const copiedOfNetworks: ReadonlySet<string> = new Set([
  'networkPlugin', 'networkPluginMode', 'networkPolicy', 'networkDataplane', 'podCidr', 'serviceCidr', 'dnsServiceIP', 'loadBalancerSku', 'ipFamilies',
])

/** What is Azure's to say of each cluster, or follows from the rest: nobody would miss it. */
const azures: ReadonlySet<string> = new Set([
  'eTag', 'type', 'kind', 'status', 'provisioningState', 'powerState', 'orchestratorVersion', 'currentOrchestratorVersion', 'nodeImageVersion',
  'virtualMachineNodesStatus', 'podIPAllocationMode', 'maxAgentPools', 'currentKubernetesVersion', 'fqdnSubdomain', 'privateFqdn', 'azurePortalFqdn',
  'privateLinkResources', 'resourceUID', 'upgradeSettings', 'podCidrs', 'serviceCidrs', 'networkMode',
])

/** Words by which a setting says that it is off. */
const off: ReadonlySet<Json> = new Set([false, null, '', 'disabled', 'none', 'manual', 'direct', 'base'])

function isSet(value: Json | undefined): boolean {
  if (value === undefined || off.has(typeof value === 'string' ? value.toLowerCase() : value)) return false
  return typeof value === 'object' && value !== null ? Object.values(value as JsonObject).some(isSet) : true
}

const objectIn = (value: Json | undefined): JsonObject => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {})
const only = (value: JsonObject, keys: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([key, one]) => keys.has(key) && one !== undefined && one !== null))
const without = (value: JsonObject, ...keys: readonly ReadonlySet<string>[]): string[] =>
  Object.entries(value).flatMap(([key, one]) => (keys.some((known) => known.has(key)) || !isSet(one) ? [] : [key]))

/**
 * A new cluster like another one, whose own may be dead. Taken over is what means the same elsewhere; told is what does not:
 * settings that name resources of the old cluster's, rights that its identities have, addons. Pure.
 */
export function likenessOf(source: Cluster): Likeness {
  const left: string[] = []
  const agentPools = source.agentPools.flatMap((pool) => poolLike(pool, left))
  const networkProfile = networkLike(source.networkProfile ?? {}, left)
  const rest = settingsLike(source.rest ?? {}, left)
  const sku = source.sku?.['name'] === undefined || source.sku['name'] === 'Base' ? source.sku : undefined
  if (sku === undefined && source.sku !== undefined) left.push(`its SKU ${JSON.stringify(source.sku['name'])}`)
  const tags = Object.fromEntries(Object.entries(source.tags ?? {}).filter(([key]) => !key.startsWith('lifeboat-')))
  return { definition: { agentPools, networkProfile, rest, tags, ...(sku === undefined ? {} : { sku }) }, left }
}

function poolLike({ subnet: _old, ...pool }: AgentPool, left: string[]): AgentPool[] {
  const { rest = {}, ...core } = pool
  if (rest['osType'] === 'Windows') {
    left.push(`its Windows pool ${pool.name}`)
    return []
  }
  const lost = without(rest, copiedOfPools, azures)
  if (lost.length > 0) left.push(`${lost.join(', ')} of its pool ${pool.name}`)
  // A stopped pool counts none, and an autoscaler's count must lie between its limits.
  const least = Math.max(pool.mode === 'System' ? 1 : 0, pool.minCount ?? 0)
  const count = Math.min(Math.max(pool.count, least), pool.maxCount ?? Infinity)
  return [{ ...core, count, rest: only(rest, copiedOfPools) }]
}

function networkLike(profile: JsonObject, left: string[]): JsonObject {
  const { loadBalancerProfile, outboundType } = profile
  const balancer = objectIn(loadBalancerProfile)
  const kept = only(profile, copiedOfNetworks)
  const lost = without(profile, copiedOfNetworks, azures, new Set(['loadBalancerProfile', 'outboundType', 'natGatewayProfile']))
  if (lost.length > 0) left.push(`${lost.join(', ')} of its network`)
  // What leaves by a route or a NAT gateway of the subnet's own can only do so where the new subnet has them.
  if (outboundType === 'managedNATGateway') Object.assign(kept, { outboundType, natGatewayProfile: only(objectIn(profile['natGatewayProfile']), new Set(['managedOutboundIPProfile', 'idleTimeoutInMinutes'])) })
  else if (isSet(outboundType) && outboundType !== 'loadBalancer') left.push(`its way out by ${JSON.stringify(outboundType)}`)
  if (kept['loadBalancerSku'] === 'basic') {
    Object.assign(kept, { loadBalancerSku: 'standard' })
    left.push('its Basic load balancer (a Standard one is made; Azure makes no others)')
  }
  const named = ['outboundIPs', 'outboundIPPrefixes'].filter((key) => isSet(balancer[key]))
  if (named.length > 0) left.push(`the ${named.join(', ')} of its load balancer, which are in use there`)
  const shape = only(balancer, new Set(['allocatedOutboundPorts', 'idleTimeoutInMinutes', 'backendPoolType', ...(named.length > 0 ? [] : ['managedOutboundIPs'])]))
  return Object.keys(shape).length === 0 ? kept : { ...kept, loadBalancerProfile: shape }
}

const special: ReadonlySet<string> = new Set([
  'aadProfile', 'disableLocalAccounts', 'apiServerAccessProfile', 'oidcIssuerProfile', 'securityProfile', 'addonProfiles',
  'servicePrincipalProfile', 'identityProfile', 'nodeProvisioningProfile', 'windowsProfile',
])

function settingsLike(rest: JsonObject, left: string[]): JsonObject {
  const kept = only(rest, copiedOfClusters)
  const lost = without(rest, copiedOfClusters, azures, special)
  if (lost.length > 0) left.push(`its ${lost.join(', ')}`)
  tellIdentities(rest, left)
  return { ...kept, ...accessLike(rest, left), ...securityLike(rest, left) }
}

function tellIdentities(rest: JsonObject, left: string[]): void {
  const addons = Object.entries(objectIn(rest['addonProfiles'])).flatMap(([name, one]) => (objectIn(one)['enabled'] === true ? [name] : []))
  if (addons.length > 0) left.push(`its addons ${addons.join(', ')}`)
  const client = objectIn(rest['servicePrincipalProfile'])['clientId']
  if (isSet(client) && client !== 'msi') left.push('its service principal: the new one acts as an identity, and has that one’s rights')
  if (isSet(objectIn(rest['identityProfile'])['kubeletidentity'])) {
    left.push('the rights of its nodes’ identity (to pull images from a registry of your own: `az aks update --attach-acr`)')
  }
  if (objectIn(rest['nodeProvisioningProfile'])['mode'] === 'Auto') left.push('its node auto-provisioning')
}

/** Who may log in, and from where. */
function accessLike(rest: JsonObject, left: string[]): JsonObject {
  const aad = objectIn(rest['aadProfile'])
  const isManaged = aad['managed'] === true
  if (isSet(rest['aadProfile']) && !isManaged) left.push('its Azure AD integration of the old kind, which Azure has retired')
  if (rest['disableLocalAccounts'] === true && !isManaged) left.push('that local accounts are off')
  const server = objectIn(rest['apiServerAccessProfile'])
  const zone = server['privateDNSZone']
  const ownZone = typeof zone === 'string' && zone.startsWith('/')
  if (ownZone) left.push(`its private DNS zone ${zone} (one of AKS’s own is made)`)
  if (server['enableVnetIntegration'] === true) left.push('that its API server is in its network')
  const access = only(server, new Set(['authorizedIPRanges', 'disableRunCommand', 'enablePrivateCluster', 'enablePrivateClusterPublicFqdn', ...(ownZone ? [] : ['privateDNSZone'])]))
  return {
    ...(isManaged ? { aadProfile: only(aad, new Set(['managed', 'enableAzureRbac', 'adminGroupObjectIDs', 'tenantID'])) } : {}),
    ...(isManaged && rest['disableLocalAccounts'] === true ? { disableLocalAccounts: true } : {}),
    ...(isSet(access) ? { apiServerAccessProfile: access } : {}),
  }
}

function securityLike(rest: JsonObject, left: string[]): JsonObject {
  const security = objectIn(rest['securityProfile'])
  const same = new Set(['workloadIdentity', 'imageCleaner'])
  const lost = without(security, same)
  if (lost.length > 0) left.push(`its ${lost.join(', ')}`)
  const issuer = objectIn(rest['oidcIssuerProfile'])['enabled'] === true
  if (issuer) left.push('the trust in its OIDC issuer: federated credentials have to name the new one’s')
  const kept = only(security, same)
  return { ...(issuer ? { oidcIssuerProfile: { enabled: true } } : {}), ...(isSet(kept) ? { securityProfile: kept } : {}) }
}
