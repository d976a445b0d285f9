import { isPending, type Change, type JsonObject, type Planned, type PlanInputs } from '../../contract/index.js'
import type { Resource } from '../../platform/azure/door.js'
import { nameOf, samePlace } from '../../platform/azure/ids.js'
import { naming } from './naming.js'
import { gatewayChanges, gatewayConflict, natName, seenGateway, type FoundGateway, type SeenGateway, type WantedGateway } from './nat-gateway.js'

export interface WantedNetwork {
  readonly location: string
  readonly name: string
  readonly addressSpace: readonly string[]
  /** Name -> address prefix. */
  readonly subnets: Readonly<Record<string, string>>
  readonly securityGroup?: { readonly subnet: string; readonly nfsFrom: string; readonly sshFrom: string } | undefined
  readonly natGateway?: WantedGateway | undefined
}

/** One rule of a security group, as it is shown and compared. */
export interface Rule {
  readonly priority: number
  readonly direction: string
  readonly access: string
  readonly protocol: string
  readonly port: string
  readonly from: string
}

interface SeenSubnet {
  readonly prefix: string
  readonly guarded: boolean
  readonly gated: boolean
  /** Making, changing or deleting it has failed. */
  readonly failed?: true
}

/** What is there already, as far as the step has a say in it. */
export interface SeenNetwork {
  readonly network?: { readonly addressSpace: readonly string[]; readonly failed: boolean }
  readonly subnets: Readonly<Record<string, SeenSubnet>>
  readonly rules?: Readonly<Record<string, Rule>>
  readonly nat?: SeenGateway
}

export const networkLabel = (name: string): string => `virtualNetwork ${name}`
export const subnetLabel = (name: string, subnet: string): string => `subnet ${name}/${subnet}`
export const securityLabel = (name: string): string => `networkSecurityGroup ${securityName(name)}`
export const securityName = (name: string): string => `${name}-nfs`

/** What may come in: NFS from the nodes and SSH from the operator's side, nothing else. A way out stays open by default. */
export function rulesFor({ securityGroup }: Pick<WantedNetwork, 'securityGroup'>): Readonly<Record<string, Rule>> {
  if (securityGroup === undefined) return {}
  const allow = (priority: number, port: string, from: string): Rule => ({ priority, direction: 'Inbound', access: 'Allow', protocol: 'Tcp', port, from })
  return { nfs: allow(100, '2049', securityGroup.nfsFrom), ssh: allow(110, '22', securityGroup.sshFrom) }
}

/** The changes from what is there to what is wanted. Every part stands under the same label whatever is there already. */
export function networkChanges(wanted: PlanInputs<WantedNetwork>, seen: SeenNetwork | undefined): Change[] {
  const name = naming(wanted.name, 'name')
  const { addressSpace } = wanted
  const group = naming(wanted.securityGroup, 'securityGroup')
  const gateway = naming(wanted.natGateway, 'natGateway')
  return [
    ...networkChange(networkLabel(name), addressSpace, seen?.network),
    ...Object.entries(naming(wanted.subnets, 'subnets')).flatMap(([subnet, prefix]): Change[] => {
      const there = seen?.subnets[subnet]
      const resource = subnetLabel(name, subnet)
      const missing = {
        ...(group?.subnet === subnet && there?.guarded !== true ? { securityGroup: securityName(name) } : {}),
        ...(gateway?.subnets.includes(subnet) === true && there?.gated !== true ? { natGateway: natName(name) } : {}),
      }
      // Private whatever the API's version makes of a subnet that does not say: what has a way out is said here.
      if (there === undefined) return [{ resource, action: 'create', after: { prefix, defaultOutboundAccess: false, ...missing } }]
      if (Object.keys(missing).length === 0 && there.failed !== true) return []
      const none = Object.fromEntries(Object.keys(missing).map((key) => [key, null]))
      if (there.failed !== true) return [{ resource, action: 'update', before: none, after: missing }]
      return [{ resource, action: 'update', before: { state: 'Failed', prefix: there.prefix, ...none }, after: { prefix: there.prefix, ...missing } }]
    }),
    ...(group === undefined ? [] : securityChange(securityLabel(name), rulesFor({ securityGroup: group }), seen?.rules)),
    ...(gateway === undefined ? [] : gatewayChanges(name, seen?.nat)),
  ]
}

type Space = PlanInputs<WantedNetwork>['addressSpace']

function networkChange(resource: string, wanted: Space, seen: SeenNetwork['network']): Change[] {
  if (seen === undefined) return [{ resource, action: 'create', after: { addressSpace: wanted } }]
  const missing = isPending(wanted) ? [] : wanted.filter((prefix) => !seen.addressSpace.includes(prefix))
  if (missing.length === 0 && !seen.failed) return []
  const before = { addressSpace: seen.addressSpace, ...(seen.failed ? { state: 'Failed' } : {}) }
  return [{ resource, action: 'update', before, after: { addressSpace: [...seen.addressSpace, ...missing] } }]
}

type Rules = Readonly<Record<string, Rule>>

function securityChange(resource: string, wanted: Rules, seen: SeenNetwork['rules']): Change[] {
  const shown = (rules: Readonly<Record<string, Rule | null>>): Planned => rules as unknown as Planned
  if (seen === undefined) return [{ resource, action: 'create', after: { rules: shown(wanted) } }]
  const wrong = Object.keys(wanted).filter((name) => JSON.stringify(seen[name]) !== JSON.stringify(wanted[name]))
  if (wrong.length === 0) return []
  const part = (rules: Rules): Planned => shown(Object.fromEntries(wrong.map((name) => [name, rules[name] ?? null])))
  return [{ resource, action: 'update', before: { rules: part(seen) }, after: { rules: part(wanted) } }]
}

