/** A kind of object that the API serves. */
export interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  /** `deployments.apps`; `pods`. */
  readonly id: string
  /** `apps/v1`; `v1`. */
  readonly apiVersion: string
  readonly subresources: readonly ('status' | 'scale' | 'log' | 'eviction')[]
  /** Does `metadata.generation` count changes of the wish? */
  readonly generation: boolean
}

// A line a group: `plural Kind short,names flags`. Flags: c not namespaced, s status, S scale, g generation, l log and
// eviction, a listed by `kubectl get all`. The kinds that a cluster has and charts use; no custom ones.
const table: Readonly<Record<string, string>> = {
  'v1': `
    namespaces Namespace ns cs
    nodes Node no cs
    pods Pod po sla
    services Service svc sa
    serviceaccounts ServiceAccount sa -
    configmaps ConfigMap cm -
    secrets Secret - -
    persistentvolumes PersistentVolume pv cs
    persistentvolumeclaims PersistentVolumeClaim pvc s
    endpoints Endpoints ep -
    events Event ev -
    limitranges LimitRange limits -
    resourcequotas ResourceQuota quota s
    replicationcontrollers ReplicationController rc sSga`,
  'apps/v1': `
    deployments Deployment deploy sSga
    replicasets ReplicaSet rs sSga
    statefulsets StatefulSet sts sSga
    daemonsets DaemonSet ds sga
    controllerrevisions ControllerRevision - -`,
  'batch/v1': `
    jobs Job - sga
    cronjobs CronJob cj sga`,
  'autoscaling/v2': `
    horizontalpodautoscalers HorizontalPodAutoscaler hpa sa`,
  'networking.k8s.io/v1': `
    ingresses Ingress ing sg
    ingressclasses IngressClass - cg
    networkpolicies NetworkPolicy netpol g`,
  'policy/v1': `
    poddisruptionbudgets PodDisruptionBudget pdb sg`,
  'rbac.authorization.k8s.io/v1': `
    roles Role - -
    rolebindings RoleBinding - -
    clusterroles ClusterRole - c
    clusterrolebindings ClusterRoleBinding - c`,
  'storage.k8s.io/v1': `
    storageclasses StorageClass sc c
    csidrivers CSIDriver - c
    volumeattachments VolumeAttachment - cs`,
  'scheduling.k8s.io/v1': `
    priorityclasses PriorityClass pc c`,
  'coordination.k8s.io/v1': `
    leases Lease - -`,
  'discovery.k8s.io/v1': `
    endpointslices EndpointSlice - -`,
  'admissionregistration.k8s.io/v1': `
    mutatingwebhookconfigurations MutatingWebhookConfiguration - cg
    validatingwebhookconfigurations ValidatingWebhookConfiguration - cg`,
}

function parse(apiVersion: string, line: string): Kind {
  const [plural = '', kind = '', short = '-', flags = ''] = line.trim().split(/\s+/)
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const has = (flag: string): boolean => flags.includes(flag)
  return {
    group: group ?? '',
    version: version ?? '',
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced: !has('c'),
    shortNames: short === '-' ? [] : [short],
    categories: has('a') ? ['all'] : [],
    id: group === '' || group === undefined ? plural : `${plural}.${group}`,
    apiVersion,
    subresources: [
      ...(has('s') ? (['status'] as const) : []),
      ...(has('S') ? (['scale'] as const) : []),
      ...(has('l') ? (['log', 'eviction'] as const) : []),
    ],
    generation: has('g'),
  }
}

/** Every kind, in the order of discovery. */
export const kinds: readonly Kind[] = Object.entries(table).flatMap(([apiVersion, lines]) =>
  lines.trim().split('\n').map((line) => parse(apiVersion, line)),
)

const byId = new Map(kinds.map((kind) => [kind.id, kind]))
const byKind = new Map(kinds.map((kind) => [`${kind.apiVersion} ${kind.kind}`, kind]))

export class UnknownKind extends Error {}

/** A kind that is known to exist, by its id (`deployments.apps`). Throws UnknownKind for a slip of the pen. */
export function kindOf(id: string): Kind {
  const kind = byId.get(id)
  if (!kind) throw new UnknownKind(`no kind ${id}`)
  return kind
}

/** The kind that serves a path's group, version and plural. */
export function findKind(apiVersion: string, plural: string): Kind | undefined {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
  const kind = byId.get(group === '' ? plural : `${plural}.${group}`)
  return kind?.apiVersion === apiVersion ? kind : undefined
}

/** The kind that an object says it is of. */
export function kindNamed(apiVersion: string, kind: string): Kind | undefined {
  return byKind.get(`${apiVersion} ${kind}`)
}
