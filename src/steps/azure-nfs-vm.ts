import { readFile } from 'node:fs/promises'
import ssh2 from 'ssh2'
import { z } from 'zod'
import { errorFacts, file, isPending, LifeboatError, resourceId, type Change, type Demand, type Finding, type Observation, type PlanInputs } from '../contract/index.js'
import type { Machine, MachineDefinition, Resource } from '../platform/azure/door.js'
import { nameOf, sameId, samePlace } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import type { SshHost } from '../platform/ssh/door.js'
import { addressFindings } from './parts/address.js'
import { capacityFindings } from './parts/capacity.js'
import { governanceFindings, type Made } from './parts/governance.js'
import { nfsHostCloudInit } from './parts/nfs-host-cloud-init.js'
import { naming } from './parts/naming.js'
import { actionsFor, isMaking, lockFindings, rightsFindings, together, type Need } from './parts/readiness.js'
import { wayFindings } from './parts/ssh.js'
import { assertWayOut, wayOutFindings, wayOutMend, whyNoWayOut } from './parts/way-out.js'
import { claim, defineStep, ended, groupClaim, idIn, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  resourceGroup: z.string(),
  location: z.string(),
  name: z.string(),
  size: z.string(),
  zone: z.string().optional(),
  subnet: resourceId,
  privateIp: z.ipv4(),
  adminUser: z.string(),
  /** Path of a private key; its public half is put on the machine. */
  sshKey: file,
  image: z
    .strictObject({ publisher: z.string(), offer: z.string(), sku: z.string(), version: z.string().default('latest') })
    .default({ publisher: 'Debian', offer: 'debian-12', sku: '12-gen2', version: 'latest' }),
})
type Inputs = z.infer<typeof inputs>
const outputs = z.object({ id: z.string(), privateIp: z.string() })
type Outputs = z.infer<typeof outputs>

interface Seen {
  readonly missing: readonly string[]
}

const nicLabel = (name: string): string => `networkInterface ${name}-nic`
const machineLabel = (name: string): string => `virtualMachine ${name}`

