import { isDeepStrictEqual } from 'node:util'
import {
  anyStep,
  isPending,
  LifeboatError,
  type AnyStep,
  type Change,
  type Claim,
  type Inverse,
  type Json,
  type JsonObject,
  type Pending,
  type PlanInputs,
  type ReadContext,
  type StepModule,
} from '../contract/index.js'
import type { Operation } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'

/**
 * Declares a step module. Input, output and observation types are inferred from what is given; `K` are the inputs without
 * which it cannot look at all.
 */
export function defineStep<I extends object, O extends object, K extends keyof I, S>(
  module: StepModule<I, O, K, S, Platform>,
): AnyStep<Platform> {
  return anyStep(module)
}

/** Whoever writes into a resource group shares it; a move needs it alone. */
export function groupClaim(group: string, mode: Claim['mode'] = 'shared'): Claim {
  return { resource: `group:${group.toLowerCase()}`, mode }
}

export function claim(kind: string, name: string, mode: Claim['mode'] = 'alone'): Claim {
  return { resource: `${kind}:${name.toLowerCase()}`, mode }
}

/** An input as text for claims: while it is pending, nothing else can have it either. */
export function known(value: PlanInputs<{ v: string }>['v']): string {
  return isPending(value) ? value.toString() : value
}

/** Milliseconds. */
export const seconds = 1000
export const minutes = 60 * seconds
export const hours = 60 * minutes

/** The group in an id of a resource. */
export function groupOf(id: string): string {
  return /\/resourceGroups\/([^/]+)/i.exec(id)?.[1] ?? id
}

/** `/subscriptions/S/resourceGroups/G/providers/TYPE/NAME`, with the subscription of a group's id. */
export function idIn(groupId: string, type: string, name: string): string {
  return `${groupId}/providers/${type}/${name}`
}

/**
 * Waits for the end of what Azure has accepted, or for the run's. An interrupted run lets go here: the operation goes on
 * without us, and what came of it is told by observing.
 */
export async function ended({ done }: Operation, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let stop = (): void => undefined
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([done, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/**
 * Side by side, each let come to its end though another fails: what is still on its way to Azure then, a look would not see, and the
 * next try would send it once more. Rejects with a failure that no other try mends, if there is one: else it would be hidden until the
 * others are over.
 */
export async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const failed = (await Promise.allSettled(works)).flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  const final = failed.find((error) => !(error instanceof LifeboatError && error.retry !== undefined))
  if (failed.length > 0) throw final ?? failed[0]
  return Promise.all(works)
}

/** Milliseconds of the run's clock between two looks at whether patience has run out. */
const sliceMs = 10 * seconds

/** The same, as long as patience lasts (milliseconds of the run's clock): false says that it goes on without us. */
export async function endedWithin(
  operation: Operation,
  patienceMs: number,
  ctx: Pick<ReadContext<Platform>, 'clock' | 'signal'>,
): Promise<boolean> {
  const over = new AbortController()
  const end = ended(operation, ctx.signal).finally(() => over.abort())
  end.catch(() => undefined)
  const deadlineMs = ctx.clock.now().getTime() + patienceMs
  while (!over.signal.aborted && ctx.clock.now().getTime() < deadlineMs) {
    await ctx.clock.sleep(Math.min(sliceMs, patienceMs), AbortSignal.any([ctx.signal, over.signal])).catch(() => undefined)
    ctx.signal.throwIfAborted()
  }
  if (over.signal.aborted) await end
  return over.signal.aborted
}

const opposite: Readonly<Record<Change['action'], Change['action']>> = { create: 'delete', delete: 'create', update: 'update', run: 'run' }

/**
 * `isBack` for what a step makes under names of its own. Where going forward would mend what is Failed and otherwise as the run wanted or
 * found it, or not there yet, the run's own making, changing or deleting of it has failed, and nobody has changed it. What had failed
 * before the run came is back without that.
 */
export function failedIsHalfMade({ action, before, after }: Change, now: Change | undefined): true | 'in-part' | undefined {
  if (now?.action !== 'update' || (action !== 'create' && action !== 'update')) return undefined
  const [{ state: was, ...found }, { state, ...rest }] = [(before ?? {}) as JsonObject, (now.before ?? {}) as JsonObject]
  if (action === 'update' && was === 'Failed' && isDeepStrictEqual(rest, found)) return true
  const wanted = (after ?? {}) as JsonObject
  const isKnown = ([key, value]: [string, Json | undefined]): boolean =>
    value === null || isDeepStrictEqual(value, wanted[key]) || (action === 'update' && isDeepStrictEqual(value, found[key]))
  return state === 'Failed' && Object.entries(rest).every(isKnown) ? 'in-part' : undefined
}

/** The plain inverse, but for what was mended: that something had failed before the run came is nothing to bring back. */
export function invertedUnlessMended(change: Change): Inverse {
  const { state, ...before } = (change.before ?? {}) as JsonObject
  if (change.action !== 'update' || state !== 'Failed') return inverted(change)
  const after = (change.after ?? {}) as JsonObject
  const isAlike = Object.entries(before).every(([key, value]) => isDeepStrictEqual(value, after[key]))
  return isAlike ? { resource: change.resource, kept: 'it had failed before this run, which has mended it' } : inverted({ ...change, before })
}

/** The plain inverse: what was made is deleted, what was changed gets its old value back. */
export function inverted({ resource, action, before, after }: Change): Change {
  return {
    resource,
    action: opposite[action],
    ...(after === undefined ? {} : { before: after }),
    ...(before === undefined ? {} : { after: before }),
  }
}

/**
 * `GROUP/NAME` of a machine, for people: old and new server often bear one name. A pending one stays pending, so that it
 * may stand in a change; never in a change's `resource`, which must read the same before and after it is known.
 */
export function hostLabel<T>(machine: T): string | Extract<T, Pending> {
  if (isPending(machine)) return machine as Extract<T, Pending>
  const id = String(machine)
  return id.startsWith('/') ? `${groupOf(id)}/${id.split('/').at(-1) ?? ''}` : id
}

/** Said where the host's lock is held (`platform/host/at-work.ts`). */
export function hostBusy(machine: string): string {
  return `something that was begun on ${hostLabel(machine)} is still at work there`
}
