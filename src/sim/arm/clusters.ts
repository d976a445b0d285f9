import { resourceId } from '../world/ids.js'
import { seededHex, seededUuid } from '../world/keys.js'
import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { bodyOf } from './bodies.js'
import { withoutReadOnly } from './cluster-copies.js'
import { completedIdentity } from './cluster-identity.js'
import { assertClusterDefinition, defaultNodeGroup, versionsOf } from './cluster-rules.js'
import { busy, existing } from './generic.js'
import { kubeconfigs } from './kubeconfig.js'
import { makeNodeGroup } from './node-group.js'
import { removeResource, stays } from './remove.js'
import { throttleClusterPut } from './throttle.js'
import { list, ok, record, records, tagsOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

const type = 'Microsoft.ContainerService/managedClusters'
const subscription = '/subscriptions/{subscription}'
const inGroup = `${subscription}/resourceGroups/{group}/providers/${type}`
const one = `${inGroup}/{cluster}`
const provider = `${subscription}/providers/Microsoft.ContainerService`

/** Credentials are read by a POST. */
const asking = { method: 'POST', writes: false, refusedLikeWrite: 'locked' } as const

/** Azure Kubernetes Service: clusters, their credentials and agent pools, and the versions on offer. */
export const clusterRoutes: readonly Route[] = [
  { method: 'GET', pattern: `${subscription}/providers/${type}`, handle: ({ world }) => list(world.ofType(type).map(bodyOf)) },
  { method: 'PUT', pattern: one, handle: putCluster },
  { method: 'PATCH', pattern: one, handle: tagCluster },
  { method: 'DELETE', pattern: one, handle: deleteCluster },
  { ...asking, pattern: `${one}/listClusterUserCredential`, handle: (request) => credentials(request, 'clusterUser') },
  { ...asking, pattern: `${one}/listClusterAdminCredential`, handle: (request) => credentials(request, 'clusterAdmin') },
  { method: 'GET', pattern: `${one}/agentPools`, handle: (request) => list(agentPools(request)) },
  { method: 'GET', pattern: `${one}/agentPools/{pool}`, handle: getAgentPool },
  { method: 'GET', pattern: `${provider}/locations/{location}/kubernetesVersions`, handle: ({ world }) => ok({ values: versionsOf(world) }) },
  { method: 'GET', pattern: `${provider}/locations/{location}/orchestrators`, handle: orchestrators },
]

function idIn({ world, params }: ArmRequest): string {
  return resourceId(world.spec.subscription, world.group(params['group'] ?? '')?.name ?? '', type, params['cluster'] ?? '')
}

function putCluster(request: ArmRequest): ArmAnswer {
  const { world, body, arm } = request
  const id = idIn(request)
  const before = world.resource(id)
  throttleClusterPut(world)
  if (before && busy(world, before.id)) {
    const message = 'Operation is not allowed: Another operation (PutManagedCluster) is in progress, please wait for it to finish before starting a new operation.'
    throw new WorldError(409, 'OperationNotAllowed', message)
  }
  assertClusterDefinition(world, id, body, before)
  const cluster = completed(world, id, body, before)
  const anew = before === undefined || before.properties['provisioningState'] === 'Failed'
  cluster.properties['provisioningState'] = anew ? 'Creating' : 'Updating'
  world.put(cluster)
  if (before === undefined) makeNodeGroup(world, cluster)
  const what = anew ? 'cluster create' : 'cluster update'
  const operation = world.begin(
    what,
    cluster.id,
    world.durationOf(what),
    () => {
      // Reads are a little behind the operation: what polls only that reads Creating.
      world.clock.schedule(world.durationOf('read lag'), () => settle(world, cluster, 'Succeeded'))
      if (anew) for (const listener of world.onClusterReady) listener(cluster)
    },
    () => (anew ? settle(world, cluster, 'Failed') : goesOn(world, cluster, before)),
  )
  const headers = arm.operations.track({ operation, namespace: 'Microsoft.ContainerService' }, ['async'])
  return { status: before ? 200 : 201, body: bodyOf(cluster), headers }
}

function settle(world: World, cluster: Resource, state: string): void {
  if (world.resource(cluster.id) !== cluster || cluster.properties['provisioningState'] === 'Deleting') return
  setState(cluster, state)
  world.changed()
}

/** A cluster whose change has failed says so, and goes on: pools that it had are as they were. */
function goesOn(world: World, cluster: Resource, before: Resource): void {
  settle(world, cluster, 'Failed')
  const old = new Map(records(before.properties['agentPoolProfiles']).map((pool) => [pool['name'], pool['provisioningState']]))
  for (const pool of records(cluster.properties['agentPoolProfiles'])) pool['provisioningState'] = old.get(pool['name']) ?? 'Failed'
}

function setState(cluster: Resource, state: string): void {
  cluster.properties['provisioningState'] = state
  for (const pool of records(cluster.properties['agentPoolProfiles'])) pool['provisioningState'] = state
}

/** The definition as Azure gives it back: with names, states and identities filled in. */
function completed(world: World, id: string, body: Readonly<Record<string, unknown>>, before: Resource | undefined): Resource {
  const asked = withoutReadOnly(structuredClone(record(body['properties'])))
  const old = before?.properties ?? {}
  const name = before?.name ?? id.split('/').at(-1) ?? ''
  const location = before?.location ?? String(body['location']).toLowerCase().replaceAll(' ', '')
  const version = fullVersion(world, textOf(asked['kubernetesVersion'])) ?? textOf(old['currentKubernetesVersion']) ?? ''
  const prefix = textOf(old['dnsPrefix']) ?? textOf(asked['dnsPrefix']) ?? name
  const nodeGroup = textOf(old['nodeResourceGroup']) ?? textOf(asked['nodeResourceGroup']) ?? defaultNodeGroup(id, location)
  return {
    id: before?.id ?? id,
    name,
    type,
    location,
    tags: body['tags'] === undefined ? (before?.tags ?? {}) : tagsOf(body['tags']),
    etag: world.unique(name),
    systemData: before?.systemData ?? { createdAt: new Date(world.clock.nowMs()).toISOString(), createdByType: 'Application' },
    sku: Object.keys(record(body['sku'])).length > 0 ? record(body['sku']) : (before?.sku ?? { name: 'Base', tier: 'Free' }),
    identity: identityOf(world, id, record(body['identity']), before),
    properties: {
      ...asked,
      kubernetesVersion: textOf(asked['kubernetesVersion']) ?? version,
      currentKubernetesVersion: version,
      dnsPrefix: prefix,
      fqdn: textOf(old['fqdn']) ?? `${prefix}-${seededHex(id.toLowerCase(), 8)}.hcp.${location}.azmk8s.io`.toLowerCase(),
      nodeResourceGroup: nodeGroup,
      enableRBAC: asked['enableRBAC'] ?? true,
      maxAgentPools: 100,
      powerState: { code: 'Running' },
      networkProfile: {
        networkPlugin: 'azure',
        serviceCidr: '10.0.0.0/16',
        dnsServiceIP: '10.0.0.10',
        loadBalancerSku: 'standard',
        outboundType: 'loadBalancer',
        ...record(asked['networkProfile']),
      },
      agentPoolProfiles: records(asked['agentPoolProfiles']).map((pool) => ({
        osType: 'Linux',
        osDiskSizeGB: 128,
        maxPods: 110,
        type: 'VirtualMachineScaleSets',
        ...pool,
        orchestratorVersion: textOf(pool['orchestratorVersion']) ?? version,
        currentOrchestratorVersion: version,
        powerState: { code: 'Running' },
        provisioningState: 'Creating',
      })),
    },
  }
}

function identityOf(world: World, id: string, asked: Record<string, unknown>, before: Resource | undefined): Record<string, unknown> {
  if (asked['type'] === 'SystemAssigned') {
    return { type: 'SystemAssigned', principalId: seededUuid(`principal ${id.toLowerCase()}`), tenantId: world.spec.tenant }
  }
  return Object.keys(asked).length > 0 ? completedIdentity(world, asked) : (before?.identity ?? {})
}

/** `1.33` means its newest patch on offer. */
function fullVersion(world: World, asked: string | undefined): string | undefined {
  if (asked === undefined) return undefined
  const offered = world.spec.kubernetesVersions
  return offered.includes(asked) ? asked : (offered.filter((one) => one.startsWith(`${asked}.`)).at(-1) ?? asked)
}

function tagCluster(request: ArmRequest): ArmAnswer {
  const cluster = existing(request.world, idIn(request))
  if (request.body['tags'] !== undefined) cluster.tags = tagsOf(request.body['tags'])
  request.world.changed()
  return ok(bodyOf(cluster))
}

function deleteCluster(request: ArmRequest): ArmAnswer {
  const { world, arm } = request
  const cluster = world.resource(idIn(request))
  if (!cluster) return { status: 204 }
  setState(cluster, 'Deleting')
  const gone = (): void => removeResource(world, cluster)
  const operation = world.begin('cluster delete', cluster.id, world.durationOf('cluster delete'), gone, () => stays(cluster))
  return { status: 202, headers: arm.operations.track({ operation, namespace: 'Microsoft.ContainerService' }, ['async', 'location']) }
}

function credentials(request: ArmRequest, user: 'clusterUser' | 'clusterAdmin'): ArmAnswer {
  const { world, arm } = request
  const cluster = existing(world, idIn(request))
  const state = String(cluster.properties['provisioningState'])
  if (state === 'Creating') {
    throw new WorldError(409, 'OperationNotAllowed', `Credentials of ${cluster.name} cannot be listed while it is in state ${state}.`)
  }
  return ok({ kubeconfigs: kubeconfigs(world, cluster, user, arm.authorityPem) })
}

function agentPools(request: ArmRequest): unknown[] {
  const cluster = existing(request.world, idIn(request))
  return records(cluster.properties['agentPoolProfiles']).map(({ name, ...properties }) => ({
    id: `${cluster.id}/agentPools/${String(name)}`,
    name,
    type: `${type}/agentPools`,
    properties,
  }))
}

function getAgentPool(request: ArmRequest): ArmAnswer {
  const wanted = request.params['pool'] ?? ''
  const found = agentPools(request).find((pool) => String(record(pool)['name']).toLowerCase() === wanted.toLowerCase())
  if (found === undefined) throw new WorldError(404, 'NotFound', `Agent pool ${wanted} was not found.`)
  return ok(found)
}

/** The older list of versions, which clients still ask for. */
function orchestrators({ world, params }: ArmRequest): ArmAnswer {
  const orchestratorList = world.spec.kubernetesVersions.map((version) => ({
    orchestratorType: 'Kubernetes',
    orchestratorVersion: version,
    default: version === world.spec.kubernetesVersions.at(-1),
  }))
  const id = `/subscriptions/${world.spec.subscription}/providers/Microsoft.ContainerService/locations/${params['location'] ?? ''}/orchestrators`
  return ok({ id, name: 'default', type: 'Microsoft.ContainerService/locations/orchestrators', properties: { orchestrators: orchestratorList } })
}