/** An NFS host: ready only when SSH answers and its kernel has loaded ZFS. */
export const nfsVm = defineStep({
  uses: 'azure/nfs-vm',
  summary: 'A virtual machine with ZFS and NFS, at a fixed address',
  inputs,
  outputs,
  identity: ['resourceGroup', 'name', 'subnet', 'privateIp', 'size', 'zone', 'adminUser', 'sshKey'],
  verification: () => ({ everyMs: 10 * seconds, withinMs: 30 * minutes }),
  preflight: (changes, wanted, { doors }) =>
    together<Finding | Demand>(
      loginFindings(wanted, doors),
      makesMachine(changes) ? roomFindings(wanted, doors) : Promise.resolve([]),
      makesMachine(changes) ? wayOutFindings(wanted.subnet, doors) : Promise.resolve([]),
      changes.some(({ resource, action }) => resource.startsWith('networkInterface ') && action === 'create') ? addressFindings(wanted, doors) : Promise.resolve([]),
      governanceFindings(doors, changes, wanted.resourceGroup, madeBy(wanted)),
      rightsFindings(doors, needsOf(changes, wanted)),
      lockFindings(doors, wanted.resourceGroup, changes),
    ),
  async observe(wanted, { doors }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) return { state: 'absent' }
    const ids = idsIn(group.id, wanted.name)
    const [nic, machine] = await Promise.all([doors.azure.resources.get(ids.nic), doors.azure.machines.get(ids.machine)])
    if (nic === undefined && machine === undefined) return { state: 'absent' }
    const states = [nic?.properties['provisioningState'], machine?.provisioningState]
    const changing = states.find((state) => state === 'Creating' || state === 'Updating' || state === 'Deleting')
    if (changing !== undefined) return { state: 'in-flight', what: `${wanted.name} is ${changing.toLowerCase()}` }
    const wrong = foreignUse(ids, nic, machine) ?? conflictOf(wanted, nic, machine)
    if (wrong !== undefined) return { state: 'conflict', ...wrong }
    const missing = [...(nic === undefined ? [nicLabel(wanted.name)] : []), ...(machine === undefined ? [machineLabel(wanted.name)] : [])]
    if (missing.length > 0 || machine === undefined) return { state: 'drifted', seen: { missing } }
    return readiness(machine, wanted, doors)
  },
  plan({ name, size, zone, subnet, privateIp, location }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const own = naming(name, 'name')
    const all: Change[] = [
      { resource: nicLabel(own), action: 'create', after: { subnet, privateIp } },
      { resource: machineLabel(own), action: 'create', after: { size, location, ...(zone === undefined ? {} : { zone }) } },
    ]
    return seen.state === 'absent' ? all : all.filter(({ resource }) => seen.seen.missing.includes(resource))
  },
  async apply(changes, wanted, { doors, checkpoint, signal }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('machine.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const { machines, resources } = doors.azure
    const ids = idsIn(group.id, wanted.name)
    if (makesMachine(changes)) await assertWayOut(wanted.subnet, doors)
    const planned = new Map(changes.map(({ resource, action }) => [resource, action]))
    // The machine holds the interface: made after it, deleted before it.
    if (planned.get(machineLabel(wanted.name)) === 'delete') await ended(await machines.delete(ids.machine), signal)
    if (planned.get(nicLabel(wanted.name)) === 'delete') await ended(await resources.delete(ids.nic), signal)
    if (planned.get(nicLabel(wanted.name)) === 'create') await ended(await resources.put(nicResource(ids.nic, wanted)), signal)
    if (planned.get(machineLabel(wanted.name)) !== 'create') return
    const operation = await machines.create(ids.machine, await definitionOf(wanted, ids.nic))
    await checkpoint({ accepted: `create ${machineLabel(wanted.name)}` })
    await ended(operation, signal)
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ resourceGroup, name }) => [groupClaim(known(resourceGroup)), claim('machine', known(name))],
  estimateMs: () => 5 * minutes,
})

function makesMachine(changes: readonly Change[]): boolean {
  return changes.some(({ resource, action }) => resource.startsWith('virtualMachine ') && action === 'create')
}

async function roomFindings({ location, size, zone }: PlanInputs<Inputs>, doors: Platform): Promise<(Finding | Demand)[]> {
  if (isPending(size) || isPending(zone)) return []
  return capacityFindings(doors, location, [{ size, count: 1, zones: zone === undefined ? [] : [zone] }])
}

function madeBy({ name, location, size, zone, image }: PlanInputs<Inputs>): Made[] {
  const zones = zone === undefined || isPending(zone) ? {} : { zones: [zone] }
  const properties = { hardwareProfile: { vmSize: size }, storageProfile: { imageReference: image } }
  return [
    { type: types.networkInterface, location, ...(isPending(name) ? {} : { name: `${name}-nic` }) },
    { type: types.virtualMachine, name, location, ...zones, properties },
  ]
}

/** A key that is none is told once, not again for every host that it would not open. */
async function loginFindings(wanted: PlanInputs<Inputs>, doors: Platform): Promise<Finding[]> {
  const key = await keyFindings(wanted)
  return key.length > 0 ? key : wayFindings(wanted, doors)
}

async function keyFindings({ sshKey }: PlanInputs<Inputs>): Promise<Finding[]> {
  if (isPending(sshKey)) return []
  try {
    await publicKeyOf(sshKey)
    return []
  } catch (error) {
    return [{ level: 'stop', what: errorFacts(error).message, mend: 'Name the file of a private key without a passphrase under `sshKey`.' }]
  }
}

const types = { networkInterface: 'Microsoft.Network/networkInterfaces', virtualMachine: 'Microsoft.Compute/virtualMachines' }

