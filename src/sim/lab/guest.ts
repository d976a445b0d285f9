import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, openSync, closeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LabError } from './error.js'
import type { Image } from './image.js'
import { Qmp } from './qmp.js'
import { RootShell } from './root-shell.js'
import { type Seed, writeSeed } from './seed.js'

/** A data disk as it is plugged in. */
export interface Plugged {
  readonly uniqueId: string
  readonly lun: number
  /** The raw image that holds its bytes. */
  readonly file: string
}

/** One machine of the lab while it runs: a QEMU process, its disks, and the world's own way in. */
export class Guest {
  readonly #plugged = new Map<string, Plugged>()
  root: RootShell | undefined
  /** Guids of the pools that it has had imported since it was started. */
  readonly pools = new Set<string>()

  private constructor(
    readonly child: ChildProcess,
    readonly qmp: Qmp,
    /** On loopback; behind it is the machine's port 22. */
    readonly sshPort: number,
    readonly gone: Promise<void>,
  ) {}

  get plugged(): readonly Plugged[] {
    return [...this.#plugged.values()]
  }

  /** Starts the machine with these disks; `folder` keeps its system disk from one start to the next. */
  static async start(image: Image, folder: string, seed: Seed, disks: readonly Plugged[]): Promise<Guest> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const system = join(folder, 'system.qcow2')
    if (!existsSync(system)) await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image.root, '-F', 'raw', system])
    const tar = await writeSeed(seed, folder)
    const sshPort = await freePort()
    const noise = openSync(join(folder, 'qemu.log'), 'a', 0o600)
    // The kernel ends the machine when the world's process is gone, however it went.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArgs(image, { system, tar, folder, sshPort, address: seed.host.address })], {
      stdio: ['pipe', 'pipe', noise],
    })
    closeSync(noise)
    const gone = new Promise<void>((resolve) => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
    if (!child.stdout || !child.stdin) throw new LabError('a process without pipes')
    const guest = new Guest(child, new Qmp(child.stdout, child.stdin), sshPort, gone)
    await guest.qmp.execute('qmp_capabilities')
    for (const disk of disks) await guest.plug(disk)
    await guest.qmp.execute('cont')
    return guest
  }

  /** Rejects with QmpError where another machine still holds the file: QEMU locks what it may write to. */
  async plug(disk: Plugged): Promise<void> {
    const id = nameOf(disk)
    const file = { driver: 'file', filename: disk.file, cache: { direct: false, 'no-flush': true } }
    await this.qmp.execute('blockdev-add', { driver: 'raw', 'node-name': id, cache: { direct: false, 'no-flush': true }, file })
    const place = { bus: 'scsi.0', channel: 0, 'scsi-id': 0, lun: disk.lun }
    try {
      await this.qmp.execute('device_add', { driver: 'scsi-hd', id: `dev-${id}`, drive: id, serial: disk.uniqueId.slice(0, 20), ...place })
    } catch (error) {
      await this.qmp.execute('blockdev-del', { 'node-name': id })
      throw error
    }
    this.#plugged.set(disk.uniqueId, disk)
  }

  /** Resolves when the machine has let go of the disk. */
  async unplug(disk: Plugged): Promise<void> {
    const id = nameOf(disk)
    const deleted = this.qmp.next('DEVICE_DELETED', `dev-${id}`)
    await this.qmp.execute('device_del', { id: `dev-${id}` })
    await Promise.race([deleted, this.gone])
    await this.qmp.execute('blockdev-del', { 'node-name': id })
    this.#plugged.delete(disk.uniqueId)
  }

  /** Tries to come in as root until the system answers; rejects when the machine ends first. */
  async up(privateKey: string, hostKey: string): Promise<RootShell> {
    for (;;) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new LabError('the machine ended before it was up')
      try {
        this.root = await RootShell.connect({ port: this.sshPort, privateKey, hostKey })
        return this.root
      } catch {
        await new Promise((resolve) => void setTimeout(resolve, 500))
      }
    }
  }

  /** The power goes: nothing is written any more that was not yet. */
  async kill(): Promise<void> {
    this.root?.close()
    this.root = undefined
    this.child.kill('SIGKILL')
    await this.gone
  }
}

const nameOf = ({ uniqueId }: Plugged): string => `disk-${uniqueId.slice(0, 20)}`

const unused = ['ata_piix', 'kvm', 'kvm_amd', 'powernow_k8', 'pcspkr', 'psmouse', 'button', 'i2c_piix4', 'floppy', 'loop', 'fuse', 'drm', 'efi_pstore']

function qemuArgs(image: Image, own: { system: string; tar: string; folder: string; sshPort: number; address: string }): string[] {
  const network = own.address.split('.').slice(0, 3).join('.')
  return [
    '-accel', 'tcg', '-machine', 'pc', '-cpu', 'qemu64,-svm,+rdrand,+ssse3,+sse4.1,+sse4.2,+popcnt', '-m', '1024', '-smp', '1', '-S',
    '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-qmp', 'stdio',
    '-serial', `file:${join(own.folder, 'console.log')}`,
    '-kernel', image.kernel, '-initrd', image.initrd,
    // Drivers of what no machine of the lab uses take seconds each.
    '-append', `root=/dev/vda rootfstype=ext4 rw console=ttyS0 quiet net.ifnames=0 mitigations=off random.trust_cpu=on modprobe.blacklist=${unused.join(',')}`,
    '-drive', `if=none,id=system,file=${own.system},format=qcow2,cache=unsafe`, '-device', 'virtio-blk-pci,drive=system',
    // Nothing leads out of the machine; one port leads in.
    '-netdev', `user,id=net0,restrict=on,net=${network}.0/24,host=${network}.254,dns=${network}.253,hostfwd=tcp:127.0.0.1:${own.sshPort}-${own.address}:22`,
    '-device', 'virtio-net-pci,netdev=net0,romfile=',
    '-device', 'virtio-scsi-pci,id=scsi',
    '-fw_cfg', `name=opt/lifeboat/seed,file=${own.tar}`,
  ]
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
