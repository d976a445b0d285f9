import { execFile, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LabError } from './error.js'
import type { Image } from './files.js'
import { startQemu, type Running } from './qemu.js'
import type { Qmp } from './qmp.js'
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

  readonly child: ChildProcess
  readonly qmp: Qmp
  readonly gone: Promise<void>

  private constructor(
    running: Running,
    /** On loopback; behind it is the machine's port 22. */
    readonly sshPort: number,
  ) {
    this.child = running.child
    this.qmp = running.qmp
    this.gone = running.gone
  }

  get plugged(): readonly Plugged[] {
    return [...this.#plugged.values()]
  }

  /** Starts the machine with these disks; `folder` keeps its system disk from one start to the next. */
  static async start(image: Image, folder: string, seed: Seed, disks: readonly Plugged[]): Promise<Guest> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const system = join(folder, 'system.qcow2')
    const isNew = !existsSync(system)
    const base = image.booted ? ['-b', image.booted.disk, '-F', 'qcow2'] : ['-b', image.root, '-F', 'raw']
    if (isNew) await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', ...base, system])
    const tar = await writeSeed(seed, folder)
    const ssh = { address: seed.host.address, port: await freePort() }
    const booted = isNew ? image.booted : undefined
    const running = await startQemu(image, { system, seed: tar, folder, ssh, ...(booted ? { state: booted.state } : {}) })
    const guest = new Guest(running, ssh.port)
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
