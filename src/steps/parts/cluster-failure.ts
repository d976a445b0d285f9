import { errorFacts, LifeboatError } from '../../contract/index.js'
import type { Failure } from '../../platform/azure/activity-door.js'
import type { Cluster } from '../../platform/azure/door.js'
import { nameOf } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { groupOf, hours, minutes } from '../step.js'

/** Why a cluster is not made, and what to do about it. */
interface Reason {
  readonly why: string
  readonly mend: string
}

/** A cluster is made in 5 to 10 minutes, in the incident it took 20: after this it is worth asking what keeps it. */
export const slowAfterMs = 30 * minutes

/** A cluster in state Failed or Canceled, with what the activity log says of it. */
export async function stateOfFailed(found: Cluster, doors: Platform, now: Date) {
  const what = `cluster ${nameOf(found.id)} exists in state ${found.provisioningState}`
  const reason = await reasonOf(found.id, found.nodeResourceGroup, doors, now)
  const mend = 'The activity log says nothing of it yet. Delete it or use another name: creating over it can fail again.'
  return { state: 'conflict' as const, why: reason === undefined ? what : `${what}: ${reason.why}`, mend: reason?.mend ?? mend }
}

/** What a cluster is at, and what seems to keep it if that goes on for long. */
export async function goingOn(found: Cluster, doors: Platform, now: Date): Promise<string> {
  const what = `cluster ${nameOf(found.id)} is ${found.provisioningState.toLowerCase()}`
  const sinceMs = found.createdAt === undefined ? 0 : now.getTime() - found.createdAt.getTime()
  if (found.provisioningState !== 'Creating' || sinceMs < slowAfterMs) return what
  const reason = await reasonOf(found.id, found.nodeResourceGroup, doors, now)
  const long = `${what}, for ${Math.round(sinceMs / minutes)} min now`
  return reason === undefined ? long : `${long}; ${reason.why}. ${reason.mend}`
}

/** The error of a cluster's operation, with what the log adds to it. */
export async function explained(error: unknown, id: string, doors: Platform, now: Date): Promise<unknown> {
  if (!(error instanceof LifeboatError) || !/^azure\.(operation-failed|no-capacity|quota)$/.test(error.code)) return error
  const reason = await reasonOf(id, undefined, doors, now)
  if (reason === undefined) return error
  return new LifeboatError(error.code, `${error.message}; ${reason.why}`, { blame: error.blame, hint: reason.mend, cause: error })
}

/**
 * What the activity log tells of a cluster that fails or hangs: what failed at the cluster, or in the group of its nodes,
 * where sizes and zones without room show first. Undefined where it tells nothing (it is minutes behind). A log that cannot
 * be read does not hide what else is known.
 */
async function reasonOf(id: string, nodeGroup: string | undefined, { azure }: Platform, now: Date): Promise<Reason | undefined> {
  const since = new Date(now.getTime() - 24 * hours)
  const subscription = id.split('/').slice(0, 3).join('/')
  const places = [id, ...(nodeGroup === undefined ? [] : [`${subscription}/resourceGroups/${nodeGroup}`])]
  const looks = await Promise.allSettled(places.map((place) => azure.activity.failures(place, since)))
  const failures = looks.flatMap((look) => (look.status === 'fulfilled' ? look.value : []))
  const failure = failures.find(({ code }) => adviceOn(code) !== undefined) ?? failures[0]
  if (failure !== undefined) return told(failure, id)
  const unread = looks.find((look) => look.status === 'rejected')
  if (unread === undefined) return undefined
  const mend = `Look there (az monitor activity-log list --resource-id ${id}). Delete the cluster or use another name: creating over it can fail again.`
  return { why: `the activity log, which would say why, cannot be read (${errorFacts(unread.reason).message})`, mend }
}

function told({ code, message }: Failure, id: string): Reason {
  const mend = adviceOn(code) ?? 'Making it again may do; if not, ask for support with this message.'
  const away = `az aks delete --resource-group ${groupOf(id)} --name ${nameOf(id)}`
  return { why: `the activity log says ${code}: ${message}`, mend: `${mend} Delete first what there is of it (${away}), then resume.` }
}

function adviceOn(code: string): string | undefined {
  if (/quota/i.test(code)) return 'Ask for more quota, or give the pools fewer nodes or another size.'
  if (/AllocationFailed|SkuNotAvailable|OverconstrainedAllocation/i.test(code)) {
    return 'Azure has no room for that size there now, and more quota would not help: give the pools another size, other zones or none, or go to another region.'
  }
  return undefined
}
