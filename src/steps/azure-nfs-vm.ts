import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import {
  errorFacts,
  isPending,
  LifeboatError,
  type Change,
  type Demand,
  type Finding,
  type Json,
  type Patience,
  type PlanInputs,
  type PreflightContext,
} from '../contract/index.js'
import { file, resourceId } from '../contract/inputs.js'
import type { Machine, MachineDefinition, Resource } from '../platform/azure/door.js'
import { nameOf, sameId, samePlace } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { addressFindings } from './parts/address.js'
import { capacityFindings, publicAddressDemands } from './parts/capacity.js'
import { firstBootOf } from './parts/first-boot.js'
import { governanceFindings, type Made } from './parts/governance.js'
import { debian, image, imageFindings, isPrepared } from './parts/image.js'
import { nfsHostCloudInit, preparedCloudInit } from './parts/nfs-host-cloud-init.js'
import { naming } from './parts/naming.js'
import { addressResource, addressType, standardAddress } from './parts/nat-gateway.js'
import { actionsFor, isMaking, lockFindings, rightsFindings, together, type Need } from './parts/readiness.js'
import { wayFindings } from './parts/ssh.js'
import { assertWayOut, wayOutFindings } from './parts/way-out.js'
import { writtenAs } from './parts/writes.js'
import { claim, defineStep, ended, failedIsHalfMade, groupClaim, groupOf, hostLabel, idIn, invertedUnlessMended, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  resourceGroup: z.string(),
  location: z.string(),
  name: z.string(),
  size: z.string(),
  zone: z.string().optional(),
  subnet: resourceId,
  privateIp: z.ipv4(),
  publicIp: z.boolean().default(false).describe('A public address too, for an operator without a jump host (reach `direct`): limit `sshFrom` to yours.'),
  adminUser: z.string(),
  /** Path of a private key; its public half is put on the machine. */
  sshKey: file,
  image: image.default(debian).describe('From the marketplace: ZFS and NFS are fetched. Or { id } of an image of yours that has them: nothing is.'),
})
type Inputs = z.infer<typeof inputs>
const outputs = z.object({ id: z.string(), privateIp: z.string() })

interface Seen {
  readonly missing: readonly string[]
  /** Is the interface there without the public address that it should have? */
  readonly unlinked: boolean
  /** Is the interface there, and was making it a failure? No machine is made at it then (409). */
  readonly nicFailed?: boolean
  /** The same of its public address: no interface is given it then (409). */
  readonly addressFailed?: boolean
}

const nicLabel = (name: string): string => `networkInterface ${name}-nic`
const machineLabel = (name: string): string => `virtualMachine ${name}`
const addressLabel = (name: string): string => `publicIPAddress ${addressName(name)}`
const addressName = (machine: string): string => `${machine}-ip`

