import { kindOf } from '../kinds.js'
import { copy, count, fields, hash, items, text, texts, type KubeObject } from '../object.js'
import { adopt, isReady, leaving, make, phaseOf, setStatus, specOf, statusOf, type Context } from './context.js'
import { endPodOf, makePod, podsOf } from './replicas.js'

const revisionLabel = 'controller-revision-hash'

function ordinalOf(pod: KubeObject): number {
  return Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? 0)
}

function revisionOf(set: KubeObject): string {
  return `${set.metadata.name}-${hash(specOf(set)['template'])}`
}

/** StatefulSets: pods with numbers and claims of their own, made in order, replaced from the last to the first. */
export function statefulSetController(context: Context): void {
  for (const set of context.store.list(kindOf('statefulsets.apps'))) {
    adopt(context, kindOf('pods'), set)
    if (!leaving(set)) advance(context, set)
    report(context, set)
  }
}

function advance(context: Context, set: KubeObject): void {
  const spec = specOf(set)
  const wanted = count(spec['replicas'], 1)
  const revision = revisionOf(set)
  const pods = podsOf(context, set)
  const inOrder = spec['podManagementPolicy'] !== 'Parallel'
  const first = count(fields(spec['ordinals'])['start'])
  for (let ordinal = first; ordinal < first + wanted; ordinal += 1) {
    const pod = pods.find((one) => ordinalOf(one) === ordinal)
    if (!pod) makeOne(context, set, ordinal, revision)
    else if (phaseOf(pod) === 'Failed' && !leaving(pod)) endPodOf(context, pod)
    if (inOrder && (!pod || !isReady(pod))) break
  }
  const surplus = pods.filter((pod) => ordinalOf(pod) >= first + wanted && !leaving(pod)).sort((a, b) => ordinalOf(b) - ordinalOf(a))
  for (const pod of inOrder ? surplus.slice(0, 1) : surplus) endPodOf(context, pod)
  const strategy = fields(spec['updateStrategy'])
  const kept = pods.filter((pod) => ordinalOf(pod) < first + wanted)
  if (strategy['type'] === 'OnDelete' || kept.length < wanted || kept.some(leaving)) return
  const partition = count(fields(strategy['rollingUpdate'])['partition'])
  // One at a time, the last first; what is not of the new template and not ready is replaced as well.
  const stale = kept.filter((pod) => pod.metadata.labels?.[revisionLabel] !== revision && ordinalOf(pod) >= partition)
  const fresh = kept.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision)
  const next = stale.sort((a, b) => ordinalOf(b) - ordinalOf(a))[0]
  if (next && fresh.every(isReady)) endPodOf(context, next)
}

function makeOne(context: Context, set: KubeObject, ordinal: number, revision: string): void {
  const spec = specOf(set)
  const name = `${set.metadata.name}-${ordinal}`
  const namespace = set.metadata.namespace ?? ''
  const claims = items(spec['volumeClaimTemplates']).map((template) => {
    const meta = fields(template['metadata'])
    const volume = text(meta['name'])
    const claim = `${volume}-${name}`
    const kind = kindOf('persistentvolumeclaims')
    if (!context.store.get(kind, namespace, claim)) {
      const selected = texts(fields(spec['selector'])['matchLabels'])
      make(context, kind, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace, labels: { ...texts(meta['labels']), ...selected } },
        spec: copy(fields(template['spec'])),
        status: { phase: 'Pending' },
      }, set)
    }
    return { name: volume, persistentVolumeClaim: { claimName: claim } }
  })
  const volumes = [...items(fields(fields(spec['template'])['spec'])['volumes']), ...claims]
  const labels = { [revisionLabel]: revision, 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': String(ordinal) }
  makePod(context, set, name, labels, { hostname: name, subdomain: text(spec['serviceName']), ...(volumes.length === 0 ? {} : { volumes }) })
}

function report(context: Context, set: KubeObject): void {
  const spec = specOf(set)
  const revision = revisionOf(set)
  const live = podsOf(context, set).filter((pod) => !leaving(pod))
  const updated = live.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length
  const ready = live.filter(isReady).length
  const old = statusOf(set)
  const wanted = count(spec['replicas'], 1)
  const done = updated === wanted && ready === wanted && live.length === wanted
  const current = done ? revision : text(old['currentRevision']) || revision
  setStatus(context, kindOf('statefulsets.apps'), set, {
    observedGeneration: set.metadata.generation,
    replicas: live.length,
    readyReplicas: ready,
    availableReplicas: ready,
    currentReplicas: live.filter((pod) => pod.metadata.labels?.[revisionLabel] === current).length,
    updatedReplicas: updated,
    currentRevision: current,
    updateRevision: revision,
    collisionCount: 0,
  })
}
