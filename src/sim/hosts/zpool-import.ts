import { sameId } from '../world/ids.js'
import type { Host, Pool } from '../world/model.js'
import type { ShellResult } from '../world/shell.js'
import type { World } from '../world/world.js'
import { type Call, failed, getopt, isRoot, notPlayed, type Options, said } from './call.js'
import { devicesOfPool, isImportedHere, poolsImportedOn, stableFolder } from './disks.js'
import { unknownOf } from './features.js'
import { labelHere, stateHere, takeIn } from './labels.js'
import { forSomeTime } from './lasting.js'
import { remember } from './pool-cache.js'
import { mountAll } from './zfs-mount.js'

/**
 * `zpool import`: without a name it lists what this machine's own disks hold, with one (or a GUID, or `-a`) it imports.
 * OpenZFS 2.1's texts and exit codes.
 */
export async function importPool(args: readonly string[], call: Call): Promise<ShellResult> {
  const options = getopt(args, 'aNfFn', 'doRc')
  if (!options || options.values.has('R') || options.values.has('c') || options.rest.length > 1) return notPlayed('zpool import', args)
  if (!(options.values.get('o') ?? []).every((one) => one === 'cachefile=none' || one === 'readonly=on')) return notPlayed('zpool import', args)
  const all = options.flags.has('a')
  // What `-n` and `-F` do without each other, or to a list, is not played.
  if (options.flags.has('n') && !options.flags.has('F')) return notPlayed('zpool import', args)
  if (options.flags.has('F') && options.rest.length === 0) return notPlayed('zpool import', args)
  const [wanted] = options.rest
  if (wanted !== undefined && all) return failed(2, 'too many arguments')
  if (!isRoot(call)) {
    return failed(1, wanted === undefined ? 'cannot discover pools: permission denied' : `cannot import '${wanted}': no such pool available`)
  }
  const visible = scan(call, options)
  if (wanted !== undefined) return importOne(call, options, visible, wanted)
  if (all) return importAll(call, options, visible)
  if (visible.length === 0) return failed(0, 'no pools available to import')
  return said(visible.map((pool) => described(call, pool)).join('\n'))
}

/** Pools with a disk at this machine, in one of the folders that are searched, and not imported here. */
function scan({ world, host }: Call, options: Options): Pool[] {
  const folders = (options.values.get('d') ?? [stableFolder]).map((one) => one.replace(/\/+$/, ''))
  if (!folders.some((one) => one === stableFolder || one === '/dev')) return []
  return world.pools.filter((pool) => !isImportedHere(pool, host) && devicesOfPool(world, host, pool).length > 0)
}

const isNamed = (pool: Pool, wanted: string): boolean => pool.name === wanted || pool.guid === wanted

async function importAll(call: Call, options: Options, visible: readonly Pool[]): Promise<ShellResult> {
  const results: ShellResult[] = []
  for (const pool of visible) results.push(await importOne(call, options, visible, pool.guid))
  return {
    exitCode: results.some((one) => one.exitCode !== 0) ? 1 : 0,
    stdout: '',
    stderr: results.map((one) => one.stderr).join('') || (visible.length === 0 ? 'no pools available to import\n' : ''),
  }
}

async function importOne(call: Call, options: Options, visible: readonly Pool[], wanted: string): Promise<ShellResult> {
  const { world, host } = call
  const cannot = (why: string): ShellResult => failed(1, `cannot import '${wanted}': ${why}`)
  if (poolsImportedOn(world, host).some((pool) => isNamed(pool, wanted))) return cannot(alreadyThere)
  const found = visible.filter((pool) => isNamed(pool, wanted))
  const [pool] = found
  if (!pool) return cannot('no such pool available')
  if (found.length > 1) return cannot('more than one matching pool\nimport by numeric ID instead')
  const unknown = unknownOf(world, host, pool)
  if (unknown.length > 0) return { ...failed(1, `cannot import '${pool.name}': unsupported version or feature`), stdout: unsupported('This', 'by', unknown) }
  const refused = refusal(call, pool, options.flags.has('f'))
  if (refused !== undefined) return failed(1, `cannot import '${pool.name}': ${refused}`)
  const broken = brokenState(world, pool, options.flags)
  if (broken !== undefined) return broken
  return forSomeTime(call, `zpool import ${pool.name}`, 'zpool import', () => {
    if (isImportedHere(pool, host)) return cannot(alreadyThere)
    if (poolsImportedOn(world, host).some((one) => one.name === pool.name)) return failed(1, `cannot import '${pool.name}': pool already exists`)
    if (stateHere(world, host, pool) === 'UNAVAIL') return failed(1, `cannot import '${pool.name}': no such device or address`)
    // ZFS writes the same label twice when two hosts import at once (openzfs #14886): it does not look again, so we do not.
    bringIn(world, host, pool)
    const given = options.values.get('o') ?? []
    pool.readOnly = given.includes('readonly=on')
    // What was imported for reading only stands in no cache file: it might not be importable at the next boot.
    remember(host, pool, !given.includes('cachefile=none') && !pool.readOnly)
    return options.flags.has('N') ? said('') : mountAll(call, [pool])
  })
}

