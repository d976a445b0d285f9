import { kindOf, type Kind } from '../kinds.js'
import { controllerOf, copy, count, fields, hash, ownedBy, text, texts, type Fields, type KubeObject } from '../object.js'
import { adopt, isReady, leaving, make, phaseOf, setStatus, specOf, statusOf, type Context } from './context.js'

/** The pods that an object manages, oldest first. */
export function podsOf(context: Context, owner: KubeObject): KubeObject[] {
  return context.store
    .list(kindOf('pods'), owner.metadata.namespace)
    .filter((pod) => controllerOf(pod)?.uid === owner.metadata.uid)
    .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
}

/** A pod from a template. `name` is the whole name; `labels` are added to the template's. */
export function makePod(context: Context, owner: KubeObject, name: string, labels: Record<string, string> = {}, spec: Fields = {}): void {
  const template = fields(specOf(owner)['template'])
  const meta = fields(template['metadata'])
  const accounts = kindOf('serviceaccounts')
  const wanted = { ...copy(fields(template['spec'])), ...spec }
  const account = text(wanted['serviceAccountName']) || 'default'
  if (!context.store.get(accounts, owner.metadata.namespace, account)) {
    const why = `error looking up service account ${owner.metadata.namespace ?? ''}/${account}: serviceaccount "${account}" not found`
    context.record(owner, 'Warning', 'FailedCreate', `Error creating: pods "${name}" is forbidden: ${why}`)
    return
  }
  make(context, kindOf('pods'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...texts(meta['labels']), ...labels },
      ...(meta['annotations'] === undefined ? {} : { annotations: texts(meta['annotations']) }),
      ownerReferences: [ownedBy(owner)],
    },
    spec: { ...wanted, serviceAccountName: account },
    status: { phase: 'Pending', qosClass: 'Burstable' },
  }, owner)
}

/** Begins a graceful end of a pod. */
export function endPodOf(context: Context, pod: KubeObject): void {
  context.store.edit(kindOf('pods'), pod, (draft) => {
    draft.metadata.deletionTimestamp = context.store.now()
    draft.metadata.deletionGracePeriodSeconds = 30
  })
}

/** ReplicaSets: as many pods as wished. minReadySeconds is not counted: available means ready. */
export function replicaSetController(context: Context): void {
  const kind = kindOf('replicasets.apps')
  for (const set of context.store.list(kind)) {
    adopt(context, kindOf('pods'), set)
    const live = podsOf(context, set).filter((pod) => !leaving(pod) && !['Succeeded', 'Failed'].includes(phaseOf(pod)))
    if (!leaving(set)) {
      const wanted = count(specOf(set)['replicas'], 1)
      for (let more = live.length; more < wanted; more += 1) {
        // The version grows with every pod: no two have a name.
        makePod(context, set, `${set.metadata.name}-${hash([set.metadata.uid, context.store.version]).slice(0, 5)}`)
      }
      // Those that are not ready go first.
      const surplus = [...live].sort((a, b) => Number(isReady(a)) - Number(isReady(b))).slice(0, Math.max(0, live.length - wanted))
      for (const pod of surplus) endPodOf(context, pod)
    }
    reportReplicas(context, kind, set, live)
  }
}

function reportReplicas(context: Context, kind: Kind, set: KubeObject, live: readonly KubeObject[]): void {
  const ready = live.filter(isReady).length
  setStatus(context, kind, set, {
    ...statusOf(set),
    replicas: live.length,
    fullyLabeledReplicas: live.length,
    ...(ready === 0 ? { readyReplicas: undefined, availableReplicas: undefined } : { readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: set.metadata.generation,
  })
}
