import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Finding, type PlanInputs } from '../contract/index.js'
import { file, resourceId } from '../contract/inputs.js'
import { ask } from '../platform/host/ask.js'
import { atWork } from '../platform/host/at-work.js'
import {
  exportTable,
  isOnlyMounted,
  nfsState,
  otherOptions,
  ownExports,
  sameOptions,
  startNfs,
  stopNfs,
  twinOf,
  writeExports,
  writtenExports,
  type Export,
  type MountedExport,
} from '../platform/host/nfs.js'
import { mountedDatasets, type Dataset } from '../platform/host/pools.js'
import type { Host } from '../platform/host/run.js'
import type { Platform } from '../platform/platform.js'
import { naming } from './parts/naming.js'
import { together } from './parts/readiness.js'
import { keyFindings } from './parts/ssh.js'
import { onHost } from './parts/writes.js'
import { claim, defineStep, hostBusy, hostLabel, inverted, known, minutes, seconds } from './step.js'

/** exports(5) knows quotes and escapes; a path that needs them is refused instead, and one that cannot stand among options. */
const exported = z.strictObject({
  path: z.string().regex(/^\/[^\s"'#\\(),]*$/, 'an absolute path without blanks, quotes and commas'),
  clients: z.string().regex(/^[^\s"'#\\()]+$/, 'an address range or a name'),
  options: z.string().regex(/^[^\s"'#\\()]+$/, 'options as in exports(5), with commas and no blanks'),
})

const inputs = z.strictObject({
  machine: resourceId,
  user: z.string(),
  /** Path of the private key to log in with. */
  sshKey: file,
  exports: z.array(exported).min(1),
  /**
   * True where the server has had these exports all along, and only NFS was stopped: then it is started again, the way back stops it,
   * and the exports themselves are nobody's to make or take away.
   */
  standing: z.boolean().default(false),
})
type Inputs = z.infer<typeof inputs>

interface Seen {
  /** Those of the wanted paths that are exported now, as exportfs spells them. */
  readonly exports: readonly Export[]
  readonly active: boolean
  /** Has this tool written any of the wanted ones, exported or not? */
  readonly written: boolean
  /** Does the server's own file have all of them, and is nothing missing but NFS? */
  readonly own: boolean
}

/** NFS exports of paths that lie on a mounted dataset, and a server that serves them. Other exports are left alone. */
export const nfsExports = defineStep({
  uses: 'nfs/exports',
  summary: 'NFS exports of the homes, on the server that has the pool',
  inputs,
  outputs: z.object({ exports: z.array(z.object({ path: z.string(), clients: z.string(), options: z.string() })) }),
  identity: ['machine', 'user', 'sshKey', 'exports', 'standing'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 10 * minutes }),
  preflight: (changes, wanted, { doors }) => together(keyFindings(wanted.sshKey), ownFindings(changes, wanted, doors)),
  async observe(wanted, { doors }) {
    const host = hostOf(wanted, doors)
    const [isAtWork, shown, nfs, written, own, datasets] =
      await ask(host, atWork, exportTable, nfsState, writtenExports, ownExports, mountedDatasets)
    if (isAtWork) return { state: 'in-flight', what: hostBusy(wanted.machine) }
    const found = wanted.exports.map((one) => shown.find(({ path, clients }) => path === one.path && clients === one.clients))
    const right = wanted.exports.every(({ options }, index) => sameOptions(options, found[index]?.options ?? 'none'))
    const served = right && wanted.exports.every(({ path }) => mountedUnder(path, datasets) !== undefined)
    const exports = found.filter((one) => one !== undefined)
    if (served && nfs === 'active') return { state: 'converged', outputs: { exports } }
    // A server that is stopped exports nothing; what its files say is told once it runs.
    if (wanted.standing && nfs === 'active' && !right) return { state: 'conflict', ...notStanding(wanted) }
    // Lines that are not served, be it that this was broken off or that the pool is away, are what an undo has to take away.
    const isWritten = !wanted.standing && wanted.exports.some((one) => twinOf(one, written) !== undefined)
    const isOwn = !isWritten && nfs !== 'active' && wanted.exports.every((one) => sameOptions(one.options, twinOf(one, own)?.options ?? 'none'))
    if (exports.length === 0 && !isWritten && !isOwn) return { state: 'absent' }
    return { state: 'drifted', seen: { exports, active: nfs === 'active', written: isWritten, own: isOwn } }
  },
  plan(wanted, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const { exports, machine, standing } = wanted
    const on = hostLabel(machine)
    if (naming(standing, 'standing')) return [{ resource: nfsServer, action: 'run', before: { on, active: false }, after: { on, active: true } }]
    const after = { on, exports: isPending(exports) ? exports : exports.map(plain), active: true }
    const resource = 'nfs exports'
    if (seen.state === 'absent') return [{ resource, action: 'create', after }]
    const { exports: found, active, written, own } = seen.seen
    const before = { on, exports: found.map(plain), active, ...(written ? { written } : {}), ...(own ? { own } : {}) }
    // The first half of the same creation.
    return [{ resource, action: areHalf(seen.seen, wanted) ? 'create' : 'update', before, after }]
  },
  async apply(changes, wanted, ctx) {
    const { doors } = ctx
    const host = hostOf(wanted, doors)
    for (const change of changes) {
      const { resource, action, after } = change
      if (stops(change)) return stopNfs(host)
      const exports = resource === nfsServer ? wanted.exports : action === 'delete' ? [] : exportsIn(after)
      const [datasets] = await ask(host, mountedDatasets)
      const found = exports.map((one) => ({ ...one, mountpoint: mountedUnder(one.path, datasets)?.mountpoint }))
      const mounted = found.filter((one): one is MountedExport => one.mountpoint !== undefined)
      if (mounted.length < exports.length) throw notMounted(found.filter(({ mountpoint }) => mountpoint === undefined), wanted.machine)
      if (exports.length > 0) ctx.progress(`exporting ${exports.map(({ path }) => path).join(', ')}`)
      // A later life may have had others in its runbook than the first one, whose change this puts back.
      const gone = action === 'delete' ? [...exportsIn(change.before), ...wanted.exports] : exportsIn(change.before)
      await (resource === nfsServer ? startNfs(host) : writeExports(host, mounted, gone))
    }
  },
  invert: (changes) =>
    changes.map((change) => ({
      ...inverted(change),
      ...(change.action === 'create' || change.resource === nfsServer ? { harm: 'hubs that mount these exports lose their files' } : {}),
    })),
  isBack: (then, now) => (then.action === 'create' && now !== undefined ? isAway(then, now) : undefined),
  // Where the server's own file has all of them already, its other file is removed instead of written; or, with another's lines left
  // in that, written instead of removed.
  writes: (changes, { machine }) =>
    changes.flatMap((change) => {
      const { action, resource } = change
      if (stops(change)) return onHost(machine, 'systemctl stop')
      if (resource === nfsServer) return onHost(machine, 'systemctl enable')
      return onHost(machine, ...(action === 'delete' ? ['rm', 'exportfs'] : ['mkdir', 'tee', 'exportfs', 'systemctl enable']))
    }),
  claims: ({ machine }) => [claim('machine', known(machine))],
  estimateMs: () => 15 * seconds,
})

const nfsServer = 'nfs-server'

function isActive(after: Change['after']): boolean {
  return typeof after === 'object' && after !== null && 'active' in after && after.active === true
}

/** Lines of the server's own file are not this run's to take away: served by it, they are left with NFS stopped, as they were found. */
function stops({ resource, action, after }: Pick<Change, 'resource' | 'action' | 'after'>): boolean {
  return resource === nfsServer ? !isActive(after) : action === 'delete' && (after as Partial<Seen> | undefined)?.own === true
}

function notStanding({ machine, exports }: Inputs): { readonly why: string; readonly mend: string } {
  return {
    why: `${hostLabel(machine)} does not export ${exports.map(({ path }) => path).join(', ')} as it should have all along`,
    mend: 'See `exportfs -v` there, and the runbook that made them: run that again, or mend the exports by hand.',
  }
}

/** What the server's own file exports stays as it is, and has no such option as lines of ours have. */
function evenUnmounted(bare: readonly Export[], machine: string): Finding {
  return {
    level: 'warn',
    what: `/etc/exports on ${hostLabel(machine)} exports ${bare.map(({ path }) => path).join(', ')} also while nothing is mounted there`,
    mend: 'Add `mountpoint` to the options there: after a boot the pool is not imported by itself, and hubs would get an empty folder of the system disk.',
  }
}

/** A line of the server's own file that is in the way. A server that another step makes has none of ours to look at yet. */
async function ownFindings(changes: readonly Change[], wanted: PlanInputs<Inputs>, doors: Platform): Promise<Finding[]> {
  const { machine, user, sshKey, exports } = wanted
  if (isPending(machine) || isPending(user) || isPending(sshKey) || isPending(exports)) return []
  if (changes.every(({ action, resource }) => action === 'delete' || resource === nfsServer)) return []
  const host = hostOf({ machine, user, sshKey }, doors)
  // That file may well be empty: asked with something that is not, an answer that was lost is not taken for it.
  const [own] = await ask(host, ownExports, nfsState)
  const clash = otherOptions(host, own, exports)
  if (clash !== undefined) return [{ level: 'stop', what: clash.message, mend: clash.hint ?? '' }]
  const bare = exports.filter((one) => !isOnlyMounted(twinOf(one, own)?.options ?? 'mountpoint'))
  return bare.length === 0 ? [] : [evenUnmounted(bare, machine)]
}

function hostOf({ machine, user, sshKey }: Pick<Inputs, 'machine' | 'user' | 'sshKey'>, { ssh }: Platform): Host {
  return { ssh, at: { machine, user, key: sshKey } }
}

/** The dataset that a path lies on, if that is mounted. Without it, an empty folder of the system's disk would be exported. */
function mountedUnder(path: string, datasets: readonly Dataset[]): Dataset | undefined {
  const above = datasets.filter(({ mountpoint }) => mountpoint.startsWith('/') && `${path}/`.startsWith(`${mountpoint.replace(/\/$/, '')}/`))
  const nearest = above.sort((a, b) => b.mountpoint.length - a.mountpoint.length)[0]
  return nearest?.mounted === true ? nearest : undefined
}

/** Without what a schema or a reading may have added. */
const plain = ({ path, clients, options }: Export): { path: string; clients: string; options: string } => ({ path, clients, options })

/** Right options without a server, or written and not exported. */
function areHalf({ exports, active }: Seen, { exports: wanted }: PlanInputs<Inputs>): boolean {
  if (isPending(wanted) || (active && exports.length > 0)) return false
  return exports.every(({ path, clients, options }) =>
    wanted.some((one) => one.path === path && one.clients === clients && sameOptions(one.options, options)),
  )
}

/**
 * Gone, or half there, as a run may have found them. Half there only since, it is this run that has left them so: also after a boot of the
 * server, which has its lines and serves none of them while the pool is away.
 */
function isAway({ before: found, after }: Change, { action, before }: Change): boolean | 'in-part' | undefined {
  // What stands in the server's own file only is the site's.
  if (before === undefined || (before as unknown as Partial<Seen>).written !== true) return true
  if (action === 'create') return found === undefined ? 'in-part' : true
  const made = exportsIn(after)
  const isMade = (one: Export): boolean => sameOptions(twinOf(one, made)?.options ?? 'none', one.options)
  return exportsIn(before).every(isMade) ? 'in-part' : undefined
}

function exportsIn(after: Change['after']): readonly Export[] {
  return after === undefined ? [] : (after as unknown as { exports: readonly Export[] }).exports
}

function notMounted(bare: readonly Export[], machine: string): LifeboatError {
  return new LifeboatError('nfs.not-mounted', `no mounted dataset holds ${bare.map(({ path }) => path).join(', ')} on ${hostLabel(machine)}`, {
    blame: 'user',
    hint: 'Nothing was exported: clients would write to the disk of the system. See with `zfs list` where the homes are.',
  })
}
