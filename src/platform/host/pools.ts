import { LifeboatError } from '../../contract/index.js'
import { failed, readOn, said, unreadable, writeOn, type Host } from './run.js'

/** A ZFS pool that is imported on a host. */
export interface ImportedPool {
  readonly name: string
  readonly guid: string
  /** ONLINE, DEGRADED, FAULTED, SUSPENDED, … */
  readonly health: string
}

export interface Dataset {
  readonly name: string
  readonly mounted: boolean
  /** False where nobody wants it mounted: `canmount` is off or noauto, or there is no mountpoint. */
  readonly wantsMount: boolean
  readonly mountpoint: string
  readonly usedBytes: number
}

/** A pool that could be imported, as its devices tell. */
export interface ImportablePool {
  readonly name: string
  readonly guid: string
  readonly state: string
  /** Name and state of each device. */
  readonly devices: readonly { readonly name: string; readonly state: string }[]
  /** False where another host imported it last and never exported it: only `-f` would take it. */
  readonly exported: boolean
}

/** Azure's own names for data disks, by LUN: renumbered devices do not matter. */
export const deviceFolder = '/dev/disk/azure/scsi1'

const rowsOf = (text: string): string[][] =>
  text.split('\n').filter((line) => line !== '' && !/^no (pools|datasets) available$/.test(line)).map((line) => line.split('\t'))

export async function importedPools(host: Host): Promise<readonly ImportedPool[]> {
  const text = await readOn(host, ['sudo', '-n', 'zpool', 'list', '-H', '-p', '-o', 'name,guid,health'])
  return rowsOf(text).map((row) => {
    const [name, guid, health] = row
    if (row.length !== 3 || name === undefined || guid === undefined || health === undefined || !/^\d+$/.test(guid) || !/^[A-Z]+$/.test(health)) {
      throw unreadable(host.at, 'zpool list', row.join(' '))
    }
    return { name, guid, health }
  })
}

/** File systems of all pools that are imported. */
export async function datasetsOn(host: Host): Promise<readonly Dataset[]> {
  const columns = 'name,mounted,canmount,mountpoint,used'
  const text = await readOn(host, ['sudo', '-n', 'zfs', 'list', '-H', '-p', '-t', 'filesystem', '-o', columns])
  return rowsOf(text).map((row) => {
    const [name, mounted, canmount, mountpoint, used] = row
    if (name === undefined || canmount === undefined || mountpoint === undefined || !/^(yes|no)$/.test(mounted ?? '') || !/^\d+$/.test(used ?? '')) {
      throw unreadable(host.at, 'zfs list', row.join(' '))
    }
    return { name, mounted: mounted === 'yes', wantsMount: canmount === 'on' && mountpoint.startsWith('/'), mountpoint, usedBytes: Number(used) }
  })
}

export function isInPool({ name }: Dataset, pool: string): boolean {
  return name === pool || name.startsWith(`${pool}/`)
}

/** Pools that lie on the attached devices and are not imported. */
export async function importablePools(host: Host): Promise<readonly ImportablePool[]> {
  const command = ['sudo', '-n', 'zpool', 'import', '-d', deviceFolder]
  const result = await host.ssh.read(host.at, command)
  if (/no pools available to import/.test(result.stdout + result.stderr)) return []
  // Without a data disk there is no such folder yet.
  if (result.exitCode !== 0 && /No such file or directory/.test(result.stderr)) return []
  if (result.exitCode !== 0) throw failed(host.at, command, result)
  return parseImportable(result.stdout)
}

