import type { Kind } from '../kinds.js'
import { controllerOf, fields, items, ownedBy, same, text, type Fields, type KubeObject } from '../object.js'
import { setDefaults } from '../rules/defaults.js'
import { specSelector } from '../selectors.js'
import type { Store } from '../store.js'

/** A workload whose pods take time, as the world's file knows it. */
export interface Workload {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** A Service of type LoadBalancer, as far as its address depends on it. */
export interface BalancedService {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
}

/** The address and after how many world milliseconds it appears, or why there is none now, in the words of the event. */
export type AddressAnswer = { readonly address: string; readonly afterMs: number } | { readonly refused: string }

/** What keeps pods from being ready that have all they need: their container ends as soon as it starts, or its image cannot be had. */
export type PodTrouble = 'crashing' | 'without-image'

/** What the world decides about a cluster's insides. */
export interface Surroundings {
  readyAfterMs(workload: Workload): number
  canMountNfs(server: string, path: string): boolean
  /** Asked of servers that pods have mounted; absent: all do. */
  answersNfs?(server: string): boolean
  /** Asked of pods that would be ready now; absent: none has any. */
  podTrouble?(workload: Workload): PodTrouble | undefined
  loadBalancer(service: BalancedService): AddressAnswer
  /** A Service of type LoadBalancer, by its uid, is gone or is one no more. */
  releaseAddress(uid: string): void
}

/** What a controller works with. It looks at the store as it is and brings it one step nearer to what is wished. */
export interface Context {
  readonly store: Store
  readonly around: Surroundings
  nowMs(): number
  /** Have the controllers run again at this time, even if nothing changes until then. */
  wakeAt(ms: number): void
  /** Tells of something that happened to an object, once: the events of `kubectl describe`. */
  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void
}

export type Controller = (context: Context) => void

export function specOf(object: KubeObject): Fields {
  return fields(object['spec'])
}

export function statusOf(object: KubeObject): Fields {
  return fields(object['status'])
}

/** Writes a status if it is another. */
export function setStatus(context: Context, kind: Kind, object: KubeObject, status: Fields): void {
  if (same(context.store.get(kind, object.metadata.namespace, object.metadata.name)?.['status'], status)) return
  context.store.edit(kind, object, (draft) => {
    draft['status'] = status
  })
}

/**
 * Makes an object as a controller does: with the server's defaults, without asking admission. Undefined, and an event of the
 * owner, if somebody else has that name.
 */
export function make(context: Context, kind: Kind, object: KubeObject, owner: KubeObject): KubeObject | undefined {
  const { namespace, name } = object.metadata
  if (context.store.get(kind, namespace, name)) {
    context.record(owner, 'Warning', 'FailedCreate', `Error creating: ${kind.id} "${name}" already exists`)
    return undefined
  }
  setDefaults(kind, object)
  return context.store.create(kind, object)
}

/** Takes over what an owner's selector means and nobody owns: what an orphaning deletion has left. */
export function adopt(context: Context, kind: Kind, owner: KubeObject): void {
  if (leaving(owner)) return
  const means = specSelector(specOf(owner)['selector'])
  for (const object of context.store.list(kind, owner.metadata.namespace)) {
    if (controllerOf(object) || leaving(object) || !means(object.metadata.labels)) continue
    context.store.edit(kind, object, (draft) => {
      draft.metadata.ownerReferences = [...(draft.metadata.ownerReferences ?? []), ownedBy(owner)]
    })
  }
}

/** A condition that keeps its time of transition as long as its status stays. */
export function condition(
  object: KubeObject,
  now: string,
  wanted: { type: string; status: string; reason?: string; message?: string },
): Fields {
  const old = items(statusOf(object)['conditions']).find((one) => one['type'] === wanted.type)
  const since = old?.['status'] === wanted.status ? text(old['lastTransitionTime']) : now
  return { ...wanted, lastTransitionTime: since }
}

/** As condition, with the time of the last change of any of it, as Deployments have it. */
export function updatedCondition(
  object: KubeObject,
  now: string,
  wanted: { type: string; status: string; reason: string; message: string },
): Fields {
  const old = items(statusOf(object)['conditions']).find((one) => one['type'] === wanted.type)
  const { lastUpdateTime, lastTransitionTime: _, ...rest } = old ?? {}
  const updated = same(rest, wanted) ? text(lastUpdateTime) : now
  return { ...condition(object, now, wanted), lastUpdateTime: updated }
}

export function isReady(pod: KubeObject): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false
  return items(statusOf(pod)['conditions']).some((one) => one['type'] === 'Ready' && one['status'] === 'True')
}

export function phaseOf(object: KubeObject): string {
  return text(statusOf(object)['phase'])
}

/** Has somebody begun to delete it? */
export function leaving(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined
}
