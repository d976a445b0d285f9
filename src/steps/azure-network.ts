import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Json, type JsonObject, type PlanInputs } from '../contract/index.js'
import type { Resource } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'
import { governanceFindings, type Made } from './parts/governance.js'
import {
  networkChanges,
  networkConflict,
  networkLabel,
  securityLabel,
  securityName,
  seenNetwork,
  subnetLabel,
  subnetsOf,
  wireRule,
  wireRules,
  type Rule,
  type SeenNetwork,
} from './parts/network.js'
import { actionsFor, isMaking, lockFindings, rightsFindings, together } from './parts/readiness.js'
import { defineStep, ended, groupClaim, idIn, inverted, known, minutes, seconds } from './step.js'

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

const securityType = 'Microsoft.Network/networkSecurityGroups'
const types = {
  virtualNetwork: 'Microsoft.Network/virtualNetworks',
  subnet: 'Microsoft.Network/virtualNetworks/subnets',
  networkSecurityGroup: securityType,
}

/** A virtual network with its subnets, and the security group of one of them. What others made in them is left alone. */
export const network = defineStep({
  uses: 'azure/network',
  summary: 'A virtual network, its subnets, and who may come in',
  inputs,
  outputs: z.object({ id: z.string(), subnets: z.record(z.string(), z.string()) }),
  identity: ['resourceGroup', 'name', 'subnets', 'securityGroup', 'location', 'addressSpace'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  preflight: (changes, wanted, { doors }) =>
    together(
      rightsFindings(doors, [{ scope: wanted.resourceGroup, actions: actionsOf(changes) }]),
      lockFindings(doors, wanted.resourceGroup, changes),
      governanceFindings(doors, changes, wanted.resourceGroup, madeBy(wanted)),
    ),
  async observe(wanted, { doors }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) return { state: 'absent' }
    const { found, security } = await read(group.id, wanted, doors)
    const states = [found, security, ...subnetsOf(found)].map((one) => one?.properties['provisioningState'])
    const changing = states.find((state) => state === 'Updating' || state === 'Creating' || state === 'Deleting')
    if (changing !== undefined) return { state: 'in-flight', what: `network ${wanted.name} is ${changing.toLowerCase()}` }
    const why = networkConflict(wanted, found, security)
    if (why !== undefined) return { state: 'conflict', why, mend: 'Mend it there, or use another name or other addresses in the runbook.' }
    if (found === undefined && security === undefined) return { state: 'absent' }
    const seen = seenNetwork(wanted, found, security)
    if (found === undefined || networkChanges(wanted, seen).length > 0) return { state: 'drifted', seen }
    const subnets = subnetsOf(found).filter(({ name }) => wanted.subnets[name] !== undefined)
    const ids = subnets.map(({ name, id }) => [name, id ?? `${found.id}/subnets/${name}`])
    return { state: 'converged', outputs: { id: found.id, subnets: Object.fromEntries(ids) as Record<string, string> } }
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
    // The subnet refers to the security group: made before it, deleted after it.
    if (security !== undefined && security.action !== 'delete') await work.secure(security)
    if (whole?.action === 'create') await work.make(subnets)
    else if (whole?.action === 'delete') await work.remove(whole)
    else {
      if (whole?.action === 'update') await work.widen(whole)
      // A network takes one change at a time.
      for (const change of subnets) await work.subnet(change)
    }
    if (security?.action === 'delete') await work.remove(security)
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ resourceGroup }) => [groupClaim(known(resourceGroup))],
  estimateMs: () => 30 * seconds,
})

/** Its subnets are put with it. */
function madeBy({ name, location, addressSpace, securityGroup }: PlanInputs<Inputs>): Made[] {
  const properties = { addressSpace: { addressPrefixes: addressSpace } }
  const security: Made = { type: securityType, location, ...(isPending(name) ? {} : { name: securityName(name) }) }
  return [{ type: types.virtualNetwork, name, location, properties }, ...(securityGroup === undefined ? [] : [security])]
}

/** A subnet that names a security group joins it. */
function actionsOf(changes: readonly Change[]): string[] {
  const joins = changes.filter(({ resource, after }) => resource.startsWith('subnet ') && typeof after === 'object' && after !== null && 'securityGroup' in after)
  return [...actionsFor(changes, types), ...(isMaking(joins) ? [`${securityType}/join/action`] : [])]
}

const networkId = (groupId: string, name: string): string => idIn(groupId, 'Microsoft.Network/virtualNetworks', name)
const securityId = (groupId: string, name: string): string => idIn(groupId, 'Microsoft.Network/networkSecurityGroups', securityName(name))

interface Read {
  readonly found?: Resource
  readonly security?: Resource
}

async function read(groupId: string, { name, securityGroup }: Inputs, { azure }: Platform): Promise<Read> {
  const [found, security] = await Promise.all([
    azure.resources.get(networkId(groupId, name)),
    securityGroup === undefined ? undefined : azure.resources.get(securityId(groupId, name)),
  ])
  return { ...(found === undefined ? {} : { found }), ...(security === undefined ? {} : { security }) }
}

/** Writes the parts of one network. What is there already is written back as it was read, except for what is changed. */
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
    const there = await this.doors.azure.resources.get(id)
    const { rules } = after as unknown as { rules: Readonly<Record<string, Rule | null>> }
    const others = wireRules(there).filter(({ name }) => rules[name] === undefined)
    const named = Object.entries(rules).flatMap(([name, rule]) => (rule === null ? [] : [wireRule(name, rule)]))
    const base = there ?? { id, location: this.wanted.location, properties: {} }
    await this.#put({ ...base, properties: { ...base.properties, securityRules: [...others, ...named] as unknown as Json } })
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
    const before = subnetsOf(there).find((one) => one.name === name)?.properties ?? {}
    const { networkSecurityGroup: _guard, ...rest } = before
    const unguarded = (after as { securityGroup?: string | null }).securityGroup === null
    await this.#put({ id, location: '', properties: { ...(unguarded ? rest : before), ...this.#wire(after) } })
  }

  async remove({ resource }: Change): Promise<void> {
    const { name } = this.wanted
    const id = resource === securityLabel(name) ? securityId(this.groupId, name) : networkId(this.groupId, name)
    await ended(await this.doors.azure.resources.delete(id), this.signal)
  }

  #wire(after: Change['after']): JsonObject {
    const { prefix, securityGroup } = after as { prefix?: string; securityGroup?: string | null }
    return {
      ...(prefix === undefined ? {} : { addressPrefix: prefix }),
      ...(typeof securityGroup === 'string' ? { networkSecurityGroup: { id: securityId(this.groupId, this.wanted.name) } } : {}),
    }
  }

  async #there(): Promise<Resource> {
    const { name } = this.wanted
    const there = await this.doors.azure.resources.get(networkId(this.groupId, name))
    if (there !== undefined) return there
    throw new LifeboatError('network.gone', `network ${name} was there a moment ago and is not any more`, { retry: {} })
  }
}
