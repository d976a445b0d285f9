import { isPending, type Change, type Finding, type PlanInputs } from '../../contract/index.js'
import type { Disk, Machine, MachineSize } from '../../platform/azure/door.js'
import { nameOf, sameId, samePlace } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { sayZones } from './capacity.js'
import { diskIn, type WantedDisk } from './disks.js'

export interface WantedAttachment {
  readonly machine: string
  readonly resourceGroup: string
  readonly from?: string | undefined
  readonly disks: readonly WantedDisk[]
  /** What the machine will be while it is still to be made, where the plan of the step that makes it does not tell. */
  readonly size?: string | undefined
  readonly zone?: string | undefined
}

type Planned = (step: string) => readonly Change[]

/** The machine as far as it is known: as it is, or as the plan or the runbook says that it will be. */
interface Host {
  /** Undefined where nobody says. */
  readonly location: string | undefined
  readonly size: MachineSize
  readonly zones: readonly string[]
  /** Data disks of others that it has. */
  readonly others: number
}

/**
 * Will the machine take these disks? How many it has room for, premium ones, those of a zone. Machine and disks may both still be
 * on their way: then what is planned of the one, and the group that the others come from, are looked at.
 */
export async function attachFindings(wanted: PlanInputs<WantedAttachment>, doors: Platform, planned: Planned): Promise<Finding[]> {
  const { disks } = wanted
  if (isPending(disks)) return []
  const found = (await Promise.all(disks.map(({ name }) => whereverIs(name, wanted, doors)))).filter((disk) => disk !== undefined)
  const near = found[0]?.location
  const host = near === undefined ? undefined : await hostOf({ ...wanted, disks }, near, doors, planned)
  if (host === undefined) return []
  return [
    ...roomFindings(host, disks.length),
    ...found.flatMap((disk) => [...regionFindings(host, disk), ...premiumFindings(host, disk), ...zoneFindings(host, disk)]),
  ]
}

async function whereverIs(name: string, { resourceGroup, from }: PlanInputs<WantedAttachment>, doors: Platform): Promise<Disk | undefined> {
  for (const group of [resourceGroup, from]) {
    const disk = group === undefined || isPending(group) ? undefined : await diskIn(doors, group, name)
    if (disk !== undefined) return disk
  }
  return undefined
}

async function hostOf(
  { machine, size, zone: said, disks }: PlanInputs<WantedAttachment> & Pick<WantedAttachment, 'disks'>,
  near: string,
  { azure }: Platform,
  planned: Planned,
): Promise<Host | undefined> {
  const there: Machine | undefined = isPending(machine) ? undefined : await azure.machines.get(machine)
  const made = isPending(machine) && machine.output !== undefined ? toBeMade(planned(machine.output.step)) : {}
  const [name, zone] = [there?.size ?? made.size ?? size, made.zone ?? said]
  if (name === undefined || isPending(name) || isPending(zone)) return undefined
  const location = there?.location ?? made.location
  // A size that is not offered is told by the step that makes the machine.
  const found = await azure.capacity.size(location ?? near, name)
  if (found === undefined) return undefined
  const others = (there?.dataDisks ?? []).filter(({ id }) => !disks.some((disk) => sameId(nameOf(id), disk.name)))
  return { location, size: found, zones: there?.zones ?? (zone === undefined ? [] : [zone]), others: others.length }
}

/** What `azure/nfs-vm` shows of a machine that it is going to make, as far as that is known. */
function toBeMade(changes: readonly Change[]): { readonly [key in 'size' | 'location' | 'zone']?: string } {
  const made = changes.find(({ resource, action }) => action === 'create' && resource.startsWith('virtualMachine '))
  return Object.fromEntries(Object.entries(made?.after ?? {}).filter(([, value]) => typeof value === 'string'))
}

function regionFindings({ location }: Host, { id, location: own }: Disk): Finding[] {
  if (location === undefined || samePlace(own, location)) return []
  return [
    {
      level: 'stop',
      what: `the disk ${nameOf(id)} is in ${own}, and the machine that is to have it in ${location}`,
      mend: 'A disk does not leave its region: write that one under `location` of the step that makes the machine.',
    },
  ]
}

function roomFindings({ size, others }: Host, count: number): Finding[] {
  if (others + count <= size.maxDataDisks) return []
  const beside = others === 0 ? '' : ` beside the ${others} that it has`
  return [
    {
      level: 'stop',
      what: `a ${size.name} takes ${size.maxDataDisks} data disks, and ${count} are to be attached${beside}`,
      mend: 'Choose a size with room for more under `size` of the step that makes the machine (`az vm list-skus`, MaxDataDiskCount).',
    },
  ]
}

function premiumFindings({ size }: Host, { id, sku }: Disk): Finding[] {
  if (!sku.startsWith('Premium') || size.premium) return []
  return [
    {
      level: 'stop',
      what: `the disk ${nameOf(id)} is ${sku}, and a ${size.name} takes no premium disks`,
      mend: 'Choose a size with premium storage: those have an `s` in their name, as Standard_E8s_v3.',
    },
  ]
}

/** A zonal disk goes to a machine of its zone, a regional one to a machine without zone, a zone-redundant one to any. */
function zoneFindings({ zones: own }: Host, { id, sku, zones }: Disk): Finding[] {
  if (sku.endsWith('ZRS') || (zones.length === 0 ? own.length === 0 : zones.some((zone) => own.includes(zone)))) return []
  const where = (of: readonly string[]): string => (of.length === 0 ? 'no zone' : sayZones(of))
  return [
    {
      level: 'stop',
      what: `the disk ${nameOf(id)} is in ${where(zones)}, and the machine that is to have it in ${where(own)}`,
      mend: `Make the machine in ${where(zones)}: write that under \`zone\` of the step that makes it.`,
    },
  ]
}
