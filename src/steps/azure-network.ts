import { z } from 'zod'
import { LifeboatError, type Change, type JsonObject } from '../contract/index.js'
import type { Resource } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'
import { defineStep, groupClaim, idIn, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  resourceGroup: z.string(),
  location: z.string(),
  name: z.string(),
  addressSpace: z.array(z.cidrv4()).min(1),
  /** Subnet name -> address prefix. */
  subnets: z.record(z.string(), z.cidrv4()),
  /** Who may come in to one of the subnets. */
  securityGroup: z
    .strictObject({ subnet: z.string(), nfsFrom: z.cidrv4(), sshFrom: z.cidrv4() })
    .optional(),
})
type Inputs = z.infer<typeof inputs>

/** What is missing, by the labels under which it is planned. */
interface Seen {
  readonly missing: readonly string[]
}

const networkLabel = (name: string): string => `virtualNetwork ${name}`
const subnetLabel = (name: string, subnet: string): string => `subnet ${name}/${subnet}`
const securityLabel = (name: string): string => `networkSecurityGroup ${securityName(name)}`
const securityName = (name: string): string => `${name}-nfs`

/** A virtual network with its subnets, and the security group of one of them. Subnets that others made are left alone. */
export const network = defineStep({
  uses: 'azure/network',
  summary: 'A virtual network, its subnets, and who may come in',
  inputs,
  outputs: z.object({ id: z.string(), subnets: z.record(z.string(), z.string()) }),
  identity: ['resourceGroup', 'name', 'subnets', 'securityGroup', 'location', 'addressSpace'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  preflight: async () => [],
  async observe(wanted, { doors }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) return { state: 'absent' }
    const [found, security] = await Promise.all([
      doors.azure.resources.get(networkId(group.id, wanted.name)),
      wanted.securityGroup === undefined ? undefined : doors.azure.resources.get(securityId(group.id, wanted.name)),
    ])
    const states = [found, security].map((one) => one?.properties['provisioningState'])
    if (states.some((state) => state === 'Updating' || state === 'Creating')) return { state: 'in-flight', what: `network ${wanted.name} is being changed` }
    const wrong = found === undefined ? undefined : conflictOf(wanted, found)
    if (wrong !== undefined) return { state: 'conflict', why: wrong, mend: 'Use another name or other addresses in the runbook.' }
    const missing = missingOf(wanted, found, security)
    if (missing.length > 0) return found === undefined && security === undefined ? { state: 'absent' } : { state: 'drifted', seen: { missing } }
    const id = networkId(group.id, wanted.name)
    const subnets = Object.fromEntries(Object.keys(wanted.subnets).map((name) => [name, `${id}/subnets/${name}`]))
    return { state: 'converged', outputs: { id, subnets } }
  },
  plan(wanted, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }) {
    const all = changesFor(wanted as Inputs)
    return seen.state === 'absent' ? all : all.filter(({ resource }) => seen.seen.missing.includes(resource))
  },
  async apply(changes, wanted, { doors }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('network.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const planned = new Set(changes.map(({ resource }) => resource))
    if (changes.some(({ action }) => action === 'delete')) return remove(planned, group.id, wanted, doors)
    // The security group first: the subnet refers to it.
    if (planned.has(securityLabel(wanted.name))) await (await doors.azure.resources.put(securityResource(group.id, wanted))).done
    const others = [...planned].filter((label) => label !== securityLabel(wanted.name))
    if (others.length > 0) await (await doors.azure.resources.put(await networkResource(group.id, wanted, doors))).done
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ resourceGroup }) => [groupClaim(known(resourceGroup))],
  estimateMs: () => 30 * seconds,
})

function networkId(groupId: string, name: string): string {
  return idIn(groupId, 'Microsoft.Network/virtualNetworks', name)
}

function securityId(groupId: string, name: string): string {
  return idIn(groupId, 'Microsoft.Network/networkSecurityGroups', securityName(name))
}

interface WireSubnet {
  readonly name: string
  readonly id?: string
  readonly properties: JsonObject
}

function subnetsOf(found: Resource | undefined): readonly WireSubnet[] {
  return (found?.properties['subnets'] ?? []) as unknown as readonly WireSubnet[]
}

function prefixOf({ properties }: WireSubnet): string {
  const [first] = (properties['addressPrefixes'] ?? []) as readonly string[]
  const single = properties['addressPrefix']
  return typeof single === 'string' ? single : (first ?? '')
}

