import { z } from 'zod'
import { type ReadContext } from '../contract/index.js'
import { file, resourceId } from '../contract/inputs.js'
import type { Machine } from '../platform/azure/door.js'
import { ask } from '../platform/host/ask.js'
import { importedPools, type ImportedPool } from '../platform/host/pools.js'
import type { Host } from '../platform/host/run.js'
import type { Platform } from '../platform/platform.js'
import { isSilence, isUnasked } from './parts/fence.js'
import { storageRecord, takeRecord } from './parts/storage-record.js'
import { defineStep, hostLabel, minutes, seconds } from './step.js'

/** A machine that is started is there within a minute or two, or not for long. */
const startMs = 3 * minutes
const lookMs = 10 * seconds

const inputs = z.strictObject({
  /** Resource id of the server that has the pool. */
  machine: resourceId,
  user: z.string(),
  /** Path of the private key to log in with. */
  sshKey: file,
  pool: z.strictObject({ name: z.string(), guid: z.string().regex(/^\d+$/, 'a guid is a number, in quotes'), devices: z.number().int().positive() }),
})

/**
 * What lies on a pool before it changes hands: datasets, how much each holds, what was set on them, exports, how its devices are
 * put together. It stands in the journal, and `zfs/import-pool` holds the pool against it. A server that is gone or silent
 * leaves no record; that is said, and is no reason to stop: the pool is what matters.
 */
export const zfsRecord = defineStep({
  uses: 'zfs/record',
  summary: 'What lies on a pool, recorded before it changes hands',
  inputs,
  outputs: z.object({ record: storageRecord.nullable(), remark: z.string() }),
  identity: ['machine', 'user', 'sshKey', 'pool'],
  check: true,
  stands: true,
  verification: () => ({ everyMs: 5 * seconds, withinMs: 5 * minutes }),
  preflight: async () => [],
  async observe(wanted, ctx) {
    const { machine, pool } = wanted
    const on = hostLabel(machine)
    const none = (why: string) => ({ state: 'converged' as const, outputs: { record: null, remark: `no record of ${pool.name}: ${why}` } })
    const found = await onceStarted(machine, ctx)
    if (found === undefined) return none(`${on} is gone`)
    if (found.powerState !== undefined && found.powerState !== 'running') return none(`${on} is ${found.powerState}`)
    const host: Host = { ssh: ctx.doors.ssh, at: { machine, user: wanted.user, key: wanted.sshKey } }
    const pools = await poolsThere(host, ctx)
    if (typeof pools === 'string') return none(`${on} ${pools}`)
    if (!pools.some(({ guid, name }) => guid === pool.guid && name === pool.name)) return none(`${on} does not have it imported`)
    const record = await takeRecord(host, pool.name, ctx.clock.now())
    const { datasets, exports } = record
    return { state: 'converged', outputs: { record, remark: `${pool.name} recorded: ${count(datasets.length, 'dataset')}, ${count(exports.length, 'export')}` } }
  },
  plan: () => [],
  apply: async () => undefined,
  invert: () => [],
  claims: () => [],
  estimateMs: () => 5 * seconds,
})

/** It had been stopped, and has its pool soon: a record is better than none. One that does not come up holds up nobody. */
async function onceStarted(machine: string, { doors, clock, progress, signal }: ReadContext<Platform>): Promise<Machine | undefined> {
  for (let leftMs = startMs; ; leftMs -= lookMs) {
    const found = await doors.azure.machines.get(machine)
    if (found?.powerState !== 'starting' || leftMs <= 0) return found
    progress(`${hostLabel(machine)} is being started`)
    await clock.sleep(lookMs, signal)
  }
}

/** One answer that was lost is not yet silence. */
async function poolsThere(host: Host, { clock, signal }: ReadContext<Platform>): Promise<readonly ImportedPool[] | 'does not answer' | 'cannot be asked'> {
  for (let left = 1; ; left -= 1) {
    try {
      return (await ask(host, importedPools))[0]
    } catch (error) {
      if (!isSilence(error) && !isUnasked(error)) throw error
      if (left === 0) return isUnasked(error) ? 'cannot be asked' : 'does not answer'
      await clock.sleep(10 * seconds, signal)
    }
  }
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`
}
