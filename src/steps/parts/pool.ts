import { LifeboatError, type Alternative, type Finding } from '../../contract/index.js'
import { damagedPool } from '../../platform/host/damaged.js'
import { deviceFolder } from '../../platform/host/devices.js'
import { fullPercent, type Dataset, type ImportablePool, type ImportedPool } from '../../platform/host/pools.js'

/** What there is against a pool whose features a server does not know. */
export const newerZfs = 'Make the new server from an image whose ZFS is at least as new as the old one\'s (`zpool version` tells it).'

/** The alternative: a pool that has lost a device is used all the same. */
const degraded = 'degraded'

/** What is better known before a pool changes hands than after: no redundancy left, or hardly any room. */
export function poolWarnings(
  { name, guid }: { readonly name: string; readonly guid: string },
  pools: readonly ImportedPool[],
  fill: readonly { readonly guid: string; readonly percent: number }[],
): Finding[] {
  const health = pools.find((pool) => pool.guid === guid)?.health ?? 'ONLINE'
  const percent = fill.find((pool) => pool.guid === guid)?.percent ?? 0
  const sick: Finding = {
    level: 'warn',
    what: `${name} is ${health} on the old server: it has lost redundancy, or worse`,
    mend: `Look at \`zpool status ${name}\` there. The new server imports a degraded pool only if you choose that (--accept STEP=degraded).`,
  }
  // Fenced all the same, its users would lose the rest, and it could still not be exported.
  const gone: Finding = {
    level: 'stop',
    what: `${name} is suspended on the old server: its disks were taken from it while it was imported, and it can be neither read nor exported`,
    mend: `Attach them to the old server again, at the LUNs that they had, and run \`zpool clear ${name}\` there. Nothing else is done with them before that.`,
  }
  const wrong = health === 'ONLINE' ? [] : [health === 'SUSPENDED' ? gone : sick]
  return [...wrong, ...(percent < fullPercent ? [] : [{ level: 'warn' as const, ...fullPool(name, percent) }])]
}

/** Said before the import where it can be known there. */
export function fullPool(name: string, percent: number): { readonly what: string; readonly mend: string } {
  return {
    what: `${name} is ${percent} % full: writing becomes slow, and hubs fail when it is full`,
    mend: 'Make room before or soon after the failover: delete what nobody needs, or add disks to the pool.',
  }
}

interface WantedPool {
  readonly pool: { readonly name: string; readonly guid: string; readonly devices: number }
}

/** The devices must hold this very pool, all of it; one that has lost a device only if the operator has chosen that. */
export function wholePool(found: readonly ImportablePool[], { pool }: WantedPool, accepted: ReadonlySet<string>): ImportablePool {
  const here = found.find(({ guid }) => guid === pool.guid)
  const others = found.filter((one) => one !== here).map(({ name, guid }) => `${name} (guid ${guid})`)
  const strangers = others.length === 0 ? '' : ` Devices there belong to ${others.join(', ')}.`
  if (here === undefined) {
    throw new LifeboatError('zfs.not-found', `no pool ${pool.guid} on the devices of ${deviceFolder}; found: ${others.join(', ') || 'none'}`, {
      retry: {},
      hint: 'Are these the disks of that pool, and is its guid in the runbook right? Nothing was imported.',
    })
  }
  if (here.name !== pool.name) {
    throw new LifeboatError('zfs.other-name', `the pool ${pool.guid} is called ${here.name}, not ${pool.name}`, { blame: 'user', hint: 'Mend its name in the runbook.' })
  }
  if (here.unknownFeatures.length > 0) {
    throw new LifeboatError('zfs.features', `${pool.name} uses what the ZFS of this server does not know: ${here.unknownFeatures.join(', ')}`, {
      blame: 'user',
      hint: `Nothing was imported. ${newerZfs} The old server still can have it: undo puts it back.`,
    })
  }
  const { guid, name, exported } = here
  if (here.state === 'FAULTED' && here.devices.length === pool.devices && here.devices.every(({ state }) => state === 'ONLINE')) {
    throw damagedPool({ guid, name, force: !exported }, 'all its devices are there, and it is FAULTED')
  }
  const online = here.devices.filter(({ state }) => state === 'ONLINE').length
  if (online === pool.devices && here.devices.length === pool.devices && here.state === 'ONLINE') return here
  const offers = here.state === 'DEGRADED' && here.devices.length === pool.devices
  if (offers && accepted.has(degraded)) return here
  const lost = here.devices.filter(({ state }) => state !== 'ONLINE').map(({ name, state }) => `${name} is ${state}`)
  const what = `${pool.name} has ${pool.devices} devices; ${online} of the ${here.devices.length} that are seen are ONLINE (pool: ${here.state})`
  throw new LifeboatError('zfs.devices', lost.length === 0 ? what : `${what}: ${lost.join(', ')}`, {
    ...(offers ? { alternative: degradedOffer(pool.name) } : { retry: {} }),
    hint: `Are all its disks attached?${strangers} A pool that is not whole is not imported.`,
  })
}