/** The interface joins the subnet, the machine its interface; its SSH host keys are read by runCommand. */
function needsOf(changes: readonly Change[], { resourceGroup, subnet }: PlanInputs<Inputs>): Need[] {
  const own = actionsFor(changes, types)
  if (!isMaking(changes)) return [{ scope: resourceGroup, actions: own }]
  return [
    { scope: resourceGroup, actions: [...own, `${types.networkInterface}/join/action`, `${types.virtualMachine}/runCommand/action`] },
    { scope: subnet, actions: ['Microsoft.Network/virtualNetworks/subnets/join/action'] },
  ]
}

function idsIn(groupId: string, name: string): { nic: string; machine: string } {
  return {
    nic: idIn(groupId, 'Microsoft.Network/networkInterfaces', `${name}-nic`),
    machine: idIn(groupId, 'Microsoft.Compute/virtualMachines', name),
  }
}

interface IpConfiguration {
  readonly properties: { readonly privateIPAddress?: string; readonly subnet?: { readonly id?: string } }
}

interface Conflict {
  readonly why: string
  readonly mend: string
}

const another = 'Delete it if nobody needs it, or use another name in the runbook.'

/** Both names may be taken by something that is not ours: a machine at another interface, an interface of another machine. */
function foreignUse(ids: ReturnType<typeof idsIn>, nic: Resource | undefined, machine: Machine | undefined): Conflict | undefined {
  const user = (nic?.properties['virtualMachine'] as { readonly id?: string } | undefined)?.id
  if (user !== undefined && !sameId(user, ids.machine)) return { why: `interface ${nameOf(ids.nic)} belongs to another machine, ${user}`, mend: another }
  if (machine === undefined || machine.interfaces.some((id) => sameId(id, ids.nic))) return undefined
  return { why: `there is another machine ${nameOf(ids.machine)}, at the interface ${machine.interfaces.join(', ')}`, mend: another }
}

function conflictOf(wanted: Wanted, nic: Resource | undefined, machine: Machine | undefined): Conflict | undefined {
  const why = nicDifference(wanted, nic) ?? (machine === undefined ? undefined : machineDifference(wanted, machine))
  if (why !== undefined) return { why, mend: another }
  if (machine !== undefined && /^(deallocat|stopp)ed$/.test(machine.powerState ?? '')) {
    return { why: `machine ${wanted.name} is ${String(machine.powerState)}`, mend: 'Start it (az vm start) if it may run, then resume.' }
  }
  return undefined
}

type Wanted = Pick<Inputs, 'name' | 'subnet' | 'privateIp' | 'size' | 'zone'> & { readonly location: unknown }

function nicDifference(wanted: Wanted, nic: Resource | undefined): string | undefined {
  const [configuration] = (nic?.properties['ipConfigurations'] ?? []) as unknown as readonly IpConfiguration[]
  if (configuration === undefined) return undefined
  const { privateIPAddress: address, subnet } = configuration.properties
  if (address !== wanted.privateIp) return `interface ${wanted.name}-nic has the address ${String(address)}, not ${wanted.privateIp}`
  return sameId(subnet?.id, wanted.subnet) ? undefined : `interface ${wanted.name}-nic is in another subnet`
}

function machineDifference(wanted: Wanted, machine: Machine): string | undefined {
  const { name, zone, size, location } = wanted
  if (machine.provisioningState === 'Failed') return `machine ${name} exists, but making or changing it failed`
  if (typeof location === 'string' && !samePlace(location, machine.location)) return `machine ${name} is in ${machine.location}, not in ${location}`
  if (zone !== undefined && !machine.zones.includes(zone)) return `machine ${name} is in zone ${machine.zones.join() || 'none'}, not ${zone}`
  if (machine.size.toLowerCase() !== size.toLowerCase()) return `machine ${name} is a ${machine.size}, not a ${size}`
  return undefined
}

/** Waits for cloud-init, whatever it says in the end: what counts is that the kernel has ZFS. One connection tells all. */
const bootCheck = [
  ...['sh', '-c'],
  'cloud-init status --long; test -d /sys/module/zfs && echo zfs: loaded; test -e /usr/sbin/zpool && echo zfs: installed',
]

