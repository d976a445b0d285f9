import type { VirtualMachine } from '@azure/arm-compute'
import { LifeboatError } from '../../contract/index.js'
import type { HostFacts } from '../ssh/config.js'
import type { Machine, MachineDefinition, MachineDoor, ResourceDoor } from './door.js'
import { azureError } from './errors.js'
import { endingEmpty } from './hints.js'
import { submitted } from './pollers.js'
import type { AzureSession } from './session.js'

type Tags = Readonly<Record<string, string>>

export function openMachines(session: AzureSession, tags: Tags, hosts: HostFactsReader): MachineDoor {
  return {
    async get(id) {
      const { group, name } = session.parse(id)
      const found = await session.read(`reading machine ${name}`, async () =>
        (await session.compute()).virtualMachines.get(group, name, { expand: 'instanceView' }),
      )
      return found === undefined ? undefined : machineOf(id, found)
    },
    create(id, definition) {
      const { group, name } = session.parse(id)
      return session.start(`creating machine ${name}`, async () =>
        submitted(
          (await session.compute()).virtualMachines.createOrUpdate(group, name, { ...wireOf(name, definition), tags: { ...tags } }),
        ),
      )
    },
    delete(id) {
      const { group, name } = session.parse(id)
      return session.remove(`deleting machine ${name}`, async () => submitted((await session.compute()).virtualMachines.delete(group, name)))
    },
    attach(id, disks) {
      const { group, name } = session.parse(id)
      const dataDisksToAttach = disks.map((disk) => ({
        diskId: disk.id,
        lun: disk.lun,
        ...(disk.caching === undefined ? {} : { caching: disk.caching as 'None' | 'ReadOnly' | 'ReadWrite' }),
      }))
      return session.start(`attaching ${disks.length} disks to ${name}`, async () =>
        submitted((await session.compute()).virtualMachines.attachDetachDataDisks(group, name, { dataDisksToAttach })),
      )
    },
    detach(id, diskIds, force = false) {
      const { group, name } = session.parse(id)
      const dataDisksToDetach = diskIds.map((diskId) => ({ diskId, ...(force ? { detachOption: 'ForceDetach' } : {}) }))
      return session.start(`detaching ${diskIds.length} disks from ${name}`, async () =>
        submitted((await session.compute()).virtualMachines.attachDetachDataDisks(group, name, { dataDisksToDetach })),
      )
    },
    deallocate(id) {
      const { group, name } = session.parse(id)
      return endingEmpty(() => session.start(`deallocating ${name}`, async () => submitted((await session.compute()).virtualMachines.deallocate(group, name))))
    },
    start(id) {
      const { group, name } = session.parse(id)
      return endingEmpty(() => session.start(`starting ${name}`, async () => submitted((await session.compute()).virtualMachines.start(group, name))))
    },
    hostFacts: (id) => hosts.of(id),
  }
}

/**
 * How long a machine's agent may take, in milliseconds of the run's clock. Less than a minute is usual. Azure itself waits an hour and a
 * half for a script (azure-docs, run-command), and whoever fences a server that hangs has not got that. One that was silent a moment ago is
 * not given as long again.
 */
const agentPatienceMs = { usual: 3 * 60_000, afterSilence: 90_000 } as const

const agentHint = 'See whether its agent is Ready (`az vm get-instance-view`). A resume asks again.'

/**
 * Runs a read-only script by the machine's agent and answers what it printed. An agent takes one script at a time. Throws
 * `azure.run-command`, also where an agent does not answer within `usual` milliseconds of the run's clock, and `azure.agent-busy` where all
 * the time it is at another script, so that nothing was asked of the machine. `wasSilent`: it may be at ours.
 */
async function readScript(session: AzureSession, id: string, lines: readonly string[], wasSilent: boolean): Promise<string> {
  const patienceMs = wasSilent ? agentPatienceMs.afterSilence : agentPatienceMs.usual
  const untilMs = session.clock.now().getTime() + patienceMs
  for (;;) {
    const read = await readOnce(session, id, lines, patienceMs).catch((error: unknown) => {
      const told = azureError(error, '')
      if (told.code !== 'azure.in-flight') throw told
      if (session.clock.now().getTime() < untilMs) return undefined
      const message = `${told.message} It has been like that for ${patienceMs / 1000} s.`
      if (wasSilent) throw new LifeboatError('azure.run-command', message, { cause: told, hint: agentHint })
      throw new LifeboatError('azure.agent-busy', message, { cause: told, retry: {}, hint: agentHint })
    })
    if (read !== undefined) return read
    await session.clock.sleep(10_000)
  }
}

async function readOnce(session: AzureSession, id: string, lines: readonly string[], patienceMs: number): Promise<string> {
  const { group, name } = session.parse(id)
  const doing = `reading ${name} by runCommand`
  const message = `${doing}: its agent (walinuxagent) has not answered within ${patienceMs / 1000} s`
  const silence = new LifeboatError('azure.run-command', message, { hint: agentHint })
  try {
    const poller = await session.write(doing, async () =>
      submitted((await session.compute()).virtualMachines.runCommand(group, name, { commandId: 'RunShellScript', script: [...lines] })),
    )
    await session.wait(poller, doing, { ms: patienceMs, error: silence })
    const printed = poller.result()?.value?.[0]?.message ?? ''
    const output = /\[stdout\]\n([\s\S]*?)\n?\[stderr\]/.exec(printed)?.[1]
    if (output !== undefined) return output
    throw new LifeboatError('azure.run-command', `${doing}: its answer is not understood`)
  } catch (error) {
    const told = azureError(error, doing)
    // Its guest has shut down: no waiting brings its agent back.
    if (told.code === 'azure.in-flight' && /not running/i.test(told.message)) throw new LifeboatError('azure.run-command', told.message, { cause: told })
    throw told
  }
}

