import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { coresOf, dataDiskLimit, familyOf, offeredSizes, skus } from './sizes.js'
import { list, record, records, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

/** vCPUs that a subscription may use of one family, where the world file does not say. Assumed. */
const usualLimit = 350
/** The name that usages give to all vCPUs of the region. */
export const wholeRegion = 'cores'

export function sizeOf(machine: Resource): string {
  return textOf(record(machine.properties['hardwareProfile'])['vmSize']) ?? ''
}

function used(world: World): Map<string, number> {
  const cores = new Map<string, number>()
  const add = (size: string, count: number): void => {
    const more = count * (coresOf(size) ?? 0)
    for (const stock of [familyOf(size).toLowerCase(), wholeRegion]) cores.set(stock, (cores.get(stock) ?? 0) + more)
  }
  for (const machine of world.ofType('Microsoft.Compute/virtualMachines')) {
    const power = world.host(machine.id)?.power
    if (power !== 'deallocated') add(sizeOf(machine), 1)
  }
  for (const cluster of world.ofType('Microsoft.ContainerService/managedClusters')) {
    for (const pool of records(cluster.properties['agentPoolProfiles'])) add(String(pool['vmSize']), Number(pool['count'] ?? 1))
  }
  return cores
}

export function limitOf(world: World, family: string): number {
  const given = Object.entries(world.spec.quota).find(([name]) => name.toLowerCase() === family.toLowerCase())
  return given?.[1] ?? usualLimit
}

/** Machines of one size that are wanted at once. */
export interface CoreWish {
  readonly size: string
  readonly count: number
}

/** Refuses what would go over the quota of a family or of the region: two clusters at once are the classic way there. */
export function assertQuota(world: World, wishes: readonly CoreWish[], status: number, code: string): void {
  const wanted = new Map<string, number>()
  for (const { size, count } of wishes) {
    for (const stock of [familyOf(size), wholeRegion]) wanted.set(stock, (wanted.get(stock) ?? 0) + count * (coresOf(size) ?? 0))
  }
  const now = used(world)
  for (const [stock, cores] of wanted) {
    const [inUse, limit] = [now.get(stock.toLowerCase()) ?? 0, limitOf(world, stock)]
    if (inUse + cores <= limit) continue
    world.hindrances.meets('quota', stock, `${cores} more vCPUs`)
    const message =
      `Operation could not be completed as it results in exceeding approved ${stock === wholeRegion ? 'Total Regional' : stock} Cores quota. ` +
      `Location: ${world.spec.location}, Current Limit: ${limit}, Current Usage: ${inUse}, Additional Required: ${cores}.`
    throw new WorldError(status, code, message)
  }
}

/** What is on offer and what is used of it. */
export const capacityRoutes: readonly Route[] = [
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Compute/skus', handle: ({ world }) => list(skus(world)) },
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/usages', handle: usages },
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/vmSizes', handle: vmSizes },
]

function vmSizes(): ArmAnswer {
  return list(offeredSizes.map((name) => ({ name, numberOfCores: coresOf(name), maxDataDiskCount: dataDiskLimit(name) })))
}

function usages({ world }: ArmRequest): ArmAnswer {
  const now = used(world)
  const families = new Set([wholeRegion, ...offeredSizes.map(familyOf), ...Object.keys(world.spec.quota)])
  return list(
    [...families].map((family) => ({
      name: { value: family, localizedValue: family },
      unit: 'Count',
      currentValue: now.get(family.toLowerCase()) ?? 0,
      limit: limitOf(world, family),
    })),
  )
}
