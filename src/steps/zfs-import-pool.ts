import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Finding, type Kept, type PlanInputs, type ReadContext } from '../contract/index.js'
import { file, resourceId } from '../contract/inputs.js'
import { nameOf, sameId } from '../platform/azure/ids.js'
import { ask } from '../platform/host/ask.js'
import { atWork } from '../platform/host/at-work.js'
import {
  exportPool,
  importablePools,
  importedPools,
  importPool,
  isInPool,
  mount,
  mountedDatasets,
  noDataErrors,
  notExported,
  poolFill,
  type ImportedPool,
} from '../platform/host/pools.js'
import type { Host } from '../platform/host/run.js'
import type { Platform } from '../platform/platform.js'
import { naming } from './parts/naming.js'
import { assertHealth, assertMountpoints, remarkOn, wholePool } from './parts/pool.js'
import { keyFindings } from './parts/ssh.js'
import { assertAsRecorded, featureFindings, storageRecord } from './parts/storage-record.js'
import { onHost } from './parts/writes.js'
import { claim, defineStep, hostBusy, hostLabel, inverted, known, minutes, seconds } from './step.js'

const disk = z.strictObject({ name: z.string(), lun: z.number().int(), id: resourceId, uniqueId: z.string() })

const inputs = z.strictObject({
  machine: resourceId,
  user: z.string(),
  /** Path of the private key to log in with. */
  sshKey: file,
  pool: z.strictObject({ name: z.string(), guid: z.string().regex(/^\d+$/, 'a guid is a number, in quotes'), devices: z.number().int().positive() }),
  /** Every disk of the pool, as the control plane knows it. */
  disks: z.array(disk).min(1),
  /**
   * The server that had the pool. If it never exported it, the pool is imported all the same once it is proved that this server
   * cannot hold it any more; without a name for it, it is not.
   */
  previous: resourceId.optional(),
  /** What lay on it before (`zfs/record`): held against it before it is mounted. Null where none could be made. */
  record: storageRecord.nullable().optional(),
})
type Inputs = z.infer<typeof inputs>

interface Seen {
  /** Datasets that should be mounted and are not. */
  readonly unmounted: readonly string[]
}

/**
 * The pool, imported on its new server. Before that the control plane must prove that every disk is attached here and nowhere
 * else, and the devices that they hold this very pool, whole and exported: an import beside another host's destroys it.
 */
export const zfsImportPool = defineStep({
  uses: 'zfs/import-pool',
  summary: 'A ZFS pool, imported by guid on the server that has all its disks',
  inputs,
  outputs: z.object({
    pool: z.string(),
    guid: z.string(),
    health: z.string(),
    datasets: z.array(z.object({ name: z.string(), mountpoint: z.string(), usedBytes: z.number() })),
    remark: z.string().optional(),
  }),
  identity: ['machine', 'user', 'sshKey', 'pool'],
  // A `zpool import` whose client has died is in no list until it is over.
  unseen: true,
  guards: true,
  rests: 'Export that pool on the server that has it, once nobody needs it there. Then undo again.',
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  async preflight(changes, wanted, { doors }) {
    const features = changes.some(({ after }) => isImported(after)) ? await unknownFeatures(wanted, doors) : []
    const key = [...(await keyFindings(wanted.sshKey)), ...(wanted.record === null ? [noRecord] : []), ...features]
    if (isPending(wanted.machine) || isPending(wanted.disks) || isPending(wanted.pool)) return key
    const { machine, disks, pool } = wanted
    const missing = await proofsMissing({ machine, disks, pool }, doors)
    const mend = 'Look at `az disk show` and `az vm show` for where the disks are. Nothing is imported before this is clear.'
    return [...key, ...missing.map((what) => ({ level: 'stop', what, mend }) as const)]
  },
  async observe(wanted, { doors, accepted }) {
    const host = hostOf(wanted, doors)
    const [isAtWork, pools, all, fill] = await ask(host, atWork, importedPools, mountedDatasets, poolFill)
    if (isAtWork) return { state: 'in-flight', what: hostBusy(wanted.machine) }
    const wrong = wrongPool(pools, wanted)
    if (wrong !== undefined) return { state: 'conflict', ...wrong }
    const pool = pools.find(({ guid }) => guid === wanted.pool.guid)
    if (pool === undefined) return { state: 'absent' }
    if (pool.readOnly === true) return { state: 'conflict', ...readOnlyPool(pool.name, wanted.machine) }
    assertHealth(pool, hostLabel(wanted.machine), accepted)
    const datasets = all.filter((dataset) => isInPool(dataset, pool.name))
    const unmounted = datasets.filter(({ wantsMount, mounted }) => wantsMount && !mounted).map(({ name }) => name)
    if (unmounted.length > 0) return { state: 'drifted', seen: { unmounted } }
    const facts = datasets.map(({ name, mountpoint, usedBytes }) => ({ name, mountpoint, usedBytes }))
    const outputs = { pool: pool.name, guid: pool.guid, health: pool.health, datasets: facts }
    const remark = remarkOn(pool, fill.find(({ guid }) => guid === pool.guid)?.percent ?? 0)
    return { state: 'converged', outputs: remark === undefined ? outputs : { ...outputs, remark } }
  },
  plan(wanted, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const before = seen.state === 'absent' ? { imported: false } : { imported: true, unmounted: seen.seen.unmounted }
    const { machine, previous } = wanted
    const { name, guid } = naming(wanted.pool, 'pool')
    const force = previous === undefined ? {} : { force: 'only if it was not exported, and only once no other server can have it' }
    return [{ resource: `zpool ${name}`, action: 'run', before, after: { on: hostLabel(machine), imported: true, guid, ...force } }]
  },
  async apply(changes, wanted, ctx) {
    const host = hostOf(wanted, ctx.doors)
    for (const { after } of changes) {
      if (isImported(after)) await bringIn(host, wanted, ctx)
      else await takeOut(host, wanted)
    }
  },
  invert: (changes) =>
    changes.map((change) => (isImported(change.before) ? stays(change) : inverted({ ...change, before: { imported: false } }))),
  // Imported and not mounted yet: a run that was cut off in between is to give the pool back all the same.
  isBack: ({ before: then }, now) => (isImported(now?.before) && !isImported(then) ? 'in-part' : undefined),
  writes: (changes, { machine }) =>
    changes.flatMap(({ before, after }) => {
      if (!isImported(after)) return onHost(machine, 'zpool export')
      return onHost(machine, ...(isImported(before) ? [] : ['zpool import']), 'zfs mount')
    }),
  claims: ({ machine }) => [claim('machine', known(machine))],
  estimateMs: () => 40 * seconds,
})

