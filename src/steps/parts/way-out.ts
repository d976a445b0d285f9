import { isPending, LifeboatError, type Finding, type Pending, type PreflightContext } from '../../contract/index.js'
import { nameOf, sameId } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { addressesOf } from './nat-gateway.js'
import { subnetsOf } from './network.js'

type Azure = Pick<Platform, 'azure'>

/**
 * Why a machine in this subnet that has no public address cannot reach the internet, and so no packages; undefined if it can, or
 * if that is decided elsewhere (a route table may lead to a firewall), or where there is no such subnet. Subnets made before Azure
 * made them private by default do not say `defaultOutboundAccess` and have a way out.
 */
export async function whyNoWayOut(subnet: string, { azure }: Azure): Promise<string | undefined> {
  const network = await azure.resources.get(subnet.replace(/\/subnets\/[^/]+$/i, ''))
  const found = subnetsOf(network).find(({ id, name }) => (id === undefined ? name === nameOf(subnet) : sameId(id, subnet)))
  if (found === undefined) return undefined
  const { natGateway, routeTable, defaultOutboundAccess } = found.properties
  const gatewayId = (natGateway as { readonly id?: string } | null | undefined)?.id
  if (gatewayId !== undefined) {
    const gateway = await azure.resources.get(gatewayId)
    const isOpen = gateway === undefined || addressesOf(gateway).length > 0
    return isOpen ? undefined : `the NAT gateway ${nameOf(gatewayId)} of the subnet ${found.name} has no public address`
  }
  if (routeTable !== undefined || defaultOutboundAccess !== false) return undefined
  return `the subnet ${found.name} has no way out: it is private, without a NAT gateway`
}

export const wayOutMend =
  'Give it one (`natGateway: { subnets: […] }` of azure/network), or make the server from an image that has ZFS and NFS already (`image: { id }` of azure/nfs-vm).'

type Planned = PreflightContext<Platform>['planned']

/** Will a new machine that has to fetch packages be able to? Of a subnet that another step makes, the plan tells. */
export async function wayOutFindings(subnet: string | Pending, doors: Azure, planned: Planned): Promise<Finding[]> {
  const why = isPending(subnet) ? whyNonePlanned(subnet, planned) : await whyNoWayOut(subnet, doors)
  return why === undefined ? [] : [{ level: 'stop', what: `${why}, so a new server could not fetch ZFS and NFS`, mend: wayOutMend }]
}

/** Of a subnet that cannot be told apart, or that the other step does not make, nothing is said: it is looked at when it is there. */
function whyNonePlanned({ output }: Pending, planned: Planned): string | undefined {
  const name = output?.path.at(-1)
  if (output === undefined || name === undefined) return undefined
  const made = planned(output.step).find(({ resource, action }) => action === 'create' && resource.startsWith('subnet ') && resource.endsWith(`/${name}`))
  if (made === undefined || (typeof made.after === 'object' && made.after !== null && 'natGateway' in made.after)) return undefined
  return `${output.step} makes the subnet ${name} without a NAT gateway`
}

/** Asked again before a machine is made: a first boot that fails is told only minutes later. Throws `machine.no-way-out`. */
export async function assertWayOut(subnet: string, doors: Azure): Promise<void> {
  const why = await whyNoWayOut(subnet, doors)
  if (why === undefined) return
  throw new LifeboatError('machine.no-way-out', `${why}, so the new server could not fetch ZFS and NFS; it was not made`, {
    blame: 'user',
    hint: wayOutMend,
  })
}
