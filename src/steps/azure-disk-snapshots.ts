import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Pending, type PlanInputs } from '../contract/index.js'
import { durationMs, file, resourceId } from '../contract/inputs.js'
import type { Disk, Snapshot } from '../platform/azure/door.js'
import { nameOf, sameId } from '../platform/azure/ids.js'
import { ask } from '../platform/host/ask.js'
import { importedPools } from '../platform/host/pools.js'
import type { Platform } from '../platform/platform.js'
import { findIn, wantedDisks, type WantedDisk } from './parts/disks.js'
import { naming } from './parts/naming.js'
import { actionsFor, rightsFindings, together } from './parts/readiness.js'
import { storageRecord } from './parts/storage-record.js'
import { pathIn, put } from './parts/writes.js'
import { allOf, claim, defineStep, ended, groupClaim, groupOf, hours, idIn, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  /** Where the snapshots go: no node group, which goes with its cluster, and no group of a move, which is locked and leaves them behind. */
  resourceGroup: z.string(),
  disks: wantedDisks,
  /** The group that the disks are in, and the one that they will be moved to, if they will. */
  from: z.string(),
  to: z.string().optional(),
  /** The server that the pool is going to: once it is imported there, a copy would be of a pool in use, and for nothing. */
  machine: resourceId,
  user: z.string(),
  /** Path of the private key to log in with. */
  sshKey: file,
  pool: z.strictObject({ name: z.string(), guid: z.string().regex(/^\d+$/, 'a guid is a number, in quotes'), devices: z.number().int().positive() }),
  /**
   * When the old server was fenced (`since` of `nfs/fence`), if this run did that: only a copy that was made for that fence is one of what
   * is on the disks now. A server that came back to life after it has written since, and is fenced again. Where several fences are of one
   * server, name them all: the one that stops it does so for the others. The last counts.
   */
  since: z.union([z.string(), z.array(z.string().nullable())]).nullable().optional(),
  /**
   * What lay on the pool right before the fence (`zfs/record`): where it was found fenced, only a copy made for that record counts. One of
   * an earlier failover that was put back since does not, however young it is. Null where none could be made: then any goes
   * that is young enough, since the pool may have been exported by a run whose journal is lost.
   */
  record: storageRecord.nullable().optional(),
  /** Without both: an older snapshot is of another day, and no copy of what is on the disks now. */
  notOlderThan: durationMs.default(24 * hours),
})
type Inputs = z.infer<typeof inputs>

interface Seen {
  /** Names of disks without a snapshot. */
  readonly missing: readonly string[]
}

interface Copy {
  readonly disk: WantedDisk
  readonly source: Disk
  readonly name: string
  readonly snapshot: Snapshot | undefined
}

const snapshotType = 'Microsoft.Compute/snapshots'
const copyLabel = (disk: string): string => `snapshot of disk ${disk}`

/**
 * Safety copies: an incremental snapshot of every disk takes seconds and is the way back from everything else. They make a
 * pool again only if nothing wrote to any of the disks meanwhile, so the fence comes before. A snapshot is known by its
 * disk's unique id and the fence or record it was made for, and a run that starts afresh adopts those that are there.
 */