function conflictOf(wanted: Inputs, found: Resource): string | undefined {
  if (found.location.toLowerCase() !== wanted.location.toLowerCase()) return `network ${wanted.name} exists in ${found.location}`
  for (const subnet of subnetsOf(found)) {
    const prefix = wanted.subnets[subnet.name]
    if (prefix !== undefined && prefix !== prefixOf(subnet)) return `subnet ${subnet.name} exists as ${prefixOf(subnet)}, not ${prefix}`
  }
  return undefined
}

function missingOf(wanted: Inputs, found: Resource | undefined, security: Resource | undefined): string[] {
  const there = new Map(subnetsOf(found).map((subnet) => [subnet.name, subnet]))
  const guarded = wanted.securityGroup?.subnet
  const missing = Object.keys(wanted.subnets).filter((name) => {
    const subnet = there.get(name)
    return subnet === undefined || (name === guarded && subnet.properties['networkSecurityGroup'] === undefined)
  })
  return [
    ...(found === undefined ? [networkLabel(wanted.name)] : []),
    ...missing.map((name) => subnetLabel(wanted.name, name)),
    ...(guarded !== undefined && !sameRules(wanted, security) ? [securityLabel(wanted.name)] : []),
  ]
}

function sameRules(wanted: Inputs, security: Resource | undefined): boolean {
  const rules = (security?.properties['securityRules'] ?? []) as unknown as readonly { name: string; properties: JsonObject }[]
  return rulesFor(wanted).every((rule) =>
    rules.some(({ name, properties }) => name === rule.name && properties['sourceAddressPrefix'] === rule.properties.sourceAddressPrefix),
  )
}

function changesFor({ name, addressSpace, subnets, securityGroup }: Inputs): Change[] {
  return [
    { resource: networkLabel(name), action: 'create', after: { addressSpace } },
    ...Object.entries(subnets).map(([subnet, prefix]): Change => ({ resource: subnetLabel(name, subnet), action: 'create', after: { prefix } })),
    ...(securityGroup === undefined ? [] : [{ resource: securityLabel(name), action: 'create' as const, after: securityGroup }]),
  ]
}

/** A way out stays open by default; what may come in is NFS from the nodes and SSH from the operator's side, nothing else. */
function rulesFor({ securityGroup }: Inputs) {
  if (securityGroup === undefined) return []
  const allow = (name: string, priority: number, port: string, from: string) => ({
    name,
    properties: {
      priority,
      direction: 'Inbound',
      access: 'Allow',
      protocol: 'Tcp',
      sourcePortRange: '*',
      destinationPortRange: port,
      sourceAddressPrefix: from,
      destinationAddressPrefix: '*',
    },
  })
  return [allow('nfs', 100, '2049', securityGroup.nfsFrom), allow('ssh', 110, '22', securityGroup.sshFrom)]
}

function securityResource(groupId: string, wanted: Inputs): Resource {
  return { id: securityId(groupId, wanted.name), location: wanted.location, properties: { securityRules: rulesFor(wanted) } }
}

/** The whole network as it shall be: subnets that are there and not ours are put back as they were read. */
async function networkResource(groupId: string, wanted: Inputs, { azure }: Platform): Promise<Resource> {
  const id = networkId(groupId, wanted.name)
  const others = subnetsOf(await azure.resources.get(id)).filter(({ name }) => wanted.subnets[name] === undefined)
  const guarded = wanted.securityGroup?.subnet
  const ours = Object.entries(wanted.subnets).map(([name, addressPrefix]) => ({
    name,
    properties: {
      addressPrefix,
      ...(name === guarded ? { networkSecurityGroup: { id: securityId(groupId, wanted.name) } } : {}),
    },
  }))
  return {
    id,
    location: wanted.location,
    properties: {
      addressSpace: { addressPrefixes: wanted.addressSpace },
      subnets: [...others.map(({ name, properties }) => ({ name, properties })), ...ours],
    },
  }
}

async function remove(planned: ReadonlySet<string>, groupId: string, wanted: Inputs, { azure }: Platform): Promise<void> {
  if (planned.has(networkLabel(wanted.name))) await (await azure.resources.delete(networkId(groupId, wanted.name))).done
  if (planned.has(securityLabel(wanted.name))) await (await azure.resources.delete(securityId(groupId, wanted.name))).done
}
