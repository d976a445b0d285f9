import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from './error.js'
import type { Image } from './files.js'
import { Qmp } from './qmp.js'

export interface Machine {
  /** Its system disk, in qcow2. */
  readonly system: string
  /** What it is told of itself (`seed.ts`). */
  readonly seed: string
  /** Where its console and QEMU's complaints are kept. */
  readonly folder: string
  /** Its own, and the port on loopback that leads to its port 22; without them it is in no network. */
  readonly ssh?: { readonly address: string; readonly port: number }
  /** A state to go on from, instead of a boot. */
  readonly state?: string
  /** It boots without being told what it is, and waits (fixtures/lab/root/usr/lib/lab/wait). */
  readonly waits?: boolean
}

export interface Running {
  readonly child: ChildProcess
  readonly qmp: Qmp
  readonly gone: Promise<void>
}

/** Starts QEMU. The machine stands still until `cont`; one that goes on from a state has read it when this resolves. */
export async function startQemu(image: Image, machine: Machine): Promise<Running> {
  const noise = openSync(join(machine.folder, 'qemu.log'), 'a', 0o600)
  const state = machine.state === undefined ? undefined : openSync(machine.state, 'r')
  // The kernel ends the machine when the world's process is gone, however it went.
  const args = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...fixedArgs, ...argsOf(image, machine)]
  const child = spawn('setpriv', args, { stdio: ['pipe', 'pipe', noise, ...(state === undefined ? [] : [state])] })
  closeSync(noise)
  if (state !== undefined) closeSync(state)
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const [input, output] = [child.stdin, child.stdout]
  if (!input || !output) throw new LabError('a process without pipes')
  const qmp = new Qmp(output, input)
  await qmp.execute('qmp_capabilities')
  while (state !== undefined && (await statusOf(qmp)) === 'inmigrate') await pause()
  return { child, qmp, gone }
}

const statusOf = async (qmp: Qmp): Promise<string> => ((await qmp.execute('query-status')) as { status: string }).status
const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 50))

/** Writes the state of a machine to a file, from which it can go on. It stands still from then on. */
export async function keepState(qmp: Qmp, path: string): Promise<void> {
  await qmp.execute('stop')
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 })
  await qmp.execute('migrate', { uri: `exec:cat > '${path.replaceAll("'", "'\\''")}'` })
  for (;;) {
    const { status, 'error-desc': why } = (await qmp.execute('query-migrate')) as { status?: string; 'error-desc'?: string }
    if (status === 'completed') return
    if (status === 'failed' || status === 'cancelled') throw new LabError(`the state of a machine cannot be kept: ${why ?? status}`)
    await pause()
  }
}

const unused = ['ata_piix', 'kvm', 'kvm_amd', 'powernow_k8', 'pcspkr', 'psmouse', 'button', 'i2c_piix4', 'floppy', 'loop', 'fuse', 'drm', 'efi_pstore']

/** What makes two machines the same to a kept state: one that was kept under other arguments is of no use. */
export const fixedArgs: readonly string[] = [
  '-accel', 'tcg', '-machine', 'pc', '-cpu', 'qemu64,-svm,+rdrand,+ssse3,+sse4.1,+sse4.2,+popcnt', '-m', '1024', '-smp', '1', '-S',
  '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-qmp', 'stdio',
  '-device', 'virtio-net-pci,netdev=net0,romfile=', '-device', 'virtio-scsi-pci,id=scsi', '-device', 'virtio-blk-pci,drive=system',
]

function argsOf(image: Image, { system, seed, folder, ssh, state, waits }: Machine): string[] {
  const network = (ssh?.address ?? '10.0.0.1').split('.').slice(0, 3).join('.')
  const door = ssh === undefined ? '' : `,hostfwd=tcp:127.0.0.1:${ssh.port}-${ssh.address}:22`
  return [
    '-serial', `file:${join(folder, 'console.log')}`,
    '-kernel', image.kernel, '-initrd', image.initrd,
    // Drivers of what no machine of the lab uses take seconds each.
    '-append',
    `root=/dev/vda rootfstype=ext4 rw console=ttyS0 quiet net.ifnames=0 mitigations=off random.trust_cpu=on modprobe.blacklist=${unused.join(',')}${waits === true ? ' lab.waits' : ''}`,
    '-drive', `if=none,id=system,file=${system},format=qcow2,cache=unsafe`,
    // Nothing leads out of the machine; one port leads in.
    '-netdev', `user,id=net0,restrict=on,net=${network}.0/24,host=${network}.254,dns=${network}.253${door}`,
    '-fw_cfg', `name=opt/lifeboat/seed,file=${seed}`,
    ...(state === undefined ? [] : ['-incoming', 'fd:3']),
  ]
}
