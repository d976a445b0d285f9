/** Configuration, storage, network and access. */
export const clusterStructs = {
  Namespace: 'spec:NamespaceSpec status:any',
  NamespaceSpec: 'finalizers:s[*]',
  Node: 'spec:NodeSpec status:any',
  NodeSpec: 'configSource:any externalID podCIDR podCIDRs:s[*] providerID taints:Taint[] unschedulable:b',
  Taint: 'effect key timeAdded value',
  ConfigMap: 'binaryData:{s} data:{s} immutable:b',
  Secret: 'data:{s} immutable:b stringData:{s} type',
  ServiceAccount: 'automountServiceAccountToken:b imagePullSecrets:LocalObjectReference[] secrets:ObjectReference[name]',
  LimitRange: 'spec:LimitRangeSpec',
  LimitRangeSpec: 'limits:LimitRangeItem[]',
  LimitRangeItem: 'default:{q} defaultRequest:{q} max:{q} maxLimitRequestRatio:{q} min:{q} type',
  ResourceQuota: 'spec:ResourceQuotaSpec status:any',
  ResourceQuotaSpec: 'hard:{q} scopeSelector:any scopes:s[]',
  Event: `action count:i eventTime firstTimestamp involvedObject:ObjectReference lastTimestamp message reason related:any
    reportingComponent reportingInstance series:any source:any type`,
  PersistentVolume: 'spec:PersistentVolumeSpec status:any',
  PersistentVolumeSpec: `accessModes:s[] awsElasticBlockStore:any azureDisk:AzureDiskVolumeSource azureFile:AzureFileVolumeSource
    capacity:{q} cephfs:any cinder:any claimRef:ObjectReference csi:CSIPersistentVolumeSource fc:any flexVolume:any flocker:any
    gcePersistentDisk:any glusterfs:any hostPath:HostPathVolumeSource iscsi:any local:LocalVolumeSource mountOptions:s[]
    nfs:NFSVolumeSource nodeAffinity:VolumeNodeAffinity persistentVolumeReclaimPolicy photonPersistentDisk:any
    portworxVolume:any quobyte:any rbd:any scaleIO:any storageClassName storageos:any volumeAttributesClassName
    volumeMode vsphereVolume:any`,
  CSIPersistentVolumeSource: `controllerExpandSecretRef:SecretReference! controllerPublishSecretRef:SecretReference! driver fsType
    nodeExpandSecretRef:SecretReference! nodePublishSecretRef:SecretReference! nodeStageSecretRef:SecretReference! readOnly:b
    volumeAttributes:{s} volumeHandle`,
  SecretReference: 'name namespace',
  LocalVolumeSource: 'fsType path',
  VolumeNodeAffinity: 'required:NodeSelector!',
  PersistentVolumeClaim: 'apiVersion kind metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:any',
  PersistentVolumeClaimSpec: `accessModes:s[] dataSource:TypedLocalObjectReference! dataSourceRef:TypedObjectReference
    resources:VolumeResourceRequirements selector:LabelSelector! storageClassName volumeAttributesClassName volumeMode volumeName`,
  TypedObjectReference: 'apiGroup kind name namespace',
  VolumeResourceRequirements: 'limits:{q} requests:{q}',
  StorageClass: `allowVolumeExpansion:b allowedTopologies:any mountOptions:s[] parameters:{s} provisioner reclaimPolicy
    volumeBindingMode`,
  CSIDriver: 'spec:any',
  VolumeAttachment: 'spec:any status:any',
  Service: 'spec:ServiceSpec status:any',
  ServiceSpec: `allocateLoadBalancerNodePorts:b clusterIP clusterIPs:s[] externalIPs:s[] externalName externalTrafficPolicy
    healthCheckNodePort:i internalTrafficPolicy ipFamilies:s[] ipFamilyPolicy loadBalancerClass loadBalancerIP
    loadBalancerSourceRanges:s[] ports:ServicePort[port,protocol=TCP] publishNotReadyAddresses:b selector:{s}!
    sessionAffinity sessionAffinityConfig:any trafficDistribution type`,
  ServicePort: 'appProtocol name nodePort:i port:i protocol targetPort:x',
  Endpoints: 'subsets:any',
  EndpointSlice: 'addressType endpoints:any ports:any',
  Ingress: 'spec:IngressSpec status:any',
  IngressSpec: 'defaultBackend:IngressBackend ingressClassName rules:IngressRule[] tls:IngressTLS[]',
  IngressBackend: 'resource:TypedLocalObjectReference! service:IngressServiceBackend',
  IngressServiceBackend: 'name port:ServiceBackendPort!',
  ServiceBackendPort: 'name number:i',
  IngressRule: 'host http:HTTPIngressRuleValue',
  HTTPIngressRuleValue: 'paths:HTTPIngressPath[]',
  HTTPIngressPath: 'backend:IngressBackend path pathType',
  IngressTLS: 'hosts:s[] secretName',
  IngressClass: 'spec:IngressClassSpec',
  IngressClassSpec: 'controller parameters:any',
  NetworkPolicy: 'spec:NetworkPolicySpec',
  NetworkPolicySpec: `egress:NetworkPolicyEgressRule[] ingress:NetworkPolicyIngressRule[] podSelector:LabelSelector!
    policyTypes:s[]`,
  NetworkPolicyEgressRule: 'ports:NetworkPolicyPort[] to:NetworkPolicyPeer[]',
  NetworkPolicyIngressRule: 'from:NetworkPolicyPeer[] ports:NetworkPolicyPort[]',
  NetworkPolicyPort: 'endPort:i port:x protocol',
  NetworkPolicyPeer: 'ipBlock:IPBlock namespaceSelector:LabelSelector! podSelector:LabelSelector!',
  IPBlock: 'cidr except:s[]',
  Role: 'rules:PolicyRule[]',
  ClusterRole: 'aggregationRule:AggregationRule rules:PolicyRule[]',
  AggregationRule: 'clusterRoleSelectors:LabelSelector[]',
  PolicyRule: 'apiGroups:s[] nonResourceURLs:s[] resourceNames:s[] resources:s[] verbs:s[]',
  RoleBinding: 'roleRef:RoleRef! subjects:Subject[]',
  ClusterRoleBinding: 'roleRef:RoleRef! subjects:Subject[]',
  RoleRef: 'apiGroup kind name',
  Subject: 'apiGroup kind name namespace',
  Lease: 'spec:LeaseSpec',
  LeaseSpec: 'acquireTime holderIdentity leaseDurationSeconds:i leaseTransitions:i preferredHolder renewTime strategy',
  MutatingWebhookConfiguration: 'webhooks:Webhook[name]',
  ValidatingWebhookConfiguration: 'webhooks:Webhook[name]',
  Webhook: `admissionReviewVersions:s[] clientConfig:any failurePolicy matchConditions:any matchPolicy name
    namespaceSelector:LabelSelector objectSelector:LabelSelector reinvocationPolicy rules:any sideEffects timeoutSeconds:i`,
}
