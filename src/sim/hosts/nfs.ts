import type { Host } from '../world/model.js'
import type { ShellResult } from '../world/shell.js'
import type { World } from '../world/world.js'
import { type Call, failed, isRoot, notPlayed, type Program, said } from './call.js'
import { poolsImportedOn } from './disks.js'
import { entries, look, type Place } from './files.js'

export function isNfsUnit(unit: string): boolean {
  return unit === 'nfs-kernel-server' || unit === 'nfs-server'
}

/** Where the host notes whether the service starts at boot; the package enables it. */
const unitMark = '/etc/systemd/.nfs-server.service'

export const isNfsEnabled = (host: Host): boolean => (host.files.get(unitMark) ?? 'enabled') === 'enabled'

export function enableNfs(host: Host, isEnabled: boolean): void {
  host.files.set(unitMark, isEnabled ? 'enabled' : 'disabled')
}

/** The unit itself runs `exportfs -r` before the server starts, and starts whatever that says. */
export function startNfs(place: Place): void {
  readExports(place)
  place.host.services.nfs = true
  place.world.changed()
}

/** The unit withdraws all exports when it stops. */
export function stopNfs(call: Call): void {
  call.host.services.nfs = false
  call.host.exports = []
  call.world.changed()
}

/** Fills the export table from /etc/exports and /etc/exports.d/*.exports; the answer is what exportfs says of bad lines. */
function readExports(call: Place): string {
  const files = ['/etc/exports', ...entries(call, '/etc/exports.d').filter((path) => path.endsWith('.exports'))]
  const table: Host['exports'] = []
  let complaints = ''
  for (const file of files) {
    const found = look(call, file)
    if (found?.kind !== 'file') continue
    for (const [at, line] of found.text.replaceAll('\\\n', ' ').split('\n').entries()) {
      const words = line.replace(/#.*/, '').trim().split(/\s+/).filter((word) => word !== '')
      const [path, ...clients] = words
      if (path === undefined) continue
      if (clients.length === 0) complaints += `exportfs: No host name given with ${path} (ro,sync,no_subtree_check), suggest *(ro,sync,no_subtree_check) to avoid warning\n`
      for (const client of clients.length === 0 ? ['*'] : clients) {
        const [, name = '', options = ''] = /^([^()]*)(?:\(([^()]*)\))?$/.exec(client) ?? []
        if (name === '' && options === '') {
          complaints += `exportfs: ${file}:${at + 1}: syntax error: bad option list\n`
          continue
        }
        if (look(call, path)?.kind !== 'folder') complaints += `exportfs: Failed to stat ${path}: No such file or directory\n`
        else complaints += added(table, { path, clients: name === '' ? '*' : name, options })
      }
    }
  }
  call.host.exports = table
  return complaints
}

/** One client of one path stands once in the table; that it stands in two files makes exportfs fail, though everything is exported. */
function added(table: Host['exports'], one: Host['exports'][number]): string {
  const line = `exportfs: \t${one.clients}:${one.path}\n`
  if (table.some(({ path, clients }) => path === one.path && clients === one.clients)) return `exportfs: duplicated export entries:\n${line}${line}`
  table.push(one)
  return ''
}

const exportfs: Program = (args, call): ShellResult => {
  const form = args.join(' ')
  if (form === '-v' || form === '-s' || form === '') {
    // Seen on real servers: without root it says this, prints nothing, and answers 0.
    if (!isRoot(call)) return { exitCode: 0, stdout: '', stderr: 'exportfs: could not open /var/lib/nfs/.etab.lock for locking: errno 13 (Permission denied)\n' }
    return said(call.host.exports.map((one) => line(one, form)).join(''))
  }
  if (form !== '-ra' && form !== '-r' && form !== '-rav' && form !== '-a' && form !== '-ua') return notPlayed('exportfs', args)
  if (!isRoot(call)) {
    return failed(1, "exportfs: could not open /var/lib/nfs/.etab.lock for locking: errno 13 (Permission denied)\nexportfs: can't lock /var/lib/nfs/etab for writing")
  }
  const complaints = form === '-ua' ? '' : readExports(call)
  if (form === '-ua') call.host.exports = []
  call.world.changed()
  return {
    exitCode: /Failed to stat|syntax error|duplicated export entries/.test(complaints) ? 1 : 0,
    stdout: form === '-rav' ? call.host.exports.map((one) => `exporting ${one.clients}:${one.path}\n`).join('') : '',
    stderr: complaints,
  }
}

/** `-v` puts what belongs to a long path on a line of its own; the options are those in force, defaults included. */
function line(one: Host['exports'][number], form: string): string {
  if (form === '') return `${one.path.padEnd(16)}\t${one.clients}\n`
  const client = `${one.clients === '*' ? '<world>' : one.clients}(${inForce(one.options)})\n`
  if (form === '-s') return `${one.path}  ${client}`
  return one.path.length > 14 ? `${one.path}\n\t\t${client}` : `${one.path.padEnd(14)}\t${client}`
}

/** Options as the server has them: sync, wdelay, hide, … `secure` and squashing stand at the end. */
function inForce(options: string): string {
  const given = new Set(options.split(',').map((one) => one.trim()))
  const value = (name: string): string | undefined => [...given].find((one) => one.startsWith(`${name}=`))
  const pick = (on: string, off: string, otherwise: string): string => (given.has(on) ? on : given.has(off) ? off : otherwise)
  const words = [
    pick('async', 'sync', 'sync'),
    pick('no_wdelay', 'wdelay', 'wdelay'),
    pick('nohide', 'hide', 'hide'),
    ...(given.has('crossmnt') ? ['crossmnt'] : []),
    pick('subtree_check', 'no_subtree_check', 'no_subtree_check'),
    ...[value('fsid'), mountpointOf(options), value('anonuid'), value('anongid')].filter((one) => one !== undefined),
    value('sec') ?? 'sec=sys',
    pick('rw', 'ro', 'ro'),
    pick('insecure', 'secure', 'secure'),
    pick('no_root_squash', 'root_squash', 'root_squash'),
    pick('all_squash', 'no_all_squash', 'no_all_squash'),
  ]
  return words.join(',')
}

/** `mp` and `mountpoint`, with a path or without: the table has the long word. */
function mountpointOf(options: string): string | undefined {
  const found = options.split(',').map((one) => /^(?:mp|mountpoint)(=.*)?$/.exec(one.trim())).find((one) => one !== null)
  return found === undefined ? undefined : `mountpoint${found[1] ?? ''}`
}

/**
 * Does mountd keep an export back? It does where that is only for what is mounted (`mp`) and nothing is mounted there. It is asked
 * whenever a client comes, so nothing has to be exported again once something is.
 */
export function isKeptBack(world: World, host: Host, { path, options }: Host['exports'][number]): boolean {
  const option = mountpointOf(options)
  if (option === undefined) return false
  const wanted = option.replace(/^mountpoint=?/, '') || path
  return !poolsImportedOn(world, host).some(({ datasets }) => datasets.some(({ mounted, mountpoint }) => mounted && mountpoint === wanted))
}

export const nfs: Readonly<Record<string, Program>> = { exportfs }