/** The listing of `zpool import`: a paragraph of `key: value` lines a pool, and under `config:` a tree of its devices. */
export function parseImportable(text: string): readonly ImportablePool[] {
  return text.split(/^(?= *pool: )/m).filter((part) => /^ *pool: /.test(part)).map((part) => {
    const value = (key: string): string => new RegExp(`^ *${key}: *(.*)$`, 'm').exec(part)?.[1]?.trim() ?? ''
    const name = value('pool')
    const tree = part.slice(part.search(/^ *config:/m)).split('\n').slice(1)
    const devices = tree.flatMap((line) => {
      const [, device, state] = /^\t\s*(\S+)\s+([A-Z]+)\b/.exec(line) ?? []
      return device === undefined || state === undefined || device === name || isGroup(device) ? [] : [{ name: device, state }]
    })
    const lastUsed = /last accessed by another system|'-f' flag|may be (in use|active)/i.test(part)
    return { name, guid: value('id'), state: value('state'), devices, exported: !lastUsed }
  })
}

/** Rows of the tree that are no device. */
function isGroup(name: string): boolean {
  return /^(mirror|raidz[123]?|draid[123]?\S*|spare|replacing)-\d+$|^(logs|cache|spares|special|dedup)$/.test(name)
}

/** Throws `zfs.errors` if the pool has data errors. */
export async function assertNoDataErrors(host: Host, pool: string): Promise<void> {
  const text = await readOn(host, ['sudo', '-n', 'zpool', 'status', pool])
  if (/^errors: No known data errors$/m.test(text)) return
  throw new LifeboatError('zfs.errors', `${pool} has data errors: ${/^errors: (.*)$/m.exec(text)?.[1] ?? 'zpool status does not say which'}`, {
    hint: `Look at \`zpool status -v ${pool}\` on that server. It is imported and not mounted, so nothing uses it yet.`,
  })
}

/**
 * Imports by guid without mounting, never with force: `-F` and `-X` throw data away, and a pool that was not exported may
 * still be in use elsewhere. A pool without a cachefile does not come back by itself on a host that lost it (openzfs #15290).
 */
export async function importPool(host: Host, guid: string): Promise<void> {
  const result = await host.ssh.write(host.at, ['zpool', 'import', '-N', '-d', deviceFolder, '-o', 'cachefile=none', guid])
  if (result.exitCode === 0) return
  const text = said(result)
  if (/previously in use|last accessed by another|in use (from|by|on) (an)?other|is active/i.test(result.stderr)) throw notExported(guid, text)
  // Somebody was faster, an earlier try of ours perhaps; or udev is slower. Either way the next look tells.
  if (/already (exists|imported)|no such pool/i.test(result.stderr)) {
    throw new LifeboatError('zfs.look-again', `the pool ${guid} cannot be imported now: ${text}`, { retry: {} })
  }
  throw new LifeboatError('zfs.import', `the pool ${guid} cannot be imported: ${text}`)
}

export function notExported(pool: string, why: string): LifeboatError {
  return new LifeboatError('zfs.not-exported', `the pool ${pool} was never exported by the server that had it: ${why}`, {
    blame: 'user',
    hint:
      'Export it there (`zpool export`), with the disks attached to it again. If that server is lost, prove that it cannot write ' +
      'any more, snapshot the disks, and import with -f by hand: the tool never does.',
  })
}

/** Unmounts and exports a pool. Throws `zfs.busy` while something on the host uses it. */
export async function exportPool(host: Host, pool: string): Promise<void> {
  const command = ['zpool', 'export', pool]
  const result = await host.ssh.write(host.at, command)
  if (result.exitCode === 0) return
  if (/busy/i.test(result.stderr)) {
    throw new LifeboatError('zfs.busy', `${pool} is in use: ${said(result)}`, {
      retry: {},
      hint: 'See on that server who has files open there: `fuser -vm` on its mountpoints.',
    })
  }
  if (/no such pool/i.test(result.stderr)) throw new LifeboatError('zfs.look-again', `${pool} is gone: ${said(result)}`, { retry: {} })
  throw failed(host.at, command, result)
}

export async function mountAll(host: Host): Promise<void> {
  await writeOn(host, ['zfs', 'mount', '-a'])
}
