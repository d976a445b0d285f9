import { parseId, resourceId, sameId } from '../world/ids.js'
import { seededUuid } from '../world/keys.js'
import type { Host, Resource } from '../world/model.js'
import { dataDisksOf, type World, WorldError } from '../world/world.js'
import { abandonDiskChange, beginDiskChange, finishDiskChange, planDiskChange, type AttachWish } from './attach.js'
import { machineBody } from './bodies-machine.js'
import { assertQuota, sizeOf } from './capacity.js'
import { assertIdle, notFound } from './generic.js'
import { fetchPackages, firstBootOf, firstPowerOn, makeHost } from './hosts.js'
import { prepareInterface } from './network.js'
import { notProvisioned } from './references.js'
import { removeResource } from './remove.js'
import { assertMachineSize, coresOf } from './sizes.js'
import { idOf, record, records, tagsOf, textOf, type ArmAnswer, type ArmRequest } from './wire.js'

const type = 'Microsoft.Compute/virtualMachines'

const invalid = (message: string): WorldError => new WorldError(400, 'InvalidParameter', message)

/** PUT of a machine: makes it, or changes its tags, size and data disks. */
export function putMachine(request: ArmRequest): ArmAnswer {
  const { world, params } = request
  const group = world.group(params['group'] ?? '')
  const id = resourceId(world.spec.subscription, group?.name ?? '', type, params['machine'] ?? '')
  assertIdle(world, id)
  const before = world.resource(id)
  if (before !== undefined && !isStillborn(world, before)) return updateMachine(request, before)
  if (before !== undefined) makeRoom(world, before)
  return createMachine(request, id)
}

/** With the OS disk that was made for it. */
function makeRoom(world: World, machine: Resource): void {
  const { osDisk } = record(machine.properties['storageProfile'])
  const disk = world.resource(idOf(record(record(osDisk)['managedDisk'])) ?? '')
  removeResource(world, machine)
  if (disk) removeResource(world, disk)
}

/** Making it has failed, so that there is nothing to be changed: a PUT makes it anew. */
function isStillborn(world: World, { id, properties }: Resource): boolean {
  return properties['provisioningState'] === 'Failed' && !world.hosts.has(id.toLowerCase())
}

function createMachine({ world, body, arm }: ArmRequest, id: string): ArmAnswer {
  const location = textOf(body['location'])?.toLowerCase().replaceAll(' ', '')
  if (location === undefined) throw new WorldError(400, 'LocationRequired', 'The location property is required for this definition.')
  const asked = structuredClone(record(body['properties']))
  const size = textOf(record(asked['hardwareProfile'])['vmSize']) ?? ''
  const zones = body['zones']
  assertMachineSize(world, size, Array.isArray(zones) ? textOf(zones[0]) : undefined)
  assertQuota(world, [{ size, count: 1 }], 409, 'OperationNotAllowed')
  const osProfile = checkedOsProfile(record(asked['osProfile']))
  const name = id.split('/').at(-1) ?? ''
  const machine: Resource = {
    id,
    name,
    type,
    location,
    tags: tagsOf(body['tags']),
    ...(Array.isArray(zones) && zones.length > 0 ? { zones: zones.map(String) } : {}),
    ...(body['identity'] === undefined ? {} : { identity: record(body['identity']) }),
    etag: world.unique(name),
    properties: {
      ...asked,
      vmId: world.unique(`vm ${id}`),
      provisioningState: 'Creating',
      timeCreated: new Date(world.clock.nowMs()).toISOString(),
    },
  }
  const interfaces = interfacesFor(world, machine, record(asked['networkProfile']))
  const { profile, osDisk } = storageFor(world, machine, record(asked['storageProfile']))
  const bare = { ...machine, properties: { ...machine.properties, storageProfile: { dataDisks: [] } } }
  const change = planDiskChange(world, bare, wishes(asked), [])

  // Nothing is refused from here on.
  const { customData: _notGivenBack, adminPassword: _neither, ...shown } = osProfile
  machine.properties['osProfile'] = { ...shown, requireGuestProvisionSignal: true, allowExtensionOperations: true, secrets: [] }
  machine.properties['storageProfile'] = profile
  machine.properties['networkProfile'] = {
    networkInterfaces: interfaces.map((nic, at) => ({ id: nic.id, properties: { primary: at === 0 } })),
  }
  for (const nic of interfaces) {
    world.put(nic)
    nic.properties['virtualMachine'] = { id }
  }
  world.put(osDisk)
  world.put(machine)
  beginDiskChange(world, machine, change)
  const first = firstBootOf(osProfile, isPrepared(world, profile))
  const host = makeHost(world, machine, first)
  const operation = world.begin(
    'vm create',
    id,
    world.durationOf('vm create'),
    () => {
      firstPowerOn(world, host, first)
      finishDiskChange(world, machine, change)
      fetchPackages(world, machine, host)
      firstBoot(world, host)
      // Reads are a little behind the operation: what polls only that reads Creating.
      world.clock.schedule(world.durationOf('read lag'), () => {
        // What has begun or failed since says more.
        if (machine.properties['provisioningState'] === 'Creating') settled(world, machine, 'Succeeded')
      })
    },
    () => {
      abandonDiskChange(world, change)
      world.hosts.delete(id.toLowerCase())
      settled(world, machine, 'Failed')
    },
  )
  return { status: 201, body: machineBody(world, machine), headers: arm.operations.track({ operation, namespace: 'Microsoft.Compute' }, ['async']) }
}