export const diskSnapshots = defineStep({
  uses: 'azure/disk-snapshots',
  summary: 'Safety copies of disks: incremental snapshots in a group of their own',
  inputs,
  outputs: z.object({ snapshots: z.array(z.object({ disk: z.string(), id: z.string() })) }),
  identity: ['from', 'disks', 'pool', 'user', 'sshKey', 'notOlderThan'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 30 * minutes }),
  preflight: (changes, { resourceGroup }, { doors }) =>
    together(rightsFindings(doors, [{ scope: resourceGroup, actions: actionsFor(changes, { snapshot: snapshotType }) }])),
  async observe(wanted, { doors, clock }) {
    const { resourceGroup, machine } = wanted
    const to = isPending(wanted.to) ? undefined : wanted.to
    const stamp = stampOf(wanted)
    const there = isPending(resourceGroup) || isPending(stamp) ? undefined : { group: resourceGroup, stamp }
    const copies = await Promise.all(wanted.disks.map((disk) => copyOf(doors, there, disk, { from: wanted.from, to })))
    const oldestMs = clock.now().getTime() - wanted.notOlderThan
    const isOld = ({ snapshot }: Copy): boolean => snapshot !== undefined && snapshot.createdAt.getTime() < oldestMs
    const old = stamp === undefined ? copies.find(isOld) : undefined
    const missing = copies.filter(({ snapshot }) => snapshot === undefined)
    const failed = copies.find(({ snapshot }) => snapshot?.provisioningState === 'Failed')
    const pending = copies.find(({ snapshot }) => snapshot !== undefined && snapshot.provisioningState !== 'Succeeded')
    const found = copies.flatMap(({ disk, snapshot }) => (snapshot === undefined ? [] : [{ disk: disk.name, id: snapshot.id }]))
    const outputs = { snapshots: found }
    if (old === undefined && missing.length === 0 && pending === undefined) return { state: 'converged', outputs }
    const held = isPending(machine) ? undefined : await heldBy({ ...wanted, machine }, doors)
    if (held === 'imported') return { state: 'converged', outputs }
    // The server has had the disks since a failover that is over, and does not import by itself when it boots: those are its copies.
    if (held === 'attached' && old !== undefined && missing.length === 0 && pending === undefined) return { state: 'converged', outputs }
    if (old?.snapshot !== undefined) return { state: 'conflict', ...tooOld(old, old.snapshot) }
    if (failed !== undefined) {
      const away = `az snapshot delete --resource-group ${groupOf(failed.snapshot?.id ?? '')} --name ${failed.name}`
      return { state: 'conflict', why: `the snapshot ${failed.name} has failed`, mend: `Delete it (${away}), then resume: it is made again.` }
    }
    if (missing.length > 0) return { state: 'drifted', seen: { missing: missing.map(({ disk }) => disk.name) } }
    return { state: 'in-flight', what: `snapshot ${pending?.name ?? ''} is being made` }
  },
  plan({ disks, resourceGroup }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    // Their own names hold unique ids, which a plan that could not look does not know.
    const missing = naming(disks, 'disks').filter(({ name }) => seen.state === 'absent' || seen.seen.missing.includes(name))
    return missing.map(({ name }) => ({ resource: copyLabel(name), action: 'create', after: { group: resourceGroup, incremental: true } }))
  },
  async apply(changes, wanted, { doors, checkpoint, signal }) {
    const group = await doors.azure.groups.get(wanted.resourceGroup)
    if (group === undefined) throw new LifeboatError('snapshots.no-group', `there is no resource group ${wanted.resourceGroup}`)
    const planned = wanted.disks.filter(({ name }) => changes.some(({ resource }) => resource === copyLabel(name)))
    const accepted = await allOf(
      planned.map(async (disk) => {
        const source = await findIn(doors, wanted.from, wanted.to, disk)
        const name = snapshotName(disk.name, source.uniqueId, moment(wanted))
        // Looking took a while: a run that has been stopped or displaced meanwhile begins nothing more.
        signal.throwIfAborted()
        const operation = await doors.azure.snapshots.create(idIn(group.id, snapshotType, name), source)
        await checkpoint({ accepted: `create snapshot ${name}` })
        return operation
      }),
    )
    // What is accepted, a look sees: where one fails, the others need not be waited for.
    await Promise.all(accepted.map((operation) => ended(operation, signal)))
  },
  // What the way back may still need is not thrown away by going back.
  invert: (changes) => changes.map(({ resource }) => ({ resource, kept: 'a safety copy stays until you delete it (az snapshot delete)' })),
  writes: (changes, { resourceGroup, disks }) =>
    naming(disks, 'disks')
      .filter(({ name }) => changes.some(({ resource }) => resource === copyLabel(name)))
      .map(({ name }) => put(pathIn(resourceGroup, snapshotType, snapshotName(name, '*')))),
  claims: ({ resourceGroup, from }) => [groupClaim(known(resourceGroup)), groupClaim(known(from)), claim('snapshots', known(from))],
  estimateMs: () => 40 * seconds,
})

