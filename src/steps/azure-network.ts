import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Demand, type Finding, type Json, type JsonObject, type Pending, type PlanInputs, type Write } from '../contract/index.js'
import type { Resource } from '../platform/azure/door.js'
import { nameOf } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { publicAddressDemands } from './parts/capacity.js'
import { governanceFindings, type Made } from './parts/governance.js'
import { addressLabel, addressResource, addressType, gatewayLabel, gatewayResource, gatewayType, natName } from './parts/nat-gateway.js'
import {
  networkChanges,
  networkConflict,
  networkLabel,
  securityLabel,
  securityName,
  seenNetwork,
  subnetLabel,
  subnetsOf,
  wantedSubnets,
  wireRule,
  wireRules,
  type FoundNetwork,
  type Rule,
  type SeenNetwork,
} from './parts/network.js'
import { actionsFor, isMaking, lockFindings, rightsFindings, together } from './parts/readiness.js'
import { writtenAs } from './parts/writes.js'
import { allOf, defineStep, ended, failedIsHalfMade, groupClaim, idIn, invertedUnlessMended, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  resourceGroup: z.string(),
  location: z.string(),
  name: z.string(),
  addressSpace: z.array(z.cidrv4()).min(1),
  /** Subnet name -> address prefix. */
  subnets: z
    .record(z.string(), z.cidrv4())
    .refine((subnets) => new Set(Object.keys(subnets).map((name) => name.toLowerCase())).size === Object.keys(subnets).length, 'a subnet is named twice'),
  /** Who may come in to one of the subnets. */
  securityGroup: z
    .strictObject({ subnet: z.string(), nfsFrom: z.cidrv4(), sshFrom: z.cidrv4() })
    .optional(),
  natGateway: z
    .strictObject({ subnets: z.array(z.string()).min(1) })
    .optional()
    .describe('A way out for the machines of these subnets: a NAT gateway with a public address of its own, both made in the same group; Azure chooses its zone, and it serves machines of every one.'),
})
type Inputs = z.infer<typeof inputs>

const securityType = 'Microsoft.Network/networkSecurityGroups'
const types = {
  virtualNetwork: 'Microsoft.Network/virtualNetworks',
  subnet: 'Microsoft.Network/virtualNetworks/subnets',
  networkSecurityGroup: securityType,
  natGateway: gatewayType,
  publicIPAddress: addressType,
}

/**
 * A virtual network with its subnets, the security group of one of them, and a NAT gateway for those that need a way out. What others
 * made in them is left alone.
 */
