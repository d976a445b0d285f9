export interface FieldShape {
  readonly name: string
  /** `s`, `i`, `z` (a number of which 0 means not set), `b`, `bytes`, `time`, or the name of a message. */
  readonly type: string
  readonly repeated: boolean
  readonly map: boolean
}

// What typed clients send as protobuf: helm its release secrets and deletions, `kubectl create` what it makes by itself.
// `number name:type`; `{}` a map, `[]` repeated.
const table: Readonly<Record<string, string>> = {
  ObjectMeta: `1 name 2 generateName 3 namespace 5 uid 6 resourceVersion 7 generation:z 8 creationTimestamp:time
    9 deletionTimestamp:time 10 deletionGracePeriodSeconds:i 11 labels:s{} 12 annotations:s{}
    13 ownerReferences:OwnerReference[] 14 finalizers:s[]`,
  OwnerReference: '1 kind 3 name 4 uid 5 apiVersion 6 controller:b 7 blockOwnerDeletion:b',
  DeleteOptions: '1 gracePeriodSeconds:i 2 preconditions:Preconditions 3 orphanDependents:b 4 propagationPolicy 5 dryRun:s[]',
  Preconditions: '1 uid 2 resourceVersion',
  Secret: '1 metadata:ObjectMeta 2 data:bytes{} 3 type 4 stringData:s{} 5 immutable:b',
  ConfigMap: '1 metadata:ObjectMeta 2 data:s{} 3 binaryData:bytes{} 4 immutable:b',
  Namespace: '1 metadata:ObjectMeta 2 spec:NamespaceSpec',
  NamespaceSpec: '1 finalizers:s[]',
  ServiceAccount: `1 metadata:ObjectMeta 2 secrets:ObjectReference[] 3 imagePullSecrets:LocalObjectReference[]
    4 automountServiceAccountToken:b`,
  ObjectReference: '1 kind 2 namespace 3 name 4 uid 5 apiVersion 6 resourceVersion 7 fieldPath',
  LocalObjectReference: '1 name',
  Role: '1 metadata:ObjectMeta 2 rules:PolicyRule[]',
  ClusterRole: '1 metadata:ObjectMeta 2 rules:PolicyRule[]',
  PolicyRule: '1 verbs:s[] 2 apiGroups:s[] 3 resources:s[] 4 resourceNames:s[] 5 nonResourceURLs:s[]',
  RoleBinding: '1 metadata:ObjectMeta 2 subjects:Subject[] 3 roleRef:RoleRef',
  ClusterRoleBinding: '1 metadata:ObjectMeta 2 subjects:Subject[] 3 roleRef:RoleRef',
  Subject: '1 kind 2 apiGroup 3 name 4 namespace',
  RoleRef: '1 apiGroup 2 kind 3 name',
  PriorityClass: '1 metadata:ObjectMeta 2 value:i 3 globalDefault:b 4 description 5 preemptionPolicy',
  Deployment: '1 metadata:ObjectMeta 2 spec:DeploymentSpec',
  DeploymentSpec: '1 replicas:i 2 selector:LabelSelector 3 template:PodTemplateSpec',
  Job: '1 metadata:ObjectMeta 2 spec:JobSpec',
  JobSpec: '1 parallelism:i 2 completions:i 3 activeDeadlineSeconds:i 6 template:PodTemplateSpec 7 backoffLimit:i',
  LabelSelector: '1 matchLabels:s{}',
  PodTemplateSpec: '1 metadata:ObjectMeta 2 spec:PodSpec',
  PodSpec: '2 containers:Container[] 3 restartPolicy',
  Container: '1 name 2 image 3 command:s[] 4 args:s[] 6 ports:ContainerPort[] 7 env:EnvVar[]',
  ContainerPort: '1 name 2 hostPort:z 3 containerPort:i 4 protocol 5 hostIP',
  EnvVar: '1 name 2 value',
  SelfSubjectReview: '1 metadata:ObjectMeta',
  SelfSubjectAccessReview: '1 metadata:ObjectMeta 2 spec:SelfSubjectAccessReviewSpec',
  SelfSubjectAccessReviewSpec: '1 resourceAttributes:ResourceAttributes',
  ResourceAttributes: '1 namespace 2 verb 3 group 4 version 5 resource 6 subresource 7 name',
}

function parseField(number: string, notation: string): [number, FieldShape] {
  const [name = '', type = 's'] = notation.split(':')
  return [
    Number(number),
    {
      name,
      type: type.replace(/[[\]{}]/g, ''),
      repeated: type.endsWith('[]'),
      map: type.endsWith('{}'),
    },
  ]
}

/** Message by name, field by number. */
export const messages: ReadonlyMap<string, ReadonlyMap<number, FieldShape>> = new Map(
  Object.entries(table).map(([name, line]) => {
    const words = line.trim().split(/\s+/)
    const read = words.flatMap((word, at) => (at % 2 === 0 ? [parseField(word, words[at + 1] ?? '')] : []))
    return [name, new Map(read)]
  }),
)
