import { mkdir, open } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { sameId } from '../world/ids.js'
import { makeSshKey, type SshKeyPair } from '../world/keys.js'
import type { Host } from '../world/model.js'
import type { RealMachines } from '../world/real.js'
import type { ShellResult } from '../world/shell.js'
import { dataDisksOf, type World } from '../world/world.js'
import { Guest, type Plugged } from './guest.js'
import type { Image } from './files.js'
import { learn, lookAt } from './look.js'
import { makePools } from './pools.js'

/** Machines that have been started once, by id in lower case. */
interface Machine {
  readonly host: Host
  readonly folder: string
  readonly keepsPools: boolean
  guest: Guest | undefined
}

/**
 * The world's machines as QEMU machines: what the control plane says (power, data disks) is made so, one thing after the other, and what
 * the machines say (pools, exports) is put into the world. The world's own judgement stays in the world.
 */
export class Lab implements RealMachines {
  readonly #machines = new Map<string, Machine>()
  readonly #key: SshKeyPair = makeSshKey('the world')
  readonly #tolook = new Set<Machine>()
  #queue: Promise<void> = Promise.resolve()
  #planned = false
  #count = 0
  #stopped = false

  private constructor(
    readonly world: World,
    readonly image: Image,
    readonly folder: string,
    readonly log: (line: string) => void,
  ) {}

