import type { KubeObject } from '../../../sim/kube/cluster.js'

/** What an object has come to, as kstatus judges it (sigs.k8s.io/cli-utils, pkg/kstatus/status/core.go), by which helm 4 waits. */
export interface Standing {
  readonly status: 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound'
  readonly message: string
}

type Fields = Readonly<Record<string, unknown>>

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const count = (value: unknown, otherwise = 0): number => (typeof value === 'number' ? value : otherwise)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const waits = (message: string): Standing => ({ status: 'InProgress', message })
const failed = (message: string): Standing => ({ status: 'Failed', message })
const current = (message: string): Standing => ({ status: 'Current', message })

export function standingOf(object: KubeObject | undefined): Standing {
  if (object === undefined) return { status: 'NotFound', message: 'Resource not found' }
  if (object.metadata.deletionTimestamp !== undefined) return { status: 'Terminating', message: 'Resource scheduled for deletion' }
  const status = fields(object['status'])
  const { generation } = object.metadata
  const observed = status['observedGeneration']
  if (typeof observed === 'number' && generation !== undefined && observed !== generation) {
    return waits(`${object.kind} generation is ${generation}, but latest observed generation is ${observed}`)
  }
  return judges[object.kind]?.(fields(object['spec']), status) ?? current('Resource is current')
}

type Judge = (spec: Fields, status: Fields) => Standing

const judges: Readonly<Record<string, Judge>> = {
  Deployment(spec, status) {
    const progressing = conditionOf(status, 'Progressing')
    if (progressing?.reason === 'ProgressDeadlineExceeded') return failed('Progress deadline exceeded')
    const wanted = count(spec['replicas'], 1)
    const [replicas, updated, available, ready] = countsOf(status, ['replicas', 'updatedReplicas', 'availableReplicas', 'readyReplicas'])
    if (wanted > replicas) return waits(`replicas: ${replicas}/${wanted}`)
    if (wanted > updated) return waits(`Updated: ${updated}/${wanted}`)
    if (replicas > wanted) return waits(`Pending termination: ${replicas - wanted}`)
    if (updated > available) return waits(`Available: ${available}/${updated}`)
    if (wanted > ready) return waits(`Ready: ${ready}/${wanted}`)
    if (progressing?.reason !== 'NewReplicaSetAvailable') return waits('ReplicaSet not Available')
    if (conditionOf(status, 'Available')?.status !== 'True') return waits('Deployment not Available')
    return current(`Deployment is available. Replicas: ${replicas}`)
  },
  StatefulSet(spec, status) {
    const wanted = count(spec['replicas'], 1)
    const [replicas, ready, updated] = countsOf(status, ['replicas', 'readyReplicas', 'updatedReplicas'])
    if (wanted > replicas) return waits(`Replicas: ${replicas}/${wanted}`)
    if (wanted > ready) return waits(`Ready: ${ready}/${wanted}`)
    if (replicas > wanted) return waits(`Pending termination: ${replicas - wanted}`)
    if (wanted > updated) return waits(`updated: ${updated}/${wanted}`)
    return current(`All replicas scheduled as expected. Replicas: ${replicas}`)
  },
  DaemonSet(_, status) {
    if (status['observedGeneration'] === undefined) return waits('Missing .status.observedGeneration')
    const [wanted, scheduled, updated, available, ready] = countsOf(status, [
      'desiredNumberScheduled', 'currentNumberScheduled', 'updatedNumberScheduled', 'numberAvailable', 'numberReady',
    ])
    if (wanted > scheduled) return waits(`Current: ${scheduled}/${wanted}`)
    if (wanted > updated) return waits(`Updated: ${updated}/${wanted}`)
    if (wanted > available) return waits(`Available: ${available}/${wanted}`)
    return wanted > ready ? waits(`Ready: ${ready}/${wanted}`) : current(`All replicas scheduled as expected. Replicas: ${wanted}`)
  },
  Job(_, status) {
    const failure = conditionOf(status, 'Failed')
    if (failure?.status === 'True') return failed(jobFailed(status))
    if (conditionOf(status, 'Complete')?.status === 'True') return current('Job Completed')
    return status['startTime'] === undefined ? waits('Job not started') : current('Job in progress')
  },
  PersistentVolumeClaim(_, status) {
    const phase = text(status['phase'])
    return phase === 'Bound' ? current('PVC is Bound') : waits(`PVC is not Bound. phase: ${phase || 'unknown'}`)
  },
  Service(spec) {
    const isWaiting = spec['type'] === 'LoadBalancer' && text(spec['clusterIP']) === ''
    return isWaiting ? waits('ClusterIP not set. Service type: LoadBalancer') : current('Service is ready')
  },
  Pod(_, status) {
    const phase = text(status['phase'])
    if (phase === 'Succeeded') return current('Pod has completed successfully')
    if (phase === 'Failed') return failed('Pod has completed, but not successfully')
    return conditionOf(status, 'Ready')?.status === 'True' ? current('Pod is Ready') : waits('Pod phase not available or not ready')
  },
}

/** A hook's Job counts once it has ended. */
export function hookStandingOf(object: KubeObject | undefined): Standing {
  const standing = standingOf(object)
  if (object?.kind !== 'Job' || standing.status !== 'Current') return standing
  const status = fields(object['status'])
  return conditionOf(status, 'Complete')?.status === 'True' ? standing : waits(`Job in progress. success:${count(status['succeeded'])}, active: ${count(status['active'])}, failed: ${count(status['failed'])}`)
}

function jobFailed(status: Fields): string {
  const [bad, good] = countsOf(status, ['failed', 'succeeded'])
  return `Job Failed. failed: ${bad}/${bad + good}`
}

function countsOf<Names extends readonly string[]>(status: Fields, names: readonly [...Names]): { [At in keyof Names]: number } {
  return names.map((name) => count(status[name])) as { [At in keyof Names]: number }
}

function conditionOf(status: Fields, type: string): { readonly status: string; readonly reason: string } | undefined {
  const all = Array.isArray(status['conditions']) ? status['conditions'].map(fields) : []
  const found = all.find((one) => one['type'] === type)
  return found && { status: text(found['status']), reason: text(found['reason']) }
}