/** Mounting what was not is nothing that anybody would want back. */
function stays({ resource }: Change): Kept {
  return { resource, kept: 'it was imported on that server before this run came to it' }
}

const noRecord: Finding = {
  level: 'warn',
  what: 'there is no record of what lies on the pool: its old server does not have it, or does not answer',
  mend: 'After the import, look with `zfs list` whether everything is there.',
}

/** As soon as the new server is there and the pool recorded: before its old server is fenced. */
async function unknownFeatures({ machine, user, sshKey, record, pool }: PlanInputs<Inputs>, doors: Platform): Promise<Finding[]> {
  if (isPending(machine) || isPending(user) || isPending(sshKey) || isPending(record) || isPending(pool)) return []
  if (record === undefined || record === null) return []
  return featureFindings(hostOf({ machine, user, sshKey }, doors), hostLabel(machine), pool.name, record)
}

function hostOf({ machine, user, sshKey }: Pick<Inputs, 'machine' | 'user' | 'sshKey'>, { ssh }: Platform): Host {
  return { ssh, at: { machine, user, key: sshKey } }
}

/** Proof first, from the control plane and from the devices; then import without mounting, look, and mount. */
async function bringIn(host: Host, wanted: Inputs, ctx: ReadContext<Platform>): Promise<void> {
  const { pool } = wanted
  const [missing, [pools, found]] = await Promise.all([proofsMissing(wanted, ctx.doors), ask(host, importedPools, importablePools)])
  if (!pools.some(({ guid }) => guid === pool.guid)) {
    if (missing.length > 0) throw noProof(missing)
    const here = wholePool(found, wanted, ctx.accepted)
    // Asked once more, right before the import: who had the pool may have come back since it was fenced.
    const since = await proofsMissing(wanted, ctx.doors)
    if (since.length > 0) throw noProof(since)
    if (!here.exported) await assertNobodyElse(wanted, ctx.doors)
    ctx.progress(here.exported ? `importing ${pool.name}` : `importing ${pool.name}, which was not exported: no other server can have it`)
    await importPool(host, { ...pool, force: !here.exported })
  }
  // Imported and not mounted: nothing uses it yet, and so it stays if something is wrong with it.
  const [now, datasets] = await ask(host, importedPools, mountedDatasets, noDataErrors(pool.name))
  const imported = now.find(({ guid }) => guid === pool.guid)
  if (imported !== undefined) assertHealth(imported, hostLabel(wanted.machine), ctx.accepted)
  const own = datasets.filter((dataset) => isInPool(dataset, pool.name))
  assertMountpoints(own)
  if (wanted.record !== undefined && wanted.record !== null) await assertAsRecorded(host, pool.name, wanted.record, ctx.accepted)
  await mount(host, own)
}

