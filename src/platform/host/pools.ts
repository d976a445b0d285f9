import { LifeboatError } from '../../contract/index.js'
import type { Question } from './ask.js'
import { damagedPool } from './damaged.js'
import { deviceFolder } from './devices.js'
import { failed, said, unreadable, type Host } from './run.js'

/** A ZFS pool that is imported on a host. */
export interface ImportedPool {
  readonly name: string
  readonly guid: string
  /** ONLINE, DEGRADED, FAULTED, SUSPENDED, … */
  readonly health: string
  /** Somebody has imported it so (`-o readonly=on`): nobody can save anything there. */
  readonly readOnly?: true
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
  /** Features of ZFS that it uses and this host does not know; with one of them it cannot be imported. */
  readonly unknownFeatures: readonly string[]
}

const rowsOf = (text: string): string[][] =>
  text.split('\n').filter((line) => line !== '' && !/^no (pools|datasets) available$/.test(line)).map((line) => line.split('\t'))

export const importedPools: Question<readonly ImportedPool[]> = {
  command: ['sudo', '-n', 'zpool', 'list', '-H', '-p', '-o', 'name,guid,health,readonly'],
  read(result, { at }) {
    if (result.exitCode !== 0) throw failed(at, importedPools.command, result)
    return rowsOf(result.stdout).map((row) => {
      const [name = '', guid = '', health = '', readOnly = ''] = row
      if (row.length !== 4 || !/^\d+ [A-Z]+ (on|off)$/.test(`${guid} ${health} ${readOnly}`)) throw unreadable(at, 'zpool list', row.join(' '))
      return { name, guid, health, ...(readOnly === 'on' ? { readOnly: true } : {}) }
    })
  },
}

/** How full the imported pools are, in percent. */
export const poolFill: Question<readonly { readonly guid: string; readonly percent: number }[]> = {
  command: ['sudo', '-n', 'zpool', 'list', '-H', '-p', '-o', 'guid,capacity'],
  read(result, { at }) {
    if (result.exitCode !== 0) throw failed(at, poolFill.command, result)
    return rowsOf(result.stdout).map((row) => {
      const [guid, percent] = row
      if (guid === undefined || !/^\d+%?$/.test(percent ?? '')) throw unreadable(at, 'zpool list', row.join(' '))
      return { guid, percent: Number.parseInt(percent ?? '', 10) }
    })
  },
}

/** From here on ZFS searches long for free blocks, and a pool that is quite full cannot even delete (facts/storage). */
export const fullPercent = 90

/** File systems of all pools that are imported. */
export const mountedDatasets: Question<readonly Dataset[]> = {
  command: ['sudo', '-n', 'zfs', 'list', '-H', '-p', '-t', 'filesystem', '-o', 'name,mounted,canmount,mountpoint,used'],
  read(result, { at }) {
    if (result.exitCode !== 0) throw failed(at, mountedDatasets.command, result)
    return rowsOf(result.stdout).map((row) => {
      const [name, mounted, canmount, mountpoint, used] = row
      if (name === undefined || canmount === undefined || mountpoint === undefined || !/^(yes|no) \d+$/.test(`${mounted ?? ''} ${used ?? ''}`)) {
        throw unreadable(at, 'zfs list', row.join(' '))
      }
      const wantsMount = canmount === 'on' && mountpoint.startsWith('/')
      return { name, mounted: mounted === 'yes', wantsMount, mountpoint, usedBytes: Number(used) }
    })
  },
}

export function isInPool({ name }: Dataset, pool: string): boolean {
  return name === pool || name.startsWith(`${pool}/`)
}

/** Pools that lie on the attached devices and are not imported. */
export const importablePools: Question<readonly ImportablePool[]> = {
  command: ['sudo', '-n', 'zpool', 'import', '-d', deviceFolder],
  read(result, { at }) {
    const { stdout, stderr, exitCode } = result
    const found = parseImportable(stdout)
    // Without a data disk there is no such folder yet.
    const none = /no pools available to import/.test(stdout + stderr) || /scsi1'?: No such file or directory/.test(stderr)
    if (exitCode !== 0 && found.length === 0 && !none) throw failed(at, importablePools.command, result)
    return found
  },
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
    return { name, guid: value('id'), state: value('state'), devices, exported: !lastUsed, unknownFeatures: unknownIn(part) }
  })
}

/** They stand one a line, indented by a tab, behind the words that say so. */
function unknownIn(part: string): readonly string[] {
  const [, list = ''] = /feature\(s\) not supported(?: on this system|[^:\n]*):?\n((?:\t.*\n)+)/.exec(part) ?? []
  return list.split('\n').flatMap((line) => /^\t(\S+)/.exec(line)?.[1] ?? [])
}

/** Rows of the tree of devices that are none. */
export function isGroup(name: string): boolean {
  return /^(mirror|raidz[123]?|draid[123]?\S*|spare|replacing)-\d+$|^(logs|cache|spares|special|dedup)$/.test(name)
}

const statusOf = (pool: string): readonly string[] => ['sudo', '-n', 'zpool', 'status', pool]

/** Throws `zfs.errors` if the pool has data errors. */
export const noDataErrors = (pool: string): Question<void> => ({
  command: statusOf(pool),
  read(result, { at }) {
    if (result.exitCode !== 0) throw failed(at, statusOf(pool), result)
    assertNoErrors(pool, result.stdout)
  },
})

