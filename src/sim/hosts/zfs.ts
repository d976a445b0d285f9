import type { Dataset, Pool } from '../world/model.js'
import type { ShellResult } from '../world/shell.js'
import { type Call, failed, getopt, isRoot, notPlayed, type Program, said } from './call.js'
import { poolsImportedOn } from './disks.js'
import { niceSize, table } from './size.js'
import { mountAll } from './zfs-mount.js'
import { below } from './zpool.js'

/** zfs of OpenZFS 2.1, in the forms that a failover needs. */
export const zfs: Program = (args, call) => {
  const [verb, ...rest] = args
  if (verb === 'list') return list(rest, call)
  if (verb === 'get') return get(rest, call)
  if (verb === 'version') return said('zfs-2.1.5-1ubuntu6~22.04.4\nzfs-kmod-2.1.5-1ubuntu6~22.04.4\n')
  if (verb === 'mount') return mount(rest, call)
  if (verb === 'unmount' || verb === 'umount') return unmount(rest, call)
  if (verb === 'set') return set(rest, call)
  return notPlayed('zfs', args)
}

interface Place {
  readonly pool: Pool
  readonly dataset: Dataset
}

function here(call: Call): Place[] {
  return poolsImportedOn(call.world, call.host).flatMap((pool) => pool.datasets.map((dataset) => ({ pool, dataset })))
}

const missing = (name: string): ShellResult => failed(1, `cannot open '${name}': dataset does not exist`)

/** A property as zfs prints it: value and source. Undefined for one that is not played and was not set. */
function property({ pool, dataset }: Place, name: string, exact: boolean): { value: string; source: string } | undefined {
  const size = (bytes: number): string => (exact ? String(bytes) : niceSize(bytes))
  const own = (value: string): { value: string; source: string } => ({ value, source: '-' })
  const children = pool.datasets.filter((one) => one.name.startsWith(`${dataset.name}/`)).reduce((sum, one) => sum + one.usedBytes, 0)
  switch (name) {
    case 'name': return own(dataset.name)
    case 'type': return own('filesystem')
    case 'mounted': return own(dataset.mounted ? 'yes' : 'no')
    case 'used': return own(size(dataset.usedBytes))
    case 'available':
    case 'avail': return own(size(Math.max(0, pool.sizeBytes - pool.allocatedBytes)))
    case 'referenced':
    case 'refer': return own(size(Math.max(0, dataset.usedBytes - children)))
    case 'mountpoint': return { value: dataset.mountpoint, source: dataset.mountpoint === `/${dataset.name}` ? 'default' : 'local' }
    default: return setting(dataset, name)
  }
}

const defaults: Readonly<Record<string, string>> = {
  compression: 'off', atime: 'on', canmount: 'on', readonly: 'off', recordsize: '131072', quota: '0', sharenfs: 'off', xattr: 'on', acltype: 'off',
}

function setting(dataset: Dataset, name: string): { value: string; source: string } | undefined {
  const value = dataset.properties[name]
  if (value !== undefined) return { value, source: 'local' }
  const usual = defaults[name]
  if (usual !== undefined) return { value: usual, source: 'default' }
  return name.includes(':') ? { value: '-', source: '-' } : undefined
}

/** The datasets that the names ask for; a result is a refusal. */
function chosen(call: Call, names: readonly string[], deep: boolean): Place[] | ShellResult {
  const all = here(call)
  if (names.length === 0) return all
  const absent = names.find((name) => !all.some(({ dataset }) => dataset.name === name))
  if (absent !== undefined) return missing(absent)
  return all.filter(({ dataset }) => names.some((name) => dataset.name === name || (deep && dataset.name.startsWith(`${name}/`))))
}

function list(args: readonly string[], call: Call): ShellResult {
  const options = getopt(args, 'Hpr', 'ot')
  if (!options || (options.values.get('t') ?? []).some((type) => type !== 'filesystem')) return notPlayed('zfs list', args)
  const columns = options.values.get('o')?.at(-1)?.split(',') ?? ['name', 'used', 'avail', 'refer', 'mountpoint']
  const places = chosen(call, options.rest, options.flags.has('r'))
  if ('exitCode' in places) return places
  const plain = options.flags.has('H')
  if (places.length === 0) return failed(0, plain ? '' : 'no datasets available')
  const rows: string[][] = []
  for (const place of places) {
    const cells = columns.map((column) => property(place, column, options.flags.has('p'))?.value)
    if (cells.includes(undefined)) return notPlayed('zfs list', args)
    rows.push(cells.map((cell) => cell ?? '-'))
  }
  const names: Readonly<Record<string, string>> = { available: 'AVAIL', referenced: 'REFER' }
  const right = columns.map((column) => /^(used|avail|available|refer|referenced)$/.test(column))
  return said(table(columns.map((column) => names[column] ?? column.toUpperCase()), rows, plain, right))
}

