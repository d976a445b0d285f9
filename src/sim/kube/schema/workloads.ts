/** apps, batch, autoscaling, policy, scheduling. */
export const workloadStructs = {
  Deployment: 'spec:DeploymentSpec status:any',
  DeploymentSpec: `minReadySeconds:i paused:b progressDeadlineSeconds:i replicas:i revisionHistoryLimit:i selector:LabelSelector!
    strategy:DeploymentStrategy template:PodTemplateSpec`,
  DeploymentStrategy: 'rollingUpdate:RollingUpdate type',
  RollingUpdate: 'maxSurge:x maxUnavailable:x',
  ReplicaSet: 'spec:ReplicaSetSpec status:any',
  ReplicaSetSpec: 'minReadySeconds:i replicas:i selector:LabelSelector! template:PodTemplateSpec',
  ReplicationController: 'spec:ReplicationControllerSpec status:any',
  ReplicationControllerSpec: 'minReadySeconds:i replicas:i selector:{s}! template:PodTemplateSpec',
  StatefulSet: 'spec:StatefulSetSpec status:any',
  StatefulSetSpec: `minReadySeconds:i ordinals:StatefulSetOrdinals persistentVolumeClaimRetentionPolicy:ClaimRetention
    podManagementPolicy replicas:i revisionHistoryLimit:i selector:LabelSelector! serviceName template:PodTemplateSpec
    updateStrategy:StatefulSetUpdateStrategy volumeClaimTemplates:PersistentVolumeClaim[]`,
  StatefulSetOrdinals: 'start:i',
  ClaimRetention: 'whenDeleted whenScaled',
  StatefulSetUpdateStrategy: 'rollingUpdate:StatefulSetRollingUpdate type',
  StatefulSetRollingUpdate: 'maxUnavailable:x partition:i',
  DaemonSet: 'spec:DaemonSetSpec status:any',
  DaemonSetSpec: `minReadySeconds:i revisionHistoryLimit:i selector:LabelSelector! template:PodTemplateSpec
    updateStrategy:DaemonSetUpdateStrategy`,
  DaemonSetUpdateStrategy: 'rollingUpdate:RollingUpdate type',
  ControllerRevision: 'data:any revision:i',
  Job: 'spec:JobSpec status:any',
  JobSpec: `activeDeadlineSeconds:i backoffLimit:i backoffLimitPerIndex:i completionMode completions:i managedBy manualSelector:b
    maxFailedIndexes:i parallelism:i podFailurePolicy:any podReplacementPolicy selector:LabelSelector! successPolicy:any
    suspend:b template:PodTemplateSpec ttlSecondsAfterFinished:i`,
  CronJob: 'spec:CronJobSpec status:any',
  CronJobSpec: `concurrencyPolicy failedJobsHistoryLimit:i jobTemplate:JobTemplateSpec schedule startingDeadlineSeconds:i
    successfulJobsHistoryLimit:i suspend:b timeZone`,
  JobTemplateSpec: 'metadata:ObjectMeta spec:JobSpec',
  HorizontalPodAutoscaler: 'spec:HorizontalPodAutoscalerSpec status:any',
  HorizontalPodAutoscalerSpec: 'behavior:any maxReplicas:i metrics:any minReplicas:i scaleTargetRef:ScaleTarget!',
  ScaleTarget: 'apiVersion kind name',
  PodDisruptionBudget: 'spec:PodDisruptionBudgetSpec status:any',
  PodDisruptionBudgetSpec: 'maxUnavailable:x minAvailable:x selector:LabelSelector! unhealthyPodEvictionPolicy',
  PriorityClass: 'description globalDefault:b preemptionPolicy value:i',
}