function assertNoErrors(pool: string, status: string): void {
  if (/^errors: No known data errors$/m.test(status)) return
  throw new LifeboatError('zfs.errors', `${pool} has data errors: ${/^errors: (.*)$/m.exec(status)?.[1] ?? 'zpool status does not say which'}`, {
    hint: `Look at \`zpool status -v ${pool}\` on that server. It is imported and not mounted, so nothing uses it yet.`,
  })
}

export interface PoolToImport {
  readonly guid: string
  readonly name: string
  /**
   * `-f`: takes a pool that another host had and never exported. Only for who has proved that nobody else can hold it: beside
   * another host's import it destroys the pool.
   */
  readonly force?: boolean
  /** For the server that has had it all along: it has it again whenever it boots, if its disks are there and nobody has had it since. */
  readonly atBoot?: boolean
}

/**
 * Imports by guid without mounting, so that it can be looked at first. Never `-F` and `-X`, which throw data away. A pool without
 * a cachefile does not come back by itself on a host that lost it (openzfs #15290).
 * Throws `zfs.errors` if it has data errors, and `zfs.damaged` if its last state cannot be read.
 */
export async function importPool(host: Host, { guid, name, force, atBoot }: PoolToImport): Promise<void> {
  const command = ['zpool', 'import', ...(force === true ? ['-f'] : []), '-N', '-d', deviceFolder, ...(atBoot === true ? [] : ['-o', 'cachefile=none']), guid]
  const result = await host.ssh.write(host.at, [command, statusOf(name)])
  if (result.exitCode === 0) return assertNoErrors(name, result.stdout)
  const text = said(result)
  if (/previously in use|last accessed by another|in use (from|by|on) (an)?other|is active/i.test(result.stderr)) throw notExported(name, text)
  // Somebody was faster, an earlier try of ours perhaps; or udev is slower. Either way the next look tells.
  if (/already (exists|imported)|no such pool/i.test(result.stderr)) {
    throw new LifeboatError('zfs.look-again', `the pool ${name} cannot be imported now: ${text}`, { retry: {} })
  }
  if (/Recovery is possible|I\/O error/.test(result.stdout + result.stderr)) throw damagedPool({ guid, name, force: force === true }, `${result.stderr} ${result.stdout}`)
  throw new LifeboatError('zfs.import', `the pool ${name} cannot be imported: ${text}`)
}

export function notExported(pool: string, why: string, hint = exportHint): LifeboatError {
  return new LifeboatError('zfs.not-exported', `the pool ${pool} was never exported by the server that had it: ${why}`, { blame: 'user', hint })
}

const exportHint =
  'Export it there (`zpool export`), with the disks attached to it again. If that server is lost, name it in the runbook as `previous`: once it ' +
  'is deallocated or has none of the disks, the pool is imported all the same.'

/** Unmounts and exports a pool. Throws `zfs.busy` while something on the host uses it. */
export async function exportPool(host: Host, pool: string): Promise<void> {
  const command = ['zpool', 'export', pool]
  const result = await host.ssh.write(host.at, [command])
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

/** So many at once that a command line stays far below what a system takes. */
const mostMounts = 200

/**
 * Mounts what of this pool wants to be mounted and is not. Looked at behind the host's lock, and so behind an import or an export of an
 * earlier life that may still be at work.
 */
export async function mountPool(host: Host, pool: string): Promise<void> {
  const [, , ...command] = mountedDatasets.command
  const all = mountedDatasets.read(await host.ssh.write(host.at, [command]), host)
  await mount(host, all.filter((dataset) => isInPool(dataset, pool)))
}

/**
 * Never `-a`, which takes in what lies on other pools, such as one that was imported and is kept back. The outermost folder first: a mount
 * hides what was mounted below it before. What `-a` would pass by is passed by, and the rest is mounted all the same. Throws
 * `zfs.look-again` where somebody was faster.
 */
export async function mount(host: Host, datasets: readonly Dataset[]): Promise<void> {
  const wanting = datasets.filter(({ wantsMount, mounted }) => wantsMount && !mounted)
  let missing = wanting.sort((a, b) => (a.mountpoint < b.mountpoint ? -1 : 1))
  while (missing.length > 0) {
    const now = missing.slice(0, mostMounts)
    const result = await host.ssh.write(host.at, now.map(({ name }) => ['zfs', 'mount', name]))
    if (/filesystem already mounted/.test(result.stderr)) throw new LifeboatError('zfs.look-again', said(result), { retry: {} })
    const done = result.exitCode === 0 ? now.length : passedBy(now, result.stderr)
    if (done === 0) throw failed(host.at, ['zfs', 'mount'], result)
    missing = missing.slice(done)
  }
}

/** How many are over with the one that cannot be: its key is not loaded, or half of it was received (test/lab). 0 for another trouble. */
function passedBy(datasets: readonly Dataset[], stderr: string): number {
  const [, name] = /cannot mount '([^']+)': .*(?:encryption key not loaded|Contains partially-completed state)/.exec(stderr) ?? []
  return datasets.findIndex((one) => one.name === name) + 1
}
