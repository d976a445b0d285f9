/** What all kinds share. */
export const metaStructs = {
  ObjectMeta: `name generateName namespace selfLink uid resourceVersion generation:i creationTimestamp deletionTimestamp
    deletionGracePeriodSeconds:i labels:{s} annotations:{s} ownerReferences:OwnerReference[uid] finalizers:s[*]
    managedFields:any`,
  OwnerReference: 'apiVersion kind name uid controller:b blockOwnerDeletion:b',
  LabelSelector: 'matchLabels:{s} matchExpressions:LabelSelectorRequirement[]',
  LabelSelectorRequirement: 'key operator values:s[]',
  ObjectReference: 'kind namespace name uid apiVersion resourceVersion fieldPath',
  LocalObjectReference: 'name',
  TypedLocalObjectReference: 'apiGroup kind name',
  Condition: 'type status observedGeneration:i lastTransitionTime lastUpdateTime lastProbeTime lastHeartbeatTime reason message',
}
