import { errorFacts, LifeboatError } from '../../contract/index.js'
import type { Failure } from '../../platform/azure/activity-door.js'
import type { Cluster } from '../../platform/azure/door.js'
import { nameOf } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { groupOf, hours, minutes } from '../step.js'

/** Why a cluster is not made or not well, and what to do about that; of the cluster itself another sentence says what is to become. */
interface Reason {
  readonly why: string
  readonly mend: string
}

/** A cluster is made in 5 to 10 minutes, in the incident it took 20: after this it is worth asking what keeps it. */
export const slowAfterMs = 30 * minutes

/** One that takes this long has more likely hung than not: by then somebody has to know how to begin again. */
const hungAfterMs = 60 * minutes

/** Of the activity log no more is read: the figures of a failover. */
const logMs = 24 * hours

/** A cluster in state Failed or Canceled, with what the activity log says of it. */
export async function stateOfFailed(found: Cluster, doors: Platform, now: Date) {
  const what = `cluster ${nameOf(found.id)} exists in state ${found.provisioningState}`
  const reason = await reasonOf(found.id, found, doors, now)
  const fate = await fateOf(found, reason !== undefined, doors, now)
  if (reason !== undefined) return { state: 'conflict' as const, why: `${what}: ${reason.why}`, mend: `${reason.mend} ${fate}` }
  return { state: 'conflict' as const, why: what, mend: `The activity log, some minutes behind, says nothing of it yet. ${fate}` }
}

/** What a cluster is at, and what seems to keep it if that goes on for long. */
export async function goingOn(found: Cluster, doors: Platform, now: Date): Promise<string> {
  const what = `cluster ${nameOf(found.id)} is ${found.provisioningState.toLowerCase()}`
  const sinceMs = found.createdAt === undefined ? 0 : now.getTime() - found.createdAt.getTime()
  if (found.provisioningState !== 'Creating' || sinceMs < slowAfterMs) return what
  const reason = await reasonOf(found.id, found, doors, now)
  const long = `${what}, for ${Math.round(sinceMs / minutes)} min now`
  if (reason !== undefined) return `${long}; ${reason.why}. ${reason.mend} ${deleteFirst(found.id)}`
  // It has never been up, so that nobody loses anything by it.
  return sinceMs < hungAfterMs ? long : `${long}; the activity log does not say why. Wait on, or delete what there is of it ${byDeletion(found.id)}`
}

/** The error of a cluster's operation, with what the log adds to it. */
export async function explained(error: unknown, id: string, doors: Platform, now: Date): Promise<unknown> {
  if (!(error instanceof LifeboatError) || !/^azure\.(operation-failed|no-capacity|quota)$/.test(error.code)) return error
  // What cannot be read is not taken for gone: it may serve.
  const found = await doors.azure.clusters.get(id).catch(() => null)
  const reason = await reasonOf(id, found ?? undefined, doors, now)
  if (reason === undefined) return error
  const fate = found === undefined ? 'Then resume.' : found === null ? mayServe(id) : await fateOf(found, true, doors, now)
  return new LifeboatError(error.code, `${error.message}; ${reason.why}`, { blame: error.blame, hint: `${reason.mend} ${fate}`, cause: error })
}

/** Since it was made: one of the same name that was before it is no matter. */
function since(found: Cluster | undefined, now: Date): Date {
  return new Date(Math.max(found?.createdAt?.getTime() ?? 0, now.getTime() - logMs))
}

/**
 * What the activity log tells of a cluster that fails or hangs: what failed at the cluster, or in the group of its nodes,
 * where sizes and zones without room show first. Undefined where it tells nothing (it is minutes behind). A log that cannot
 * be read does not hide what else is known.
 */
async function reasonOf(id: string, found: Cluster | undefined, { azure }: Platform, now: Date): Promise<Reason | undefined> {
  const nodeGroup = found?.nodeResourceGroup
  const subscription = id.split('/').slice(0, 3).join('/')
  const places = [id, ...(nodeGroup === undefined ? [] : [`${subscription}/resourceGroups/${nodeGroup}`])]
  const looks = await Promise.allSettled(places.map((place) => azure.activity.failures(place, since(found, now))))
  const failures = looks.flatMap((look) => (look.status === 'fulfilled' ? look.value : []))
  const failure = failures.find(({ code }) => adviceOn(code) !== undefined) ?? failures[0]
  if (failure !== undefined) return told(failure)
  const unread = looks.find((look) => look.status === 'rejected')
  if (unread === undefined) return undefined
  const mend = `Look there (az monitor activity-log list --resource-id ${id}).`
  return { why: `the activity log, which would say why, cannot be read (${errorFacts(unread.reason).message})`, mend }
}

function told({ code, message }: Failure): Reason {
  const mend = adviceOn(code) ?? 'Making it again may do; if not, ask for support with this message.'
  return { why: `the activity log says ${code}: ${message}`, mend }
}

const byDeletion = (id: string): string => `(az aks delete --resource-group ${groupOf(id)} --name ${nameOf(id)}), then resume.`
const deleteFirst = (id: string): string => `Delete first what there is of it ${byDeletion(id)}`
const mayServe = (id: string): string =>
  `It may serve hubs: do not delete it; have its state set right (az aks update --resource-group ${groupOf(id)} --name ${nameOf(id)}), then resume.`

/** `Failed` is the last operation's state. What has failed may serve; it is to be deleted only where nothing shows that it was ever up. */
async function fateOf(found: Cluster, isTold: boolean, { azure }: Platform, now: Date): Promise<string> {
  const { id, agentPools, createdAt } = found
  // That of a private one is another.
  const name = found.fqdn ?? found.rest?.['privateFqdn']
  if (name === undefined || agentPools.length === 0) return deleteFirst(id)
  const isOld = createdAt === undefined || now.getTime() - createdAt.getTime() >= logMs
  if (isOld || agentPools.some(({ rest }) => rest?.['provisioningState'] === 'Succeeded')) return mayServe(id)
  // It has a name before it is up, and the pools of one that serves may have failed: the log of its whole life tells more.
  if (!isTold) return 'Resume in some minutes, when it may say more; delete nothing before that.'
  return (await azure.activity.wasWritten(id, createdAt).catch(() => true)) ? mayServe(id) : deleteFirst(id)
}

function adviceOn(code: string): string | undefined {
  if (/quota/i.test(code)) return 'Ask for more quota, or give the pools fewer nodes or another size.'
  if (/AllocationFailed|SkuNotAvailable|OverconstrainedAllocation/i.test(code)) {
    return 'Azure has no room for that size there now, and more quota would not help: give the pools another size, other zones or none, or go to another region.'
  }
  return undefined
}
