import { sameId } from '../world/ids.js'
import type { Host, Pool } from '../world/model.js'
import type { ShellResult } from '../world/shell.js'
import { type Call, failed, getopt, isRoot, notPlayed, type Program, said } from './call.js'
import { devicesOfPool, poolsImportedOn, stateOf } from './disks.js'
import { folderMark } from './files.js'
import { featureRows, upgradeList } from './features.js'
import { forSomeTime } from './lasting.js'
import { remember } from './pool-cache.js'
import { niceSize, table } from './size.js'
import { importPool } from './zpool-import.js'

/** zpool of OpenZFS 2.1, in the forms that a failover needs. */
export const zpool: Program = (args, call) => {
  const [verb, ...rest] = args
  if (verb === 'list') return list(rest, call)
  if (verb === 'status') return status(rest, call)
  if (verb === 'get') return get(rest, call)
  if (verb === 'import') return importPool(rest, call)
  if (verb === 'upgrade') return rest.join(' ') === '-v' ? said(upgradeList(call.world, call.host)) : notPlayed('zpool upgrade', rest)
  if (verb === 'export') return exportPool(rest, call)
  if (verb === 'version') return said('zfs-2.1.5-1ubuntu6~22.04.4\nzfs-kmod-2.1.5-1ubuntu6~22.04.4\n')
  return notPlayed('zpool', args)
}

const noSuchPool = (name: string): ShellResult => failed(1, `cannot open '${name}': no such pool`)

const listed = ['name', 'size', 'allocated', 'free', 'checkpoint', 'expandsize', 'fragmentation', 'capacity', 'dedupratio', 'health', 'altroot']
const headers: Readonly<Record<string, string>> = {
  allocated: 'ALLOC', checkpoint: 'CKPOINT', expandsize: 'EXPANDSZ', fragmentation: 'FRAG', capacity: 'CAP', dedupratio: 'DEDUP',
}
const aliases: Readonly<Record<string, string>> = {
  alloc: 'allocated', cap: 'capacity', frag: 'fragmentation', dedup: 'dedupratio', expandsz: 'expandsize',
}
const leftAligned = new Set(['name', 'health', 'altroot', 'cachefile', 'failmode', 'comment'])

/** A property of a pool as zpool prints it; undefined for one that is not played. */
function property(call: Call, pool: Pool, name: string, exact: boolean): string | undefined {
  const size = (bytes: number): string => (exact ? String(bytes) : niceSize(bytes))
  const values: Readonly<Record<string, string>> = {
    name: pool.name,
    guid: pool.guid,
    health: stateOf(call.world, call.host, pool),
    size: size(pool.sizeBytes),
    allocated: size(pool.allocatedBytes),
    free: size(pool.sizeBytes - pool.allocatedBytes),
    capacity: `${Math.floor((pool.allocatedBytes * 100) / pool.sizeBytes)}${exact ? '' : '%'}`,
    fragmentation: exact ? '12' : '12%',
    dedupratio: exact ? '1.00' : '1.00x',
    checkpoint: '-',
    expandsize: '-',
    altroot: '-',
    readonly: pool.readOnly === true ? 'on' : 'off',
    multihost: 'off',
    failmode: 'wait',
    comment: '-',
  }
  return values[aliases[name] ?? name]
}

function list(args: readonly string[], call: Call): ShellResult {
  const options = getopt(args, 'Hp', 'o')
  if (!options) return notPlayed('zpool list', args)
  const [plain, exact] = [options.flags.has('H'), options.flags.has('p')]
  const columns = options.values.get('o')?.at(-1)?.split(',').map((one) => aliases[one] ?? one) ?? listed
  const here = poolsImportedOn(call.world, call.host)
  const missing = options.rest.find((name) => !here.some((pool) => pool.name === name))
  if (missing !== undefined) return noSuchPool(missing)
  const pools = options.rest.length === 0 ? here : here.filter((pool) => options.rest.includes(pool.name))
  const sample = call.world.pools[0]
  const unknown = columns.find((column) => sample && property(call, sample, column, exact) === undefined)
  if (unknown !== undefined) return notPlayed('zpool list', args)
  if (pools.length === 0) return said(plain ? '' : 'no pools available\n')
  const rows = pools.map((pool) => columns.map((column) => property(call, pool, column, exact) ?? '-'))
  const right = columns.map((column) => !leftAligned.has(column))
  return said(table(columns.map((column) => headers[column] ?? column.toUpperCase()), rows, plain, right))
}

function get(args: readonly string[], call: Call): ShellResult {
  const options = getopt(args, 'Hp', 'o')
  const [names, ...pools] = options?.rest ?? []
  if (!options || names === undefined || (names === 'all' && pools.length !== 1)) return notPlayed('zpool get', args)
  const here = poolsImportedOn(call.world, call.host)
  const missing = pools.find((name) => !here.some((pool) => pool.name === name))
  if (missing !== undefined) return noSuchPool(missing)
  const exact = options.flags.has('p')
  const columns = options.values.get('o')?.at(-1)?.split(',') ?? ['name', 'property', 'value', 'source']
  const rows: string[][] = []
  for (const pool of here.filter((one) => pools.length === 0 || pools.includes(one.name))) {
    const features = new Map(featureRows(call.world, call.host, pool))
    for (const name of names === 'all' ? [...listed, 'guid', ...features.keys()] : names.split(',')) {
      const value = features.get(name) ?? property(call, pool, name, exact)
      if (value === undefined) return notPlayed('zpool get', args)
      const row: Readonly<Record<string, string>> = { name: pool.name, property: aliases[name] ?? name, value, source: sourceOf(name) }
      rows.push(columns.map((column) => row[column] ?? '-'))
    }
  }
  return said(table(columns.map((one) => one.toUpperCase()), rows, options.flags.has('H'), columns.map(() => false)))
}