async function readiness(machine: Machine, wanted: Wanted & Pick<Inputs, 'adminUser' | 'sshKey'>, doors: Platform): Promise<Observation<Outputs, Seen>> {
  const { provisioningState, powerState } = machine
  if (provisioningState !== 'Succeeded' || powerState !== 'running') {
    return { state: 'in-flight', what: `machine is ${provisioningState.toLowerCase()}, ${powerState ?? 'not running yet'}` }
  }
  const host: SshHost = { machine: machine.id, user: wanted.adminUser, key: wanted.sshKey }
  let said: string
  try {
    said = (await doors.ssh.read(host, bootCheck)).stdout
  } catch (error) {
    // Not up yet. A wrong host key or a key that is refused will not mend itself, and is not waited for.
    if (!(error instanceof LifeboatError) || error.retry === undefined) throw error
    return { state: 'in-flight', what: `it boots, or its security group keeps us out: ${error.message}` }
  }
  if (/^status: (running|not run|not started)/m.test(said)) return { state: 'in-flight', what: 'it answers by SSH; packages and ZFS are being installed' }
  const [isLoaded, isInstalled] = [/^zfs: loaded/m.test(said), /^zfs: installed/m.test(said)]
  if (/^status: error/m.test(said)) return failedBoot(machine, said, wanted.subnet, doors)
  if (isLoaded) return { state: 'converged', outputs: { id: machine.id, privateIp: wanted.privateIp } }
  if (isInstalled) return { state: 'in-flight', what: 'its first boot is over, but its kernel has not loaded ZFS' }
  if (/^status: done/m.test(said)) return failedBoot(machine, said, wanted.subnet, doors)
  return { state: 'unknown', why: 'cloud-init does not say how far it is' }
}

/** What cloud-init could not do will not come by waiting. After another start it says `done` all the same. */
async function failedBoot({ id }: Machine, said: string, subnet: string, doors: Platform): Promise<Observation<Outputs, Seen>> {
  const noPackages = !/^zfs: installed/m.test(said)
  const why = noPackages ? await whyNoWayOut(subnet, doors) : undefined
  const what = noPackages ? 'its packages for ZFS and NFS could not be installed' : 'cloud-init ended with an error'
  const because = why === undefined ? '' : ` (${why})`
  const first = why === undefined ? 'Its /var/log/cloud-init-output.log says why.' : wayOutMend
  return { state: 'conflict', why: `the first boot of ${id} failed: ${what}${because}`, mend: `${first} Then delete the machine, or mend it by hand, and resume.` }
}

function nicResource(id: string, { location, subnet, privateIp }: Inputs): Resource {
  const properties = { privateIPAllocationMethod: 'Static', privateIPAddress: privateIp, subnet: { id: subnet } }
  return { id, location, properties: { ipConfigurations: [{ name: 'primary', properties: { ...properties, primary: true } }] } }
}

async function definitionOf(wanted: Inputs, nic: string): Promise<MachineDefinition> {
  return {
    location: wanted.location,
    size: wanted.size,
    image: wanted.image,
    adminUser: wanted.adminUser,
    publicKey: await publicKeyOf(wanted.sshKey),
    cloudInit: nfsHostCloudInit(wanted.name),
    interfaces: [nic],
    ...(wanted.zone === undefined ? {} : { zones: [wanted.zone] }),
  }
}

/** The public half of a private key file, as `authorized_keys` has it. Throws `machine.key`. */
async function publicKeyOf(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LifeboatError('machine.key', `the SSH key ${path} cannot be read`, { blame: 'user', cause })
  })
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error || Array.isArray(key)) {
    throw new LifeboatError('machine.key', `${path} is no private SSH key, or it has a passphrase`, { blame: 'user' })
  }
  return `${key.type} ${key.getPublicSSH().toString('base64')}`
}
