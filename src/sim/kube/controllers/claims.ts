import { kindOf } from '../kinds.js'
import { fields, isFields, items, text, type Fields, type KubeObject } from '../object.js'
import { quantity, specSelector } from '../selectors.js'
import { leaving, phaseOf, setStatus, specOf, statusOf, type Context, type Controller } from './context.js'

/** What a provisioner takes to make a disk or a share. */
const provisionMs = 10_000
const noClass = ''

/**
 * Binding. A claim of no class (`storageClassName: ""`) waits for a volume of no class; a claim that names none has been given the
 * default class, whose provisioner makes it a new, empty disk. Volumes are kept when their claim goes, and are not given again.
 */
export function claimController(): Controller {
  /** When a provisioner will be done, by the claim's uid. */
  const provisioning = new Map<string, number>()
  return (context) => {
    for (const volume of context.store.list(kindOf('persistentvolumes'))) followVolume(context, volume)
    for (const claim of context.store.list(kindOf('persistentvolumeclaims'))) {
      if (leaving(claim)) release(context, claim)
      else if (phaseOf(claim) !== 'Bound') bind(context, claim, provisioning)
    }
  }
}

function claimOf(volume: KubeObject): Fields | undefined {
  const reference = specOf(volume)['claimRef']
  return isFields(reference) ? reference : undefined
}

function followVolume(context: Context, volume: KubeObject): void {
  const kind = kindOf('persistentvolumes')
  const reference = claimOf(volume)
  const claim = reference && context.store.get(kindOf('persistentvolumeclaims'), text(reference['namespace']), text(reference['name']))
  const bound = text(reference?.['uid']) !== ''
  const lost = bound && claim?.metadata.uid !== reference?.['uid']
  if (lost && specOf(volume)['persistentVolumeReclaimPolicy'] === 'Delete') {
    context.store.remove(kind, volume)
    return
  }
  setStatus(context, kind, volume, { ...statusOf(volume), phase: bound ? (lost ? 'Released' : 'Bound') : 'Available' })
  // A volume with a claim outlives the wish to delete it.
  if (leaving(volume) && (!bound || lost)) {
    context.store.edit(kind, volume, (draft) => {
      draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== 'kubernetes.io/pv-protection')
    })
  }
}

/** A claim goes when no pod uses it any more. */
function release(context: Context, claim: KubeObject): void {
  const users = context.store.list(kindOf('pods'), claim.metadata.namespace).filter((pod) =>
    items(specOf(pod)['volumes']).some((volume) => fields(volume['persistentVolumeClaim'])['claimName'] === claim.metadata.name),
  )
  if (users.some((pod) => !['Succeeded', 'Failed'].includes(phaseOf(pod)))) return
  context.store.edit(kindOf('persistentvolumeclaims'), claim, (draft) => {
    draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== 'kubernetes.io/pvc-protection')
  })
}

function bind(context: Context, claim: KubeObject, provisioning: Map<string, number>): void {
  const volumes = context.store.list(kindOf('persistentvolumes')).filter((volume) => !leaving(volume) && fits(volume, claim))
  const smallest = volumes.sort((a, b) => sizeOf(a) - sizeOf(b))
  const named = smallest.find((volume) => meant(volume, claim))
  const found = named ?? smallest[0]
  if (found) join(context, found, claim)
  else provision(context, claim, provisioning)
}

function sizeOf(volume: KubeObject): number {
  return quantity(fields(specOf(volume)['capacity'])['storage'])
}

/** Has somebody written this claim into the volume beforehand? */
function meant(volume: KubeObject, claim: KubeObject): boolean {
  const reference = claimOf(volume)
  return reference?.['name'] === claim.metadata.name && reference['namespace'] === claim.metadata.namespace
}

