import type { Kind } from '../kinds.js'
import { fields, isFields, items, text, type Fields, type KubeObject } from '../object.js'
import { defaultPodSpec, fill, inside } from './default-pods.js'

/** The storage class of claims that name none: what AKS makes the default, an empty new disk. */
export const defaultStorageClass = 'default'

const byKind: Readonly<Record<string, (spec: Fields, object: KubeObject) => void>> = {
  pods: (spec) => defaultPodSpec(spec),
  'deployments.apps': (spec) => {
    fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
    const strategy = inside(spec, 'strategy')
    fill(strategy, { type: 'RollingUpdate' })
    if (strategy['type'] === 'RollingUpdate') fill(inside(strategy, 'rollingUpdate'), { maxSurge: '25%', maxUnavailable: '25%' })
    defaultTemplate(spec)
  },
  'replicasets.apps': (spec) => {
    fill(spec, { replicas: 1 })
    defaultTemplate(spec)
  },
  'statefulsets.apps': (spec) => {
    fill(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' })
    fill(inside(spec, 'persistentVolumeClaimRetentionPolicy'), { whenDeleted: 'Retain', whenScaled: 'Retain' })
    const strategy = inside(spec, 'updateStrategy')
    fill(strategy, { type: 'RollingUpdate' })
    if (strategy['type'] === 'RollingUpdate') fill(inside(strategy, 'rollingUpdate'), { partition: 0 })
    for (const claim of items(spec['volumeClaimTemplates'])) {
      fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', status: { phase: 'Pending' } })
      fill(inside(claim, 'spec'), { volumeMode: 'Filesystem' })
    }
    defaultTemplate(spec)
  },
  'daemonsets.apps': (spec) => {
    fill(spec, { revisionHistoryLimit: 10 })
    const strategy = inside(spec, 'updateStrategy')
    fill(strategy, { type: 'RollingUpdate' })
    if (strategy['type'] === 'RollingUpdate') fill(inside(strategy, 'rollingUpdate'), { maxSurge: 0, maxUnavailable: 1 })
    defaultTemplate(spec)
  },
  'jobs.batch': defaultJob,
  'cronjobs.batch': (spec) => {
    fill(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
    defaultTemplate(inside(inside(spec, 'jobTemplate'), 'spec'))
  },
  services: defaultService,
  persistentvolumes: (spec, object) => {
    fill(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })
    protect(object, 'kubernetes.io/pv-protection')
    if (isFields(spec['claimRef'])) fill(spec['claimRef'], { kind: 'PersistentVolumeClaim', apiVersion: 'v1' })
  },
  persistentvolumeclaims: (spec, object) => {
    fill(spec, { volumeMode: 'Filesystem', storageClassName: defaultStorageClass })
    protect(object, 'kubernetes.io/pvc-protection')
  },
  namespaces: (spec, object) => {
    fill(spec, { finalizers: ['kubernetes'] })
    object.metadata.labels = { 'kubernetes.io/metadata.name': object.metadata.name, ...object.metadata.labels }
  },
  'networkpolicies.networking.k8s.io': (spec) => {
    fill(spec, { policyTypes: spec['egress'] === undefined ? ['Ingress'] : ['Ingress', 'Egress'] })
    for (const rule of [...items(spec['ingress']), ...items(spec['egress'])]) {
      for (const port of items(rule['ports'])) fill(port, { protocol: 'TCP' })
    }
  },
  'horizontalpodautoscalers.autoscaling': (spec) => fill(spec, { minReplicas: 1 }),
}

/** What the server fills in, for the kinds where a client would notice. `object` is changed. */
export function setDefaults(kind: Kind, object: KubeObject): void {
  const defaulted = byKind[kind.id]
  if (defaulted) defaulted(inside(object, 'spec'), object)
  const whole = object as Fields
  switch (kind.id) {
    case 'secrets':
      fill(whole, { type: 'Opaque' })
      if (isFields(object['stringData'])) {
        const given = Object.entries(object['stringData']).map(([key, value]) => [key, Buffer.from(text(value)).toString('base64')])
        object['data'] = { ...fields(object['data']), ...(Object.fromEntries(given) as Fields) }
        Reflect.deleteProperty(object, 'stringData')
      }
      break
    case 'storageclasses.storage.k8s.io':
      fill(whole, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' })
      break
    case 'priorityclasses.scheduling.k8s.io':
      fill(whole, { preemptionPolicy: 'PreemptLowerPriority' })
      break
    case 'rolebindings.rbac.authorization.k8s.io':
    case 'clusterrolebindings.rbac.authorization.k8s.io':
      fill(inside(whole, 'roleRef'), { apiGroup: 'rbac.authorization.k8s.io' })
      for (const subject of items(object['subjects'])) {
        if (subject['kind'] !== 'ServiceAccount') fill(subject, { apiGroup: 'rbac.authorization.k8s.io' })
      }
      break
  }
}

function defaultTemplate(spec: Fields): void {
  defaultPodSpec(inside(inside(spec, 'template'), 'spec'))
}

function defaultJob(spec: Fields, object: KubeObject): void {
  fill(spec, { backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, manualSelector: false, podReplacementPolicy: 'TerminatingOrFailed' })
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) fill(spec, { completions: 1 })
  fill(spec, { parallelism: 1 })
  defaultTemplate(spec)
  const uid = object.metadata.uid
  if (spec['manualSelector'] === true || uid === undefined) return
  const labels = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': object.metadata.name }
  const meta = inside(inside(spec, 'template'), 'metadata')
  meta['labels'] = { ...fields(meta['labels']), ...labels, 'controller-uid': uid, 'job-name': object.metadata.name }
  fill(spec, { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } } })
}

function defaultService(spec: Fields): void {
  fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' })
  for (const port of items(spec['ports'])) fill(port, { protocol: 'TCP', targetPort: port['port'] })
  if (spec['type'] === 'ExternalName') return
  fill(spec, { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  if (spec['type'] === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true })
  if (spec['type'] !== 'ClusterIP') fill(spec, { externalTrafficPolicy: 'Cluster' })
}

function protect(object: KubeObject, finalizer: string): void {
  // Only at creation: later a controller takes it away.
  if (object.metadata.resourceVersion === undefined) {
    object.metadata.finalizers = [...new Set([...(object.metadata.finalizers ?? []), finalizer])]
  }
}