interface Kept {
  readonly group: string
  /** What their names end in. */
  readonly stamp: string | undefined
}

/** `there`: the group of the snapshots, if it is known, and which count. */
async function copyOf(doors: Platform, there: Kept | undefined, disk: WantedDisk, { from, to }: Pick<Inputs, 'from' | 'to'>): Promise<Copy> {
  const source = await findIn(doors, from, to, disk)
  const name = snapshotName(disk.name, source.uniqueId, there?.stamp)
  const snapshot = there === undefined ? undefined : await newestOf(doors, there, name)
  return { disk, source, name: snapshot === undefined ? name : nameOf(snapshot.id), snapshot }
}

/** Under its own name where it was made for this fence or record; else the newest of the disk, for whichever it was made. */
async function newestOf({ azure }: Platform, { group, stamp }: Kept, name: string): Promise<Snapshot | undefined> {
  const others = stamp !== undefined ? [] : ((await azure.groups.list(group)) ?? []).map(nameOf).filter((one) => one.startsWith(`${name}-`))
  const found = await Promise.all([name, ...others].map((one) => azure.snapshots.get(idIn(azure.groups.idOf(group), snapshotType, one))))
  const whole = found.filter((one) => one !== undefined)
  return whole.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0]
}

/** What tells copies of one moment from those of another: digits, so that no clock but the run's own is asked. */
function moment({ since, record }: Pick<Inputs, 'since' | 'record'>): string | undefined {
  const fences = (Array.isArray(since) ? since : [since]).filter((one) => typeof one === 'string')
  return (fences.sort().at(-1) ?? record?.takenAt)?.replace(/\D/g, '').slice(0, 14)
}

function stampOf({ since, record }: Pick<PlanInputs<Inputs>, 'since' | 'record'>): string | Pending | undefined {
  if (isPending(since)) return since
  return isPending(record) ? record : moment({ since, record })
}

/** At most 80 characters; the unique id tells two disks of one name apart, the stamp two fences of one disk. */
function snapshotName(disk: string, uniqueId: string, stamp?: string): string {
  const own = `${disk.slice(0, 26)}-${uniqueId.slice(0, 36)}`
  return stamp === undefined ? own : `${own}-${stamp}`
}

/**
 * Has that server the pool, or at least all of its disks? Only one that has a disk of it can have the pool, so only such a one is asked; if
 * it does not answer, that throws.
 */
async function heldBy(
  { machine, user, sshKey, pool, disks }: Pick<Inputs, 'machine' | 'user' | 'sshKey' | 'pool' | 'disks'>,
  { azure, ssh }: Platform,
): Promise<'imported' | 'attached' | undefined> {
  const found = await azure.machines.get(machine)
  const attached = disks.filter(({ name }) => found?.dataDisks.some(({ id }) => sameId(nameOf(id), name)))
  if (attached.length === 0) return undefined
  const [pools] = await ask({ ssh, at: { machine, user, key: sshKey } }, importedPools)
  if (pools.some(({ guid }) => guid === pool.guid)) return 'imported'
  return attached.length === disks.length ? 'attached' : undefined
}

function tooOld({ disk }: Copy, { id, createdAt }: Snapshot): { readonly why: string; readonly mend: string } {
  return {
    why: `the snapshot of ${disk.name} is of ${createdAt.toISOString()}, too old to be a copy of what is on it now: ${id}`,
    mend: 'Delete it if nobody needs it any more (`az snapshot delete`), or write another group for the snapshots into the runbook.',
  }
}
