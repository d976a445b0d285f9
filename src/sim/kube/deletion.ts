import { kinds, type Kind } from './kinds.js'
import type { KubeObject } from './object.js'
import { conflict } from './status.js'
import type { Store } from './store.js'

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: string
  readonly orphanDependents?: boolean
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: readonly string[]
}

/** Seconds that a pod is given to end, if neither it nor the request says. */
const podGraceSeconds = 30
/** Keeps an owner until everything that it blocks for is gone. */
export const foregroundDeletion = 'foregroundDeletion'

/**
 * Begins a deletion: an object with finalizers, a pod and a namespace stay, marked, until a controller has done its part.
 * The answer is the object as it stays, or undefined if it is gone. Throws Conflict if a precondition does not hold.
 */
export function beginDeletion(store: Store, kind: Kind, object: KubeObject, options: DeleteOptions): KubeObject | undefined {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { metadata } = object
  const { name } = metadata
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(kind, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(kind, name, `Precondition failed: ResourceVersion in precondition: ${resourceVersion}`)
  }
  if (options.propagationPolicy === 'Orphan' || options.orphanDependents === true) orphan(store, object)
  const marked = store.edit(kind, object, (draft) => {
    const grace = kind.id === 'pods' ? graceOf(draft, options) : 0
    // Asked again, a deletion can only become shorter.
    draft.metadata.deletionTimestamp ??= store.now()
    draft.metadata.deletionGracePeriodSeconds = Math.min(draft.metadata.deletionGracePeriodSeconds ?? grace, grace)
    if (options.propagationPolicy === 'Foreground') {
      draft.metadata.finalizers = [...new Set([...(draft.metadata.finalizers ?? []), foregroundDeletion])]
    }
    if (kind.id === 'namespaces') draft['status'] = { phase: 'Terminating' }
  })
  if (kind.id === 'pods' && marked?.metadata.deletionGracePeriodSeconds === 0 && (marked.metadata.finalizers ?? []).length === 0) {
    store.remove(kind, marked)
    return undefined
  }
  return store.get(kind, object.metadata.namespace, name)
}

function graceOf(pod: KubeObject, options: DeleteOptions): number {
  const { terminationGracePeriodSeconds } = (pod['spec'] ?? {}) as { terminationGracePeriodSeconds?: number }
  return options.gracePeriodSeconds ?? terminationGracePeriodSeconds ?? podGraceSeconds
}

/** Lets go of everything that an object owns, so that it is not collected with it. */
function orphan(store: Store, owner: KubeObject): void {
  for (const [kind, dependent] of dependentsOf(store, owner)) {
    store.edit(kind, dependent, (draft) => {
      draft.metadata.ownerReferences = (draft.metadata.ownerReferences ?? []).filter((one) => one.uid !== owner.metadata.uid)
    })
  }
}

/** Everything with a reference to this owner. */
export function dependentsOf(store: Store, owner: KubeObject): [Kind, KubeObject][] {
  return kinds.flatMap((kind) =>
    store
      .list(kind)
      .filter((one) => one.metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid) === true)
      .map((one): [Kind, KubeObject] => [kind, one]),
  )
}
