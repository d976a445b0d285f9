import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Finding, type JsonObject, type PlanInputs } from '../contract/index.js'
import { resourceId } from '../contract/inputs.js'
import type { Resource } from '../platform/azure/door.js'
import { nameOf, sameId } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { naming } from './parts/naming.js'
import { lockFindings, rightsFindings, together } from './parts/readiness.js'
import { pathOf, put } from './parts/writes.js'
import { claim, defineStep, ended, groupClaim, groupOf, hostLabel, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  /** The load balancer of the cluster that is given up. */
  loadBalancer: resourceId,
  /** Reserved public addresses that it lets go of. They stay as they are, and are free for another load balancer. */
  addresses: z.array(resourceId).min(1),
})
type Inputs = z.infer<typeof inputs>

/** A part of a load balancer, as far as this step reads it. */
interface Part {
  readonly name: string
  readonly id?: string
  readonly properties: {
    readonly publicIPAddress?: { readonly id: string }
    readonly frontendIPConfiguration?: { readonly id: string }
    readonly frontendIPConfigurations?: readonly { readonly id: string }[]
  }
}

const ruleParts = ['loadBalancingRules', 'inboundNatRules'] as const
type RulePart = (typeof ruleParts)[number]

/** A frontend with what hangs on it: all that is needed to put it back. */
interface Held {
  readonly frontend: Part
  readonly rules: Readonly<Record<RulePart, readonly Part[]>>
}

interface Seen {
  readonly held: readonly (Held & { readonly address: string; readonly ip: string })[]
}

const addressLabel = (id: string): string => `public address ${nameOf(id)}`

/**
 * Reserved addresses, given free by the old cluster's load balancer. Azure gives a public address to one holder at a time, and
 * a dead cluster's load balancer holds it for as long as it stands: the new Service waits without an address meanwhile. A
 * frontend goes together with its rules, which cannot be without one.
 */
export const releaseAddress = defineStep({
  uses: 'azure/release-address',
  summary: 'Reserved public addresses, given free by the load balancer that holds them',
  inputs,
  outputs: z.object({ released: z.array(z.string()), remark: z.string() }),
  identity: ['loadBalancer', 'addresses'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 10 * minutes }),
  harms: true,
  preflight: (changes, { loadBalancer, addresses }, { doors }) =>
    together(
      addressFindings(loadBalancer, addresses, doors),
      rightsFindings(doors, [{ scope: loadBalancer, actions: ['Microsoft.Network/loadBalancers/write'] }]),
      lockFindings(doors, loadBalancer, changes),
    ),
  async observe({ loadBalancer, addresses }, { doors }) {
    const found = await doors.azure.resources.get(loadBalancer)
    if (found === undefined) return { state: 'converged', outputs: outputsOf(addresses) }
    // It reads as it will be from the start of a change.
    if (found.properties['provisioningState'] === 'Updating') return { state: 'in-flight', what: `${hostLabel(found.id)} is being changed` }
    const held = heldBy(found, addresses)
    if (held.length === 0) return { state: 'converged', outputs: outputsOf(addresses) }
    const wayOut = held.find(({ frontend }) => partsOf(found, 'outboundRules').some((rule) => isAbout(rule, frontend)))
    if (wayOut === undefined) {
      const ips = await Promise.all(held.map(async ({ address }) => (await doors.azure.resources.get(address))?.properties['ipAddress']))
      return { state: 'drifted', seen: { held: held.map((one, index) => ({ ...one, ip: textOf(ips[index]) })) } }
    }
    const why = `${addressLabel(wayOut.address)} is the way out of the old cluster's nodes too (an outbound rule of ${hostLabel(found.id)} uses it)`
    return { state: 'conflict', why, mend: 'Give the hub an address of its own in peace time; by hand, take the address out of that rule.' }
  },
  plan({ loadBalancer, addresses }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const from = hostLabel(loadBalancer)
    // One text for all of them: it is said once.
    const away = (id: string, ip?: string, definition?: string): Change => ({
      resource: addressLabel(id),
      action: 'update',
      before: { heldBy: from, ...(definition === undefined ? {} : { frontendAndRules: definition }) },
      after: { heldBy: null, dns: `${ip ?? 'the address'} stays what it is: no DNS record has to change` },
      harm: 'whoever still uses a hub through the old proxy loses it, until the new one has taken its address',
    })
    if (seen.state === 'drifted') return seen.seen.held.map(({ address, ip, frontend, rules }) => away(address, ip, JSON.stringify({ frontend, rules })))
    return naming(addresses, 'addresses').map((id) => away(id))
  },
  async apply(changes, { loadBalancer, addresses }, { doors, checkpoint, progress, signal }) {
    const { resources } = doors.azure
    const found = await resources.get(loadBalancer)
    if (found === undefined) throw new LifeboatError('address.no-balancer', `there is no load balancer ${loadBalancer}`, { blame: 'user' })
    const planned = addresses.filter((id) => changes.some(({ resource }) => resource === addressLabel(id)))
    const back = changes.flatMap(({ after }) => definitionIn(after))
    const properties = back.length > 0 ? withHeld(found, back) : without(found, heldBy(found, planned))
    progress(`${hostLabel(found.id)} ${back.length > 0 ? 'takes back' : 'lets go of'} ${planned.map(nameOf).join(', ')}`)
    const operation = await resources.put({ ...found, properties })
    await checkpoint({ [back.length > 0 ? 'taking' : 'releasing']: planned.map(nameOf) })
    await ended(operation, signal)
  },
  invert: (changes) => changes.map((change) => definitionIn(change.before).length > 0
    ? inverted(change)
    : { resource: change.resource, irreversible: 'the rules that were in front of it are not known' }),
  writes: (_changes, { loadBalancer }) => [put(pathOf(loadBalancer, 'Microsoft.Network/loadBalancers'))],
  claims: ({ loadBalancer }) => [claim('balancer', known(loadBalancer)), ...(isPending(loadBalancer) ? [] : [groupClaim(groupOf(loadBalancer))])],
  estimateMs: () => 20 * seconds,
})

