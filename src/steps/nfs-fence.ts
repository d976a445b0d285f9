import { z } from 'zod'
import {
  isPending,
  LifeboatError,
  type ApplyContext,
  type Change,
  type Finding,
  type Inverse,
  type PlanInputs,
  type ReadContext,
  type Write,
} from '../contract/index.js'
import { file, resourceId } from '../contract/inputs.js'
import { ask } from '../platform/host/ask.js'
import { atWork } from '../platform/host/at-work.js'
import { deviceFolder } from '../platform/host/devices.js'
import { exportPool, importedPools, importPool, isInPool, mountedDatasets, mountPool, poolFill, type ImportedPool } from '../platform/host/pools.js'
import { nfsState, startNfs, stopNfs, type ServiceState } from '../platform/host/nfs.js'
import type { Host } from '../platform/host/run.js'
import type { Platform } from '../platform/platform.js'
import { deallocate, deallocateAction, isSilence, isUnasked, onceItAnswers, startAction, startAgain, stopForGood, stopMachine } from './parts/fence.js'
import { allIn, wantedDisks } from './parts/disks.js'
import { naming } from './parts/naming.js'
import { mountpointFindings, poolWarnings } from './parts/pool.js'
import { rightsFindings, together } from './parts/readiness.js'
import { machineType, onHost, pathOf, post } from './parts/writes.js'
import { claim, defineStep, groupClaim, groupOf, hostBusy, hostLabel, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  /** Resource id of the server that must not write any more. */
  machine: resourceId,
  user: z.string(),
  /** Path of the private key to log in with. */
  sshKey: file,
  pool: z.strictObject({ name: z.string(), guid: z.string().regex(/^\d+$/, 'a guid is a number, in quotes'), devices: z.number().int().positive() }),
  /**
   * False where another fence of the same server, one that this step needs, stops NFS: of a server with many pools each leaves by a step
   * of its own, and the plan says once what users lose. No pool is exported while NFS runs, whoever stops it.
   */
  stopsNfs: z.boolean().default(true),
  /**
   * Where all these disks lie in that group already, nothing is stopped. For a server that keeps its disks and lets go of them only so
   * that they can be moved: without it, the same runbook would stop NFS again each time.
   */
  unlessIn: z.strictObject({ resourceGroup: z.string(), disks: wantedDisks }).optional(),
})
type Inputs = z.infer<typeof inputs>

interface Seen {
  readonly serving: boolean
  readonly imported: boolean
  /** It does not answer, and the operator has chosen to stop the machine then. */
  readonly silent?: boolean
}

/**
 * The old server stops writing for good: NFS is stopped and the pool exported, so that another may import it without force.
 * A server that the control plane has deallocated, or that is gone, cannot write either. One that does not answer may: stopping
 * its machine is offered then, and done only if the operator chooses it.
 */
