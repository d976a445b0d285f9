import { z } from 'zod'
import { file, LifeboatError, resourceId, type ApplyContext, type Change, type Inverse } from '../contract/index.js'
import { ask } from '../platform/host/ask.js'
import { deviceFolder, exportPool, importedPools, importPool, mountAll, type ImportedPool } from '../platform/host/pools.js'
import { nfsState, startNfs, stopNfs, type ServiceState } from '../platform/host/nfs.js'
import type { Host } from '../platform/host/run.js'
import type { Platform } from '../platform/platform.js'
import { naming } from './parts/naming.js'
import { claim, defineStep, hostLabel, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  /** Resource id of the server that must not write any more. */
  machine: resourceId,
  user: z.string(),
  /** Path of the private key to log in with. */
  sshKey: file,
  pool: z.strictObject({ name: z.string(), guid: z.string().regex(/^\d+$/, 'a guid is a number, in quotes'), devices: z.number().int().positive() }),
})
type Inputs = z.infer<typeof inputs>

interface Seen {
  readonly serving: boolean
  readonly imported: boolean
}

/**
 * The old server stops writing for good: NFS is stopped and the pool exported, so that another may import it without force.
 * A server that the control plane has deallocated, or that is gone, cannot write either. One that does not answer may.
 */
export const nfsFence = defineStep({
  uses: 'nfs/fence',
  summary: 'The old NFS server, kept from writing: NFS stopped, pool exported',
  inputs,
  outputs: z.object({ how: z.enum(['exported', 'deallocated', 'gone']) }),
  identity: ['machine', 'user', 'sshKey', 'pool'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  harms: true,
  // Its observation has been on the server, and has been root there, a moment ago.
  preflight: async () => [],
  async observe(wanted, { doors }) {
    const found = await doors.azure.machines.get(wanted.machine)
    if (found === undefined) return { state: 'converged', outputs: { how: 'gone' } }
    if (found.powerState === 'deallocated') return { state: 'converged', outputs: { how: 'deallocated' } }
    if (found.powerState === 'deallocating') return { state: 'in-flight', what: `${hostLabel(wanted.machine)} is being deallocated` }
    const [pools, nfs] = await look(hostOf(wanted, doors))
    const wrong = wrongPool(pools, wanted)
    if (wrong !== undefined) return { state: 'conflict', ...wrong }
    const imported = pools.some(({ guid }) => guid === wanted.pool.guid)
    if (nfs === 'inactive' && !imported) return { state: 'converged', outputs: { how: 'exported' } }
    return { state: 'drifted', seen: { serving: nfs !== 'inactive', imported } }
  },
  plan({ machine, pool }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const { serving, imported } = seen.state === 'drifted' ? seen.seen : { serving: true, imported: true }
    const on = hostLabel(machine)
    const stop: Change = {
      resource: 'nfs-server',
      action: 'run',
      before: { on, active: true },
      after: { on, active: false },
      harm: 'every notebook still open on the hubs of this server loses its files',
    }
    const leave: Change = {
      resource: `zpool ${naming(pool, 'pool').name}`,
      action: 'run',
      before: { on, imported: true },
      after: { on, imported: false },
    }
    return [...(serving ? [stop] : []), ...(imported ? [leave] : [])]
  },
  async apply(changes, wanted, ctx) {
    const host = hostOf(wanted, ctx.doors)
    // The way back has the other order: first the pool, then those who serve from it.
    const wayBack = changes.some(({ after }) => truth(after, 'active') === true || truth(after, 'imported') === true)
    for (const change of wayBack ? [...changes].reverse() : changes) await make(change, wanted, host, ctx)
  },
  invert: (changes) => changes.map(turned),
  claims: ({ machine }) => [claim('machine', known(machine))],
  estimateMs: () => 30 * seconds,
})

function hostOf({ machine, user, sshKey }: Pick<Inputs, 'machine' | 'user' | 'sshKey'>, { ssh }: Platform): Host {
  return { ssh, at: { machine, user, key: sshKey } }
}

/** How a server's silence is told: by ssh, or by the control plane, which asks it for its host key first. */
const silences = new Set(['ssh.unreachable', 'exec.timeout', 'azure.operation-failed', 'azure.run-command'])

/** Silence is no proof: what cannot be reached stays unknown, with what may be done about it. */
async function look(host: Host): Promise<readonly [readonly ImportedPool[], ServiceState]> {
  try {
    return await ask(host, importedPools, nfsState)
  } catch (error) {
    if (!(error instanceof LifeboatError) || !silences.has(error.code)) throw error
    throw new LifeboatError(error.code, error.message, {
      cause: error,
      hint: 'A server that does not answer may still write. If it stays silent, deallocate it (`az vm deallocate`): that is proof, but then its pool was not exported.',
      ...(error.retry === undefined ? {} : { retry: error.retry }),
    })
  }
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
  const active = truth(change.after, 'active')
  if (active === true) return startNfs(host)
  if (active === false) {
    ctx.progress('stopping NFS')
    return stopNfs(host)
  }
  const [pools, nfs] = await ask(host, importedPools, nfsState)
  const imported = pools.find(({ guid }) => guid === pool.guid)
  if (truth(change.after, 'imported') === true) {
    if (imported === undefined) await importPool(host, pool)
    return mountAll(host)
  }
  // Clients that still write must not have the pool taken from under them.
  if (nfs !== 'inactive') throw new LifeboatError('nfs.still-active', `NFS on ${hostLabel(machine)} does not stop`, { retry: {} })
  if (imported === undefined) return
  ctx.progress(`exporting ${imported.name}`)
  await exportPool(host, imported.name)
}

function truth(after: Change['after'], key: 'active' | 'imported'): unknown {
  return typeof after === 'object' && after !== null && key in after ? (after as Record<string, unknown>)[key] : undefined
}

function turned({ resource, action, before, after }: Change): Inverse {
  if (before === undefined || after === undefined) return { resource, irreversible: `what it was before is not known; look in ${deviceFolder} on that server` }
  return { resource, action, before: after, after: before }
}