export const network = defineStep({
  uses: 'azure/network',
  summary: 'A virtual network, its subnets, who may come in, and a way out',
  inputs,
  outputs: z.object({ id: z.string(), subnets: z.record(z.string(), z.string()) }),
  identity: ['resourceGroup', 'name', 'subnets', 'securityGroup', 'natGateway', 'location', 'addressSpace'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  preflight: (changes, wanted, { doors }) =>
    together<Finding | Demand>(
      subnetFindings(wanted),
      reachFindings(wanted),
      addressDemands(changes, wanted, doors),
      rightsFindings(doors, [{ scope: wanted.resourceGroup, actions: actionsOf(changes) }]),
      lockFindings(doors, wanted.resourceGroup, changes),
      governanceFindings(doors, changes, wanted.resourceGroup, madeBy(wanted)),
    ),
  async observe(wanted, { doors }) {
    const found = await read(doors.azure.groups.idOf(wanted.resourceGroup), wanted, doors)
    const { network: there } = found
    const parts = [there, found.security, found.gateway, found.address, ...subnetsOf(there)]
    const changing = parts.map(changeOf).find((state) => state !== undefined)
    if (changing !== undefined) return { state: 'in-flight', what: `network ${wanted.name} is ${changing.toLowerCase()}` }
    const why = networkConflict(wanted, found)
    if (why !== undefined) return { state: 'conflict', why, mend: 'Mend it there, or use another name or other addresses in the runbook.' }
    if (parts.every((one) => one === undefined)) return { state: 'absent' }
    const seen = seenNetwork(wanted, found)
    if (there === undefined || networkChanges(wanted, seen).length > 0) return { state: 'drifted', seen }
    const ids = wantedSubnets(wanted, there).map(([name, { id }]) => [name, id ?? `${there.id}/subnets/${name}`])
    return { state: 'converged', outputs: { id: there.id, subnets: Object.fromEntries(ids) as Record<string, string> } }
  },
  plan: (wanted, seen: { state: 'absent' } | { state: 'drifted'; seen: SeenNetwork }) =>
    networkChanges(wanted, seen.state === 'drifted' ? seen.seen : undefined),
  async apply(changes, wanted, { doors, signal }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('network.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const work = new NetworkWork(group.id, wanted, doors, signal)
    const by = new Map(changes.map((change) => [change.resource, change]))
    const security = by.get(securityLabel(wanted.name))
    const whole = by.get(networkLabel(wanted.name))
    const subnets = Object.keys(wanted.subnets).flatMap((name) => by.get(subnetLabel(wanted.name, name)) ?? [])
    const [address, gateway] = [by.get(addressLabel(wanted.name)), by.get(gatewayLabel(wanted.name))]
    const isKept = (change: Change | undefined): change is Change => change !== undefined && change.action !== 'delete'
    // Subnets refer to the security group and the NAT gateway, and that to its address: made before them, deleted after them.
    await allOf([
      isKept(security) ? work.secure(security) : Promise.resolve(),
      (async () => {
        if (isKept(address)) await work.address()
        if (isKept(gateway)) await work.gateway(gateway)
      })(),
    ])
    if (whole?.action === 'create') await work.make(subnets)
    else if (whole?.action === 'delete') await work.remove(whole)
    else {
      if (whole?.action === 'update') await work.widen(whole)
      // A network takes one change at a time.
      for (const change of subnets) await work.subnet(change)
    }
    for (const change of [security, gateway, address]) if (change?.action === 'delete') await work.remove(change)
  },
  invert: (changes) => changes.map(invertedUnlessMended),
  isBack: failedIsHalfMade,
  writes: (changes, { resourceGroup }) => networkWrites(changes, resourceGroup),
  claims: ({ resourceGroup }) => [groupClaim(known(resourceGroup))],
  estimateMs: () => 30 * seconds,
})

/** A network that is made or deleted takes its subnets with it; otherwise each is written by itself. */
function networkWrites(changes: readonly Change[], group: string | Pending): Write[] {
  const isWhole = changes.some(({ resource, action }) => resource.startsWith('virtualNetwork ') && action !== 'update')
  const alone = changes.filter(({ resource }) => !isWhole || !resource.startsWith('subnet '))
  return alone.flatMap((change) => writtenAs(change, types, group))
}

/** Its subnets are put with it. */
function madeBy({ name, location, addressSpace, securityGroup, natGateway }: PlanInputs<Inputs>): Made[] {
  const properties = { addressSpace: { addressPrefixes: addressSpace } }
  const named = (of: (network: string) => string): Pick<Made, 'name'> => (isPending(name) ? {} : { name: of(name) })
  const security: Made[] = securityGroup === undefined ? [] : [{ type: securityType, location, ...named(securityName) }]
  const nat: Made[] = natGateway === undefined ? [] : [addressType, gatewayType].map((type) => ({ type, location, ...named(natName) }))
  return [{ type: types.virtualNetwork, name, location, properties }, ...security, ...nat]
}

/** What a subnet names, it joins, and so does a gateway its address. */
function actionsOf(changes: readonly Change[]): string[] {
  const names = (part: string): boolean => isMaking(changes.filter(({ after }) => typeof after === 'object' && after !== null && part in after))
  const joins = { securityGroup: securityType, natGateway: gatewayType, publicAddress: addressType }
  return [...actionsFor(changes, types), ...Object.entries(joins).flatMap(([part, type]) => (names(part) ? [`${type}/join/action`] : []))]
}

/** Who may come in by SSH is where the operator sits, and nowhere is everywhere. */
function reachFindings({ securityGroup }: PlanInputs<Inputs>): Promise<Finding[]> {
  if (isPending(securityGroup) || securityGroup === undefined || !securityGroup.sshFrom.endsWith('/0')) return Promise.resolve([])
  const mend = 'Write the jump host’s own address, or with a public address yours (`curl -s https://ifconfig.me`), as in 198.51.100.7/32.'
  return Promise.resolve([{ level: 'stop', what: `sshFrom is ${securityGroup.sshFrom}: anybody could try to log in to the server`, mend }])
}

/** Names of subnets that the runbook does not have. */
async function subnetFindings({ subnets, securityGroup, natGateway }: PlanInputs<Inputs>): Promise<Finding[]> {
  if (isPending(subnets) || isPending(securityGroup) || isPending(natGateway)) return []
  const named = [...(natGateway?.subnets ?? []), ...(securityGroup === undefined ? [] : [securityGroup.subnet])]
  return named
    .filter((name) => subnets[name] === undefined)
    .map((name) => ({ level: 'stop', what: `there is no subnet ${name} under \`subnets\``, mend: `Write one of these: ${Object.keys(subnets).join(', ')}.` }))
}

async function addressDemands(changes: readonly Change[], { location }: PlanInputs<Inputs>, doors: Platform): Promise<Demand[]> {
  const isMade = changes.some(({ resource, action }) => resource.startsWith('publicIPAddress ') && action === 'create')
  return isMade && !isPending(location) ? publicAddressDemands(doors, location, 1) : []
}

/** What is being done to it, by Azure's word for it. */
function changeOf(part: { readonly properties: JsonObject } | undefined): 'Creating' | 'Updating' | 'Deleting' | undefined {
  const state = part?.properties['provisioningState']
  return state === 'Creating' || state === 'Updating' || state === 'Deleting' ? state : undefined
}

const networkId = (groupId: string, name: string): string => idIn(groupId, types.virtualNetwork, name)
const securityId = (groupId: string, name: string): string => idIn(groupId, securityType, securityName(name))
const gatewayId = (groupId: string, name: string): string => idIn(groupId, gatewayType, natName(name))
const addressId = (groupId: string, name: string): string => idIn(groupId, addressType, natName(name))

async function read(groupId: string, { name, securityGroup, natGateway }: Inputs, { azure }: Platform): Promise<FoundNetwork> {
  const [network, security, gateway, address] = await Promise.all([
    azure.resources.get(networkId(groupId, name)),
    securityGroup === undefined ? undefined : azure.resources.get(securityId(groupId, name)),
    ...[gatewayId, addressId].map((id) => (natGateway === undefined ? undefined : azure.resources.get(id(groupId, name)))),
  ])
  return {
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(address === undefined ? {} : { address }),
  }
}

/** Parts of a subnet that a change names, as Azure calls them. */
const wireNames = { securityGroup: 'networkSecurityGroup', natGateway: 'natGateway' }

interface SubnetChange {
  readonly prefix?: string
  readonly defaultOutboundAccess?: boolean
  readonly securityGroup?: string | null
  readonly natGateway?: string | null
}

/**
 * Writes the parts of one network. What is there already is written back as it was read, except for what is changed, and only if it is
 * still the same (its etag): a write that arrives late must not take away what was made meanwhile.
 */
class NetworkWork {
  constructor(
    readonly groupId: string,
    readonly wanted: Inputs,
    readonly doors: Platform,
    readonly signal: AbortSignal,
  ) {}

  async #put(resource: Resource): Promise<void> {
    await ended(await this.doors.azure.resources.put(resource), this.signal)
  }

  /** Rules that the change names are set, or taken away where it says null; those of others stay. */
  async secure({ after }: Change): Promise<void> {
    const id = securityId(this.groupId, this.wanted.name)
    const there = await this.#settled(id)
    const { rules } = after as unknown as { rules: Readonly<Record<string, Rule | null>> }
    const others = wireRules(there).filter(({ name }) => rules[name] === undefined)
    const named = Object.entries(rules).flatMap(([name, rule]) => (rule === null ? [] : [wireRule(name, rule)]))
    const base = there ?? { id, location: this.wanted.location, properties: {} }
    await this.#put({ ...base, properties: { ...base.properties, securityRules: [...others, ...named] as unknown as Json } })
  }

  async address(): Promise<void> {
    const id = addressId(this.groupId, this.wanted.name)
    await this.#settled(id)
    await this.#put(addressResource(id, this.wanted.location))
  }

  async gateway({ after }: Change): Promise<void> {
    const id = gatewayId(this.groupId, this.wanted.name)
    const { publicAddress } = after as { publicAddress: string | null }
    const address = publicAddress === null ? null : addressId(this.groupId, this.wanted.name)
    await this.#put(gatewayResource(id, this.wanted.location, await this.#settled(id), address))
  }

  /** The network with its subnets, in one go. */
  async make(subnets: readonly Change[]): Promise<void> {
    const { name, location, addressSpace } = this.wanted
    const parts = subnets.map(({ resource, after }) => ({ name: resource.split('/').at(-1) ?? '', properties: this.#wire(after) }))
    const properties = { addressSpace: { addressPrefixes: addressSpace }, subnets: parts }
    await this.#put({ id: networkId(this.groupId, name), location, properties })
  }

  async widen({ after }: Change): Promise<void> {
    const there = await this.#there()
    const { addressSpace } = after as { addressSpace: readonly string[] }
    await this.#put({ ...there, properties: { ...there.properties, addressSpace: { addressPrefixes: addressSpace } } })
  }

  async subnet({ resource, action, after }: Change): Promise<void> {
    const there = await this.#there()
    const name = resource.split('/').at(-1) ?? ''
    const id = `${there.id}/subnets/${name}`
    if (action === 'delete') return ended(await this.doors.azure.resources.delete(id), this.signal)
    const [, found] = wantedSubnets(this.wanted, there).find(([own]) => own === name) ?? []
    if (action === 'create' && found !== undefined) {
      const what = `subnet ${found.name} is there by now, which was not when it was looked for`
      throw new LifeboatError('network.subnet-there', what, { retry: {} })
    }
    if (action === 'create') return this.#put({ id, location: '', properties: this.#wire(after) })
    if (found === undefined) {
      // Written all the same it would be made anew, without the guards that it had.
      throw new LifeboatError('network.subnet-gone', `subnet ${name} is not there any more, which was when it was looked for`, { retry: {} })
    }
    const { etag, properties: before } = found
    // What is set to null goes; what the change does not name stays.
    const gone = Object.entries(wireNames).flatMap(([key, wire]) => ((after as JsonObject)[key] === null ? [wire] : []))
    const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !gone.includes(key)))
    // Its prefix is as it was read, in whichever of two ways that is written.
    const { prefix: _asRead, ...changed } = after as JsonObject
    await this.#put({ id, location: '', properties: { ...kept, ...this.#wire(changed) }, ...(etag === undefined ? {} : { etag }) })
  }

  async remove({ resource }: Change): Promise<void> {
    const { name } = this.wanted
    const ids = new Map([
      [networkLabel(name), networkId],
      [securityLabel(name), securityId],
      [gatewayLabel(name), gatewayId],
      [addressLabel(name), addressId],
    ])
    const id = ids.get(resource)?.(this.groupId, name)
    if (id !== undefined) await ended(await this.doors.azure.resources.delete(id), this.signal)
  }

  #wire(after: Change['after']): JsonObject {
    const { prefix, defaultOutboundAccess, securityGroup, natGateway } = after as SubnetChange
    return {
      ...(prefix === undefined ? {} : { addressPrefix: prefix }),
      ...(defaultOutboundAccess === undefined ? {} : { defaultOutboundAccess }),
      ...(typeof securityGroup === 'string' ? { networkSecurityGroup: { id: securityId(this.groupId, this.wanted.name) } } : {}),
      ...(typeof natGateway === 'string' ? { natGateway: { id: gatewayId(this.groupId, this.wanted.name) } } : {}),
    }
  }

  /** As it is there, for a write that builds on it; not while it changes: a write that was given up may have come since the look. */
  async #settled(id: string): Promise<Resource | undefined> {
    const there = await this.doors.azure.resources.get(id)
    const changing = changeOf(there)
    if (changing === undefined) return there
    const what = `${nameOf(id)} is ${changing.toLowerCase()}, which began after it was looked at`
    throw new LifeboatError('network.changing', what, { retry: {} })
  }

  async #there(): Promise<Resource> {
    const { name } = this.wanted
    const there = await this.#settled(networkId(this.groupId, name))
    if (there !== undefined) return there
    throw new LifeboatError('network.gone', `network ${name} was there a moment ago and is not any more`, { retry: {} })
  }
}