export const nfsFence = defineStep({
  uses: 'nfs/fence',
  summary: 'The old NFS server, kept from writing: NFS stopped, pool exported',
  inputs,
  /** `machine` is the one that was fenced: what names it so waits for the fence. */
  outputs: z.object({
    how: z.enum(['exported', 'deallocated', 'gone', 'not-needed']),
    machine: z.string(),
    /** When this run last began to fence it; null where it was found so. Copies of before that are not of what is there now. */
    since: z.string().nullable(),
  }),
  identity: ['machine', 'user', 'sshKey', 'pool', 'stopsNfs', 'unlessIn'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  harms: true,
  // A `zpool export` whose client has died is seen when it is over.
  unseen: true,
  guards: true,
  // A server that is to be stopped because it does not answer cannot be asked of its pool, nor one that is to be started.
  preflight: (changes, wanted, { doors }) => {
    if (isWayBack(changes)) return together(startFindings(wanted, doors))
    return changes.some(({ after }) => truth(after, 'power') !== undefined)
      ? together(rightsFindings(doors, [{ scope: wanted.machine, actions: [deallocateAction] }]))
      : together(poolFindings(wanted, doors))
  },
  async observe(wanted, ctx) {
    const { doors, accepted } = ctx
    const { machine, unlessIn } = wanted
    const fenced = (how: 'exported' | 'deallocated' | 'gone' | 'not-needed') => {
      const since = ctx.begunAt?.()?.toISOString() ?? null
      return { state: 'converged' as const, outputs: { how, machine, since } }
    }
    if (unlessIn !== undefined && (await allIn(doors, unlessIn))) return fenced('not-needed')
    const found = await doors.azure.machines.get(machine)
    if (found === undefined) return fenced('gone')
    if (found.powerState === 'deallocated') return fenced('deallocated')
    if (found.powerState === 'starting') return { state: 'in-flight', what: `${hostLabel(wanted.machine)} is being started` }
    if (found.powerState === 'deallocating') return { state: 'in-flight', what: `${hostLabel(wanted.machine)} is being deallocated` }
    const answer = accepted.has(deallocate) ? await lookPatiently(wanted, ctx) : await look(wanted, doors)
    if (answer === undefined) return { state: 'drifted', seen: { serving: false, imported: false, silent: true } }
    const [isAtWork, pools, nfs] = answer
    if (isAtWork) return { state: 'in-flight', what: hostBusy(wanted.machine) }
    const wrong = wrongPool(pools, wanted)
    if (wrong !== undefined) return { state: 'conflict', ...wrong }
    const imported = pools.some(({ guid }) => guid === wanted.pool.guid)
    const serving = wanted.stopsNfs && nfs !== 'inactive'
    if (!serving && !imported) return fenced('exported')
    return { state: 'drifted', seen: { serving, imported } }
  },
  plan(wanted, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const { serving, imported, silent } = seen.state === 'drifted' ? seen.seen : { serving: true, imported: true }
    if (silent === true) return [stopMachine(wanted.machine)]
    return cleanFence(wanted).filter(({ resource }) => (resource === nfsServer ? serving : imported))
  },
  async apply(changes, wanted, ctx) {
    if (changes.some(({ after }) => truth(after, 'power') === 'deallocated')) return stopForGood(wanted.machine, ctx)
    const host = hostOf(wanted, ctx.doors)
    if (!isWayBack(changes)) {
      for (const change of changes) await make(change, wanted, host, ctx)
      return
    }
    if (await startAgain(wanted.machine, ctx)) await onceItAnswers(wanted.machine, () => ask(host, importedPools), ctx)
    // The other order: first the pool, then those who serve from it. A server that was stopped did both before.
    const back = changes.flatMap((change) => (truth(change.after, 'power') === 'running' ? servingAgain(wanted) : [change]))
    for (const change of back.reverse()) await make(change, wanted, host, ctx)
  },
  invert: (changes) => changes.map(turned),
  // A server that runs again is fenced in the usual way the next time: it is back once that would have all of it to do.
  isBack: (then, _now, forward) => (truth(then.after, 'power') === undefined ? undefined : forward.every(isClean) && isAllOf(forward)),
  writes: (changes, { machine }) => changes.flatMap(({ after }) => fenceWrites(after, machine)),
  // The group too: a machine cannot be stopped, nor started again, while a move holds its group.
  claims: ({ machine }) => [claim('machine', known(machine)), ...(isPending(machine) ? [] : [groupClaim(groupOf(machine))])],
  estimateMs: () => 30 * seconds,
})

const nfsServer = 'nfs-server'

/** What is done on a server that answers: all of it, unless another step stops NFS. */
function cleanFence({ machine, pool, stopsNfs }: Pick<PlanInputs<Inputs>, 'machine' | 'pool' | 'stopsNfs'>): readonly Change[] {
  const on = hostLabel(machine)
  const stop: Change = {
    resource: nfsServer,
    action: 'run',
    before: { on, active: true },
    after: { on, active: false },
    harm: 'every notebook still open on the hubs of this server loses its files',
  }
  const others = stopsNfs === false ? { nfs: 'stopped by another step' } : {}
  const leave: Change = {
    resource: `zpool ${naming(pool, 'pool').name}`,
    action: 'run',
    before: { on, imported: true },
    after: { on, imported: false, ...others },
  }
  return stopsNfs === false ? [leave] : [stop, leave]
}

function isAllOf(forward: readonly Change[]): boolean {
  const leaves = forward.filter(({ resource }) => resource !== nfsServer)
  return leaves.length === 1 && (forward.length === 2 || truth(leaves[0]?.after, 'nfs') !== undefined)
}

/** A server that was stopped serves again as one that was asked to leave does: with its pool, and then with NFS. */
function fenceWrites(after: Change['after'], machine: PlanInputs<Inputs>['machine']): Write[] {
  const [serving, imported, power] = (['active', 'imported', 'power'] as const).map((key) => truth(after, key))
  if (power === 'deallocated') return [post(pathOf(machine, machineType), 'deallocate')]
  if (power === 'running') return [post(pathOf(machine, machineType), 'start'), ...onHost(machine, 'zpool import', 'zfs mount', 'systemctl enable')]
  if (serving !== undefined) return onHost(machine, serving === true ? 'systemctl enable' : 'systemctl stop')
  return onHost(machine, ...(imported === true ? ['zpool import', 'zfs mount'] : ['zpool export']))
}

/** The same changes, the other way round. */
function servingAgain(wanted: Inputs): Change[] {
  const turn = ({ resource, action, before = null, after = null }: Change): Change => ({ resource, action, before: after, after: before })
  return cleanFence(wanted).map(turn)
}

const isClean = ({ action }: Change): boolean => action === 'run'

function isWayBack(changes: readonly Change[]): boolean {
  return changes.some(({ after }) => truth(after, 'active') === true || truth(after, 'imported') === true || truth(after, 'power') === 'running')
}

/** What is deallocated must be started before it can serve again. */
async function startFindings(wanted: PlanInputs<Inputs>, doors: Platform): Promise<Finding[]> {
  const found = isPending(wanted.machine) ? undefined : await doors.azure.machines.get(wanted.machine)
  if (found?.powerState === 'running') return []
  return rightsFindings(doors, [{ scope: wanted.machine, actions: [startAction] }])
}

function hostOf({ machine, user, sshKey }: Pick<Inputs, 'machine' | 'user' | 'sshKey'>, { ssh }: Platform): Host {
  return { ssh, at: { machine, user, key: sshKey } }
}

type Answer = readonly [boolean, readonly ImportedPool[], ServiceState]

/** Silence is no proof: what cannot be reached stays unknown, with what may be done about it. */
async function look(wanted: Inputs, doors: Platform): Promise<Answer> {
  try {
    return await ask(hostOf(wanted, doors), atWork, importedPools, nfsState)
  } catch (error) {
    throw isSilence(error) || isUnasked(error) ? silent(error, wanted) : error
  }
}

/**
 * The operator has chosen to stop a silent server: one answer that was lost is not yet silence. Three are, or a minute after the first of
 * them. One that could not even be asked has longer: to stop one that is well costs what it has not written yet.
 */
async function lookPatiently(wanted: Inputs, { doors, clock, signal, progress }: ReadContext<Platform>): Promise<Answer | undefined> {
  let lost = 0
  let lostSinceMs: number | undefined
  let unaskedSinceMs: number | undefined
  for (;;) {
    try {
      return await ask(hostOf(wanted, doors), atWork, importedPools, nfsState)
    } catch (error) {
      if (!isSilence(error) && !isUnasked(error)) throw error
      const nowMs = clock.now().getTime()
      if (isSilence(error)) {
        lost += 1
        lostSinceMs ??= nowMs
        if (lost === 3 || (lost > 1 && nowMs - lostSinceMs >= minutes)) return undefined
      } else {
        unaskedSinceMs ??= nowMs
        if (nowMs - unaskedSinceMs >= 10 * minutes) return undefined
      }
      progress(`${hostLabel(wanted.machine)} does not answer; asking again`)
      await clock.sleep(10 * seconds, signal)
    }
  }
}

async function poolFindings({ machine, user, sshKey, pool }: PlanInputs<Inputs>, doors: Platform): Promise<Finding[]> {
  if (isPending(machine) || isPending(user) || isPending(sshKey) || isPending(pool)) return []
  const [pools, fill, datasets] = await ask(hostOf({ machine, user, sshKey }, doors), importedPools, poolFill, mountedDatasets)
  return [...mountpointFindings(datasets.filter((dataset) => isInPool(dataset, pool.name))), ...poolWarnings(pool, pools, fill)]
}

function silent(error: LifeboatError, wanted: Inputs): LifeboatError {
  const { machine, pool } = wanted
  const offer =
    `${hostLabel(machine)} is asked once more; if it answers, NFS is stopped and ${pool.name} exported as usual. If not, its machine is stopped ` +
    '(deallocated): only then is it sure that it cannot write. The price: what it had not written to its disks yet is lost, and the pool ' +
    'is not exported, so that it must be imported with -f; that is done once it is proved that no other server can have it.'
  const unasked: boolean = isUnasked(error)
  const what = unasked ? 'cannot be asked' : 'does not answer'
  return new LifeboatError('fence.silent', `${hostLabel(machine)} ${what}, and may still write: ${error.message}`, {
    cause: error,
    hint: 'Look whether it is the server that is silent, or the way to it (jump host, network). Nothing is detached before it is fenced.',
    alternative: { id: deallocate, offer, changes: [...cleanFence(wanted), stopMachine(machine)] },
    // An agent may be held up for an hour and more: by then whoever is there has decided.
    ...(error.retry === undefined || unasked ? {} : { retry: error.retry }),
  })
}

/** The pool is known by its guid; a name proves nothing. */
function wrongPool(pools: readonly ImportedPool[], { pool, machine }: Pick<Inputs, 'pool' | 'machine'>): { why: string; mend: string } | undefined {
  const other = pools.find(({ name, guid }) => (name === pool.name) !== (guid === pool.guid))
  if (other === undefined) return undefined
  return {
    why: `${hostLabel(machine)} has the pool ${other.name} with guid ${other.guid}, not ${pool.name} with ${pool.guid}`,
    mend: 'Write name and guid into the runbook as `zpool list -o name,guid` gives them there, once you are sure that it is the right server.',
  }
}

async function make(change: Change, { pool, machine }: Inputs, host: Host, ctx: ApplyContext<Platform>): Promise<void> {
  ctx.signal.throwIfAborted()
  const active = truth(change.after, 'active')
  if (active === true) {
    // An earlier life may have ended between its import and its mount: users would find empty folders.
    await mountPool(host, pool.name)
    return startNfs(host)
  }
  if (active === false) {
    ctx.progress('stopping NFS')
    return stopNfs(host)
  }
  // The way back. Mounting comes behind the host's lock, and so behind an export of an earlier life that may still be at work.
  if (truth(change.after, 'imported') === true) await mountPool(host, pool.name)
  const [pools, nfs] = await ask(host, importedPools, nfsState)
  const imported = pools.find(({ guid }) => guid === pool.guid)
  if (truth(change.after, 'imported') === true) {
    if (imported !== undefined) return
    await importPool(host, { ...pool, atBoot: true })
    return mountPool(host, pool.name)
  }
  // Clients that still write must not have the pool taken from under them.
  if (nfs !== 'inactive') throw new LifeboatError('nfs.still-active', `NFS on ${hostLabel(machine)} does not stop`, { retry: {} })
  if (imported === undefined) return
  ctx.progress(`exporting ${imported.name}`)
  await exportPool(host, imported.name)
}

function truth(after: Change['after'], key: 'active' | 'imported' | 'power' | 'nfs'): unknown {
  return typeof after === 'object' && after !== null && key in after ? (after as Record<string, unknown>)[key] : undefined
}

function turned({ resource, action, before, after }: Change): Inverse {
  if (before === undefined || after === undefined) return { resource, irreversible: `what it was before is not known; look in ${deviceFolder} on that server` }
  return { resource, action, before: after, after: before }
}
