import { LifeboatError, type JsonObject, type ReadContext } from '../../contract/index.js'
import type { Platform } from '../../platform/platform.js'

/** Where a release is. */
export interface Place {
  /** Resource id. */
  readonly cluster: string
  readonly namespace: string
}

type Asking = Pick<ReadContext<Platform>, 'doors' | 'clock'>

/** What keeps a pod, in words, and what is to be done about it if its state tells. */
export interface Kept {
  readonly pod: string
  readonly why: string
  /** No waiting helps: it crashes, or its image cannot be had. */
  readonly isHopeless: boolean
  /** It was deleted, and is still there long after it should have ended. */
  readonly isLeaving: boolean
  readonly mend?: string
}

/** Codes of a helm that has waited for pods in vain. */
const waits: ReadonlySet<string> = new Set(['helm.timeout', 'helm.deadline'])

/** So many pods are told; the others are likely to have the same. */
const mostTold = 3
/** Of what an event says. */
const longest = 200

/** A node is slow sometimes, and clocks differ. */
const overdueMs = 60_000

/** Where nothing but these is left (kubernetes #72048: a server that is gone hangs the kubelet's unmount). */
const cannotEnd =
  'A pod stays Terminating while its node cannot unmount its volumes: look whether the NFS server is up. Once it is, they end by themselves; then resume.'

/** Events that tell why a pod does not get on. What others say is not repeated: nobody knows what is in it. */
const telling: ReadonlySet<string> = new Set(['FailedMount', 'FailedAttachVolume', 'FailedScheduling', 'Failed', 'BackOff'])

/**
 * The error of a helm that has waited in vain, with what its pods wait for: "not ready" is the same for an image that is slow, one that
 * does not exist, a server that does not answer and a hub that crashes. Any other error as it is, and this one too where pods cannot
 * be read.
 */
export async function withPods(error: unknown, place: Place, { doors, clock }: Asking): Promise<unknown> {
  if (!(error instanceof LifeboatError) || !waits.has(error.code)) return error
  try {
    const kept = await keptPods(place, { doors, clock })
    if (kept.length === 0) return error
    const more = kept.length > mostTold ? [`and ${kept.length - mostTold} more`] : []
    const message = [error.message, ...kept.slice(0, mostTold).map(({ why }) => why), ...more].join('; ')
    const hint = kept.every(({ isLeaving }) => isLeaving) ? cannotEnd : (kept.find(({ mend }) => mend !== undefined)?.mend ?? error.hint)
    const { code, blame, retry } = error
    return new LifeboatError(code, message, { blame, cause: error, ...(retry && { retry }), ...(hint === undefined ? {} : { hint }) })
  } catch (unread) {
    if (unread instanceof LifeboatError) return error
    throw unread
  }
}

/** Pods of a namespace that are not ready, and why. */
export async function keptPods({ cluster, namespace }: Place, { doors, clock }: Asking): Promise<readonly Kept[]> {
  const { kube } = doors
  const [pods, events] = await Promise.all([kube.list(cluster, namespace, 'pods'), kube.list(cluster, namespace, 'events')])
  const inOrder = [...events].sort((a, b) => text(a['lastTimestamp']).localeCompare(text(b['lastTimestamp'])))
  return pods.flatMap((pod) => keptBy(pod, inOrder, clock.now().getTime()))
}

function keptBy(pod: JsonObject, events: readonly JsonObject[], nowMs: number): readonly Kept[] {
  const { name = '', namespace = '', uid, deletionTimestamp } = fields(pod['metadata']) as Readonly<Record<string, string | undefined>>
  const status = fields(pod['status'])
  const isReady = list(status['conditions']).some(({ type, status: is }) => type === 'Ready' && is === 'True')
  // The time by which it should have ended.
  const isLeaving = deletionTimestamp !== undefined && nowMs - Date.parse(deletionTimestamp) > overdueMs
  if (!isLeaving && (isReady || status['phase'] === 'Succeeded')) return []
  const container = list(status['containerStatuses']).find(({ ready }) => ready !== true)
  const reason = text(fields(fields(container?.['state'])['waiting'])['reason'])
  const own = events.filter((event) => fields(event['involvedObject'])['uid'] === uid && telling.has(text(event['reason'])))
  // Of an image, that it is tried again says less than why.
  const told = (isOfImage(reason) ? own.findLast((event) => event['reason'] === 'Failed') : undefined) ?? own.at(-1)
  const restarts = Number(container?.['restartCount'] ?? 0)
  // Between two starts it runs, or has just ended.
  const kind = reason === '' && restarts > 1 ? 'CrashLoopBackOff' : reason
  const what = deletionTimestamp !== undefined ? 'Terminating' : reason || text(status['phase'])
  const times = restarts > 0 ? ` (started again ${restarts === 1 ? 'once' : `${restarts} times`})` : ''
  const why = told === undefined ? '' : `: ${text(told['message']).replaceAll(/\s+/g, ' ').slice(0, longest)}`
  const mend = isLeaving ? {} : mendOf(kind, text(told?.['reason']), `${name} -n ${namespace}`)
  const isHopeless = kind === 'CrashLoopBackOff' || isOfImage(kind)
  return [{ pod: name, why: `pod ${name} is ${what}${times}${why}`, isHopeless, isLeaving, ...mend }]
}

function mendOf(reason: string, event: string, pod: string): Pick<Kept, 'mend'> {
  if (reason === 'CrashLoopBackOff') {
    return { mend: `Its log says why it crashes: kubectl logs ${pod} --previous. Waiting does not help: chart, image, values and database must fit each other.` }
  }
  if (isOfImage(reason)) {
    return { mend: 'Look whether that image and tag exist, and whether the cluster may pull them. A resume waits again once they do.' }
  }
  if (event === 'FailedMount') return { mend: 'Look whether the NFS server is up, exports that path, and lets the nodes in. A resume waits again once it does.' }
  return {}
}

const isOfImage = (reason: string): boolean => reason === 'ImagePullBackOff' || reason === 'ErrImagePull'
const fields = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {})
const list = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.map(fields) : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
