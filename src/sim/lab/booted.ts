import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { access, chmod, constants, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LabError } from './error.js'
import type { Booted, Image } from './files.js'
import { fixedArgs, keepState, startQemu, type Running } from './qemu.js'

/**
 * Boots a machine without a name once and keeps its state beside the image. Every machine that is new goes on from there: a boot
 * takes an emulated processor a minute or more. Undefined where nothing can be kept: then each boots for itself.
 */
export async function bootedOnce(image: Image, folder: string, log: (line: string) => void): Promise<Booted | undefined> {
  const { stdout } = await promisify(execFile)('qemu-system-x86_64', ['--version'])
  const key = createHash('sha256').update(stdout).update(fixedArgs.join('\0')).digest('hex').slice(0, 16)
  const kept = join(folder, `booted-${key}`)
  if (!existsSync(kept)) {
    const isOurs = await access(folder, constants.W_OK).then(() => true, () => false)
    if (!isOurs) return undefined
    log('a machine of the lab is booted, once; those to come go on from there')
    await boot(image, folder, kept)
  }
  return { disk: join(kept, 'disk.qcow2'), state: join(kept, 'state') }
}

async function boot(image: Image, folder: string, kept: string): Promise<void> {
  const work = await mkdtemp(join(folder, 'booting.'))
  try {
    const system = join(work, 'disk.qcow2')
    const seed = join(work, 'seed')
    await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', '../root.img', '-F', 'raw', system])
    await writeFile(seed, '-')
    const running = await startQemu(image, { system, seed, folder: work, waits: true })
    try {
      await running.qmp.execute('cont')
      await untilItWaits(running, join(work, 'console.log'))
      await keepState(running.qmp, join(work, 'state'))
      // It writes its disk out when it is told to end.
      await running.qmp.execute('quit')
      await running.gone
    } finally {
      running.child.kill('SIGKILL')
    }
    // Whoever has the image may use it; it knows no secret.
    await chmod(work, 0o755)
    // Somebody else may have been quicker: theirs is as good.
    await rename(work, kept).catch((error: unknown) => {
      if (!existsSync(kept)) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function untilItWaits({ child }: Running, console: string): Promise<void> {
  while (!existsSync(console) || !readFileSync(console, 'utf8').includes('lab: waits')) {
    if (child.exitCode !== null || child.signalCode !== null) throw new LabError('the machine ended before it had booted')
    await new Promise((resolve) => void setTimeout(resolve, 200))
  }
}
