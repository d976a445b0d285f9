import { kindOf } from '../kinds.js'
import { fields, isFields, items, text, type KubeObject } from '../object.js'
import { phaseOf, specOf, type Context } from './context.js'

export interface Obstacle {
  readonly reason: 'FailedMount' | 'FailedScheduling' | 'Failed'
  readonly message: string
  /** Is the pod on a node already? An unbound claim keeps it from one. */
  readonly scheduled: boolean
}

function failedMount(volume: string, why: string): Obstacle {
  return { reason: 'FailedMount', message: `MountVolume.SetUp failed for volume "${volume}" : ${why}`, scheduled: true }
}

/** What keeps a pod from starting: an unbound claim, an export that no server gives, a ConfigMap or Secret that is not there. */
export function whyNotMounted(context: Context, pod: KubeObject): Obstacle | undefined {
  const { store } = context
  const namespace = pod.metadata.namespace ?? ''
  const volumes = items(specOf(pod)['volumes'])
  for (const volume of volumes) {
    if (!isFields(volume['persistentVolumeClaim'])) continue
    const claimName = text(volume['persistentVolumeClaim']['claimName'])
    const claim = store.get(kindOf('persistentvolumeclaims'), namespace, claimName)
    const unscheduled = { reason: 'FailedScheduling', scheduled: false } as const
    if (!claim) return { ...unscheduled, message: `0/2 nodes are available: persistentvolumeclaim "${claimName}" not found.` }
    if (phaseOf(claim) !== 'Bound') {
      return { ...unscheduled, message: '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.' }
    }
  }
  for (const volume of volumes) {
    const name = text(volume['name'])
    const nfs = nfsOf(context, namespace, volume)
    if (nfs && !context.around.canMountNfs(nfs.server, nfs.path)) {
      return failedMount(name, `mount failed: exit status 32, mounting ${nfs.server}:${nfs.path}: access denied by server, no such export, or the server does not answer`)
    }
    for (const [source, id, key] of [['configMap', 'configmaps', 'name'], ['secret', 'secrets', 'secretName']] as const) {
      const wanted = fields(volume[source])
      const called = text(wanted[key])
      if (called !== '' && wanted['optional'] !== true && !store.get(kindOf(id), namespace, called)) {
        return failedMount(name, `${id.slice(0, -1)} "${called}" not found`)
      }
    }
  }
  return missingEnvironment(context, pod)
}

export interface NfsMount {
  readonly server: string
  readonly path: string
  /** What cannot be done there fails after a while, instead of hanging. Only a volume can say so. */
  readonly isSoft: boolean
}

/** What it mounts of NFS servers. */
export function nfsMountsOf(context: Context, pod: KubeObject): readonly NfsMount[] {
  const namespace = pod.metadata.namespace ?? ''
  return items(specOf(pod)['volumes']).flatMap((volume) => nfsOf(context, namespace, volume) ?? [])
}

function nfsOf(context: Context, namespace: string, volume: Record<string, unknown>): NfsMount | undefined {
  let nfs = volume['nfs']
  let options: unknown
  if (isFields(volume['persistentVolumeClaim'])) {
    const claim = context.store.get(kindOf('persistentvolumeclaims'), namespace, text(volume['persistentVolumeClaim']['claimName']))
    const bound = claim && context.store.get(kindOf('persistentvolumes'), undefined, text(specOf(claim)['volumeName']))
    nfs = bound && specOf(bound)['nfs']
    options = bound && specOf(bound)['mountOptions']
  }
  const isSoft = Array.isArray(options) && options.some((one) => one === 'soft' || one === 'softerr')
  return isFields(nfs) ? { server: text(nfs['server']), path: text(nfs['path']), isSoft } : undefined
}

function missingEnvironment(context: Context, pod: KubeObject): Obstacle | undefined {
  const { store } = context
  const namespace = pod.metadata.namespace ?? ''
  for (const container of [...items(specOf(pod)['initContainers']), ...items(specOf(pod)['containers'])]) {
    const wanted = [
      ...items(container['env']).flatMap((one) => [
        ['configmaps', fields(one['valueFrom'])['configMapKeyRef']] as const,
        ['secrets', fields(one['valueFrom'])['secretKeyRef']] as const,
      ]),
      ...items(container['envFrom']).flatMap((one) => [['configmaps', one['configMapRef']] as const, ['secrets', one['secretRef']] as const]),
    ]
    for (const [id, reference] of wanted) {
      if (!isFields(reference) || reference['optional'] === true) continue
      const name = text(reference['name'])
      if (!store.get(kindOf(id), namespace, name)) {
        return { reason: 'Failed', message: `Error: ${id.slice(0, -1)} "${name}" not found`, scheduled: true }
      }
    }
  }
  return undefined
}