/** Does the image of a new machine have ZFS and NFS already? */
function isPrepared(world: World, profile: Record<string, unknown>): boolean {
  const id = textOf(record(profile['imageReference'])['id'])
  return id !== undefined && world.spec.preparedImages.some((one) => sameId(one, id))
}

/** Cloud-init goes on after Azure calls the machine made. On record, because whoever waits for the host waits for it. */
function firstBoot(world: World, host: Host): void {
  const leftMs = host.cloudInitUntilMs - world.clock.nowMs()
  if (leftMs > 0) world.begin('first boot', host.machine, leftMs, () => undefined)
}

function settled(world: World, machine: Resource, state: string): void {
  machine.properties['provisioningState'] = state
  world.changed()
}

function checkedOsProfile(osProfile: Record<string, unknown>): Record<string, unknown> {
  if (textOf(osProfile['adminUsername']) === undefined) throw invalid("Required parameter 'adminUsername' is missing (null).")
  const customData = osProfile['customData'] ?? ''
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(textOf(customData) ?? '?')) {
    throw invalid('Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 characters.')
  }
  const linux = record(osProfile['linuxConfiguration'])
  const keys = records(record(linux['ssh'])['publicKeys'])
  if (linux['disablePasswordAuthentication'] === true && keys.length === 0) {
    throw invalid("Authentication using SSH requires a public key: 'linuxConfiguration.ssh.publicKeys' is empty.")
  }
  for (const key of keys) {
    if (!/^(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]+=*/.test(textOf(key['keyData']) ?? '')) throw invalid('The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.')
    const path = `/home/${String(osProfile['adminUsername'])}/.ssh/authorized_keys`
    if (key['path'] !== path) throw invalid(`Destination path for SSH public keys is currently limited to its default value ${path}.`)
  }
  return osProfile
}

/** The interfaces of a new machine: those that are named must exist and be free; those declared inline are made with it. */
function interfacesFor(world: World, machine: Resource, profile: Record<string, unknown>): Resource[] {
  const named = records(profile['networkInterfaces']).map((one) => {
    const id = idOf(one) ?? ''
    const nic = world.resource(id)
    if (!nic) throw new WorldError(404, 'NotFound', `Resource ${id} not found.`)
    const user = idOf(nic.properties['virtualMachine'])
    if (user !== undefined) {
      throw new WorldError(400, 'NicInUse', `Network Interface ${nic.id} is used by existing resource ${user}.`)
    }
    if (nic.properties['provisioningState'] !== 'Succeeded') throw notProvisioned(nic, machine.id)
    return nic
  })
  const inline = records(profile['networkInterfaceConfigurations'])
  if (inline.length > 0 && textOf(profile['networkApiVersion']) === undefined) {
    throw invalid("Required parameter 'networkProfile.networkApiVersion' is missing (null).")
  }
  const made = inline.map((one) => inlineInterface(world, machine, one))
  const all = [...named, ...made]
  if (all.length === 0) throw new WorldError(400, 'NetworkProfileMissing', `Virtual Machine ${machine.name} must have at least one network interface.`)
  return all
}

function inlineInterface(world: World, machine: Resource, declared: Record<string, unknown>): Resource {
  const name = textOf(declared['name']) ?? `${machine.name}-nic`
  const group = parseId(machine.id)?.group ?? ''
  const nic: Resource = {
    id: resourceId(world.spec.subscription, group, 'Microsoft.Network/networkInterfaces', name),
    name,
    type: 'Microsoft.Network/networkInterfaces',
    location: machine.location,
    tags: {},
    etag: world.unique(name),
    properties: { ...record(declared['properties']), provisioningState: 'Succeeded' },
  }
  prepareInterface(world, nic, undefined)
  return nic
}

/** The storage profile of a new machine, and the OS disk that is made from its image. */
function storageFor(
  world: World,
  machine: Resource,
  asked: Record<string, unknown>,
): { profile: Record<string, unknown>; osDisk: Resource } {
  const image = record(asked['imageReference'])
  if (Object.keys(image).length === 0) throw invalid("Required parameter 'storageProfile.imageReference' is missing (null).")
  assertImage(world, image)
  const wanted = record(asked['osDisk'])
  const name = textOf(wanted['name']) ?? `${machine.name}_OsDisk_1_${seededUuid(machine.id).replaceAll('-', '')}`
  const id = resourceId(world.spec.subscription, parseId(machine.id)?.group ?? '', 'Microsoft.Compute/disks', name)
  if (world.resource(id)) throw new WorldError(409, 'ConflictingUserInput', `Disk ${name} already exists in the resource group.`)
  const sku = textOf(record(wanted['managedDisk'])['storageAccountType']) ?? 'Premium_LRS'
  const osDisk: Resource = {
    id,
    name,
    type: 'Microsoft.Compute/disks',
    location: machine.location,
    tags: {},
    ...(machine.zones ? { zones: machine.zones } : {}),
    sku: { name: sku },
    managedBy: machine.id,
    properties: {
      provisioningState: 'Succeeded',
      osType: 'Linux',
      diskSizeGB: Number(wanted['diskSizeGB'] ?? 30),
      creationData: { createOption: 'FromImage', imageReference: image },
      diskState: 'Attached',
      uniqueId: world.unique(`disk ${id}`),
      timeCreated: new Date(world.clock.nowMs()).toISOString(),
    },
  }
  const usual = { osType: 'Linux', caching: 'ReadWrite', deleteOption: 'Detach', createOption: 'FromImage' }
  const profile = {
    imageReference: image,
    osDisk: { ...usual, ...wanted, name, managedDisk: { storageAccountType: sku, id } },
    dataDisks: [],
  }
  return { profile, osDisk }
}

