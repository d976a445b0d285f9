import { seededUuid } from '../world/keys.js'
import type { Resource } from '../world/model.js'
import type { World } from '../world/world.js'
import { linkBalancer, prepareBalancer } from './balancers.js'
import { prepareNatGateway, preparePublicAddress } from './nat-gateways.js'
import { prepareInterface, prepareNetwork } from './network.js'
import { prepareAssignment } from './role-assignments.js'
import { record, records } from './wire.js'

/** What is particular to one type of resource among those that are put and got alike. */
export interface Kind {
  /** The provider's own spelling. */
  readonly type?: string
  /** Name of the operation, and of its duration in the world file. */
  readonly what: string
  readonly located: boolean
  /** Answered when done, without a long-running operation. */
  readonly atOnce?: boolean
  /** Of those: only after its duration. */
  readonly takesTime?: boolean
  /** provisioningState while it is made; Updating if absent. */
  readonly creating?: string
  /** After it has been put: what others say of it. */
  readonly done?: (world: World) => void
  /** Checks and completes what is being put; throws a WorldError. */
  readonly prepare?: (world: World, resource: Resource, before: Resource | undefined) => void
}

const network = (type: string, what: string, prepare?: Kind['prepare']): Kind => ({
  type: `Microsoft.Network/${type}`,
  what,
  located: true,
  ...(prepare ? { prepare } : {}),
})

const kinds: Readonly<Record<string, Kind>> = {
  'microsoft.network/virtualnetworks': network('virtualNetworks', 'network', prepareNetwork),
  'microsoft.network/networkinterfaces': network('networkInterfaces', 'interface', prepareInterface),
  'microsoft.network/networksecuritygroups': network('networkSecurityGroups', 'security group', prepareSecurityGroup),
  'microsoft.network/publicipaddresses': network('publicIPAddresses', 'public address', preparePublicAddress),
  'microsoft.network/loadbalancers': { ...network('loadBalancers', 'resource', prepareBalancer), done: linkBalancer },
  'microsoft.network/natgateways': { ...network('natGateways', 'nat gateway', prepareNatGateway), done: linkBalancer },
  'microsoft.network/routetables': network('routeTables', 'resource'),
  'microsoft.managedidentity/userassignedidentities': {
    type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
    what: 'identity',
    located: true,
    atOnce: true,
    takesTime: true,
    prepare: prepareIdentity,
  },
  'microsoft.authorization/roleassignments': {
    type: 'Microsoft.Authorization/roleAssignments',
    what: 'role assignment',
    located: false,
    atOnce: true,
    takesTime: true,
    prepare: prepareAssignment,
  },
  'microsoft.authorization/locks': { type: 'Microsoft.Authorization/locks', what: 'resource', located: false, atOnce: true },
}

export function kindOf(type: string): Kind {
  return kinds[type.toLowerCase()] ?? { what: 'resource', located: true }
}

function prepareSecurityGroup(world: World, group: Resource): void {
  group.properties['securityRules'] = records(group.properties['securityRules']).map((rule) => ({
    ...rule,
    id: `${group.id}/securityRules/${String(rule['name'])}`,
    etag: `W/"${world.unique(String(rule['name']))}"`,
    properties: { ...record(rule['properties']), provisioningState: 'Succeeded' },
  }))
}

function prepareIdentity(world: World, identity: Resource, before: Resource | undefined): void {
  identity.properties['principalId'] = before?.properties['principalId'] ?? seededUuid(`principal ${identity.id}`)
  identity.properties['clientId'] = before?.properties['clientId'] ?? seededUuid(`client ${identity.id}`)
  identity.properties['tenantId'] = world.spec.tenant
}
