import { z } from 'zod'
import {
  isPending,
  LifeboatError,
  type Change,
  type Demand,
  type Finding,
  type Json,
  type Pending,
  type Planned,
  type PlanInputs,
} from '../contract/index.js'
import { resourceId } from '../contract/inputs.js'
import type { AgentPool, Cluster, ClusterDefinition, Operation } from '../platform/azure/door.js'
import { nameOf, sameId, samePlace } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { capacityFindings, versionFindings } from './parts/capacity.js'
import { explained, goingOn, slowAfterMs, stateOfFailed } from './parts/cluster-failure.js'
import { likenessOf } from './parts/cluster-like.js'
import { governanceFindings, type Made } from './parts/governance.js'
import { kubectlFindings } from './parts/kube.js'
import { naming } from './parts/naming.js'
import { actionsFor, isMaking, lockFindings, rightsFindings, together, type Need } from './parts/readiness.js'
import { pathIn, written } from './parts/writes.js'
import { claim, defineStep, endedWithin, groupClaim, groupOf, hours, idIn, inverted, known, minutes, seconds } from './step.js'

const poolSchema = z.strictObject({
  name: z.string(),
  mode: z.enum(['System', 'User']).default('User'),
  count: z.number().int().positive(),
  vmSize: z.string(),
  zones: z.array(z.string()).optional(),
  osDiskSizeGB: z.number().int().optional(),
  maxPods: z.number().int().positive().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** `hub.jupyter.org/dedicated=user:NoSchedule` */
  taints: z.array(z.string()).optional(),
  minCount: z.number().int().nonnegative().optional(),
  maxCount: z.number().int().positive().optional(),
})

/** How pods and services are addressed; what is not said is Azure's default. */
const networkSchema = z.strictObject({
  networkPlugin: z.enum(['azure', 'kubenet', 'none']).optional(),
  networkPluginMode: z.enum(['overlay']).optional(),
  networkPolicy: z.enum(['azure', 'calico', 'cilium']).optional(),
  podCidr: z.string().optional(),
  serviceCidr: z.string().optional(),
  dnsServiceIP: z.string().optional(),
})

const inputs = z
  .strictObject({
    resourceGroup: z.string(),
    location: z.string(),
    name: z.string(),
    /** What means the same elsewhere is taken from this cluster; its API server may be dead, its definition is not. */
    like: resourceId.optional(),
    /** Where there is no `like`, or it has been deleted. */
    pools: z.array(poolSchema).min(1).optional(),
    /** With `pools`. */
    network: networkSchema.optional(),
    kubernetesVersion: z.string(),
    subnet: resourceId,
    /** Id of the user-assigned identity that it acts as. Without one it is given its own, which has no right at the subnet yet. */
    identity: resourceId.optional(),
    nodeResourceGroup: z.string().optional(),
  })
  .refine(({ like, pools }) => like !== undefined || pools !== undefined, 'give `like`, or `pools`, or both for the case that the source is gone')
type Inputs = z.infer<typeof inputs>

const clusterType = 'Microsoft.ContainerService/managedClusters'
const label = (name: string): string => `managedCluster ${name}`

