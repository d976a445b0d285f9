import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootedOnce } from './booted.js'
import { LabError } from './error.js'
import type { Image } from './files.js'

const recipe = fileURLToPath(new URL('../../../fixtures/lab', import.meta.url))

type Environment = Readonly<Record<string, string | undefined>>

/** What keeps this machine from running the lab, in words for a person; empty if nothing does. */
export function labNeeds(env: Environment): string[] {
  const needs: string[] = []
  if (process.platform !== 'linux' || process.arch !== 'x64') return [`Linux on x86-64 (this is ${process.platform} on ${process.arch})`]
  const missing = (programs: readonly string[]): string[] => programs.filter((program) => !isInstalled(program, env))
  const absent = missing(['qemu-system-x86_64', 'qemu-img', 'setpriv', 'tar', 'flock'])
  if (absent.length > 0) needs.push(`${absent.join(', ')} (on Debian: apt-get install --no-install-recommends qemu-system-x86 qemu-utils)`)
  if (existsSync(folderOf(env))) return needs
  const builders = missing(['debootstrap', 'mke2fs', 'apt-get'])
  if (builders.length > 0) needs.push(`${builders.join(', ')} to build the image once (on Debian: apt-get install debootstrap)`)
  if (process.getuid?.() !== 0) needs.push('root to build the image once: `npm run lab` as root; later anybody can run it who has the same cache (LIFEBOAT_LAB_CACHE)')
  else if (!mayMount()) needs.push('the right to mount, to build the image once (in a container: CAP_SYS_ADMIN)')
  if (builders.length === 0 && !knowsDebian()) needs.push("a Debian mirror among apt's own sources, to build the image once (`apt-get update` first)")
  return needs
}

/**
 * The image of the present recipe, built now if it is not in the cache (LIFEBOAT_LAB_CACHE, else in the user's cache folder);
 * that takes some minutes, and the network. Throws LabError.
 */
export async function labImage(env: Environment, log: (line: string) => void): Promise<Image> {
  const needs = labNeeds(env)
  if (needs.length > 0) throw new LabError(`the lab needs ${needs.join('; and ')}`)
  const folder = folderOf(env)
  if (!existsSync(folder)) {
    log(`the lab's image is built at ${folder}: some minutes, once`)
    await build(folder, env, log)
  }
  const image = { root: join(folder, 'root.img'), kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd.img') }
  const booted = await bootedOnce(image, folder, log)
  return booted === undefined ? image : { ...image, booted }
}

async function build(folder: string, env: Environment, log: (line: string) => void): Promise<void> {
  await mkdir(join(folder, '..'), { recursive: true })
  const last: string[] = []
  // Who comes second waits, and finds it there.
  const child = spawn('flock', [`${folder}.lock`, 'sh', '-c', 'test -d "$2" || exec "$1" "$2"', 'sh', join(recipe, 'build.sh'), folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...(env['TMPDIR'] === undefined ? {} : { TMPDIR: env['TMPDIR'] }) },
  })
  const keep = (text: string): void => void last.splice(0, Math.max(0, last.push(...text.split('\n').filter(Boolean)) - 20))
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new LabError(`the lab's image cannot be built:\n${last.join('\n')}`)
  log("the lab's image is built")
}

/** The folder of the image that the recipe makes as it stands. */
function folderOf(env: Environment): string {
  const digest = createHash('sha256')
  const files = filesBelow(recipe).filter((path) => !path.endsWith('.md'))
  for (const path of files.sort()) digest.update(`${relative(recipe, path)}\0`).update(readFileSync(path)).update('\0')
  const cache = env['LIFEBOAT_LAB_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache'), 'lifeboat', 'lab')
  return join(cache, digest.digest('hex').slice(0, 16))
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : path
  })
}

/** Root in a container often may not, and debootstrap's chroot needs /proc. */
function mayMount(): boolean {
  return spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' }).status === 0
}

function knowsDebian(): boolean {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(ORIGIN)'], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' })
  return stdout.split('\n').includes('Debian')
}

function isInstalled(program: string, env: Environment): boolean {
  return [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => folder !== '' && existsSync(join(folder, program)))
}