/** An NFS host: ready only when SSH answers and its kernel has loaded ZFS. */
export const nfsVm = defineStep({
  uses: 'azure/nfs-vm',
  summary: 'A virtual machine with ZFS and NFS, at a fixed address',
  inputs,
  outputs,
  identity: ['resourceGroup', 'name', 'subnet', 'privateIp', 'publicIp', 'size', 'zone', 'adminUser', 'sshKey'],
  verification: () => ({ everyMs: 10 * seconds, withinMs: 30 * minutes }),
  preflight: (changes, wanted, { doors, planned }) =>
    together<Finding | Demand>(
      makesMachine(changes) ? loginFindings(wanted, doors) : Promise.resolve([]),
      makesMachine(changes) ? roomFindings(wanted, doors) : Promise.resolve([]),
      makesMachine(changes) ? sourceFindings(wanted, doors, planned) : Promise.resolve([]),
      changes.some(({ resource, action }) => resource.startsWith('networkInterface ') && action === 'create') ? addressFindings(wanted, doors, planned) : Promise.resolve([]),
      addressDemands(changes, wanted, doors),
      governanceFindings(doors, changes, wanted.resourceGroup, madeBy(wanted)),
      rightsFindings(doors, needsOf(changes, wanted)),
      lockFindings(doors, wanted.resourceGroup, changes),
    ),
  async observe(wanted, { doors, signal }) {
    const ids = idsIn(doors.azure.groups.idOf(wanted.resourceGroup), wanted.name)
    const [nic, machine, address] = await Promise.all([
      doors.azure.resources.get(ids.nic),
      doors.azure.machines.get(ids.machine),
      wanted.publicIp ? doors.azure.resources.get(ids.address) : undefined,
    ])
    if (nic === undefined && machine === undefined && address === undefined) return { state: 'absent' }
    const states = [nic?.properties['provisioningState'], machine?.provisioningState, address?.properties['provisioningState']]
    const changing = states.find((state) => state === 'Creating' || state === 'Updating' || state === 'Deleting')
    if (changing !== undefined) return { state: 'in-flight', what: `${wanted.name} is ${changing.toLowerCase()}` }
    const wrong = foreignUse(ids, nic, machine) ?? conflictOf(wanted, ids, nic, machine)
    if (wrong !== undefined) return { state: 'conflict', ...wrong }
    const unlinked = wanted.publicIp && nic !== undefined && publicIdOf(nic) === undefined
    const addressFailed = isFailed(address)
    const missing = [
      ...(wanted.publicIp && address === undefined ? [addressLabel(wanted.name)] : []),
      ...(nic === undefined ? [nicLabel(wanted.name)] : []),
      ...(machine === undefined ? [machineLabel(wanted.name)] : []),
    ]
    if (missing.length > 0 || unlinked || addressFailed || machine === undefined) {
      return { state: 'drifted', seen: { missing, unlinked, nicFailed: machine === undefined && isFailed(nic), addressFailed } }
    }
    const { dumb, ...boot } = { dumb: undefined, ...(await firstBootOf(machine, wanted, doors)) }
    signal.throwIfAborted()
    if (boot.state === 'ready') return { state: 'converged', outputs: { id: machine.id, privateIp: wanted.privateIp } }
    const told = dumb === true && machine.provisioningState === 'Failed' ? { ...boot, patience: silence(wanted.name, machine) } : boot
    // Deleting one that is still silent or lets nobody in, or whose first boot failed, needs no answer of it.
    const isIdle = /^(Succeeded|Failed)$/.test(machine.provisioningState) && machine.dataDisks.length === 0
    return isIdle ? { ...told, halfMade: machineLabel(wanted.name) } : told
  },
  plan({ name, size, zone, subnet, privateIp, publicIp, location }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const own = naming(name, 'name')
    const link = naming(publicIp, 'publicIp') ? { publicAddress: addressName(own) } : {}
    const all: Change[] = [
      ...('publicAddress' in link ? [{ resource: addressLabel(own), action: 'create', after: standardAddress } as const] : []),
      { resource: nicLabel(own), action: 'create', after: { subnet, privateIp, ...link } },
      { resource: machineLabel(own), action: 'create', after: { size, location, ...(zone === undefined ? {} : { zone }) } },
    ]
    if (seen.state === 'absent') return all
    const { missing, unlinked, nicFailed, addressFailed } = seen.seen
    const made = all.filter(({ resource }) => missing.includes(resource))
    const address: Change[] = addressFailed === true ? [{ resource: addressLabel(own), action: 'update', before: { state: 'Failed' }, after: standardAddress }] : []
    const before = { ...(unlinked ? { publicAddress: null } : {}), ...(nicFailed === true ? { state: 'Failed' } : {}) }
    const after = nicFailed === true ? { subnet, privateIp, ...link } : link
    const mended: Change[] = unlinked || nicFailed === true ? [{ resource: nicLabel(own), action: 'update', before, after }] : []
    const isMachine = ({ resource }: Change): boolean => resource === machineLabel(own)
    return [...address, ...made.filter((one) => !isMachine(one)), ...mended, ...made.filter(isMachine)]
  },
  async apply(changes, wanted, { doors, checkpoint, signal }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('machine.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const { machines, resources } = doors.azure
    const ids = idsIn(group.id, wanted.name)
    if (makesMachine(changes) && !isPrepared(wanted.image) && !wanted.publicIp) await assertWayOut(wanted.subnet, doors)
    const planned = new Map(changes.map(({ resource, action }) => [resource, action]))
    const [address, nic] = [planned.get(addressLabel(wanted.name)), planned.get(nicLabel(wanted.name))]
    // The machine holds the interface, and that its public address: each made before what holds it, deleted after it.
    if (planned.get(machineLabel(wanted.name)) === 'delete') {
      await assertBare(ids.machine, doors)
      await ended(await machines.delete(ids.machine), signal)
    }
    if (nic === 'delete') await ended(await resources.delete(ids.nic), signal)
    if (nic === 'update' && isUnlinking(changes)) await ended(await resources.put(await nicWith(null, ids, wanted, doors)), signal)
    if (address === 'delete') await ended(await resources.delete(ids.address), signal)
    if (address === 'create') await ended(await resources.put(addressResource(ids.address, wanted.location)), signal)
    if (address === 'update') await ended(await resources.put((await resources.get(ids.address)) ?? addressResource(ids.address, wanted.location)), signal)
    if (nic === 'create') await ended(await resources.put(nicResource(ids, wanted)), signal)
    if (nic === 'update' && !isUnlinking(changes)) await ended(await resources.put(await nicWith(wanted.publicIp ? ids.address : undefined, ids, wanted, doors)), signal)
    if (planned.get(machineLabel(wanted.name)) !== 'create') return
    const operation = await machines.create(ids.machine, await definitionOf(wanted, ids.nic))
    await checkpoint({ accepted: `create ${machineLabel(wanted.name)}` })
    await ended(operation, signal)
  },
  invert: (changes) => changes.map(invertedUnlessMended),
  isBack: failedIsHalfMade,
  writes: (changes, { resourceGroup }) => changes.flatMap((change) => writtenAs(change, types, resourceGroup)),
  claims: ({ resourceGroup, name }) => [groupClaim(known(resourceGroup)), claim('machine', known(name))],
  estimateMs: (wanted) => (!isPending(wanted.image) && isPrepared(wanted.image) ? 2 : 5) * minutes,
})

/** Is a public address taken off an interface that stays? */
function isUnlinking(changes: readonly Change[]): boolean {
  return changes.some(({ resource, action, after }) => {
    return resource.startsWith('networkInterface ') && action === 'update' && (after as { publicAddress?: string | null }).publicAddress === null
  })
}

function makesMachine(changes: readonly Change[]): boolean {
  return changes.some(({ resource, action }) => resource.startsWith('virtualMachine ') && action === 'create')
}

/** Will the machine have ZFS and NFS? From its image, or from outside. */
function sourceFindings(wanted: PlanInputs<Inputs>, doors: Platform, planned: PreflightContext<Platform>['planned']): Promise<Finding[]> {
  const { image: source, location, subnet, publicIp } = wanted
  if (isPending(source) || isPrepared(source)) return imageFindings(source, location, doors)
  // Its own public address is a way out.
  return publicIp === true ? Promise.resolve([]) : wayOutFindings(subnet, doors, planned)
}

async function addressDemands(changes: readonly Change[], { location }: PlanInputs<Inputs>, doors: Platform): Promise<Demand[]> {
  const isMade = changes.some(({ resource, action }) => resource.startsWith('publicIPAddress ') && action === 'create')
  return isMade && !isPending(location) ? publicAddressDemands(doors, location, 1) : []
}

async function roomFindings({ location, size, zone }: PlanInputs<Inputs>, doors: Platform): Promise<(Finding | Demand)[]> {
  if (isPending(size) || isPending(zone)) return []
  return capacityFindings(doors, location, [{ size, count: 1, zones: zone === undefined ? [] : [zone] }])
}

function madeBy({ name, location, size, zone, image: source, publicIp }: PlanInputs<Inputs>): Made[] {
  const zones = zone === undefined || isPending(zone) ? {} : { zones: [zone] }
  const properties = { hardwareProfile: { vmSize: size }, storageProfile: { imageReference: source } }
  const named = (suffix: string): Pick<Made, 'name'> => (isPending(name) ? {} : { name: name + suffix })
  return [
    ...(publicIp === true ? [{ type: addressType, location, ...named('-ip') }] : []),
    { type: types.networkInterface, location, ...named('-nic') },
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

const types = {
  networkInterface: 'Microsoft.Network/networkInterfaces',
  virtualMachine: 'Microsoft.Compute/virtualMachines',
  publicIPAddress: addressType,
}

/** The interface joins the subnet, the machine its interface; its SSH host keys are read by runCommand. */
function needsOf(changes: readonly Change[], { resourceGroup, subnet, publicIp }: PlanInputs<Inputs>): Need[] {
  const own = actionsFor(changes, types)
  if (!isMaking(changes)) return [{ scope: resourceGroup, actions: own }]
  return [
    { scope: resourceGroup, actions: [...own, `${types.networkInterface}/join/action`, `${types.virtualMachine}/runCommand/action`, ...(publicIp === true ? [`${addressType}/join/action`] : [])] },
    { scope: subnet, actions: ['Microsoft.Network/virtualNetworks/subnets/join/action'] },
  ]
}

interface Ids {
  readonly nic: string
  readonly machine: string
  readonly address: string
}

function idsIn(groupId: string, name: string): Ids {
  return {
    nic: idIn(groupId, 'Microsoft.Network/networkInterfaces', `${name}-nic`),
    machine: idIn(groupId, 'Microsoft.Compute/virtualMachines', name),
    address: idIn(groupId, addressType, addressName(name)),
  }
}

interface IpConfiguration {
  readonly properties: {
    readonly privateIPAddress?: string
    readonly subnet?: { readonly id?: string }
    readonly publicIPAddress?: { readonly id?: string }
  }
}

interface Conflict {
  readonly why: string
  readonly mend: string
  readonly halfMade?: string
}

const another = 'Delete it if nobody needs it, or use another name in the runbook.'

/** Both names may be taken by something that is not ours: a machine at another interface, an interface of another machine. */
function foreignUse(ids: Ids, nic: Resource | undefined, machine: Machine | undefined): Conflict | undefined {
  const user = (nic?.properties['virtualMachine'] as { readonly id?: string } | undefined)?.id
  if (user !== undefined && !sameId(user, ids.machine)) return { why: `interface ${nameOf(ids.nic)} belongs to another machine, ${user}`, mend: another }
  if (machine === undefined || machine.interfaces.some((id) => sameId(id, ids.nic))) return undefined
  return { why: `there is another machine ${nameOf(ids.machine)}, at the interface ${machine.interfaces.join(', ')}`, mend: another }
}

function conflictOf(wanted: Wanted, ids: Ids, nic: Resource | undefined, machine: Machine | undefined): Conflict | undefined {
  const why = nicDifference(wanted, ids, nic) ?? (machine === undefined ? undefined : machineDifference(wanted, machine))
  if (why !== undefined) return { why, mend: another }
  if (machine === undefined || isUp(machine)) return undefined
  const isOff = /^(deallocat|stopp)ed$/.test(machine.powerState ?? '')
  if (machine.provisioningState === 'Failed' && !(isOff && machine.dataDisks.length > 0)) return failedMachine(wanted.name, machine)
  if (isOff) return { why: `machine ${wanted.name} is ${String(machine.powerState)}`, mend: 'Start it (az vm start) if it may run, then resume.' }
  return undefined
}

/**
 * Failed is how the last operation on it went, and it may be whole: attaching a disk that was refused leaves a server as it was, and the
 * next one is taken. So one that runs is asked itself. One that does not has most likely never run.
 */
function isUp({ powerState }: Machine): boolean {
  return powerState === 'running'
}

/** One that runs, has failed and says nothing: how long it may boot, and what is said then. */
function silence(name: string, machine: Machine): Patience {
  const { why, mend } = failedMachine(name, machine)
  return { ms: 10 * minutes, error: new LifeboatError('machine.failed', `${why}, and it does not answer`, { blame: 'user', hint: mend }) }
}

/** On the way back. What was let go of was let go of before; a disk that is there is somebody's, who uses this server. */
async function assertBare(id: string, { azure }: Platform): Promise<void> {
  const held = (await azure.machines.get(id))?.dataDisks ?? []
  if (held.length === 0) return
  throw new LifeboatError('machine.has-disks', `${hostLabel(id)} has disks attached (${held.map((disk) => nameOf(disk.id)).join(', ')}), and is not deleted`, {
    blame: 'user',
    hint: 'It may be serving them, for another run perhaps. If nobody uses it, detach them by hand, then try again.',
  })
}

/** One that has disks is never to be deleted: what failed is the last change of it, and it may serve. */
function failedMachine(name: string, { id, dataDisks }: Machine): Conflict {
  const where = `--resource-group ${groupOf(id)} --name ${nameOf(id)}`
  const mend =
    dataDisks.length === 0
      ? `Delete it if nobody needs it (az vm delete ${where}), then resume: it is made again.`
      : `Disks are attached to it, so leave it there: have its state set right (az vm reapply ${where}), then resume.`
  const why = `machine ${name} exists, but making or changing it failed`
  return { why, mend, ...(dataDisks.length === 0 ? { halfMade: machineLabel(name) } : {}) }
}

type Wanted = Pick<Inputs, 'name' | 'subnet' | 'privateIp' | 'publicIp' | 'size' | 'zone'> & { readonly location: unknown }

function nicDifference(wanted: Wanted, ids: Ids, nic: Resource | undefined): string | undefined {
  const [configuration] = (nic?.properties['ipConfigurations'] ?? []) as unknown as readonly IpConfiguration[]
  if (configuration === undefined) return undefined
  const { privateIPAddress: address, subnet } = configuration.properties
  if (address !== wanted.privateIp) return `interface ${wanted.name}-nic has the address ${String(address)}, not ${wanted.privateIp}`
  if (!sameId(subnet?.id, wanted.subnet)) return `interface ${wanted.name}-nic is in another subnet`
  const other = wanted.publicIp && nic !== undefined ? publicIdOf(nic) : undefined
  return other === undefined || sameId(other, ids.address) ? undefined : `interface ${wanted.name}-nic has another public address, ${nameOf(other)}`
}

function publicIdOf(nic: Resource): string | undefined {
  const [configuration] = (nic.properties['ipConfigurations'] ?? []) as unknown as readonly IpConfiguration[]
  return configuration?.properties.publicIPAddress?.id
}

function machineDifference(wanted: Wanted, machine: Machine): string | undefined {
  const { name, zone, size, location } = wanted
  if (typeof location === 'string' && !samePlace(location, machine.location)) return `machine ${name} is in ${machine.location}, not in ${location}`
  if (zone !== undefined && !machine.zones.includes(zone)) return `machine ${name} is in zone ${machine.zones.join() || 'none'}, not ${zone}`
  if (machine.size.toLowerCase() !== size.toLowerCase()) return `machine ${name} is a ${machine.size}, not a ${size}`
  return undefined
}

function nicResource(ids: Ids, { location, subnet, privateIp, publicIp }: Inputs): Resource {
  const own = { privateIPAllocationMethod: 'Static', privateIPAddress: privateIp, subnet: { id: subnet }, primary: true }
  const properties = publicIp ? { ...own, publicIPAddress: { id: ids.address } } : own
  return { id: ids.nic, location, properties: { ipConfigurations: [{ name: 'primary', properties }] } }
}

/**
 * The interface as it is there, for a write that changes its public address (null: takes it away) and nothing else: people have given it a
 * security group, names, other configurations. Written only if it is still the one that was read.
 */
async function nicWith(address: string | null | undefined, ids: Ids, wanted: Inputs, { azure }: Platform): Promise<Resource> {
  const there = await azure.resources.get(ids.nic)
  if (there === undefined) throw new LifeboatError('machine.no-nic', `interface ${nameOf(ids.nic)} is not there any more`, { retry: {} })
  const [first, ...others] = (there.properties['ipConfigurations'] ?? []) as unknown as readonly IpConfiguration[]
  // Making it may have failed before it had any.
  if (first === undefined) return nicResource(ids, { ...wanted, publicIp: wanted.publicIp && address !== null })
  const { publicIPAddress: old, ...rest } = first.properties
  const held = address === undefined ? old : address === null ? undefined : { id: address }
  const properties = held === undefined ? rest : { ...rest, publicIPAddress: held }
  return { ...there, properties: { ...there.properties, ipConfigurations: [{ ...first, properties }, ...others] as unknown as Json } }
}

const isFailed = (one: Resource | undefined): boolean => one?.properties['provisioningState'] === 'Failed'

async function definitionOf(wanted: Inputs, nic: string): Promise<MachineDefinition> {
  return {
    location: wanted.location,
    size: wanted.size,
    image: wanted.image,
    adminUser: wanted.adminUser,
    publicKey: await publicKeyOf(wanted.sshKey),
    cloudInit: isPrepared(wanted.image) ? preparedCloudInit(wanted.name) : nfsHostCloudInit(wanted.name),
    interfaces: [nic],
    ...(wanted.zone === undefined ? {} : { zones: [wanted.zone] }),
  }
}

/** The public half of a private key file, as `authorized_keys` has it. Throws `machine.key`. */
async function publicKeyOf(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LifeboatError('machine.key', `the SSH key ${path} cannot be read`, { blame: 'user', cause })
  })
  // Loaded where it is needed: it costs every command a tenth of a second otherwise.
  const { default: ssh2 } = await import('ssh2')
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error || Array.isArray(key)) {
    throw new LifeboatError('machine.key', `${path} is no private SSH key, or it has a passphrase`, { blame: 'user' })
  }
  return `${key.type} ${key.getPublicSSH().toString('base64')}`
}