/**
 * What an import says of a pool whose last state cannot be read: that it can go back, and what that costs, or that it cannot. With `-F` it
 * goes back; with `-n` besides it only tries. Undefined where the import may go on.
 */
function brokenState(world: World, pool: Pool, flags: ReadonlySet<string>): ShellResult | undefined {
  if (pool.damage === undefined) return undefined
  const { seconds } = pool.damage
  const loss = seconds === undefined ? '' : seconds > 120 ? `${Math.floor(seconds / 60)} minutes` : `${seconds} seconds`
  const then = ctime(new Date(world.clock.nowMs() - (seconds ?? 0) * 1000).toISOString())
  if (flags.has('n')) {
    if (seconds === undefined) return { exitCode: 1, stdout: '', stderr: '' }
    const stdout = `Would be able to return ${pool.name} to its state as of ${then}.\nWould discard approximately ${loss} of transactions.\n`
    return { exitCode: 1, stdout, stderr: '' }
  }
  if (flags.has('F') && seconds !== undefined) {
    Object.assign(pool, { damage: undefined, lostSeconds: seconds })
    return undefined
  }
  const stdout = seconds === undefined ? '\tDestroy and re-create the pool from\n\ta backup source.\n' : recoverable(pool.name, then, loss)
  return { ...failed(1, `cannot import '${pool.name}': I/O error`), stdout }
}

const recoverable = (name: string, then: string, loss: string): string =>
  [
    '\tRecovery is possible, but will result in some data loss.',
    `\tReturning the pool to its state as of ${then}`,
    `\tshould correct the problem.  Approximately ${loss} of data`,
    '\tmust be discarded, irreversibly.  Recovery can be attempted',
    `\tby executing 'zpool import -F ${name}'.  A scrub of the pool`,
    '\tis strongly recommended after recovery.',
    '',
  ].join('\n')

const alreadyThere = "a pool with that name already exists\nuse the form 'zpool import <pool | id> <newpool>' to give it a new name"

/** Why ZFS will not import it, if so: disks that are missing, or another system's mark that nobody has taken away. */
function refusal({ world, host }: Call, pool: Pool, force: boolean): string | undefined {
  const state = stateHere(world, host, pool)
  if (state === 'UNAVAIL') return 'no such device or address\n\tDestroy and re-create the pool from\n\ta backup source.'
  const { exported, hostId } = labelHere(world, host, pool)
  if (exported || force || hostId === host.hostId) return undefined
  return [
    'pool was previously in use from another system.',
    `Last accessed by ${nameOf(world, hostId)} (hostid=${hostId ?? '0'}) at ${ctime(world.spec.epoch)}`,
    "The pool can be imported, use 'zpool import -f' to import the pool.",
  ].join('\n')
}

/** As C's ctime writes it. The world does not note when a pool was last written; its start is as good as any time before. */
function ctime(iso: string): string {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(iso).toUTCString().replace(',', '').split(' ')
  return `${day} ${month} ${date} ${time} ${year}`
}

function nameOf(world: World, hostId: string | undefined): string {
  const host = [...world.hosts.values()].find((one) => one.hostId === hostId)
  return (host && world.resource(host.machine)?.name) ?? '<unknown>'
}

/** In the words of libzfs, which lists and imports with slightly different ones. */
function unsupported(which: string, where: string, features: readonly string[]): string {
  return `${which} pool uses the following feature(s) not supported ${where} this system:\n${features.map((name) => `\t${name}\n`).join('')}`
}