/** A managed cluster. One that exists and matches is adopted, one that is being made is waited for. */
export const aksCluster = defineStep({
  uses: 'azure/aks-cluster',
  summary: 'An AKS cluster like another one, or from a definition in the runbook',
  inputs,
  outputs: z.object({ id: z.string(), fqdn: z.string() }),
  identity: ['resourceGroup', 'name'],
  verification: () => ({ everyMs: 10 * seconds, withinMs: 1 * hours }),
  preflight: (changes, wanted, { doors }) =>
    together<Finding | Demand>(
      isMaking(changes) ? sourceFindings(wanted, doors) : Promise.resolve([]),
      isMaking(changes) ? makingFindings(wanted, doors) : Promise.resolve([]),
      governanceFindings(doors, changes, wanted.resourceGroup, [madeBy(wanted)]),
      kubectlFindings(wanted.kubernetesVersion, doors),
      rightsFindings(doors, needsOf(changes, wanted)),
      lockFindings(doors, wanted.resourceGroup, changes),
    ),
  async observe(wanted, { doors, clock }) {
    const { groups, clusters } = doors.azure
    const found = await clusters.get(clusterId(groups.idOf(wanted.resourceGroup), wanted.name))
    if (found === undefined) return { state: 'absent' }
    switch (found.provisioningState) {
      case 'Succeeded':
        break
      case 'Failed':
      case 'Canceled':
        // A part of its pools may be missing. One in another place is not what a run made, whatever its name.
        return {
          ...(await stateOfFailed(found, doors, clock.now())),
          ...(misplacedAs(wanted, found) === undefined ? { halfMade: label(wanted.name) } : {}),
        }
      default:
        return { state: 'in-flight', what: await goingOn(found, doors, clock.now()) }
    }
    const wrong = differenceOf(wanted, found)
    if (wrong !== undefined) {
      return { state: 'conflict', why: `cluster ${wanted.name} ${wrong}`, mend: 'This tool does not change clusters: use another name in the runbook.' }
    }
    if (found.powerState === 'Stopped') {
      // It is made all the same, for a way back that is to delete it.
      const start = `az aks start --resource-group ${groupOf(found.id)} --name ${nameOf(found.id)}`
      return { state: 'conflict', why: `cluster ${wanted.name} is stopped`, mend: `Start it (\`${start}\`), then resume.`, halfMade: label(wanted.name) }
    }
    return { state: 'converged', outputs: { id: found.id, fqdn: found.fqdn ?? '' } }
  },
  plan: ({ name, location, kubernetesVersion, like, pools, network, subnet, identity }) => [
    {
      resource: label(naming(name, 'name')),
      action: 'create',
      after: {
        location,
        kubernetesVersion,
        subnet,
        ...(identity === undefined ? {} : { identity }),
        ...(like === undefined ? {} : { like }),
        ...(pools === undefined ? {} : { pools: pools as Json }),
        ...(network === undefined ? {} : { network: network as Json }),
      },
    },
  ],
  async apply(changes, wanted, { doors, clock, checkpoint, signal }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('cluster.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const id = clusterId(group.id, wanted.name)
    for (const { action } of changes) {
      const { clusters } = doors.azure
      const operation = action === 'delete' ? await clusters.delete(id) : await begin(id, wanted, changes, doors)
      await checkpoint({ accepted: `${action} ${label(wanted.name)}` })
      await endedWithin(operation, slowAfterMs, { signal, clock }).catch(async (error: unknown) => {
        throw action === 'delete' ? error : await explained(error, id, doors, clock.now())
      })
    }
  },
  invert: (changes) => changes.map(inverted),
  writes: (changes, { resourceGroup, name }) => changes.map(({ action }) => written(action, pathIn(resourceGroup, clusterType, name))),
  claims: ({ resourceGroup, name }) => [groupClaim(known(resourceGroup)), claim('cluster', known(name))],
  estimateMs: () => 20 * minutes,
})

/** Is there a cluster to copy, and what of it will the new one not have? */
async function sourceFindings({ like, pools }: PlanInputs<Inputs>, { azure }: Platform): Promise<Finding[]> {
  if (isPending(like) || like === undefined) return []
  const source = await azure.clusters.get(like)
  const name = nameOf(like)
  if (source === undefined && pools === undefined) {
    const what = `the cluster to copy, ${like}, does not exist`
    return [{ level: 'stop', what, mend: 'Name another under `like`, or write its pools into the runbook (`pools`, `network`).' }]
  }
  if (source === undefined) {
    const what = `the cluster to copy, ${name}, does not exist any more: the pools of the runbook are taken`
    return [{ level: 'warn', what, mend: 'See that `pools` and `network` are what the hubs need.' }]
  }
  const { left } = likenessOf(source)
  if (left.length === 0) return []
  const mend = 'Give the new cluster what of this the hubs need, once it is there; `az aks show` tells how the old one has it.'
  return [{ level: 'warn', what: `the new cluster will not have of ${name}: ${left.join('; ')}`, mend }]
}

/** Room for its nodes, a version that is on offer, and a name for its node group that nobody has. */
async function makingFindings(wanted: PlanInputs<Inputs>, doors: Platform): Promise<(Finding | Demand)[]> {
  const { like, pools, location, kubernetesVersion } = wanted
  if (await isBegun(wanted, doors)) return []
  const source = isPending(like) || like === undefined ? undefined : await doors.azure.clusters.get(like)
  const own = pools === undefined || isPending(pools) ? [] : pools.map(poolOf)
  const nodes = source === undefined ? own : likenessOf(source).definition.agentPools
  const machines = nodes.map(({ vmSize, count, zones = [] }) => ({ size: vmSize, count, zones }))
  return together<Finding | Demand>(
    capacityFindings(doors, location, machines),
    versionFindings(doors, location, kubernetesVersion),
    nodeGroupFindings(wanted, doors),
  )
}

/** One that is being made has its room, its version and its node group already. */
async function isBegun({ resourceGroup, name }: PlanInputs<Inputs>, { azure }: Platform): Promise<boolean> {
  if (isPending(resourceGroup) || isPending(name)) return false
  return (await azure.clusters.get(clusterId(azure.groups.idOf(resourceGroup), name))) !== undefined
}

/** AKS makes the group for the nodes by itself and takes none that exists. */
async function nodeGroupFindings(wanted: PlanInputs<Inputs>, { azure }: Platform): Promise<Finding[]> {
  const { resourceGroup, name, location, nodeResourceGroup } = wanted
  const group = nodeResourceGroup ?? defaultNodeGroup(resourceGroup, name, location)
  if (group === undefined || isPending(group)) return []
  if (!isPending(resourceGroup) && group.toLowerCase() === resourceGroup.toLowerCase()) {
    return [{ level: 'stop', what: `${group} is both the cluster’s group and the one for its nodes`, mend: 'Write another name under `nodeResourceGroup`: AKS makes that group itself.' }]
  }
  if ((await azure.groups.get(group)) === undefined) return []
  const mend = `See what is in it (\`az resource list --resource-group ${group}\`). Delete it if nobody needs that, or write another name under \`nodeResourceGroup\`.`
  return [{ level: 'stop', what: `the resource group ${group} exists, and AKS wants to make it for the nodes of ${String(name)}`, mend }]
}

/** `MC_{group}_{cluster}_{location}`, 80 characters at most; undefined while one of the three is not known. */
function defaultNodeGroup(group: string | Pending, name: string | Pending, location: string | Pending): string | undefined {
  if (isPending(group) || isPending(name) || isPending(location)) return undefined
  return `MC_${group}_${name}_${location.toLowerCase().replaceAll(' ', '')}`.slice(0, 80)
}

function madeBy({ name, location, kubernetesVersion, pools }: PlanInputs<Inputs>): Made {
  const properties = { kubernetesVersion, ...(pools === undefined ? {} : { agentPoolProfiles: pools as Planned }) }
  return { type: clusterType, name, location, properties }
}

/** Its nodes join the subnet; whoever installs on it lists its credentials; an identity is assigned to it. */
function needsOf(changes: readonly Change[], { resourceGroup, subnet, identity }: PlanInputs<Inputs>): Need[] {
  const own = { scope: resourceGroup, actions: actionsFor(changes, { managedCluster: clusterType }) }
  if (!isMaking(changes)) return [own]
  return [
    { ...own, actions: [...own.actions, `${clusterType}/listClusterUserCredential/action`] },
    { scope: subnet, actions: ['Microsoft.Network/virtualNetworks/subnets/join/action'] },
    ...(identity === undefined ? [] : [{ scope: identity, actions: ['Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'] }]),
  ]
}

function clusterId(groupId: string, name: string): string {
  return idIn(groupId, clusterType, name)
}

/**
 * In what an existing cluster cannot serve; undefined if it can. Counts and newer versions are no matter: both change in a
 * cluster's life.
 */
function misplacedAs({ location, subnet, identity }: Partial<Record<keyof Inputs, unknown>>, found: Cluster): string | undefined {
  if (typeof location === 'string' && !samePlace(location, found.location)) return `exists in ${found.location}, not in ${location}`
  const elsewhere = found.agentPools.find((one) => typeof subnet === 'string' && !sameId(one.subnet, subnet))
  if (elsewhere !== undefined) return `has its pool ${elsewhere.name} in another subnet (${elsewhere.subnet ?? 'its own'})`
  if (typeof identity === 'string' && !sameId(found.identity, identity)) return `acts as ${found.identity ?? 'an identity of its own'}, not as ${identity}`
  return undefined
}

function differenceOf(wanted: Partial<Record<keyof Inputs, unknown>>, found: Cluster): string | undefined {
  const { kubernetesVersion: version, pools } = wanted
  const misplaced = misplacedAs(wanted, found)
  if (misplaced !== undefined) return misplaced
  if (typeof version === 'string' && minorOf(found.kubernetesVersion) < minorOf(version)) {
    return `runs Kubernetes ${found.kubernetesVersion}, older than ${version}`
  }
  // With `like`, the runbook's pools are only for the case that the source is gone.
  for (const one of wanted.like === undefined && Array.isArray(pools) ? (pools as readonly AgentPool[]) : []) {
    const there = found.agentPools.find(({ name }) => name === one.name)
    if (there === undefined) return `has no pool ${one.name}`
    if (there.vmSize.toLowerCase() !== one.vmSize.toLowerCase()) return `has ${there.vmSize} in its pool ${one.name}, not ${one.vmSize}`
  }
  return undefined
}

/** 33 of `1.33.2`; patches come and go by themselves. */
function minorOf(version: string): number {
  const [major = '0', minor = '0'] = version.split('.')
  return Number(major) * 1000 + Number(minor)
}

async function definitionOf(wanted: Inputs, { azure }: Platform): Promise<ClusterDefinition> {
  const source = wanted.like === undefined ? undefined : await azure.clusters.get(wanted.like)
  if (source === undefined && wanted.pools === undefined) {
    throw new LifeboatError('cluster.no-source', `the cluster to copy, ${wanted.like ?? ''}, does not exist`, { blame: 'user' })
  }
  const { agentPools, ...rest } =
    source === undefined
      ? { agentPools: (wanted.pools ?? []).map(poolOf), ...(wanted.network === undefined ? {} : { networkProfile: { ...wanted.network } }) }
      : likenessOf(source).definition
  return {
    ...rest,
    location: wanted.location,
    kubernetesVersion: wanted.kubernetesVersion,
    dnsPrefix: wanted.name,
    agentPools: agentPools.map((one) => ({ ...one, subnet: wanted.subnet })),
    ...(wanted.identity === undefined ? {} : { identity: wanted.identity }),
    ...(wanted.nodeResourceGroup === undefined ? {} : { nodeResourceGroup: wanted.nodeResourceGroup }),
  }
}

/** A role given a moment ago is not seen everywhere at once: a refusal by one place, where another says that it is held, passes. */
async function begin(id: string, wanted: Inputs, changes: readonly Change[], doors: Platform): Promise<Operation> {
  const definition = await definitionOf(wanted, doors)
  try {
    return await doors.azure.clusters.create(id, definition)
  } catch (error) {
    if (!(error instanceof LifeboatError) || error.code !== 'azure.denied') throw error
    if ((await rightsFindings(doors, needsOf(changes, wanted))).length > 0) throw error
    const hint = 'This login has the rights; they, or those of the identity, are not seen everywhere yet.'
    throw new LifeboatError(error.code, error.message, { hint, cause: error, retry: {} })
  }
}

/** Without what the runbook leaves open. */
function poolOf(pool: z.infer<typeof poolSchema>): AgentPool {
  const given = Object.entries(pool).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as unknown as AgentPool
}
