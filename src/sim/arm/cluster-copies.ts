import { overlap, parseRange, type Range } from '../world/addresses.js'
import { type World, WorldError } from '../world/world.js'
import { findSubnet } from './network.js'
import { record, records, textOf } from './wire.js'

type Fields = Record<string, unknown>

const refused = (code: string, message: string): WorldError => new WorldError(400, code, message)

/** What Azure says of a cluster and is not told: a PUT may hold it (a client reads, changes, puts), and it means nothing. */
const readOnly = ['provisioningState', 'powerState', 'maxAgentPools', 'currentKubernetesVersion', 'fqdn', 'privateFQDN', 'azurePortalFQDN', 'resourceUID']

export function withoutReadOnly(properties: Fields): Fields {
  const kept = Object.fromEntries(Object.entries(properties).filter(([key]) => !readOnly.includes(key)))
  const network = record(kept['networkProfile'])
  const { effectiveOutboundIPs: _ips, ...balancer } = record(network['loadBalancerProfile'])
  if (Object.keys(balancer).length > 0) network['loadBalancerProfile'] = balancer
  return kept
}

/** Refuses what a definition copied whole from an older cluster may hold, and a new one may not. */
export function assertNoRelics(world: World, properties: Fields): void {
  const pools = records(properties['agentPoolProfiles'])
  for (const pool of pools) assertPool(world, properties, pool)
  const network = record(properties['networkProfile'])
  if (textOf(network['loadBalancerSku'])?.toLowerCase() === 'basic') {
    throw refused('BasicLoadBalancerNotAllowed', 'Basic Load Balancers can no longer be made. Use the standard load balancer.')
  }
  const ways = ['managedOutboundIPs', 'outboundIPs', 'outboundIPPrefixes'].filter((key) => record(network['loadBalancerProfile'])[key] !== undefined)
  if (ways.length > 1) {
    throw refused('InvalidLoadBalancerProfile', `Load balancer profile must specify one of managedOutboundIPs, outboundIPPrefixes and outboundIPs, not ${ways.join(' and ')}.`)
  }
  assertRanges(world, network, pools)
  const aad = record(properties['aadProfile'])
  if (aad['serverAppID'] !== undefined || aad['clientAppID'] !== undefined) {
    throw refused('AADLegacyNotSupported', 'The legacy Azure AD integration is retired. Use AKS-managed Microsoft Entra integration (managed: true).')
  }
  if (properties['disableLocalAccounts'] === true && aad['managed'] !== true) {
    throw refused('InvalidParameter', 'Disabling local accounts needs AKS-managed Microsoft Entra integration.')
  }
}

function assertPool(world: World, properties: Fields, pool: Fields): void {
  const name = String(pool['name'])
  const version = textOf(pool['orchestratorVersion'])
  const isOffered = version === undefined || world.spec.kubernetesVersions.some((one) => one === version || one.startsWith(`${version}.`))
  if (!isOffered) throw refused('K8sVersionNotSupported', `Agent pool ${name}: version ${version} is not supported in this region.`)
  const scales = pool['enableAutoScaling'] === true
  const [count, min, max] = [pool['count'], pool['minCount'], pool['maxCount']].map((value) => (typeof value === 'number' ? value : undefined))
  if (!scales && (min !== undefined || max !== undefined)) {
    throw refused('InvalidParameter', `Agent pool ${name} has minCount or maxCount, and enableAutoScaling is not true.`)
  }
  if (scales && (min === undefined || max === undefined || (count ?? min) < min || (count ?? min) > max)) {
    throw refused('InvalidParameter', `The count of agent pool ${name} is not between its minCount and its maxCount.`)
  }
  if (pool['osType'] === 'Windows' && record(properties['windowsProfile'])['adminPassword'] === undefined) {
    throw refused('InvalidParameter', `Agent pool ${name} is a Windows pool, and the cluster has no windowsProfile with an adminPassword.`)
  }
}

/** Services and pods have addresses of their own, which no node may have. */
function assertRanges(world: World, network: Fields, pools: readonly Fields[]): void {
  for (const key of ['serviceCidr', 'podCidr']) {
    const range = parseRange(textOf(network[key]) ?? '')
    for (const pool of pools) {
      const subnet = findSubnet(world, textOf(pool['vnetSubnetID']) ?? '')
      const own = subnet === undefined ? [] : prefixesOf(subnet.subnet.properties)
      if (range === undefined || !own.some((one) => overlap(range, one))) continue
      const code = key === 'serviceCidr' ? 'ServiceCidrOverlapExistingSubnetsCidr' : 'PodCidrOverlapExistingSubnetsCidr'
      throw refused(code, `The specified ${key} ${String(network[key])} conflicts with an existing subnet CIDR of agent pool ${String(pool['name'])}.`)
    }
  }
}

function prefixesOf(subnet: Fields): Range[] {
  const several: unknown[] = Array.isArray(subnet['addressPrefixes']) ? subnet['addressPrefixes'] : []
  return [subnet['addressPrefix'], ...several].flatMap((prefix) => parseRange(textOf(prefix) ?? '') ?? [])
}
