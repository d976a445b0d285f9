import { z } from 'zod'
import { isPending, LifeboatError, resourceId, type Json } from '../contract/index.js'
import type { AgentPool, Cluster, ClusterDefinition } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'
import { claim, defineStep, groupClaim, hours, idIn, inverted, known, minutes, seconds } from './step.js'

const pool = z.strictObject({
  name: z.string(),
  mode: z.enum(['System', 'User']).default('User'),
  count: z.number().int().positive(),
  vmSize: z.string(),
  zones: z.array(z.string()).optional(),
  osDiskSizeGB: z.number().int().optional(),
  minCount: z.number().int().optional(),
  maxCount: z.number().int().optional(),
})

const inputs = z
  .strictObject({
    resourceGroup: z.string(),
    location: z.string(),
    name: z.string(),
    /** Pools, sizes and network profile are taken from this cluster; its API server may be dead, its definition is not. */
    like: resourceId.optional(),
    /** Instead of `like`, for a source that cannot be read. */
    pools: z.array(pool).min(1).optional(),
    kubernetesVersion: z.string(),
    subnet: resourceId,
    nodeResourceGroup: z.string().optional(),
  })
  .refine(({ like, pools }) => (like === undefined) !== (pools === undefined), 'give either `like` or `pools`')
type Inputs = z.infer<typeof inputs>

const label = (name: string): string => `managedCluster ${name}`

/** A managed cluster. One that exists and matches is adopted, one that is being made is waited for. */
export const aksCluster = defineStep({
  uses: 'azure/aks-cluster',
  summary: 'An AKS cluster like another one, or from a definition in the runbook',
  inputs,
  outputs: z.object({ id: z.string(), fqdn: z.string() }),
  identity: ['resourceGroup', 'name'],
  verification: () => ({ everyMs: 10 * seconds, withinMs: 1 * hours }),
  preflight: async (_changes, wanted, { doors }) => {
    if (isPending(wanted.like) || wanted.like === undefined) return []
    if ((await doors.azure.clusters.get(wanted.like)) !== undefined) return []
    const what = `the cluster to copy, ${wanted.like}, does not exist`
    return [{ level: 'stop', what, mend: 'Name another under `like`, or write its pools into the runbook.' }]
  },
  async observe(wanted, { doors }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) return { state: 'absent' }
    const found = await doors.azure.clusters.get(clusterId(group.id, wanted.name))
    if (found === undefined) return { state: 'absent' }
    switch (found.provisioningState) {
      case 'Succeeded':
        break
      case 'Failed':
      case 'Canceled':
        return {
          state: 'conflict',
          why: `cluster ${wanted.name} exists, but its creation ${found.provisioningState.toLowerCase()}`,
          mend: 'The activity log says why. Delete it or use another name; creating over it can fail again.',
        }
      default:
        return { state: 'in-flight', what: `cluster ${wanted.name} is ${found.provisioningState.toLowerCase()}` }
    }
    const wrong = differenceOf(wanted, found)
    if (wrong !== undefined) {
      return { state: 'conflict', why: wrong, mend: 'Clusters cannot be changed in this: use another name in the runbook.' }
    }
    return { state: 'converged', outputs: { id: found.id, fqdn: found.fqdn ?? '' } }
  },
  plan: ({ name, location, kubernetesVersion, like, pools, subnet }) => [
    {
      resource: label(String(name)),
      action: 'create',
      after: {
        location,
        kubernetesVersion,
        subnet,
        ...(like === undefined ? {} : { like }),
        ...(pools === undefined ? {} : { pools: pools as Json }),
      },
    },
  ],
  async apply(changes, wanted, { doors, checkpoint }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('cluster.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const id = clusterId(group.id, wanted.name)
    for (const { action } of changes) {
      const { clusters } = doors.azure
      const operation = action === 'delete' ? await clusters.delete(id) : await clusters.create(id, await definitionOf(wanted, doors))
      await checkpoint({ accepted: `${action} ${label(wanted.name)}` })
      await operation.done
    }
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ resourceGroup, name }) => [groupClaim(known(resourceGroup)), claim('cluster', known(name))],
  estimateMs: () => 20 * minutes,
})

function clusterId(groupId: string, name: string): string {
  return idIn(groupId, 'Microsoft.ContainerService/managedClusters', name)
}

/** In what an existing cluster cannot serve; undefined if it can. Versions may be newer: a cluster is upgraded in its life. */
function differenceOf(wanted: Partial<Record<keyof Inputs, unknown>>, found: Cluster): string | undefined {
  const { location, subnet } = wanted
  if (typeof location === 'string' && location.toLowerCase() !== found.location.toLowerCase()) {
    return `cluster exists in ${found.location}, not in ${location}`
  }
  const elsewhere = found.agentPools.find((one) => typeof subnet === 'string' && one.subnet?.toLowerCase() !== subnet.toLowerCase())
  if (elsewhere !== undefined) return `its pool ${elsewhere.name} is in another subnet (${elsewhere.subnet ?? 'its own'})`
  return undefined
}

async function definitionOf(wanted: Inputs, { azure }: Platform): Promise<ClusterDefinition> {
  const source = wanted.like === undefined ? undefined : await azure.clusters.get(wanted.like)
  if (wanted.like !== undefined && source === undefined) {
    throw new LifeboatError('cluster.no-source', `the cluster to copy, ${wanted.like}, does not exist`, { blame: 'user' })
  }
  const pools = source?.agentPools ?? (wanted.pools as readonly AgentPool[] | undefined) ?? []
  return {
    location: wanted.location,
    kubernetesVersion: wanted.kubernetesVersion,
    dnsPrefix: wanted.name,
    identity: { type: 'SystemAssigned' },
    agentPools: pools.map((one) => ({ ...one, subnet: wanted.subnet })),
    ...(wanted.nodeResourceGroup === undefined ? {} : { nodeResourceGroup: wanted.nodeResourceGroup }),
    ...(source?.networkProfile === undefined ? {} : { networkProfile: source.networkProfile }),
  }
}
