import { LifeboatError, type CommandWrite, type Observation, type OwnProgram, type ReadContext } from '../../contract/index.js'
import type { ReleaseName, Revision } from '../../platform/helm/door.js'
import { limitsOf } from '../../platform/helm/limits.js'
import type { Platform } from '../../platform/platform.js'
import { minutes } from '../step.js'

/** By how much the clocks of two machines may differ that are both let begin a run: five minutes each (`cli/site-checks.ts`). */
const clocksMs = 10 * minutes

/** How long it is waited for before somebody is asked, by the run's clock. */
const patienceMs = 5 * minutes

/** helm makes its record once it has rendered its chart. What came to be later than that after the start of one of ours is not ours. */
const recordWithinMs = 2 * minutes

/**
 * Somebody's helm that may be at work: helm's record tells who began and when, and not whether it still runs (K27). Undefined where
 * nothing is under way, where it was one of this run's own, which are over, or where it began too long ago: longer than this tool gives
 * such a helm with this timeout. That the other was given no more, and that clocks are right to minutes, is assumed. Whoever knows better
 * is asked after some minutes: the laptop that it ran on may lie in pieces.
 */
export function helmAtWork(
  newest: Revision,
  { namespace, name }: ReleaseName,
  timeoutMs: number,
  { clock, overPrograms, accepted }: Pick<ReadContext<Platform>, 'clock' | 'overPrograms' | 'accepted'>,
): Extract<Observation<never, never>, { state: 'in-flight' }> | undefined {
  const { status, begunAt } = newest
  const gone = helmGone(newest)
  if (!/^(pending-|uninstalling$)/.test(status) || accepted.has(gone) || isOwn(begunAt, overPrograms())) return undefined
  const limitMs = limitsOf(timeoutMs, clock, /^pending-(install|upgrade)$/.test(status)).goneMs + clocksMs
  const untilMs = (begunAt ?? clock.realNow()).getTime() + limitMs
  if (clock.realNow().getTime() >= untilMs) return undefined
  const since = begunAt === undefined ? '' : ` since ${timeOf(begunAt.getTime())}`
  const what = `helm is at work on ${namespace}/${name}${since} (${status}), and was not started by this run; it is given until ${timeOf(untilMs)}`
  const error = new LifeboatError('helm.at-work', `whether helm still works on ${namespace}/${name} cannot be told: it is ${status}${since}`, {
    blame: 'user',
    hint: `Find out whose helm that is, and make sure that it has ended. To wait for it, try again. It can be looked at: helm history ${name} -n ${namespace}`,
    alternative: { id: gone, offer: offer(namespace, name), changes: [] },
  })
  return { state: 'in-flight', what, patience: { ms: patienceMs, error } }
}

/** Of this very helm, and no later one: a revision that was cleared comes again under its number. */
function helmGone({ revision, begunAt }: Revision): string {
  return ['helm-gone', revision, ...(begunAt === undefined ? [] : [begunAt.toISOString().replace(/\.\d+|[-:]/g, '')])].join('-')
}

function offer(namespace: string, name: string): string {
  return (
    `that helm is taken for ended; what it has left of ${namespace}/${name} is cleared, and the release brought to what is wanted. ` +
    'The price: if it works still, two of them write the same release, and both call it deployed.'
  )
}