  /** Starts the machines that the world has at its beginning and makes their pools. */
  static async start(world: World, image: Image, folder: string, log: (line: string) => void): Promise<Lab> {
    await mkdir(join(folder, 'disks'), { recursive: true, mode: 0o700 })
    const lab = new Lab(world, image, folder, log)
    try {
      await Promise.all([...world.hosts.values()].map((host) => lab.#begin(host)))
    } catch (error) {
      await lab.stop()
      throw error
    }
    world.real = lab
    world.shell = (machine, script) => lab.run(machine, script)
    world.onChange.add(lab.#plan)
    return lab
  }

  async #begin(host: Host): Promise<void> {
    if (host.power !== 'running') return
    const machine = this.#machineOf(host, true)
    await this.#powerOn(machine)
    const guest = machine.guest
    if (!guest) return
    await this.#comeUp(machine, guest)
    await makePools(this.world, host, guest)
    await this.#look(machine)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.world.onChange.delete(this.#plan)
    await Promise.all([...this.#machines.values()].map(async ({ guest }) => guest?.kill()))
    await this.#queue
  }

  forward(host: Host, stream: Duplex): void {
    const machine = this.#machines.get(host.machine.toLowerCase())
    const socket = machine?.guest && connect({ port: machine.guest.sshPort, host: '127.0.0.1', noDelay: true })
    if (!machine || !socket) return void stream.destroy()
    const over = (): void => {
      socket.destroy()
      if (!stream.destroyed) stream.end()
    }
    socket.on('error', over)
    stream.on('error', over)
    stream.on('close', over)
    socket.on('close', () => {
      over()
      // Whatever was done in there is known before anybody is answered again.
      this.#lookLater(machine)
    })
    stream.pipe(socket)
    socket.pipe(stream)
  }

  async run(id: string, script: string): Promise<ShellResult> {
    const machine = this.#machines.get(id.toLowerCase())
    const root = machine?.guest?.root
    if (!machine || !root) return { exitCode: 255, stdout: '', stderr: 'no operating system\n' }
    const result = await root.run(script)
    this.#lookLater(machine)
    return result
  }

  async settled(): Promise<void> {
    // What is done asks for a look, and that for another comparison. Not for ever: who goes on using a machine would keep all others
    // waiting.
    for (let left = 4, last; left > 0 && last !== this.#queue; left -= 1) {
      last = this.#queue
      await last
    }
  }

  #machineOf(host: Host, keepsPools: boolean): Machine {
    const key = host.machine.toLowerCase()
    const known = this.#machines.get(key)
    if (known?.host === host) return known
    // A machine that is made anew under an old name gets a system disk of its own.
    this.#count += 1
    const machine: Machine = { host, folder: join(this.folder, `machine-${this.#count}`), keepsPools, guest: undefined }
    this.#machines.set(key, machine)
    return machine
  }

  /** One thing after the other: what is let go is let go before it is given to somebody else. */
  #enqueue(what: () => Promise<void>): void {
    this.#queue = this.#queue.then(what).catch((error: unknown) => {
      if (this.#stopped) return
      this.log(`the lab: ${String(error)}`)
      this.world.violation(`the lab could not do what the world says: ${String(error)}`)
    })
  }

  #lookLater(machine: Machine): void {
    if (this.#tolook.has(machine)) return
    this.#tolook.add(machine)
    this.#enqueue(async () => {
      this.#tolook.delete(machine)
      await this.#look(machine)
      this.world.changed()
    })
  }

  async #look(machine: Machine): Promise<void> {
    const { guest, host } = machine
    if (!guest?.root) return
    const seen = await lookAt(guest)
    if (seen && machine.guest === guest) learn(this.world, host, guest, seen)
  }

  readonly #plan = (): void => {
    if (this.#planned || this.#stopped) return
    this.#planned = true
    this.#enqueue(async () => {
      this.#planned = false
      await this.#reconcile()
    })
  }

  async #reconcile(): Promise<void> {
    const hosts = [...this.world.hosts.values()]
    for (const machine of this.#machines.values()) {
      const stays = hosts.includes(machine.host) && isPowered(machine.host)
      if (!stays) await this.#powerOff(machine)
      else for (const disk of tooMany(machine.guest?.plugged ?? [], this.#wanted(machine.host))) await this.#unplug(machine, disk)
    }
    for (const host of hosts.filter((one) => one.power === 'running')) {
      const machine = this.#machineOf(host, false)
      if (machine.guest) {
        const missing = tooMany(this.#wanted(host), machine.guest.plugged)
        for (const disk of missing) await machine.guest.plug(await this.#existing(disk))
        if (missing.length > 0) this.#lookLater(machine)
      } else {
        await this.#powerOn(machine)
        const guest = machine.guest as Guest | undefined
        if (guest) void this.#comeUp(machine, guest).then(() => this.#lookLater(machine), (error: unknown) => this.log(`the lab: ${String(error)}`))
      }
    }
  }

  async #unplug(machine: Machine, disk: Plugged): Promise<void> {
    await machine.guest?.unplug(disk)
    this.#lookLater(machine)
  }

  async #powerOn(machine: Machine): Promise<void> {
    const { host, folder, keepsPools } = machine
    // Nobody answers before the system's own sshd does.
    host.sshFromMs = Number.POSITIVE_INFINITY
    for (const pool of this.world.pools) pool.importedOn = pool.importedOn.filter((id) => !sameId(id, host.machine))
    const disks = await Promise.all(this.#wanted(host).map((disk) => this.#existing(disk)))
    machine.guest = await Guest.start(this.image, folder, { host, rootKey: this.#key.public, keepsPools }, disks)
    this.log(`the lab: ${host.machine} is switched on`)
  }

  async #powerOff(machine: Machine): Promise<void> {
    if (!machine.guest) return
    await machine.guest.kill()
    machine.guest = undefined
    this.log(`the lab: ${machine.host.machine} is switched off`)
  }

  /** Until its sshd answers; from then on the world says so. */
  async #comeUp(machine: Machine, guest: Guest): Promise<void> {
    await guest.up(this.#key.private, machine.host.hostKey.public)
    if (machine.guest !== guest) return
    const nowMs = this.world.clock.nowMs()
    machine.host.sshFromMs = nowMs
    if (Number.isFinite(machine.host.readyFromMs)) machine.host.readyFromMs = nowMs
    this.log(`the lab: ${machine.host.machine} is up`)
    this.world.changed()
  }

  /** The data disks that the control plane says are in a machine. */
  #wanted(host: Host): Plugged[] {
    const machine = this.world.resource(host.machine)
    return (machine ? dataDisksOf(machine) : []).flatMap(({ lun, managedDisk }) => {
      const uniqueId = this.world.resource(managedDisk.id)?.properties['uniqueId']
      return typeof uniqueId === 'string' ? { uniqueId, lun, file: join(this.folder, 'disks', `${uniqueId}.raw`) } : []
    })
  }

  /** The disk's file, empty and as long as the disk is large where there is none yet. */
  async #existing(disk: Plugged): Promise<Plugged> {
    const resource = this.world.ofType('Microsoft.Compute/disks').find((one) => one.properties['uniqueId'] === disk.uniqueId)
    const file = await open(disk.file, 'a', 0o600)
    try {
      if ((await file.stat()).size === 0) await file.truncate(Number(resource?.properties['diskSizeGB'] ?? 1) * 1024 ** 3)
    } finally {
      await file.close()
    }
    return disk
  }
}

/** Does electricity flow? A machine on its way down still runs. */
const isPowered = ({ power }: Host): boolean => power === 'running' || power === 'stopping' || power === 'deallocating'

const tooMany = (disks: readonly Plugged[], wanted: readonly Plugged[]): Plugged[] =>
  disks.filter((disk) => !wanted.some((one) => one.uniqueId === disk.uniqueId && one.lun === disk.lun))