/** An image by its id must be there; those of the marketplace all are. */
function assertImage(world: World, image: Record<string, unknown>): void {
  const id = textOf(image['id'])
  if (id === undefined || world.resource(id) !== undefined) return
  if (!/\/galleries\//i.test(id)) throw notFound(id)
  const message =
    `The gallery image ${id} is not available in ${world.spec.location} region. ` +
    'Please contact image owner to replicate to this region, or change your requested region.'
  throw new WorldError(404, 'GalleryImageNotFound', message)
}

function wishes(properties: Record<string, unknown>): AttachWish[] {
  return records(record(properties['storageProfile'])['dataDisks'])
    .filter((one) => one['toBeDetached'] !== true)
    .map((one) => {
      const diskId = idOf(one['managedDisk'])
      if (diskId === undefined) throw invalid('The world attaches existing data disks only: managedDisk.id is missing.')
      const caching = textOf(one['caching'])
      return { diskId, ...(typeof one['lun'] === 'number' ? { lun: one['lun'] } : {}), ...(caching === undefined ? {} : { caching }) }
    })
}

/** A machine is updated by reading it and putting it back whole: its list of data disks is then the whole truth. */
export function updateMachine({ world, body, arm }: ArmRequest, machine: Resource): ArmAnswer {
  const asked = record(body['properties'])
  const size = textOf(record(asked['hardwareProfile'])['vmSize'])
  if (size !== undefined && coresOf(size) === undefined) throw invalid(`The value ${size} provided for the VM size is not valid.`)
  assertSame(machine, body, asked)
  const listed = record(asked['storageProfile'])['dataDisks'] === undefined ? undefined : wishes(asked)
  const has = (id: string): boolean => dataDisksOf(machine).some((one) => sameId(one.managedDisk.id, id))
  const attach = (listed ?? []).filter((one) => !has(one.diskId))
  const detach = dataDisksOf(machine).filter((one) => listed && !listed.some((each) => sameId(each.diskId, one.managedDisk.id)))
  const change = planDiskChange(world, machine, attach, detach.map((one) => one.managedDisk.id))
  if (size !== undefined && size !== sizeOf(machine)) machine.properties['hardwareProfile'] = { vmSize: size }
  if (body['tags'] !== undefined) machine.tags = tagsOf(body['tags'])
  machine.etag = world.unique(machine.name)
  machine.properties['provisioningState'] = 'Updating'
  beginDiskChange(world, machine, change)
  const what = change.detach.length > 0 ? 'detach' : change.attach.length > 0 ? 'attach' : 'vm update'
  const operation = world.begin(
    what,
    machine.id,
    world.durationOf(what),
    () => {
      finishDiskChange(world, machine, change)
      settled(world, machine, 'Succeeded')
    },
    () => {
      abandonDiskChange(world, change)
      settled(world, machine, 'Failed')
    },
    [...change.attach, ...change.detach].map((entry) => entry.managedDisk.id),
  )
  return { status: 200, body: machineBody(world, machine), headers: arm.operations.track({ operation, namespace: 'Microsoft.Compute' }, ['async']) }
}

/** What nobody can change in a machine that exists. */
function assertSame(machine: Resource, body: Readonly<Record<string, unknown>>, asked: Record<string, unknown>): void {
  const refuse = (what: string): never => {
    throw new WorldError(409, 'PropertyChangeNotAllowed', `Changing property '${what}' is not allowed.`)
  }
  const zones = body['zones']
  if (Array.isArray(zones) && zones.join() !== (machine.zones ?? []).join()) refuse('zones')
  const user = textOf(record(asked['osProfile'])['adminUsername'])
  if (user !== undefined && user !== textOf(record(machine.properties['osProfile'])['adminUsername'])) refuse('osProfile.adminUsername')
  const nics = (profile: unknown): string => records(record(profile)['networkInterfaces']).map((one) => (idOf(one) ?? '').toLowerCase()).sort().join()
  if (asked['networkProfile'] !== undefined && nics(asked['networkProfile']) !== nics(machine.properties['networkProfile'])) {
    refuse('networkProfile.networkInterfaces')
  }
}
