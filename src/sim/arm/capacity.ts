import type { Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { list, record, records, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

/** vCPUs that a subscription may use of one family, where the world file does not say. Assumed. */
const usualLimit = 350

/** Cores of a size: the first number in `Standard_E16s_v3`. Undefined for what is no size at all. */
export function coresOf(size: string): number | undefined {
  const found = /^(?:Standard|Basic)_[A-Za-z]+(\d+)/.exec(size)
  return found ? Number(found[1]) : undefined
}

/** `standardESv3Family` of `Standard_E16s_v3`, as usages name it. */
export function familyOf(size: string): string {
  const [, letters = '', , features = '', version = ''] = /^Standard_([A-Z]+)(\d+)([a-z]*)(?:_v(\d+))?/.exec(size) ?? []
  return `standard${letters}${features.toUpperCase()}${version === '' ? '' : `v${version}`}Family`
}

/** Data disks that a size takes: two a core, at most 32; true of the common families up to their largest. */
export function dataDiskLimit(size: string): number {
  return Math.min(32, Math.max(2, 2 * (coresOf(size) ?? 1)))
}

/** Premium disks want a size with an `s` in its features. */
export function takesPremium(size: string): boolean {
  return /^Standard_[A-Z]+\d+(?:-\d+)?[a-z]*s/.test(size)
}

export function sizeOf(machine: Resource): string {
  return textOf(record(machine.properties['hardwareProfile'])['vmSize']) ?? ''
}

function used(world: World): Map<string, number> {
  const cores = new Map<string, number>()
  const add = (size: string, count: number): void => {
    const family = familyOf(size).toLowerCase()
    cores.set(family, (cores.get(family) ?? 0) + count * (coresOf(size) ?? 0))
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

function limitOf(world: World, family: string): number {
  const given = Object.entries(world.spec.quota).find(([name]) => name.toLowerCase() === family.toLowerCase())
  return given?.[1] ?? usualLimit
}

/** Refuses what would go over the family's quota: two clusters at once are the classic way there. */
export function assertQuota(world: World, size: string, count: number, status: number, code: string): void {
  const cores = coresOf(size)
  if (cores === undefined) throw new WorldError(400, 'InvalidParameter', `The value ${size} provided for the VM size is not valid.`)
  const family = familyOf(size)
  const now = used(world).get(family.toLowerCase()) ?? 0
  const limit = limitOf(world, family)
  if (now + cores * count <= limit) return
  const message =
    `Operation could not be completed as it results in exceeding approved ${family} Cores quota. ` +
    `Location: ${world.spec.location}, Current Limit: ${limit}, Current Usage: ${now}, Additional Required: ${cores * count}.`
  throw new WorldError(status, code, message)
}

const sizes = ['Standard_D2s_v3', 'Standard_D4s_v3', 'Standard_D8s_v3', 'Standard_E4s_v3', 'Standard_E8s_v3', 'Standard_E16s_v3', 'Standard_E8s_v5', 'Standard_E16s_v5']

/** What is on offer and what is used of it. */
export const capacityRoutes: readonly Route[] = [
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Compute/skus', handle: skus },
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/usages', handle: usages },
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/vmSizes', handle: vmSizes },
]

function skus({ world }: ArmRequest): ArmAnswer {
  const { location } = world.spec
  return list(
    sizes.map((name) => ({
      resourceType: 'virtualMachines',
      name,
      tier: 'Standard',
      size: name.replace('Standard_', ''),
      family: familyOf(name),
      locations: [location],
      locationInfo: [{ location, zones: ['1', '2', '3'], zoneDetails: [] }],
      capabilities: [
        { name: 'vCPUs', value: String(coresOf(name)) },
        { name: 'MaxDataDiskCount', value: String(dataDiskLimit(name)) },
        { name: 'PremiumIO', value: takesPremium(name) ? 'True' : 'False' },
      ],
      restrictions: [],
    })),
  )
}

function vmSizes(): ArmAnswer {
  return list(sizes.map((name) => ({ name, numberOfCores: coresOf(name), maxDataDiskCount: dataDiskLimit(name) })))
}

function usages({ world }: ArmRequest): ArmAnswer {
  const now = used(world)
  const families = new Set([...sizes.map(familyOf), ...Object.keys(world.spec.quota)])
  return list(
    [...families].map((family) => ({
      name: { value: family, localizedValue: family },
      unit: 'Count',
      currentValue: now.get(family.toLowerCase()) ?? 0,
      limit: limitOf(world, family),
    })),
  )
}