/**
 * The way back. Not looked at first: an import of an earlier life, whose client is dead, may still be at work. The export comes behind the
 * host's lock, and so behind that. `observe` has seen that no other pool of the name is there.
 */
async function takeOut(host: Host, { pool }: Inputs): Promise<void> {
  try {
    await exportPool(host, pool.name)
  } catch (error) {
    if (!(error instanceof LifeboatError) || error.code !== 'zfs.look-again') throw error
    const [pools] = await ask(host, importedPools)
    if (pools.some(({ guid }) => guid === pool.guid)) throw error
  }
}

function isImported(state: Change['after']): boolean {
  return typeof state === 'object' && state !== null && 'imported' in state && state.imported === true
}

/** The pool is known by its guid; a name proves nothing. */
function wrongPool(pools: readonly ImportedPool[], { pool, machine }: Pick<Inputs, 'pool' | 'machine'>): { why: string; mend: string } | undefined {
  const other = pools.find(({ name, guid }) => (name === pool.name) !== (guid === pool.guid))
  if (other === undefined) return undefined
  return {
    why: `${hostLabel(machine)} has the pool ${other.name} with guid ${other.guid} already, not ${pool.name} with ${pool.guid}`,
    mend: 'Find out what that pool is, and export or rename it, or mend name and guid in the runbook.',
  }
}

/** As a damaged one may have been, to copy files from it: hubs would come up on it, and nobody could save. */
function readOnlyPool(name: string, machine: string): { why: string; mend: string } {
  return {
    why: `${name} is imported read-only on ${hostLabel(machine)}: nobody could save anything`,
    mend: `Once nothing of it is needed as it is: \`sudo zpool export ${name}\` there. A resume then imports it for writing, if ZFS can.`,
  }
}

/** What the control plane does not vouch for; empty is proof that the disks are here and nowhere else. */
async function proofsMissing({ machine, disks, pool }: Pick<Inputs, 'machine' | 'disks' | 'pool'>, { azure }: Platform): Promise<string[]> {
  const [found, states] = await Promise.all([azure.machines.get(machine), Promise.all(disks.map(({ id }) => azure.disks.get(id)))])
  if (found === undefined) return [`there is no machine ${machine}`]
  const number = disks.length === pool.devices ? [] : [`${pool.name} has ${pool.devices} devices, but ${disks.length} disks are named`]
  const each = disks.flatMap(({ id, uniqueId }, index) => {
    const state = states[index]
    if (state === undefined) return [`there is no disk ${id}`]
    if (state.uniqueId !== uniqueId) return [`${nameOf(id)} is not the disk that it was (another unique id)`]
    const other = [state.managedBy, ...(state.sharedBy ?? [])].find((holder) => holder !== undefined && !sameId(holder, machine))
    if (other !== undefined) return [`${nameOf(id)} is attached to ${other}`]
    const here = found.dataDisks.find((attached) => sameId(attached.id, id))
    if (here === undefined) return [`${nameOf(id)} is not attached to ${hostLabel(machine)}`]
    // It is there until the detach is over, and would be taken from under the pool.
    return here.leaving === true ? [`${nameOf(id)} is being detached from ${hostLabel(machine)}`] : []
  })
  return [...number, ...each]
}

/**
 * ZFS cannot tell whether the server that had the pool still uses it; the control plane can. With every disk attached here and
 * nowhere else, that one must be gone, deallocated, or without any of them.
 */
async function assertNobodyElse({ previous, disks, pool }: Inputs, { azure }: Platform): Promise<void> {
  if (previous === undefined) throw notExported(pool.name, 'and the runbook does not say which server that was (`previous`)')
  const found = await azure.machines.get(previous)
  if (found === undefined || found.powerState === 'deallocated') return
  const held = found.dataDisks.find(({ id }) => disks.some((one) => sameId(one.id, id) || sameId(one.name, nameOf(id))))
  if (held === undefined) return
  throw notExported(pool.name, `${hostLabel(previous)} is ${found.powerState ?? 'in an unknown state'} and has ${nameOf(held.id)}`)
}

function noProof(missing: readonly string[]): LifeboatError {
  return new LifeboatError('zfs.no-proof', `it is not proven that the pool's disks are here and nowhere else: ${missing.join('; ')}`, {
    retry: {},
    hint: 'Nothing was imported. Look at `az disk show` and `az vm show` for where the disks are.',
  })
}
