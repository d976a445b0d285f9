import { isPending, type Demand, type Finding, type Pending } from '../../contract/index.js'
import type { MachineSize } from '../../platform/azure/door.js'
import type { Platform } from '../../platform/platform.js'

/** Virtual machines of one size that a step will ask for. */
export interface WantedMachines {
  readonly size: string
  readonly count: number
  /** All of them must be possible; none for machines without a zone. */
  readonly zones: readonly string[]
}

type Azure = Pick<Platform, 'azure'>

/**
 * Could these machines be made in a location? Their sizes are told one by one; the vCPUs that they take, of their family and of
 * the location as a whole, are demands: what other steps take besides is added by the engine. What is there already stands in
 * Azure's own count.
 */
export async function capacityFindings(
  { azure }: Azure,
  location: string | Pending,
  wanted: readonly WantedMachines[],
): Promise<(Finding | Demand)[]> {
  if (isPending(location)) return []
  const each = await Promise.all(
    wanted.map(async (machines): Promise<(Finding | Demand)[]> => {
      const size = await azure.capacity.size(location, machines.size)
      const why = sizeFinding(location, machines, size)
      if (why !== undefined || size === undefined) return why === undefined ? [] : [why]
      return demandsOf({ azure }, location, size, machines.count)
    }),
  )
  return each.flat()
}

function sizeFinding(location: string, { size: name, zones }: WantedMachines, size: MachineSize | undefined): Finding | undefined {
  const stop = (what: string, mend: string): Finding => ({ level: 'stop', what, mend })
  const listing = `az vm list-skus --location ${location} --resource-type virtualMachines`
  if (size === undefined) return stop(`${location} has no machines of the size ${name}`, `Choose another: \`${listing}\`.`)
  if (size.restricted !== undefined) {
    return stop(`this subscription cannot have ${size.name} in ${location} (${size.restricted})`, `Choose another size (\`${listing}\`), or have support lift the restriction.`)
  }
  const missing = zones.filter((zone) => !size.zones.includes(zone))
  if (missing.length === 0) return undefined
  const left = size.zones.length === 0 ? 'in no zone' : `in ${sayZones(size.zones)}`
  return stop(`${size.name} cannot be had in ${sayZones(missing)} of ${location}, only ${left}`, `Choose another zone, or another size: \`${listing} --zone\`.`)
}

export function sayZones(zones: readonly string[]): string {
  return `${zones.length === 1 ? 'zone' : 'zones'} ${zones.join(', ')}`
}

async function demandsOf({ azure }: Azure, location: string, { family, vCpus }: MachineSize, count: number): Promise<Demand[]> {
  const stocks = [
    { stock: family, resource: `vCPUs of ${family} in ${location}` },
    { stock: 'cores', resource: `vCPUs in ${location}` },
  ]
  const demands = await Promise.all(
    stocks.map(async ({ stock, resource }): Promise<Demand[]> => {
      const usage = await azure.capacity.usage(location, stock)
      if (usage === undefined) return []
      const mend = `Of ${usage.limit} there are ${usage.used} in use, the old cluster’s too (\`az vm list-usage --location ${location}\`). Ask for more (Quotas in the portal), or choose fewer or smaller machines.`
      return [{ resource, wanted: vCpus * count, left: Math.max(0, usage.limit - usage.used), mend }]
    }),
  )
  return demands.flat()
}

/** Public addresses that a step will make: all that are made take from one stock. */
export async function publicAddressDemands({ azure }: Azure, location: string, wanted: number): Promise<Demand[]> {
  const usage = await azure.capacity.publicAddresses(location)
  if (usage === undefined) return []
  const mend = `Of ${usage.limit} there are ${usage.used} in use (\`az network list-usages --location ${location}\`). Ask for more (Quotas in the portal), or delete what nobody needs.`
  return [{ resource: `Standard public addresses in ${location}`, wanted, left: Math.max(0, usage.limit - usage.used), mend }]
}

/** Is this version one of those that new clusters may have? `1.33` stands for its newest patch. */
export async function versionFindings({ azure }: Azure, location: string | Pending, version: string | Pending): Promise<Finding[]> {
  if (isPending(location) || isPending(version)) return []
  const offered = await azure.capacity.kubernetesVersions(location)
  if (offered.includes(version)) return []
  const patches = offered.filter((one) => one.split('.').length === 3)
  const mend = patches.length === 0 ? `Look at \`az aks get-versions --location ${location}\`.` : `Write one of these under \`kubernetesVersion\`: ${patches.join(', ')}.`
  return [{ level: 'stop', what: `Kubernetes ${version} is not on offer in ${location}`, mend }]
}
