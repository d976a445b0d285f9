import { describe, expect, it } from 'vitest'
import type { Cluster } from '../../src/platform/azure/door.js'
import { likenessOf } from '../../src/steps/parts/cluster-like.js'

const source = (changes: Partial<Cluster> = {}): Cluster => ({
  id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/old',
  location: 'westus2',
  provisioningState: 'Succeeded',
  kubernetesVersion: '1.31.2',
  dnsPrefix: 'old',
  agentPools: [{ name: 'core', mode: 'System', count: 3, vmSize: 'Standard_D4s_v3', subnet: '/old/subnet', zones: ['1', '2'] }],
  ...changes,
})
const rest = (settings: NonNullable<Cluster['rest']>) => likenessOf(source({ rest: settings }))

describe('a cluster like another one', () => {
  it('has its pools: sizes, zones, labels, taints, limits and disks, in another subnet and with a version of its own', () => {
    const settings = { osType: 'Linux', osSKU: 'AzureLinux', osDiskType: 'Ephemeral', enableFips: true, nodeImageVersion: 'AKSUbuntu-2204', orchestratorVersion: '1.31.2' }
    const limits = { maxPods: 60, minCount: 2, maxCount: 9 }
    const user = { name: 'user', mode: 'User', count: 4, vmSize: 'Standard_E16s_v3', labels: { a: 'b' }, taints: ['k=v:NoSchedule'], ...limits }
    const agentPools = [{ ...source().agentPools[0]!, rest: settings }, { ...user, osDiskSizeGB: 200 }]
    const { definition, left } = likenessOf(source({ agentPools }))
    expect(definition.agentPools).toEqual([
      {
        name: 'core',
        mode: 'System',
        count: 3,
        vmSize: 'Standard_D4s_v3',
        zones: ['1', '2'],
        rest: { osType: 'Linux', osSKU: 'AzureLinux', osDiskType: 'Ephemeral', enableFips: true },
      },
      { ...user, osDiskSizeGB: 200, rest: {} },
    ])
    expect(left).toEqual([])
  })

  it.each([
    [{ mode: 'System', count: 0 }, 1],
    [{ mode: 'User', count: 0 }, 0],
    [{ mode: 'User', count: 0, minCount: 2, maxCount: 5 }, 2],
    [{ mode: 'User', count: 9, minCount: 2, maxCount: 5 }, 5],
  ])('counts the nodes of a pool so that Azure takes it: %o', (pool, count) => {
    const { definition } = likenessOf(source({ agentPools: [{ name: 'a', vmSize: 'Standard_D4s_v3', ...pool }] }))
    expect(definition.agentPools[0]?.count).toBe(count)
  })

  it('says which pools and which of their settings stay behind', () => {
    const pool = source().agentPools[0]!
    const agentPools = [{ ...pool, rest: { podSubnetID: '/x', hostGroupID: '/h' } }, { ...pool, name: 'win', rest: { osType: 'Windows' } }]
    const { definition, left } = likenessOf(source({ agentPools }))
    expect(definition.agentPools.map(({ name }) => name)).toEqual(['core'])
    expect(left).toEqual(['podSubnetID, hostGroupID of its pool core', 'its Windows pool win'])
  })

  it('keeps how pods and services are addressed, and no address that is in use there', () => {
    const networkProfile = {
      networkPlugin: 'azure',
      networkPluginMode: 'overlay',
      podCidr: '10.244.0.0/16',
      podCidrs: ['10.244.0.0/16'],
      serviceCidr: '10.0.0.0/16',
      dnsServiceIP: '10.0.0.10',
      loadBalancerSku: 'standard',
      outboundType: 'loadBalancer',
      loadBalancerProfile: { managedOutboundIPs: { count: 2 }, effectiveOutboundIPs: [{ id: '/ip' }], idleTimeoutInMinutes: 10 },
    }
    const { podCidrs: _c, outboundType: _o, loadBalancerProfile: _l, ...kept } = networkProfile
    const first = likenessOf(source({ networkProfile }))
    const loadBalancerProfile = { managedOutboundIPs: { count: 2 }, idleTimeoutInMinutes: 10 }
    expect(first.definition.networkProfile).toEqual({ ...kept, loadBalancerProfile })
    expect(first.left).toEqual([])
    const named = likenessOf(source({ networkProfile: { loadBalancerSku: 'basic', outboundType: 'userDefinedRouting', loadBalancerProfile: { outboundIPs: { publicIPs: [{ id: '/ip' }] } } } }))
    expect(named.definition.networkProfile).toEqual({ loadBalancerSku: 'standard' })
    expect(named.left).toEqual([
      'its way out by "userDefinedRouting"',
      expect.stringContaining('Basic load balancer') as string,
      'the outboundIPs of its load balancer, which are in use there',
    ])
  })

  it('lets in whom the old one lets in, from where it does', () => {
    const settings = {
      enableRbac: true,
      disableLocalAccounts: true,
      aadProfile: { managed: true, enableAzureRbac: true, adminGroupObjectIDs: ['g'], tenantID: 't', adminUsers: null },
      apiServerAccessProfile: { authorizedIPRanges: ['203.0.113.0/24'], enablePrivateCluster: false },
    }
    const { definition, left } = rest(settings)
    expect(definition.rest).toEqual({
      ...settings,
      aadProfile: { managed: true, enableAzureRbac: true, adminGroupObjectIDs: ['g'], tenantID: 't' },
    })
    expect(left).toEqual([])
  })

  it('says what of its log-ins is of a kind that is gone, and does not lock everybody out', () => {
    const { definition, left } = rest({ disableLocalAccounts: true, aadProfile: { serverAppID: 's', clientAppID: 'c' } })
    expect(definition.rest).toEqual({})
    expect(left).toEqual([expect.stringContaining('Azure AD integration of the old kind') as string, 'that local accounts are off'])
  })

  it('says what depends on the old cluster’s own identities, addons and keys', () => {
    const { left } = rest({
      addonProfiles: { omsagent: { enabled: true, config: { id: '/workspace' } }, azurepolicy: { enabled: false } },
      servicePrincipalProfile: { clientId: '0b0e' },
      identityProfile: { kubeletidentity: { objectId: 'o' } },
      oidcIssuerProfile: { enabled: true, issuerURL: 'https://issuer' },
      diskEncryptionSetID: '/set',
      serviceMeshProfile: { mode: 'Disabled' },
      nodeProvisioningProfile: { mode: 'Manual', defaultNodePools: 'Auto' },
    })
    expect(left).toEqual([
      'its diskEncryptionSetID',
      'its addons omsagent',
      expect.stringContaining('its service principal') as string,
      expect.stringContaining('az aks update --attach-acr') as string,
      expect.stringContaining('federated credentials') as string,
    ])
  })

  it('bears the tags of its source, but not those of the run that made that', () => {
    const { definition } = likenessOf(source({ tags: { team: 'data100', 'lifeboat-run': 'r0' }, sku: { name: 'Base', tier: 'Standard' } }))
    expect(definition).toMatchObject({ tags: { team: 'data100' }, sku: { name: 'Base', tier: 'Standard' } })
    // An automatic one takes no pools of one's own.
    const automatic = likenessOf(source({ sku: { name: 'Automatic', tier: 'Standard' } }))
    expect([automatic.definition.sku, automatic.left]).toEqual([undefined, ['its SKU "Automatic"']])
    expect(definition.tags).not.toHaveProperty('lifeboat-run')
  })
})