function isOwn(begunAt: Date | undefined, own: readonly OwnProgram[]): boolean {
  if (begunAt === undefined) return false
  return own.some(({ command, startedAt }) => {
    const afterMs = begunAt.getTime() - startedAt.getTime()
    return command.startsWith('helm ') && afterMs >= 0 && afterMs <= recordWithinMs
  })
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 16)} UTC`
}

/** What a recovered release is to be brought to. */
export type Next = 'upgrade' | 'rollback' | 'uninstall'

/**
 * Clears what an interrupted helm leaves behind, so that the next one is let in (facts/helm-wire). What failed needs nothing, nor does what
 * is to be uninstalled: without its record nobody would find its objects. An upgrade is rolled back where something served before it: with
 * its record alone gone, the release would be called deployed as it was, by helm and by an undo, while its objects are half new. Throws
 * `helm.pending`, to be tried again from a new look, where somebody's helm has begun since it was looked at.
 */
export async function recoverRelease(
  name: ReleaseName,
  wish: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly next: Next },
  ctx: Pick<ReadContext<Platform>, 'clock' | 'doors' | 'overPrograms' | 'accepted'>,
): Promise<void> {
  const { helm, kube } = ctx.doors
  const history = await helm.history(name)
  const newest = history.at(-1)
  const atWork = newest === undefined ? undefined : helmAtWork(newest, name, wish.timeoutMs, ctx)
  if (atWork !== undefined) throw new LifeboatError('helm.pending', atWork.what, { retry: {} })
  // Whether what it goes back to gets ready is not waited for: something else comes.
  const rollback = (to: number | undefined, revision: number): Promise<void> =>
    to === undefined
      ? forget(name, revision, kube)
      : helm.rollback(name, to, { ...wish, wait: false }).catch((error: unknown) => unlessFailed(error, name, helm))
  switch (newest?.status) {
    case 'uninstalling':
      return helm.uninstall(name, wish)
    // Neither a rollback nor an uninstall is kept out by them.
    case 'pending-rollback':
      return wish.next === 'upgrade' ? rollback(rollbackIn(newest), newest.revision) : undefined
    case 'pending-upgrade':
      return wish.next === 'upgrade' ? rollback(servedIn(history), newest.revision) : undefined
    case 'pending-install':
      return wish.next === 'uninstall' ? undefined : forget(name, newest.revision, kube)
    default:
      return
  }
}

/** A rollback that Kubernetes has refused is on record as failed, and what has failed lets the next helm in. */
async function unlessFailed(error: unknown, name: ReleaseName, helm: Platform['helm']): Promise<void> {
  if (!(error instanceof LifeboatError) || error.retry !== undefined) throw error
  if ((await helm.history(name)).at(-1)?.status !== 'failed') throw error
}

/** helm's own words for a revision that never served: it calls one superseded once another has come, or where a rollback from it fails. */
const neverServed = /^(Preparing upgrade|Initial install underway)$|^(Upgrade|Rollback|Release) "[^"]*" failed: /

/** The revision that served last, or serves; of one that brought back another, that other, if helm has it still (it keeps ten). */
export function servedIn(history: readonly Revision[]): number | undefined {
  const isServing = ({ status, description }: Revision): boolean =>
    status === 'deployed' || (status === 'superseded' && !neverServed.test(description))
  const last = history.findLast(isServing)
  return last && rootOf(last, history)
}

/** The revision whose content a rollback has brought back; undefined where it is no rollback. */
export function broughtBack(revision: Revision, history: readonly Revision[]): number | undefined {
  const root = rootOf(revision, history)
  return root === revision.revision ? rollbackIn(revision) : root
}

function rootOf(revision: Revision, history: readonly Revision[]): number {
  const to = rollbackIn(revision)
  const target = history.find((one) => one.revision === to)
  return target === undefined ? revision.revision : rootOf(target, history)
}

/** The revision that a rollback goes back to, by what helm says of it: an earlier one. */
function rollbackIn({ revision, description }: Revision): number | undefined {
  const to = Number(/^Rollback to (\d+)$/.exec(description)?.[1] ?? NaN)
  return to < revision ? to : undefined
}

/** The same as a plan can tell it: whether helm can name the revision that a rollback went to, it cannot. */
export function recoveryWrites(
  { status, revision, served }: { readonly status?: string; readonly revision?: number; readonly served?: number },
  { space, name, next }: { readonly space: string; readonly name: string; readonly next: Next },
): CommandWrite[] {
  const rollback: CommandWrite = { command: 'helm rollback', on: `${space}/${name}` }
  const forgotten: CommandWrite = { command: 'kubectl delete', on: `${space}/secret/sh.helm.release.v1.${name}.v${revision ?? '*'}` }
  switch (status) {
    case 'uninstalling':
      return [{ command: 'helm uninstall', on: `${space}/${name}` }]
    case 'pending-rollback':
      return next === 'upgrade' ? [rollback] : []
    case 'pending-install':
      return next === 'uninstall' ? [] : [forgotten]
    case 'pending-upgrade':
      return next === 'upgrade' ? [served === undefined ? forgotten : rollback] : []
    default:
      return []
  }
}

/** Only the record of a revision that never came about goes; its objects are taken over by the next one. */
function forget({ cluster, namespace, name }: ReleaseName, revision: number, kube: Platform['kube']): Promise<void> {
  return kube.delete(cluster, namespace, 'secret', `sh.helm.release.v1.${name}.v${revision}`)
}