/** What is given free must stay the same address, and must outlive the old cluster. */
async function addressFindings(
  balancer: PlanInputs<Inputs>['loadBalancer'],
  addresses: PlanInputs<Inputs>['addresses'],
  { azure }: Platform,
): Promise<Finding[]> {
  if (isPending(addresses) || isPending(balancer)) return []
  const found = await Promise.all(
    addresses.map(async (id): Promise<Finding[]> => {
      const address = await azure.resources.get(id)
      const label = addressLabel(id)
      if (address === undefined) return [{ level: 'stop', what: `there is no ${label} in ${groupOf(id)}`, mend: 'Find it with `az network public-ip list`.' }]
      if (address.properties['publicIPAllocationMethod'] !== 'Static') {
        return [{ level: 'stop', what: `${label} is dynamic: it becomes another address once it is given free`, mend: 'Make it static (az network public-ip update --allocation-method Static).' }]
      }
      if (groupOf(id).toLowerCase() !== groupOf(balancer).toLowerCase()) return []
      return [{ level: 'warn', what: `${label} lies in the old cluster's node group, and goes with that cluster`, mend: 'Move it into a group of its own before the old cluster is deleted.' }]
    }),
  )
  return found.flat()
}

function outputsOf(addresses: readonly string[]): { released: string[]; remark: string } {
  const released = addresses.map(nameOf)
  const many = released.length > 1
  const remark = `the public address${many ? 'es' : ''} ${released.join(', ')} ${many ? 'are' : 'is'} the same as before: no DNS record has to change`
  return { released, remark }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'the address'
}

function partsOf({ properties }: Resource, part: string): readonly Part[] {
  return (properties[part] ?? []) as unknown as readonly Part[]
}

function heldBy(balancer: Resource, addresses: readonly string[]): readonly (Held & { readonly address: string })[] {
  return addresses.flatMap((address) => {
    const frontend = partsOf(balancer, 'frontendIPConfigurations').find(({ properties }) => sameId(properties.publicIPAddress?.id, address))
    if (frontend === undefined) return []
    const [balancing, nat] = ruleParts.map((part) => partsOf(balancer, part).filter((rule) => isAbout(rule, frontend)).map(asMade))
    return [{ address, frontend: asMade(frontend), rules: { loadBalancingRules: balancing ?? [], inboundNatRules: nat ?? [] } }]
  })
}

/** Without what Azure says of it by itself: its etag is another one after each change of any part. */
function asMade(part: Part): Part {
  const { etag: _etag, type: _type, ...kept } = part as Part & JsonObject
  const { provisioningState: _state, ...properties } = part.properties as Part['properties'] & JsonObject
  return { ...kept, properties }
}

function isAbout({ properties }: Part, frontend: Part): boolean {
  const { frontendIPConfiguration: one, frontendIPConfigurations: several = [] } = properties
  const named = [...(one === undefined ? [] : [one]), ...several]
  return named.some(({ id }) => sameId(id, frontend.id ?? ''))
}

function without(balancer: Resource, held: readonly Held[]): JsonObject {
  const goes = (part: string, one: Part): boolean => held.some((each) => partOf(each, part).some(({ name }) => name === one.name))
  return withParts(balancer, (part, all) => all.filter((one) => !goes(part, one)))
}

function withHeld(balancer: Resource, held: readonly Held[]): JsonObject {
  return withParts(balancer, (part, all) => {
    const back = held.flatMap((each) => partOf(each, part))
    return [...all, ...back.filter(({ name }) => !all.some((one) => one.name === name))]
  })
}

function partOf({ frontend, rules }: Held, part: string): readonly Part[] {
  return part === 'frontendIPConfigurations' ? [frontend] : rules[part as RulePart]
}

function withParts(balancer: Resource, change: (part: string, all: readonly Part[]) => readonly Part[]): JsonObject {
  const parts = ['frontendIPConfigurations', ...ruleParts].map((part) => [part, change(part, partsOf(balancer, part))])
  return { ...balancer.properties, ...(Object.fromEntries(parts) as JsonObject) }
}

/** The frontend and its rules, as a change keeps them: what is to be put back. */
function definitionIn(side: Change['after']): Held[] {
  const definition = typeof side === 'object' && side !== null && 'frontendAndRules' in side ? side.frontendAndRules : undefined
  return typeof definition === 'string' ? [JSON.parse(definition) as Held] : []
}