/** Host keys, address and network of machines, read through the control plane and kept for the life of this process. */
export class HostFactsReader {
  readonly #session: AzureSession
  readonly #resources: ResourceDoor
  readonly #known = new Map<string, Promise<HostFacts>>()
  readonly #silent = new Set<string>()

  constructor(session: AzureSession, resources: ResourceDoor) {
    this.#session = session
    this.#resources = resources
  }

  /** Kept by the machine's own unique id: another machine of the same name is another machine. */
  async of(id: string): Promise<HostFacts> {
    const { group, name } = this.#session.parse(id)
    const found = await this.#session.read(`reading machine ${name}`, async () =>
      (await this.#session.compute()).virtualMachines.get(group, name, { expand: 'instanceView' }),
    )
    if (found === undefined) throw new LifeboatError('azure.no-machine', `there is no machine ${name} in ${group}`)
    const machine = machineOf(id, found)
    const known = this.#known.get(machine.vmId) ?? this.#read(machine)
    this.#known.set(machine.vmId, known)
    try {
      const facts = await known
      this.#silent.delete(machine.vmId)
      return facts
    } catch (error) {
      this.#known.delete(machine.vmId)
      if (error instanceof LifeboatError && error.code === 'azure.run-command') this.#silent.add(machine.vmId)
      throw error
    }
  }

  async #read(machine: Machine): Promise<HostFacts> {
    const [place, keys] = await Promise.all([
      this.#place(machine),
      readScript(this.#session, machine.id, ['cat /etc/ssh/ssh_host_*_key.pub'], this.#silent.has(machine.vmId)),
    ])
    const hostKeys = keys.split('\n').filter((line) => /^(ssh|ecdsa)-/.test(line))
    if (hostKeys.length === 0) throw new LifeboatError('azure.host-key', `${machine.id} has no SSH host key yet`, { retry: {} })
    return { vmId: machine.vmId, hostKeys, ...place }
  }

  async #place({ id, interfaces }: Machine): Promise<Pick<HostFacts, 'network' | 'address' | 'publicAddress'>> {
    const nic = interfaces[0] === undefined ? undefined : await this.#resources.get(interfaces[0])
    const [configuration] = (nic?.properties['ipConfigurations'] ?? []) as readonly {
      properties?: { privateIPAddress?: string; subnet?: { id?: string }; publicIPAddress?: { id?: string } }
    }[]
    const { privateIPAddress: address, subnet, publicIPAddress } = configuration?.properties ?? {}
    const network = /^(.+\/virtualNetworks\/[^/]+)\/subnets\/[^/]+$/i.exec(subnet?.id ?? '')?.[1]
    if (address === undefined || network === undefined) {
      throw new LifeboatError('azure.no-address', `where ${id} is in the network cannot be told from its interface`)
    }
    const found = publicIPAddress?.id === undefined ? undefined : await this.#resources.get(publicIPAddress.id)
    const publicAddress = found?.properties['ipAddress']
    return { network, address, ...(typeof publicAddress === 'string' ? { publicAddress } : {}) }
  }
}

function machineOf(id: string, found: VirtualMachine): Machine {
  const power = found.instanceView?.statuses?.map(({ code }) => code ?? '').find((code) => /^PowerState\//i.test(code))
  return {
    id: found.id ?? id,
    vmId: found.vmId ?? '',
    location: found.location,
    zones: found.zones ?? [],
    size: found.hardwareProfile?.vmSize ?? '',
    provisioningState: found.provisioningState ?? 'Unknown',
    ...(power === undefined ? {} : { powerState: power.slice('PowerState/'.length) }),
    interfaces: (found.networkProfile?.networkInterfaces ?? []).map((nic) => nic.id ?? ''),
    dataDisks: (found.storageProfile?.dataDisks ?? []).map((disk) => ({
      id: disk.managedDisk?.id ?? '',
      lun: disk.lun,
      ...(disk.caching === undefined ? {} : { caching: disk.caching }),
      ...(disk.toBeDetached === true ? { leaving: true } : {}),
    })),
  }
}

function wireOf(name: string, definition: MachineDefinition): VirtualMachine {
  const { location, zones, size, image, adminUser, publicKey, cloudInit, interfaces } = definition
  return {
    location,
    ...(zones === undefined ? {} : { zones: [...zones] }),
    hardwareProfile: { vmSize: size },
    storageProfile: {
      imageReference: image,
      osDisk: { name: `${name}_OsDisk`, createOption: 'FromImage', managedDisk: { storageAccountType: 'Premium_LRS' }, deleteOption: 'Delete' },
    },
    osProfile: {
      computerName: name,
      adminUsername: adminUser,
      customData: Buffer.from(cloudInit).toString('base64'),
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: { publicKeys: [{ path: `/home/${adminUser}/.ssh/authorized_keys`, keyData: publicKey }] },
      },
    },
    networkProfile: { networkInterfaces: interfaces.map((nic) => ({ id: nic, primary: true })) },
  }
}
