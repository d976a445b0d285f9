import { type World, WorldError } from '../world/world.js'

const zones = ['1', '2', '3']

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

/** The sizes that the world's region has, in the order of a list of SKUs: general purpose and memory, with and without premium disks. */
export const offeredSizes: readonly string[] = ['D', 'E'].flatMap((letter) =>
  [2, 4, 8, 16, 32, 48, 64].flatMap((cores) => ['_v3', 's_v3', 's_v4', 's_v5', 'as_v5', 'ds_v5'].map((rest) => `Standard_${letter}${cores}${rest}`)),
)

/** Zones in which this subscription may not have a size; `everywhere` if it may not have it at all. */
function restrictedZones(world: World, size: string): readonly string[] | 'everywhere' {
  const restrictions = world.spec.unavailableSizes.filter((one) => one.size.toLowerCase() === size.toLowerCase())
  if (restrictions.some((one) => one.zones === undefined)) return 'everywhere'
  return restrictions.flatMap((one) => one.zones ?? [])
}

/** Virtual machines as `Microsoft.Compute/skus` lists them. */
export function skus(world: World): unknown[] {
  const { location } = world.spec
  return offeredSizes.map((name) => {
    const restricted = restrictedZones(world, name)
    const common = { values: [location], reasonCode: 'NotAvailableForSubscription' }
    const everywhere = { ...common, type: 'Location', restrictionInfo: { locations: [location] } }
    const some = { ...common, type: 'Zone', restrictionInfo: { locations: [location], zones: restricted } }
    return {
      resourceType: 'virtualMachines',
      name,
      tier: 'Standard',
      size: name.replace('Standard_', ''),
      family: familyOf(name),
      locations: [location],
      locationInfo: [{ location, zones, zoneDetails: [] }],
      capabilities: [
        { name: 'vCPUs', value: String(coresOf(name)) },
        { name: 'MaxDataDiskCount', value: String(dataDiskLimit(name)) },
        { name: 'PremiumIO', value: takesPremium(name) ? 'True' : 'False' },
      ],
      restrictions: restricted === 'everywhere' ? [everywhere] : restricted.length === 0 ? [] : [some],
    }
  })
}

/** Refuses a machine of a size that is not offered here, or not to this subscription, or not in its zone. */
export function assertMachineSize(world: World, size: string, zone: string | undefined): void {
  assertOffered(size)
  const restricted = restrictedZones(world, size)
  const isAnywhere = restricted !== 'everywhere' && (zone === undefined ? zones.some((one) => !restricted.includes(one)) : !restricted.includes(zone))
  if (isAnywhere) return
  world.hindrances.meets('size', size, 'a machine')
  const message =
    `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${size}' is currently not available in location ` +
    `'${world.spec.location}'. Please try another size or deploy to a different location or different zone.`
  throw new WorldError(409, 'SkuNotAvailable', message)
}

/** The same for the pool of a cluster, which must be possible in each of its zones. */
export function assertPoolSize(world: World, pool: string, size: string, wanted: readonly string[]): void {
  assertOffered(size)
  const restricted = restrictedZones(world, size)
  if (restricted === 'everywhere') {
    world.hindrances.meets('size', size, `the pool ${pool}`)
    throw new WorldError(400, 'BadRequest', `The VM size of ${size} is not allowed in your subscription in location '${world.spec.location}'.`)
  }
  const missing = wanted.filter((zone) => restricted.includes(zone) || !zones.includes(zone))
  if (missing.length === 0) return
  const message =
    `The zone(s) '${missing.join(',')}' for resource '${pool}' is not supported. ` +
    `The supported zones for location '${world.spec.location}' are '${zones.filter((zone) => !restricted.includes(zone)).join(',')}'.`
  throw new WorldError(400, 'AvailabilityZoneNotSupported', message)
}

function assertOffered(size: string): void {
  if (offeredSizes.some((one) => one.toLowerCase() === size.toLowerCase())) return
  throw new WorldError(400, 'InvalidParameter', `The value ${size} provided for the VM size is not valid in the current region.`)
}
