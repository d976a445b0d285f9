import { BlockList } from 'node:net'
import { isPending, type Finding, type PlanInputs } from '../../contract/index.js'
import { nameOf } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { prefixOf, subnetsOf } from './network.js'

export interface WantedAddress {
  readonly subnet: string
  readonly privateIp: string
}

/**
 * Can an interface have this address? In a subnet that is still to be made nobody has it yet; in one that is there a node may
 * have taken it. A subnet keeps its first four addresses and its last.
 */
export async function addressFindings({ subnet, privateIp }: PlanInputs<WantedAddress>, { azure }: Pick<Platform, 'azure'>): Promise<Finding[]> {
  if (isPending(subnet) || isPending(privateIp)) return []
  const network = subnet.replace(/\/subnets\/[^/]+$/i, '')
  const found = subnetsOf(await azure.resources.get(network)).find(({ name }) => name.toLowerCase() === nameOf(subnet).toLowerCase())
  if (found === undefined) return [{ level: 'stop', what: `there is no subnet ${subnet}`, mend: 'Look at `az network vnet subnet list`, and at the runbook.' }]
  const prefix = prefixOf(found)
  if (!isIn(privateIp, prefix)) {
    return [{ level: 'stop', what: `the address ${privateIp} is not in the subnet ${found.name} (${prefix})`, mend: 'Write an address of that subnet into the runbook, or another subnet.' }]
  }
  const { free, others } = await azure.addresses.availability(network, privateIp)
  if (free) return []
  const instead = others.length === 0 ? 'No other is free there' : `Free are ${others.join(', ')}`
  return [
    {
      level: 'stop',
      what: `the address ${privateIp} is taken in the subnet ${found.name}, or kept by Azure`,
      mend: `Find out who has it (\`az network nic list\`, and the nodes of clusters in that subnet) and free it, or write another into the runbook and the charts. ${instead}.`,
    },
  ]
}

function isIn(address: string, prefix: string): boolean {
  const [base = '', bits = ''] = prefix.split('/')
  const range = new BlockList()
  range.addSubnet(base, Number(bits))
  return range.check(address)
}
