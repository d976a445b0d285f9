import { kindOf } from '../kinds.js'
import { controllerOf, fields, items, text, timestamp, type Fields, type KubeObject } from '../object.js'
import { condition, leaving, phaseOf, setStatus, specOf, statusOf, type Context, type Controller, type PodTrouble, type Workload } from './context.js'
import { nfsMountsOf, whyNotMounted, type NfsMount } from './mounts.js'
import { nodeNames } from './nodes.js'

/** How often a kubelet tries a mount again that failed, or looks after one that it cannot get rid of. */
const retryMs = 10_000
/** How long a soft mount tries to reach its server: a minute, and two more times (nfs(5), timeo and retrans over TCP). */
const softMs = 180_000
/** Pods of a workload whose images are on the nodes already take at most this long. */
const laterMs = 60_000
/** A container that crashes is started again at most that seldom. */
const restartMs = 300_000
/** Our pods end within two seconds, if they are given them. */
const endsInSeconds = 2

/** What the pods of a workload wait for once: images, a pool of nodes that grows. Afterwards they are quick. */
interface Course {
  readonly readyAtMs: number
}

/** A pod that has begun to start: its volumes are mounted from then on, wherever they were at that moment. */
interface PodCourse extends Course {
  readonly mounts: readonly NfsMount[]
}

/**
 * Scheduler and kubelet: a pod starts when all its volumes can be mounted, and is ready some time after that; the pod of a Job
 * ends instead. Node selectors, taints and resources are not looked at: nothing tells the world what its nodes offer.
 */
export function podController(): Controller {
  const pods = new Map<string, PodCourse>()
  const workloads = new Map<string, Course>()
  return (context) => {
    const kind = kindOf('pods')
    const alive = new Set<string>()
    for (const pod of context.store.list(kind)) {
      const uid = pod.metadata.uid ?? ''
      alive.add(uid)
      if (leaving(pod)) endPod(context, pod, pods.get(uid)?.mounts ?? [])
      else if (!hasEnded(pod)) step(context, pod, pods, workloads)
    }
    for (const uid of pods.keys()) if (!alive.has(uid)) pods.delete(uid)
  }
}