function fits(volume: KubeObject, claim: KubeObject): boolean {
  const has = specOf(volume)
  const wants = specOf(claim)
  const reference = claimOf(volume)
  if (reference && !meant(volume, claim)) return false
  const uid = text(reference?.['uid'])
  if (uid !== '' && uid !== claim.metadata.uid) return false
  const named = text(wants['volumeName'])
  if (named !== '' && named !== volume.metadata.name) return false
  if ((text(has['storageClassName']) || noClass) !== (text(wants['storageClassName']) || noClass)) return false
  if (wants['selector'] !== undefined && !specSelector(wants['selector'])(volume.metadata.labels)) return false
  const modes = Array.isArray(has['accessModes']) ? (has['accessModes'] as unknown[]) : []
  const wanted = Array.isArray(wants['accessModes']) ? (wants['accessModes'] as unknown[]) : []
  return wanted.every((mode) => modes.includes(mode)) && sizeOf(volume) >= quantity(fields(fields(wants['resources'])['requests'])['storage'])
}

function join(context: Context, volume: KubeObject, claim: KubeObject): void {
  const volumes = kindOf('persistentvolumes')
  const claims = kindOf('persistentvolumeclaims')
  context.store.edit(volumes, volume, (draft) => {
    const spec = fields(draft['spec'])
    spec['claimRef'] = {
      ...fields(spec['claimRef']),
      kind: 'PersistentVolumeClaim',
      apiVersion: 'v1',
      namespace: claim.metadata.namespace,
      name: claim.metadata.name,
      uid: claim.metadata.uid,
    }
    draft['status'] = { ...fields(draft['status']), phase: 'Bound' }
  })
  context.store.edit(claims, claim, (draft) => {
    fields(draft['spec'])['volumeName'] = volume.metadata.name
    draft.metadata.annotations = { ...draft.metadata.annotations, 'pv.kubernetes.io/bind-completed': 'yes' }
    draft['status'] = { phase: 'Bound', accessModes: specOf(volume)['accessModes'], capacity: specOf(volume)['capacity'] }
  })
}

function provision(context: Context, claim: KubeObject, provisioning: Map<string, number>): void {
  const { store } = context
  const name = text(specOf(claim)['storageClassName'])
  const uid = claim.metadata.uid ?? ''
  if (name === noClass) {
    context.record(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
    return
  }
  const storageClass = store.get(kindOf('storageclasses.storage.k8s.io'), undefined, name)
  if (!storageClass) {
    context.record(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${name}" not found`)
    return
  }
  const modes = specOf(claim)['accessModes']
  const provisioner = text(storageClass['provisioner'])
  if (provisioner === 'disk.csi.azure.com' && Array.isArray(modes) && modes.some((mode) => mode !== 'ReadWriteOnce' && mode !== 'ReadWriteOncePod')) {
    context.record(claim, 'Warning', 'ProvisioningFailed', 'failed to provision volume: rpc error: code = InvalidArgument desc = '
      + 'Volume capability not supported: a disk is written from one node only')
    return
  }
  if (!['disk.csi.azure.com', 'file.csi.azure.com'].includes(provisioner) || text(specOf(claim)['volumeName']) !== '') return
  if (storageClass['volumeBindingMode'] === 'WaitForFirstConsumer' && !isUsed(context, claim)) {
    context.record(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
    return
  }
  const dueMs = provisioning.get(uid) ?? context.nowMs() + provisionMs
  provisioning.set(uid, dueMs)
  if (context.nowMs() < dueMs) {
    context.wakeAt(dueMs)
    return
  }
  provisioning.delete(uid)
  store.create(kindOf('persistentvolumes'), {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
    spec: {
      accessModes: modes,
      capacity: fields(specOf(claim)['resources'])['requests'],
      claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace: claim.metadata.namespace, name: claim.metadata.name, uid },
      csi: { driver: provisioner, volumeHandle: `pvc-${uid}` },
      persistentVolumeReclaimPolicy: storageClass['reclaimPolicy'] ?? 'Delete',
      storageClassName: name,
      volumeMode: 'Filesystem',
    },
    status: { phase: 'Available' },
  })
}

function isUsed(context: Context, claim: KubeObject): boolean {
  return context.store.list(kindOf('pods'), claim.metadata.namespace).some((pod) =>
    items(specOf(pod)['volumes']).some((volume) => fields(volume['persistentVolumeClaim'])['claimName'] === claim.metadata.name),
  )
}