/** The import itself, and the world's eye on it: nobody else may have the pool, or a disk of it, at that moment. */
function bringIn(world: World, host: Host, pool: Pool): void {
  const isUp = (machine: string): boolean => !['deallocated', 'stopped'].includes(world.host(machine)?.power ?? 'deallocated')
  for (const other of pool.importedOn) {
    if (!sameId(other, host.machine)) world.violation(`pool ${pool.name} was imported on ${host.machine} while it was still imported on ${other}`)
  }
  for (const disk of world.ofType('Microsoft.Compute/disks')) {
    if (!pool.disks.includes(String(disk.properties['uniqueId']))) continue
    const holder = world.holderOf(disk.id)
    if (holder && !sameId(holder.id, host.machine) && isUp(holder.id)) {
      world.violation(`pool ${pool.name} was imported on ${host.machine} while ${holder.id} still had its disk ${disk.name}`)
    }
  }
  takeIn(world, host, pool)
  world.changed()
}

/** One pool in the list of what could be imported. */
function described(call: Call, pool: Pool): string {
  const { world, host } = call
  const state = stateHere(world, host, pool)
  const { exported, hostId } = labelHere(world, host, pool)
  const foreign = !exported && hostId !== host.hostId
  const devices = new Map(devicesOfPool(world, host, pool).map((device) => [device.uniqueId, device.stable]))
  const unknown = unknownOf(world, host, pool)
  const broken = unknown.length === 0 && state === 'ONLINE' && pool.damage !== undefined
  const whole = broken ? 'FAULTED  corrupted data' : state
  const rows: (readonly [string, string])[] = [[pool.name, unknown.length === 0 ? whole : 'UNAVAIL  unsupported feature(s)']]
  if (pool.layout === 'mirror') rows.push(['  mirror-0', state])
  pool.disks.forEach((disk, at) => {
    const stable = devices.get(disk)
    rows.push([`${pool.layout === 'mirror' ? '    ' : '  '}${stable ?? `lun${at}`}`, stable === undefined ? 'UNAVAIL' : 'ONLINE'])
  })
  const width = Math.max(...rows.map(([name]) => name.length), 10)
  return [
    `   pool: ${pool.name}`,
    `     id: ${pool.guid}`,
    `  state: ${unknown.length > 0 ? 'UNAVAIL' : broken ? 'FAULTED' : state}`,
    ...(unknown.length > 0 ? unsupportedHere(unknown) : broken ? corrupted(foreign) : explained(state, foreign)),
    ' config:',
    '',
    ...rows.map(([name, text]) => `\t${name.padEnd(width)}  ${text}`),
    '',
  ].join('\n')
}

function unsupportedHere(features: readonly string[]): string[] {
  return [
    `status: ${unsupported('The', 'on', features).trimEnd()}`,
    'action: The pool cannot be imported. Access the pool on a system that supports\n\tthe required feature(s), or recreate the pool from backup.',
  ]
}

function corrupted(foreign: boolean): string[] {
  return [
    'status: The pool metadata is corrupted.',
    ' action: The pool cannot be imported due to damaged devices or data.',
    ...(foreign ? ["\tThe pool may be active on another system, but can be imported using\n\tthe '-f' flag."] : []),
    '   see: https://openzfs.github.io/openzfs-docs/msg/ZFS-8000-72',
  ]
}

function explained(state: 'ONLINE' | 'DEGRADED' | 'UNAVAIL', foreign: boolean): string[] {
  if (state === 'UNAVAIL') {
    return [
      'status: One or more devices are missing from the system.',
      ' action: The pool cannot be imported. Attach the missing\n\tdevices and try again.',
      '   see: https://openzfs.github.io/openzfs-docs/msg/ZFS-8000-6X',
    ]
  }
  const status = foreign
    ? ['status: The pool was last accessed by another system.']
    : state === 'DEGRADED' ? ['status: One or more devices are missing from the system.'] : []
  if (foreign) {
    return [
      ...status,
      " action: The pool can be imported using its name or numeric identifier and\n\tthe '-f' flag.",
      '   see: https://openzfs.github.io/openzfs-docs/msg/ZFS-8000-EY',
    ]
  }
  if (state === 'DEGRADED') {
    return [
      ...status,
      ' action: The pool can be imported despite missing or damaged devices.  The\n\tfault tolerance of the pool may be compromised if imported.',
      '   see: https://openzfs.github.io/openzfs-docs/msg/ZFS-8000-2Q',
    ]
  }
  return [' action: The pool can be imported using its name or numeric identifier.']
}