/** While a server that it has mounted does not answer, the kubelet hangs in unmounting, unless nobody waits for that. */
function endPod(context: Context, pod: KubeObject, mounts: readonly NfsMount[]): void {
  const { deletionTimestamp = '', deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata
  const dueMs = Date.parse(deletionTimestamp) + Math.min(deletionGracePeriodSeconds, endsInSeconds) * 1000
  const nowMs = context.nowMs()
  const hangs = ({ server, isSoft }: NfsMount): boolean =>
    (!isSoft || nowMs < dueMs + softMs) && context.around.answersNfs?.(server) === false
  if (nowMs < dueMs) context.wakeAt(dueMs)
  else if (deletionGracePeriodSeconds > 0 && !hasEnded(pod) && mounts.some(hangs)) context.wakeAt(nowMs + retryMs)
  else if (finalizers.length === 0) context.store.remove(kindOf('pods'), pod)
}

const hasEnded = (pod: KubeObject): boolean => ['Succeeded', 'Failed'].includes(phaseOf(pod))

function step(context: Context, pod: KubeObject, pods: Map<string, PodCourse>, workloads: Map<string, Course>): void {
  const uid = pod.metadata.uid ?? ''
  const course = pods.get(uid) ?? start(context, pod, workloads)
  if (course === undefined) return
  pods.set(uid, course)
  if (context.nowMs() < course.readyAtMs) {
    context.wakeAt(course.readyAtMs)
    if (text(statusOf(pod)['startTime']) === '') pending(context, pod, 'ContainerCreating')
  } else if (!isReady(pod)) {
    const trouble = context.around.podTrouble?.(workloadOf(context, pod))
    if (trouble === undefined) arrive(context, pod)
    else fail(context, pod, trouble, course)
  }
}

function isReady(pod: KubeObject): boolean {
  return phaseOf(pod) === 'Running' && items(statusOf(pod)['containerStatuses']).every(({ ready }) => ready === true)
}

/** The kubelet tries again, later and later; the events tell why. */
function fail(context: Context, pod: KubeObject, trouble: PodTrouble, { readyAtMs }: Course): void {
  const now = context.store.now()
  const { name, namespace = '', uid = '' } = pod.metadata
  const [container = {}] = items(specOf(pod)['containers'])
  const [image, called] = [text(container['image']), text(container['name'])]
  const crashes = trouble === 'crashing'
  const backOff = crashes ? `Back-off restarting failed container ${called} in pod ${name}_${namespace}(${uid})` : `Back-off pulling image "${image}"`
  if (!crashes) context.record(pod, 'Warning', 'Failed', `Failed to pull image "${image}": rpc error: code = NotFound desc = failed to resolve reference "${image}": not found`)
  context.record(pod, 'Warning', 'BackOff', backOff)
  const state = { waiting: { reason: crashes ? 'CrashLoopBackOff' : 'ImagePullBackOff', message: backOff } }
  const restartCount = crashes ? 1 + Math.floor((context.nowMs() - readyAtMs) / restartMs) : 0
  const notYet = { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${called}]` }
  setStatus(context, kindOf('pods'), pod, {
    ...statusOf(pod),
    phase: crashes ? 'Running' : 'Pending',
    conditions: [
      condition(pod, now, { type: 'PodScheduled', status: 'True' }),
      condition(pod, now, { type: 'Initialized', status: 'True' }),
      condition(pod, now, { type: 'ContainersReady', ...notYet }),
      condition(pod, now, { type: 'Ready', ...notYet }),
    ],
    containerStatuses: items(specOf(pod)['containers']).map((one) => ({ ...containerStatus(one, state, false), restartCount })),
  })
  context.wakeAt(context.nowMs() + laterMs)
}

/** The pod's course, if nothing keeps it from starting. */
function start(context: Context, pod: KubeObject, workloads: Map<string, Course>): PodCourse | undefined {
  const obstacle = whyNotMounted(context, pod)
  if (obstacle !== undefined) {
    pending(context, pod, obstacle.scheduled ? 'ContainerCreating' : undefined, obstacle.message)
    context.record(pod, 'Warning', obstacle.reason, obstacle.message)
    context.wakeAt(context.nowMs() + retryMs)
    return undefined
  }
  const workload = workloadOf(context, pod)
  const key = `${workload.kind} ${workload.namespace} ${workload.name}`
  const readyAfterMs = context.around.readyAfterMs(workload)
  const nowMs = context.nowMs()
  const first = workloads.get(key) ?? { readyAtMs: nowMs + readyAfterMs }
  workloads.set(key, first)
  context.record(pod, 'Normal', 'Pulling', `Pulling image "${text(items(specOf(pod)['containers'])[0]?.['image'])}"`)
  return { readyAtMs: Math.max(first.readyAtMs, nowMs + Math.min(readyAfterMs, laterMs)), mounts: nfsMountsOf(context, pod) }
}

/** The workload at the head of a pod's owners: the Deployment, not its ReplicaSet. */
function workloadOf(context: Context, pod: KubeObject): Workload {
  const namespace = pod.metadata.namespace ?? ''
  const owner = controllerOf(pod)
  if (!owner) return { kind: 'Pod', namespace, name: pod.metadata.name }
  if (owner.kind === 'ReplicaSet') {
    const set = context.store.get(kindOf('replicasets.apps'), namespace, owner.name)
    const above = set && controllerOf(set)
    if (above) return { kind: above.kind, namespace, name: above.name }
  }
  return { kind: owner.kind, namespace, name: owner.name }
}

function pending(context: Context, pod: KubeObject, waiting: string | undefined, message?: string): void {
  const now = context.store.now()
  const scheduled = waiting !== undefined
  if (scheduled && text(specOf(pod)['nodeName']) === '') schedule(context, pod)
  const containers = items(specOf(pod)['containers']).map((one) => containerStatus(one, { waiting: { reason: waiting } }, false))
  const notYet = { status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status' }
  const conditions = scheduled
    ? [
        condition(pod, now, { type: 'PodScheduled', status: 'True' }),
        condition(pod, now, { type: 'Initialized', status: 'True' }),
        condition(pod, now, { type: 'ContainersReady', ...notYet }),
        condition(pod, now, { type: 'Ready', ...notYet }),
      ]
    : [condition(pod, now, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', ...(message === undefined ? {} : { message }) })]
  setStatus(context, kindOf('pods'), pod, {
    ...statusOf(pod),
    phase: 'Pending',
    conditions,
    ...(scheduled ? { containerStatuses: containers, startTime: text(statusOf(pod)['startTime']) || now, hostIP: '10.224.0.4' } : {}),
  })
}

function schedule(context: Context, pod: KubeObject): void {
  context.store.edit(kindOf('pods'), pod, (draft) => {
    const spec = fields(draft['spec'])
    const all = context.store.list(kindOf('pods')).length
    spec['nodeName'] = nodeNames[all % nodeNames.length]
  })
}

function arrive(context: Context, pod: KubeObject): void {
  const now = context.store.now()
  const restart = specOf(pod)['restartPolicy']
  const ends = restart !== 'Always'
  const state = ends
    ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } }
    : { running: { startedAt: timestamp(context.nowMs()) } }
  const done = ends ? { status: 'False', reason: 'PodCompleted' } : { status: 'True' }
  setStatus(context, kindOf('pods'), pod, {
    ...statusOf(pod),
    phase: ends ? 'Succeeded' : 'Running',
    conditions: [
      condition(pod, now, { type: 'PodScheduled', status: 'True' }),
      condition(pod, now, { type: 'Initialized', status: 'True', ...(ends ? { reason: 'PodCompleted' } : {}) }),
      condition(pod, now, { type: 'ContainersReady', ...done }),
      condition(pod, now, { type: 'Ready', ...done }),
    ],
    containerStatuses: items(specOf(pod)['containers']).map((one) => containerStatus(one, state, !ends)),
    podIP: addressOf(context, pod),
    startTime: text(statusOf(pod)['startTime']) || now,
  })
}

/** An address that no pod has which still is there. */
function addressOf(context: Context, pod: KubeObject): string {
  const taken = new Set(context.store.list(kindOf('pods')).map((one) => statusOf(one)['podIP']))
  for (let number = Number(pod.metadata.resourceVersion); ; number += 1) {
    const address = `10.244.${Math.floor(number / 250) % 250}.${(number % 250) + 2}`
    if (!taken.has(address)) return address
  }
}

function containerStatus(container: Fields, state: Fields, ready: boolean): Fields {
  const image = text(container['image'])
  return { name: text(container['name']), image, imageID: ready ? image : '', ready, started: ready, restartCount: 0, state }
}