/** What is there under the names that the step would use. */
export interface FoundNetwork extends FoundGateway {
  readonly network?: Resource
  readonly security?: Resource
}

/** In what an existing network cannot serve; undefined if it can. */
export function networkConflict(wanted: WantedNetwork, found: FoundNetwork): string | undefined {
  const { network, security } = found
  if (network !== undefined && !samePlace(network.location, wanted.location)) return `network ${wanted.name} exists in ${network.location}, not in ${wanted.location}`
  for (const subnet of subnetsOf(network)) {
    const name = wantedName(wanted.subnets, subnet)
    if (name === undefined) continue
    const prefix = wanted.subnets[name]
    if (prefix !== prefixOf(subnet)) return `subnet ${subnet.name} exists as ${prefixOf(subnet)}, not ${prefix}`
    const [guard, gateway] = [partOf(subnet, 'networkSecurityGroup'), partOf(subnet, 'natGateway')]
    if (name === wanted.securityGroup?.subnet && guard !== undefined && !isNamed(guard, securityName(wanted.name))) {
      return `subnet ${subnet.name} has another security group, ${nameOf(guard)}`
    }
    if (wanted.natGateway?.subnets.includes(name) === true && gateway !== undefined && !isNamed(gateway, natName(wanted.name))) {
      return `subnet ${subnet.name} has another NAT gateway, ${nameOf(gateway)}`
    }
  }
  return priorityConflict(wanted, security) ?? gatewayConflict(wanted.location, found)
}

function isNamed(id: string, name: string): boolean {
  return nameOf(id).toLowerCase() === name.toLowerCase()
}

function priorityConflict(wanted: WantedNetwork, security: Resource | undefined): string | undefined {
  const ours = rulesFor(wanted)
  for (const [name, rule] of Object.entries(rulesOf(security) ?? {})) {
    if (ours[name] !== undefined || rule.direction !== 'Inbound') continue
    const taken = Object.entries(ours).find(([, { priority }]) => priority === rule.priority)
    if (taken !== undefined) return `rule ${name} of security group ${securityName(wanted.name)} has the priority ${rule.priority}, which rule ${taken[0]} needs`
  }
  return undefined
}

export function seenNetwork(wanted: WantedNetwork, found: FoundNetwork): SeenNetwork {
  const { network, security } = found
  const space = network?.properties['addressSpace'] as { readonly addressPrefixes?: readonly string[] } | undefined
  const rules = rulesOf(security)
  const has = (subnet: WireSubnet, part: string): boolean => partOf(subnet, part) !== undefined
  return {
    subnets: Object.fromEntries(
      wantedSubnets(wanted, network).map(([name, one]) => {
        const failed = one.properties['provisioningState'] === 'Failed' ? { failed: true as const } : {}
        return [name, { prefix: prefixOf(one), guarded: has(one, 'networkSecurityGroup'), gated: has(one, 'natGateway'), ...failed }]
      }),
    ),
    nat: seenGateway(found),
    ...(network === undefined ? {} : { network: { addressSpace: space?.addressPrefixes ?? [], failed: network.properties['provisioningState'] === 'Failed' } }),
    ...(rules === undefined ? {} : { rules }),
  }
}

export interface WireSubnet {
  readonly name: string
  readonly id?: string
  readonly etag?: string
  readonly properties: JsonObject
}

export function subnetsOf(found: Resource | undefined): readonly WireSubnet[] {
  return (found?.properties['subnets'] ?? []) as unknown as readonly WireSubnet[]
}

/** As the runbook writes the name of a subnet; undefined for one that it has not. Azure's names know no case. */
function wantedName(wanted: WantedNetwork['subnets'], { name }: WireSubnet): string | undefined {
  return Object.keys(wanted).find((one) => one.toLowerCase() === name.toLowerCase())
}

/** The subnets that are there of those that the runbook names, under its spelling. */
export function wantedSubnets({ subnets }: Pick<WantedNetwork, 'subnets'>, found: Resource | undefined): readonly (readonly [string, WireSubnet])[] {
  return subnetsOf(found).flatMap((one): readonly (readonly [string, WireSubnet])[] => {
    const name = wantedName(subnets, one)
    return name === undefined ? [] : [[name, one]]
  })
}

export function prefixOf({ properties }: WireSubnet): string {
  const [first] = (properties['addressPrefixes'] ?? []) as readonly string[]
  const single = properties['addressPrefix']
  return typeof single === 'string' ? single : (first ?? '')
}

/** Id of the security group or the NAT gateway of a subnet. */
function partOf({ properties }: WireSubnet, part: string): string | undefined {
  return (properties[part] as { readonly id?: string } | null | undefined)?.id
}

export interface WireRule {
  readonly name: string
  readonly properties: JsonObject
}

export function wireRules(security: Resource | undefined): readonly WireRule[] {
  return (security?.properties['securityRules'] ?? []) as unknown as readonly WireRule[]
}

function rulesOf(security: Resource | undefined): Readonly<Record<string, Rule>> | undefined {
  if (security === undefined) return undefined
  return Object.fromEntries(
    wireRules(security).map(({ name, properties }): [string, Rule] => [
      name,
      {
        priority: Number(properties['priority']),
        direction: textOf(properties['direction']),
        access: textOf(properties['access']),
        protocol: textOf(properties['protocol']),
        port: textOf(properties['destinationPortRange']),
        from: textOf(properties['sourceAddressPrefix']),
      },
    ]),
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function wireRule(name: string, { priority, direction, access, protocol, port, from }: Rule): WireRule {
  return {
    name,
    properties: {
      priority,
      direction,
      access,
      protocol,
      sourcePortRange: '*',
      destinationPortRange: port,
      sourceAddressPrefix: from,
      destinationAddressPrefix: '*',
    },
  }
}