function get(args: readonly string[], call: Call): ShellResult {
  const options = getopt(args, 'Hpr', 'ots')
  const [names, ...datasets] = options?.rest ?? []
  if (!options || names === undefined || (options.values.get('t') ?? []).some((type) => type !== 'filesystem')) return notPlayed('zfs get', args)
  const places = chosen(call, datasets, options.flags.has('r'))
  if ('exitCode' in places) return places
  const sources = options.values.get('s')?.at(-1)?.split(',')
  // Everything that a property could be is not played; everything that somebody has set is.
  if (names === 'all' ? sources === undefined || !sources.every((one) => one === 'local' || one === 'received') : sources !== undefined) {
    return notPlayed('zfs get', args)
  }
  const columns = options.values.get('o')?.at(-1)?.split(',') ?? ['name', 'property', 'value', 'source']
  const rows: string[][] = []
  for (const place of places) {
    for (const name of names === 'all' ? settable(place) : names.split(',')) {
      const found = property(place, name, options.flags.has('p'))
      if (!found) return notPlayed('zfs get', args)
      if (sources !== undefined && !sources.includes(found.source)) continue
      const row: Readonly<Record<string, string>> = { name: place.dataset.name, property: name, ...found }
      rows.push(columns.map((column) => row[column] ?? '-'))
    }
  }
  return said(table(columns.map((one) => one.toUpperCase()), rows, options.flags.has('H'), columns.map(() => false)))
}

const settable = ({ dataset }: Place): string[] => ['mountpoint', ...Object.keys(dataset.properties)]

function mount(args: readonly string[], call: Call): ShellResult {
  if (args.length === 0) {
    const mounted = here(call).filter(({ dataset }) => dataset.mounted)
    return said(mounted.map(({ dataset }) => `${dataset.name.padEnd(30)}  ${dataset.mountpoint}\n`).join(''))
  }
  const [name = ''] = args
  if (args.length > 1 || (name.startsWith('-') && name !== '-a')) return notPlayed('zfs mount', args)
  if (name === '-a') {
    return isRoot(call) || here(call).every(({ dataset }) => dataset.mounted)
      ? mountAll(call, poolsImportedOn(call.world, call.host))
      : failed(1, here(call).map(({ dataset }) => `cannot mount '${dataset.name}': Insufficient privileges`).join('\n'))
  }
  const place = here(call).find(({ dataset }) => dataset.name === name)
  if (!place) return missing(name)
  if (!isRoot(call)) return failed(1, `cannot mount '${name}': Insufficient privileges`)
  if (place.dataset.mounted) return failed(1, `cannot mount '${name}': filesystem already mounted`)
  if (!place.dataset.mountpoint.startsWith('/')) return failed(1, `cannot mount '${name}': ${place.dataset.mountpoint === 'legacy' ? 'legacy mountpoint' : 'no mountpoint set'}`)
  if (place.dataset.properties['canmount'] === 'off') return failed(1, `cannot mount '${name}': 'canmount' property is set to 'off'`)
  place.dataset.mounted = true
  call.world.changed()
  return said('')
}

function unmount(args: readonly string[], call: Call): ShellResult {
  const options = getopt(args, 'af')
  const [name] = options?.rest ?? []
  if (!options || (name === undefined) !== options.flags.has('a')) return notPlayed('zfs unmount', args)
  if (!isRoot(call)) return failed(1, `cannot unmount '${name ?? 'all'}': permission denied`)
  const all = here(call)
  const place = all.find(({ dataset }) => dataset.name === name || dataset.mountpoint === name)
  if (name !== undefined && !place) return missing(name)
  if (place && !place.dataset.mounted) return failed(1, `cannot unmount '${name ?? ''}': not currently mounted`)
  // A dataset goes with what is mounted below it, deepest first.
  const wanted = place ? all.filter(({ dataset }) => below(dataset.mountpoint, place.dataset.mountpoint)) : all
  for (const { dataset } of [...wanted].reverse()) {
    if (!dataset.mounted) continue
    if (isInUse(call, dataset)) return failed(1, `cannot unmount '${dataset.mountpoint}': pool or dataset is busy`)
    dataset.mounted = false
  }
  call.world.changed()
  return said('')
}

function isInUse({ host }: Call, dataset: Dataset): boolean {
  return host.services.nfs && host.exports.some((one) => below(one.path, dataset.mountpoint))
}

function set(args: readonly string[], call: Call): ShellResult {
  const [pair = '', name = '', ...more] = args
  const [, key, value] = /^([a-z0-9:_.-]+)=(.*)$/.exec(pair) ?? []
  if (key === undefined || value === undefined || more.length > 0) return notPlayed('zfs set', args)
  const place = here(call).find(({ dataset }) => dataset.name === name)
  if (!place) return missing(name)
  if (!isRoot(call)) return failed(1, `cannot set property for '${name}': permission denied`)
  if (key === 'mountpoint') {
    if (!/^(\/|none$|legacy$)/.test(value)) return failed(1, `cannot set property for '${name}': 'mountpoint' must be an absolute path, 'none', or 'legacy'`)
    if (place.dataset.mounted && isInUse(call, place.dataset)) return failed(1, `cannot unmount '${place.dataset.mountpoint}': pool or dataset is busy`)
    place.dataset.mountpoint = value
    place.dataset.mounted = value.startsWith('/')
  } else if (setting(place.dataset, key)) place.dataset.properties[key] = value
  else return notPlayed('zfs set', args)
  call.world.changed()
  return said('')
}