function sourceOf(property: string): string {
  if (property.startsWith('feature@')) return 'local'
  return ['multihost', 'failmode'].includes(property) ? 'default' : '-'
}

function status(args: readonly string[], call: Call): ShellResult {
  const options = getopt(args, 'xvPL')
  if (!options) return notPlayed('zpool status', args)
  const here = poolsImportedOn(call.world, call.host)
  const missing = options.rest.find((name) => !here.some((pool) => pool.name === name))
  if (missing !== undefined) return noSuchPool(missing)
  let pools = options.rest.length === 0 ? here : here.filter((pool) => options.rest.includes(pool.name))
  if (pools.length === 0) return failed(0, 'no pools available')
  if (options.flags.has('x')) {
    const asked = pools
    pools = pools.filter((pool) => stateOf(call.world, call.host, pool) !== 'ONLINE')
    if (pools.length === 0) {
      const [only] = asked
      return said(options.rest.length === 1 && only ? `pool '${only.name}' is healthy\n` : 'all pools are healthy\n')
    }
  }
  return said(pools.map((pool) => oneStatus(call, pool)).join('\n'))
}

function oneStatus(call: Call, pool: Pool): string {
  const devices = new Map(devicesOfPool(call.world, call.host, pool).map((device) => [device.uniqueId, device.stable]))
  const indent = pool.layout === 'mirror' ? '    ' : '  '
  const state = stateOf(call.world, call.host, pool)
  const rows: (readonly [string, string])[] = [[pool.name, state]]
  if (pool.layout === 'mirror') rows.push(['  mirror-0', state])
  pool.disks.forEach((disk, at) => {
    const stable = devices.get(disk)
    rows.push([`${indent}${stable ?? `lun${at}`}`, stable === undefined ? 'UNAVAIL' : 'ONLINE'])
  })
  const width = Math.max(...rows.map(([name]) => name.length), 10)
  const line = ([name, state]: readonly [string, string]): string => `\t${name.padEnd(width)}  ${state.padEnd(8)}     0     0     0\n`
  return [
    `  pool: ${pool.name}\n state: ${state}\n`,
    ...(state === 'SUSPENDED' ? ['status: One or more devices are faulted in response to IO failures.\naction: Make sure the affected devices are connected, then run \'zpool clear\'.\n'] : []),
    ...(state === 'ONLINE' || state === 'SUSPENDED' ? [] : [
      'status: One or more devices could not be used because the label is missing or\n\tinvalid.  Sufficient replicas exist for the pool to continue\n\tfunctioning in a degraded state.\n',
      "action: Replace the device using 'zpool replace'.\n",
    ]),
    `config:\n\n\t${'NAME'.padEnd(width)}  ${'STATE'.padEnd(8)}  READ WRITE CKSUM\n`,
    ...rows.map(line),
    state === 'SUSPENDED' ? '\nerrors: 2 data errors, use \'-v\' for a list\n' : '\nerrors: No known data errors\n',
  ].join('')
}

/** Export: only when nobody uses the datasets; what it writes to the disks is what makes the next import safe. */
async function exportPool(args: readonly string[], call: Call): Promise<ShellResult> {
  const options = getopt(args, 'f')
  const [name, ...more] = options?.rest ?? []
  if (!options || name === undefined || more.length > 0) return notPlayed('zpool export', args)
  const { world, host } = call
  const pool = poolsImportedOn(world, host).find((one) => one.name === name)
  if (!pool) return noSuchPool(name)
  if (!isRoot(call)) return failed(1, `cannot export '${name}': permission denied`)
  if (stateOf(call.world, call.host, pool) === 'SUSPENDED') return failed(1, `cannot export '${name}': pool I/O is currently suspended`)
  const busy = failed(1, `cannot export '${name}': pool is busy`)
  if (isServed(call, pool)) return busy
  return forSomeTime(call, `zpool export ${name}`, 'zpool export', () => {
    if (isServed(call, pool)) return busy
    pool.importedOn = pool.importedOn.filter((id) => !sameId(id, host.machine))
    for (const dataset of pool.datasets) dataset.mounted = false
    pool.exported = true
    remember(host, pool, false)
    forgetFolders(host, pool)
    world.changed()
    return said('')
  })
}

/** An export takes away the mountpoints that nobody has set, as far as they are empty; one that was set stays as a folder (S22). */
function forgetFolders(host: Host, { datasets }: Pool): void {
  for (const { name, mountpoint } of datasets) {
    if (mountpoint === `/${name}`) host.files.delete(folderMark(mountpoint))
    else if (mountpoint.startsWith('/')) host.files.set(folderMark(mountpoint), '')
  }
}

/** Does the running NFS server export a mounted dataset of the pool? */
export function isServed({ host }: Call, pool: Pool): boolean {
  if (!host.services.nfs) return false
  return pool.datasets.some((dataset) => dataset.mounted && host.exports.some((one) => below(one.path, dataset.mountpoint)))
}

export const below = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)
