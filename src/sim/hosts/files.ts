import type { Host } from '../world/model.js'
import type { World } from '../world/world.js'
import type { Call } from './call.js'
import { isReady } from './call.js'
import { devicesOf, poolsImportedOn, stableFolder } from './disks.js'
import { remember } from './pool-cache.js'

/** A host, for whoever asks about it. */
export type Place = Pick<Call, 'world' | 'host'>

/** What a look at one path finds. */
export type Found = { readonly kind: 'file'; readonly text: string; readonly secret?: boolean } | { readonly kind: 'folder' }

const baseFolders = ['/', '/etc', '/etc/ssh', '/etc/systemd', '/root', '/home', '/run', '/run/lock', '/run/cloud-init', '/tmp', '/var', '/var/lib',
  '/var/log', '/var/tmp', '/dev', '/dev/disk', '/sys', '/sys/module', '/proc', '/mnt', '/srv', '/opt', '/usr']
/** Where a file may be written; homes on a pool hold nothing that the world knows. */
const writable = /^\/(etc|root|home|run|tmp|var|mnt|srv|opt)\//
const anyoneWrites = /^\/(tmp|var\/tmp|run\/lock)\//
const seeded = new WeakSet<Host>()

/**
 * Files as the host must have had them, where the world file lists only what is exported and imported. Once a host, before anything
 * else happens there.
 */
export function seedFiles(world: World, host: Host): void {
  if (seeded.has(host)) return
  seeded.add(host)
  for (const pool of poolsImportedOn(world, host)) remember(host, pool, true)
  if (host.exports.length === 0 || host.files.has('/etc/exports')) return
  host.files.set('/etc/exports', host.exports.map((one) => `${one.path} ${one.clients}(${one.options})\n`).join(''))
}

/** How a folder that was made on the host stands in `host.files`. */
export const folderMark = (path: string): string => `${path.replace(/\/+$/, '')}/`

/** Looks at an absolute path. Folders made on the host stand in `host.files` with a `/` at their end. */
export function look(call: Place, path: string): Found | undefined {
  const clean = path === '/' ? path : path.replace(/\/+/g, '/').replace(/\/$/, '')
  const text = call.host.files.get(clean)
  if (text !== undefined) return { kind: 'file', text }
  const given = systemFiles(call).get(clean)
  if (given !== undefined) return given
  return folders(call).has(clean) ? { kind: 'folder' } : undefined
}

/** Every path right below a folder, absolute and sorted. */
export function entries(call: Place, folder: string): string[] {
  const start = folder === '/' ? '/' : `${folder.replace(/\/+$/, '')}/`
  const all = [...[...call.host.files.keys()].map((path) => path.replace(/\/$/, '')), ...systemFiles(call).keys(), ...folders(call)]
  const names = all.filter((path) => path.startsWith(start) && path.length > start.length).map((path) => path.slice(start.length).split('/')[0] ?? '')
  return [...new Set(names)].sort().map((name) => start + name)
}

/** File names for a pattern of one path; the pattern itself where nothing fits, as a shell leaves it. */
export function expand(call: Call, text: string, pattern: RegExp): string[] {
  if (!text.startsWith('/')) return [text]
  let found = ['/']
  for (const part of text.split('/').filter((one) => one !== '')) {
    found = found.flatMap((folder) => (/[*?]/.test(part) ? entries(call, folder) : [`${folder.replace(/\/$/, '')}/${part}`]))
    const depth = (found[0] ?? '').split('/').length
    // Only names that fit this part go on.
    const piece = new RegExp(`^${part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`)
    found = found.filter((path) => path.split('/').length === depth && piece.test(path.split('/').at(-1) ?? ''))
    found = found.filter((path) => !/^\./.test(path.split('/').at(-1) ?? '') || part.startsWith('.'))
  }
  const matching = found.filter((path) => pattern.test(path) && look(call, path) !== undefined)
  return matching.length > 0 ? matching : [text]
}

/** Writes a file; the answer is the kernel's refusal, if any. */
export function write(call: Call, path: string, text: string, append = false): string | undefined {
  if (path === '/dev/null') return undefined
  const there = look(call, path)
  if (there?.kind === 'folder') return 'Is a directory'
  const parent = path.slice(0, path.lastIndexOf('/')) || '/'
  if (look(call, parent)?.kind !== 'folder') return 'No such file or directory'
  if (!writable.test(path)) return 'Read-only file system'
  if (call.user !== 'root' && !anyoneWrites.test(path) && !path.startsWith(`/home/${call.user}/`)) return 'Permission denied'
  call.host.files.set(path, (append && there?.kind === 'file' ? there.text : '') + text)
  call.world.changed()
  return undefined
}

/** What the system itself has: host keys, kernel module, devices. */
function systemFiles(call: Place): Map<string, Found> {
  const { world, host } = call
  const name = world.resource(host.machine)?.name ?? ''
  const found = new Map<string, Found>([
    ['/etc/ssh/ssh_host_ed25519_key', { kind: 'file', text: host.hostKey.private, secret: true }],
    ['/etc/ssh/ssh_host_ed25519_key.pub', { kind: 'file', text: `${host.hostKey.public}\n` }],
    ['/etc/hostname', { kind: 'file', text: `${name}\n` }],
    ['/dev/null', { kind: 'file', text: '' }],
  ])
  if (isReady(call)) {
    found.set('/sys/module/zfs/version', { kind: 'file', text: '2.1.5-1ubuntu6~22.04.4\n' })
    if (!host.files.has('/etc/exports')) found.set('/etc/exports', { kind: 'file', text: defaultExports })
  }
  for (const device of devicesOf(world, host)) {
    const parts = world.pools.some((pool) => pool.disks.includes(device.uniqueId)) ? ['', '1', '9'] : ['']
    for (const part of parts) {
      found.set(`/dev/${device.kernel}${part}`, { kind: 'file', text: '', secret: true })
      found.set(`${stableFolder}/${device.stable}${part === '' ? '' : `-part${part}`}`, { kind: 'file', text: '', secret: true })
    }
  }
  return found
}

const defaultExports = '# /etc/exports: the access control list for filesystems which may be exported\n#\t\tto NFS clients.  See exports(5).\n'

function folders(call: Place): Set<string> {
  const { world, host } = call
  const found = new Set([...baseFolders, `/home/${host.user}`])
  if (isReady(call)) for (const path of ['/sys/module/zfs', '/etc/zfs', '/var/lib/nfs', '/usr/sbin/zpool']) found.add(path)
  if (devicesOf(world, host).length > 0) for (const path of ['/dev/disk/azure', stableFolder]) found.add(path)
  for (const path of host.files.keys()) if (path.endsWith('/')) found.add(path.slice(0, -1))
  for (const pool of poolsImportedOn(world, host)) {
    for (const dataset of pool.datasets) if (dataset.mounted && dataset.mountpoint.startsWith('/')) found.add(dataset.mountpoint)
  }
  return found
}