/** Only ONLINE is healthy; DEGRADED is for the operator to choose, and everything else is a matter for a person. */
export function assertHealth({ name, health }: ImportedPool, on: string, accepted: ReadonlySet<string>): void {
  if (health === 'ONLINE' || (health === 'DEGRADED' && accepted.has(degraded))) return
  throw new LifeboatError('zfs.health', `${name} is imported on ${on}, but ${health}`, {
    blame: 'user',
    hint: `Look at \`zpool status ${name}\` on that server and bring its devices back.`,
    ...(health === 'DEGRADED' ? { alternative: degradedOffer(name) } : {}),
  })
}

function degradedOffer(name: string): Alternative {
  const offer = `${name} is used as it is, without a device. Its data are whole, but the next device that fails takes them: replace it soon.`
  return { id: degraded, offer, changes: [] }
}

/** What no hub's data belong over: a dataset that says so would hide the system from itself. */
const system = ['/bin', '/boot', '/dev', '/etc', '/lib', '/lib64', '/proc', '/root', '/run', '/sbin', '/sys', '/usr', '/var/lib']

const overSystem = (datasets: readonly Dataset[]): string =>
  datasets.filter(({ wantsMount, mountpoint }) => wantsMount && covers(mountpoint)).map(({ name, mountpoint }) => `${name} at ${mountpoint}`).join(', ')

/** Told before the old server is fenced: the new one would not mount them. */
export function mountpointFindings(datasets: readonly Dataset[]): Finding[] {
  const where = overSystem(datasets)
  if (where === '') return []
  const mend = 'Give them another mountpoint on the old server (`zfs set mountpoint=`), and have it exported from there.'
  return [{ level: 'stop', what: `these datasets would be mounted over the system of the new server: ${where}`, mend }]
}

export function assertMountpoints(datasets: readonly Dataset[]): void {
  const where = overSystem(datasets)
  if (where === '') return
  throw new LifeboatError('zfs.mountpoint', `these datasets would be mounted over the system of the server: ${where}`, {
    blame: 'user',
    hint: 'The pool is imported and not mounted. Give them another mountpoint (`zfs set mountpoint=`) on that server, then resume.',
  })
}

function covers(mountpoint: string): boolean {
  const path = mountpoint.replace(/(?<=.)\/+$/, '')
  return path === '/' || path.split('/').includes('..') || system.some((folder) => path === folder || path.startsWith(`${folder}/`))
}

/** What the reader should know of a pool that is in use. */
export function remarkOn({ name, health }: ImportedPool, percent: number): string | undefined {
  const parts = [
    ...(health === 'ONLINE' ? [] : [`${name} is ${health}: replace its lost device soon`]),
    ...(percent < fullPercent ? [] : [fullPool(name, percent).what]),
  ]
  return parts.length === 0 ? undefined : parts.join('; ')
}
