import { isPending, type Change, type Demand, type Finding, type Pending, type PlanInputs, type PreflightContext } from '../../contract/index.js'
import { nameOf } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { prefixOf, subnetsOf } from './network.js'

export interface WantedAddress {
  readonly subnet: string
  readonly privateIp: string
}

type Planned = PreflightContext<Platform>['planned']

/**
 * Can an interface have this address? In a subnet that is still to be made nobody has it yet, but its prefix is planned; in one
 * that is there a node may have taken it. Two steps cannot both have it: that is for the engine to add up.
 */
export async function addressFindings(
  { subnet, privateIp }: PlanInputs<WantedAddress>,
  { azure }: Pick<Platform, 'azure'>,
  planned: Planned,
): Promise<(Finding | Demand)[]> {
  if (isPending(privateIp)) return []
  if (isPending(subnet)) return plannedFindings(subnet, privateIp, planned)
  const network = subnet.replace(/\/subnets\/[^/]+$/i, '')
  const found = subnetsOf(await azure.resources.get(network)).find(({ name }) => name.toLowerCase() === nameOf(subnet).toLowerCase())
  if (found === undefined) return [{ level: 'stop', what: `there is no subnet ${subnet}`, mend: 'Look at `az network vnet subnet list`, and at the runbook.' }]
  const wrong = misplaced(privateIp, found.name, prefixOf(found))
  if (wrong.length > 0) return wrong
  const { free, others } = await azure.addresses.availability(network, privateIp)
  if (free) return [share(privateIp, subnet)]
  const instead = others.length === 0 ? 'No other is free there' : `Free are ${others.join(', ')}`
  return [
    {
      level: 'stop',
      what: `the address ${privateIp} is taken in the subnet ${found.name}, or kept by Azure`,
      mend: `Find out who has it (\`az network nic list\`, and the nodes of clusters in that subnet) and free it, or write another into the runbook and the charts. ${instead}.`,
    },
  ]
}

/** Of a subnet that another step makes, the plan tells the prefix; of one that cannot be told apart, nothing is said. */
function plannedFindings(subnet: Pending, privateIp: string, planned: Planned): (Finding | Demand)[] {
  const { output } = subnet
  if (output === undefined) return []
  const name = output.path.at(-1) ?? ''
  const made = planned(output.step).find(({ resource }) => resource.startsWith('subnet ') && resource.endsWith(`/${name}`))
  const prefix = plannedPrefix(made)
  const wrong = prefix === undefined ? [] : misplaced(privateIp, name, prefix)
  return wrong.length > 0 ? wrong : [share(privateIp, ['steps', output.step, 'outputs', ...output.path].join('.'))]
}

function plannedPrefix(made: Change | undefined): string | undefined {
  const { prefix } = (made?.after ?? {}) as { readonly prefix?: unknown }
  return typeof prefix === 'string' ? prefix : undefined
}

function share(privateIp: string, subnet: string): Demand {
  return {
    resource: `the address ${privateIp} in ${subnet}`,
    wanted: 1,
    left: 1,
    mend: 'Give each machine an address of its own in the runbook.',
  }
}

/** A subnet keeps its first four addresses and its last (azure-docs, virtual-networks-faq). */
function misplaced(address: string, subnet: string, prefix: string): Finding[] {
  const mend = 'Write an address of that subnet into the runbook, or another subnet.'
  const at = placeIn(address, prefix)
  if (at === undefined) return [{ level: 'stop', what: `the address ${address} is not in the subnet ${subnet} (${prefix})`, mend }]
  if (at.index >= 4 && at.index < at.size - 1) return []
  return [{ level: 'stop', what: `the address ${address} is one that Azure keeps for itself in the subnet ${subnet} (${prefix})`, mend: `${mend} The first four and the last are Azure’s.` }]
}

/** The how manieth of a prefix's addresses it is, from 0; undefined for one that is elsewhere. */
function placeIn(address: string, prefix: string): { readonly index: number; readonly size: number } | undefined {
  const [base = '', bits = ''] = prefix.split('/')
  const size = 2 ** (32 - Number(bits))
  const index = numberOf(address) - Math.floor(numberOf(base) / size) * size
  return index >= 0 && index < size ? { index, size } : undefined
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
