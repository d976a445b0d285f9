/** core/v1: pods. Volume types that no cluster of today has a driver for are opaque. */
export const podStructs = {
  Pod: 'spec:PodSpec status:any',
  PodTemplateSpec: 'metadata:ObjectMeta spec:PodSpec',
  PodSpec: `activeDeadlineSeconds:i affinity:Affinity automountServiceAccountToken:b containers:Container[name]
    dnsConfig:PodDNSConfig dnsPolicy enableServiceLinks:b ephemeralContainers:EphemeralContainer[name]
    hostAliases:HostAlias[ip] hostIPC:b hostNetwork:b hostPID:b hostUsers:b hostname hostnameOverride
    imagePullSecrets:LocalObjectReference[name] initContainers:Container[name] nodeName nodeSelector:{s}! os:PodOS
    overhead:{q} preemptionPolicy priority:i priorityClassName readinessGates:PodReadinessGate[]
    resourceClaims:PodResourceClaim[name] resources:ResourceRequirements restartPolicy runtimeClassName schedulerName
    schedulingGates:PodSchedulingGate[name] securityContext:PodSecurityContext serviceAccount serviceAccountName
    setHostnameAsFQDN:b shareProcessNamespace:b subdomain terminationGracePeriodSeconds:i tolerations:Toleration[]
    topologySpreadConstraints:TopologySpreadConstraint[topologyKey,whenUnsatisfiable] volumes:Volume[name]`,
  Container: `args:s[] command:s[] env:EnvVar[name] envFrom:EnvFromSource[] image imagePullPolicy lifecycle:Lifecycle
    livenessProbe:Probe name ports:ContainerPort[containerPort,protocol=TCP] readinessProbe:Probe
    resizePolicy:ContainerResizePolicy[] resources:ResourceRequirements restartPolicy restartPolicyRules:any
    securityContext:SecurityContext startupProbe:Probe stdin:b stdinOnce:b terminationMessagePath
    terminationMessagePolicy tty:b volumeDevices:VolumeDevice[devicePath] volumeMounts:VolumeMount[mountPath] workingDir`,
  EphemeralContainer: `args:s[] command:s[] env:EnvVar[name] envFrom:EnvFromSource[] image imagePullPolicy
    lifecycle:Lifecycle livenessProbe:Probe name ports:ContainerPort[containerPort,protocol=TCP] readinessProbe:Probe
    resizePolicy:ContainerResizePolicy[] resources:ResourceRequirements restartPolicy securityContext:SecurityContext
    startupProbe:Probe stdin:b stdinOnce:b targetContainerName terminationMessagePath terminationMessagePolicy tty:b
    volumeDevices:VolumeDevice[devicePath] volumeMounts:VolumeMount[mountPath] workingDir`,
  EnvVar: 'name value valueFrom:EnvVarSource',
  EnvVarSource: `configMapKeyRef:KeySelector! fieldRef:ObjectFieldSelector! resourceFieldRef:ResourceFieldSelector!
    secretKeyRef:KeySelector! fileKeyRef:any`,
  KeySelector: 'key name optional:b',
  ObjectFieldSelector: 'apiVersion fieldPath',
  ResourceFieldSelector: 'containerName divisor:q resource',
  EnvFromSource: 'configMapRef:OptionalReference prefix secretRef:OptionalReference',
  OptionalReference: 'name optional:b',
  ContainerPort: 'containerPort:i hostIP hostPort:i name protocol',
  ContainerResizePolicy: 'resourceName restartPolicy',
  ResourceRequirements: 'claims:ResourceClaim[name] limits:{q} requests:{q}',
  ResourceClaim: 'name request',
  Lifecycle: 'postStart:LifecycleHandler preStop:LifecycleHandler stopSignal',
  LifecycleHandler: 'exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction',
  ExecAction: 'command:s[]',
  HTTPGetAction: 'host httpHeaders:HTTPHeader[] path port:x scheme',
  HTTPHeader: 'name value',
  SleepAction: 'seconds:i',
  TCPSocketAction: 'host port:x',
  GRPCAction: 'port:i service',
  Probe: `exec:ExecAction failureThreshold:i grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:i periodSeconds:i
    successThreshold:i tcpSocket:TCPSocketAction terminationGracePeriodSeconds:i timeoutSeconds:i`,
  SecurityContext: `allowPrivilegeEscalation:b appArmorProfile:SecurityProfile capabilities:Capabilities privileged:b procMount
    readOnlyRootFilesystem:b runAsGroup:i runAsNonRoot:b runAsUser:i seLinuxOptions:SELinuxOptions
    seccompProfile:SecurityProfile windowsOptions:any`,
  PodSecurityContext: `appArmorProfile:SecurityProfile fsGroup:i fsGroupChangePolicy runAsGroup:i runAsNonRoot:b runAsUser:i
    seLinuxChangePolicy seLinuxOptions:SELinuxOptions seccompProfile:SecurityProfile supplementalGroups:i[]
    supplementalGroupsPolicy sysctls:Sysctl[] windowsOptions:any`,
  SecurityProfile: 'localhostProfile type',
  Capabilities: 'add:s[] drop:s[]',
  SELinuxOptions: 'level role type user',
  Sysctl: 'name value',
  VolumeDevice: 'devicePath name',
  VolumeMount: 'mountPath mountPropagation name readOnly:b recursiveReadOnly subPath subPathExpr',
  PodDNSConfig: 'nameservers:s[] options:PodDNSConfigOption[] searches:s[]',
  PodDNSConfigOption: 'name value',
  HostAlias: 'hostnames:s[] ip',
  PodOS: 'name',
  PodReadinessGate: 'conditionType',
  PodResourceClaim: 'name resourceClaimName resourceClaimTemplateName',
  PodSchedulingGate: 'name',
  Toleration: 'effect key operator tolerationSeconds:i value',
  TopologySpreadConstraint: `labelSelector:LabelSelector matchLabelKeys:s[] maxSkew:i minDomains:i nodeAffinityPolicy
    nodeTaintsPolicy topologyKey whenUnsatisfiable`,
  Affinity: 'nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAffinity',
  NodeAffinity: `preferredDuringSchedulingIgnoredDuringExecution:PreferredSchedulingTerm[]
    requiredDuringSchedulingIgnoredDuringExecution:NodeSelector!`,
  PreferredSchedulingTerm: 'preference:NodeSelectorTerm weight:i',
  NodeSelector: 'nodeSelectorTerms:NodeSelectorTerm[]',
  NodeSelectorTerm: 'matchExpressions:LabelSelectorRequirement[] matchFields:LabelSelectorRequirement[]',
  PodAffinity: `preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm[]
    requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm[]`,
  WeightedPodAffinityTerm: 'podAffinityTerm:PodAffinityTerm weight:i',
  PodAffinityTerm: `labelSelector:LabelSelector matchLabelKeys:s[] mismatchLabelKeys:s[] namespaceSelector:LabelSelector
    namespaces:s[] topologyKey`,
  Volume: `name awsElasticBlockStore:any azureDisk:AzureDiskVolumeSource azureFile:AzureFileVolumeSource cephfs:any cinder:any
    configMap:ConfigMapVolumeSource csi:CSIVolumeSource downwardAPI:DownwardAPIVolumeSource emptyDir:EmptyDirVolumeSource
    ephemeral:EphemeralVolumeSource fc:any flexVolume:any flocker:any gcePersistentDisk:any gitRepo:any glusterfs:any
    hostPath:HostPathVolumeSource image:ImageVolumeSource iscsi:any nfs:NFSVolumeSource
    persistentVolumeClaim:ClaimVolumeSource photonPersistentDisk:any portworxVolume:any projected:ProjectedVolumeSource
    quobyte:any rbd:any scaleIO:any secret:SecretVolumeSource storageos:any vsphereVolume:any`,
  AzureDiskVolumeSource: 'cachingMode diskName diskURI fsType kind readOnly:b',
  AzureFileVolumeSource: 'readOnly:b secretName secretNamespace shareName',
  ConfigMapVolumeSource: 'defaultMode:i items:KeyToPath[] name optional:b',
  SecretVolumeSource: 'defaultMode:i items:KeyToPath[] optional:b secretName',
  KeyToPath: 'key mode:i path',
  CSIVolumeSource: 'driver fsType nodePublishSecretRef:LocalObjectReference readOnly:b volumeAttributes:{s}',
  DownwardAPIVolumeSource: 'defaultMode:i items:DownwardAPIVolumeFile[]',
  DownwardAPIVolumeFile: 'fieldRef:ObjectFieldSelector! mode:i path resourceFieldRef:ResourceFieldSelector!',
  EmptyDirVolumeSource: 'medium sizeLimit:q',
  EphemeralVolumeSource: 'volumeClaimTemplate:ClaimTemplate',
  ClaimTemplate: 'metadata:ObjectMeta spec:PersistentVolumeClaimSpec',
  HostPathVolumeSource: 'path type',
  ImageVolumeSource: 'pullPolicy reference',
  NFSVolumeSource: 'path readOnly:b server',
  ClaimVolumeSource: 'claimName readOnly:b',
  ProjectedVolumeSource: 'defaultMode:i sources:VolumeProjection[]',
  VolumeProjection: `clusterTrustBundle:any configMap:ProjectedItems downwardAPI:DownwardAPIVolumeSource podCertificate:any
    secret:ProjectedItems serviceAccountToken:ServiceAccountTokenProjection`,
  ProjectedItems: 'items:KeyToPath[] name optional:b',
  ServiceAccountTokenProjection: 'audience expirationSeconds:i path',
}
