import { readFile } from 'node:fs/promises'
import ssh2 from 'ssh2'
import { z } from 'zod'
import { file, isPending, LifeboatError, resourceId, type Change } from '../contract/index.js'
import type { Machine, MachineDefinition, Resource } from '../platform/azure/door.js'
import { sameId } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import type { SshHost } from '../platform/ssh/door.js'
import { nfsHostCloudInit } from './parts/nfs-host-cloud-init.js'
import { claim, defineStep, groupClaim, hours, idIn, inverted, known, minutes, seconds } from './step.js'

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
  outputs: z.object({ id: z.string(), privateIp: z.string() }),
  identity: ['resourceGroup', 'name', 'subnet', 'privateIp', 'size', 'zone', 'adminUser', 'sshKey'],
  verification: () => ({ everyMs: 10 * seconds, withinMs: 1 * hours }),
  preflight: async (_changes, { sshKey }) => {
    if (!isPending(sshKey)) await publicKeyOf(sshKey)
    return []
  },
  async observe(wanted, { doors }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) return { state: 'absent' }
    const ids = idsIn(group.id, wanted.name)
    const [nic, machine] = await Promise.all([doors.azure.resources.get(ids.nic), doors.azure.machines.get(ids.machine)])
    if (nic === undefined && machine === undefined) return { state: 'absent' }
    const wrong = conflictOf(wanted, nic, machine)
    if (wrong !== undefined) return { state: 'conflict', why: wrong, mend: 'Delete it if nobody needs it, or use another name in the runbook.' }
    const missing = [...(nic === undefined ? [nicLabel(wanted.name)] : []), ...(machine === undefined ? [machineLabel(wanted.name)] : [])]
    if (missing.length > 0 || machine === undefined) return { state: 'drifted', seen: { missing } }
    return readiness(machine, { machine: machine.id, user: wanted.adminUser, key: wanted.sshKey }, wanted.privateIp, doors)
  },
  plan({ name, size, subnet, privateIp, location }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const all: Change[] = [
      { resource: nicLabel(String(name)), action: 'create', after: { subnet, privateIp } },
      { resource: machineLabel(String(name)), action: 'create', after: { size, location } },
    ]
    return seen.state === 'absent' ? all : all.filter(({ resource }) => seen.seen.missing.includes(resource))
  },
  async apply(changes, wanted, { doors, checkpoint }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('machine.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const ids = idsIn(group.id, wanted.name)
    const planned = new Map(changes.map(({ resource, action }) => [resource, action]))
    // The interface goes with its machine, and only after it.
    if (planned.get(machineLabel(wanted.name)) === 'delete') await (await doors.azure.machines.delete(ids.machine)).done
    if (planned.get(nicLabel(wanted.name)) === 'delete') await (await doors.azure.resources.delete(ids.nic)).done
    if (planned.get(nicLabel(wanted.name)) === 'create') await (await doors.azure.resources.put(nicResource(ids.nic, wanted))).done
    if (planned.get(machineLabel(wanted.name)) !== 'create') return
    const operation = await doors.azure.machines.create(ids.machine, await definitionOf(wanted, ids.nic))
    await checkpoint({ accepted: `create ${machineLabel(wanted.name)}` })
    await operation.done
  },
  // Newest first: the machine holds the interface.
  invert: (changes) => changes.map(inverted),
  claims: ({ resourceGroup, name }) => [groupClaim(known(resourceGroup)), claim('machine', known(name))],
  estimateMs: () => 5 * minutes,
})

function idsIn(groupId: string, name: string): { nic: string; machine: string } {
  return {
    nic: idIn(groupId, 'Microsoft.Network/networkInterfaces', `${name}-nic`),
    machine: idIn(groupId, 'Microsoft.Compute/virtualMachines', name),
  }
}

interface IpConfiguration {
  readonly properties: { readonly privateIPAddress?: string; readonly subnet?: { readonly id?: string } }
}

function conflictOf(wanted: Pick<Inputs, 'name' | 'subnet' | 'privateIp' | 'size' | 'zone'>, nic: Resource | undefined, machine: Machine | undefined): string | undefined {
  const [configuration] = (nic?.properties['ipConfigurations'] ?? []) as unknown as readonly IpConfiguration[]
  if (configuration !== undefined) {
    const { privateIPAddress: address, subnet } = configuration.properties
    if (address !== wanted.privateIp) return `interface ${wanted.name}-nic has the address ${String(address)}, not ${wanted.privateIp}`
    if (!sameId(subnet?.id, wanted.subnet)) return `interface ${wanted.name}-nic is in another subnet`
  }
  if (machine === undefined) return undefined
  if (machine.provisioningState === 'Failed') return `machine ${wanted.name} exists, but making it failed`
  if (wanted.zone !== undefined && !machine.zones.includes(wanted.zone)) return `machine ${wanted.name} is in zone ${machine.zones.join() || 'none'}, not ${wanted.zone}`
  if (machine.size !== wanted.size) return `machine ${wanted.name} is a ${machine.size}, not a ${wanted.size}`
  return undefined
}

async function readiness(machine: Machine, host: SshHost, privateIp: string, { ssh }: Platform) {
  if (machine.provisioningState !== 'Succeeded' || machine.powerState !== 'running') {
    return { state: 'in-flight' as const, what: `machine is ${machine.provisioningState.toLowerCase()}, ${machine.powerState ?? 'not running yet'}` }
  }
  try {
    const { exitCode } = await ssh.read(host, ['test', '-d', '/sys/module/zfs'])
    if (exitCode !== 0) return { state: 'in-flight' as const, what: 'it answers by SSH; ZFS is being installed' }
  } catch (error) {
    // Not up yet. A wrong host key or a key that is refused will not mend itself, and is not waited for.
    if (error instanceof LifeboatError && error.retry !== undefined) return { state: 'in-flight' as const, what: `it boots: ${error.message}` }
    throw error
  }
  const { stdout } = await ssh.read(host, ['cloud-init', 'status'])
  if (/status: running/.test(stdout)) return { state: 'in-flight' as const, what: 'its first boot is not over yet' }
  return { state: 'converged' as const, outputs: { id: machine.id, privateIp } }
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
