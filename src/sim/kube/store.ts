import { randomUUID } from 'node:crypto'
import type { Kind } from './kinds.js'
import { copy, same, timestamp, type Fields, type KubeObject } from './object.js'
import { alreadyExists, conflict, notFound } from './status.js'

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly kind: Kind
  readonly object: KubeObject
  /** What it was before; absent for ADDED. */
  readonly before?: KubeObject
  /** The resource version of this event. */
  readonly version: number
}

/** How many events are kept for watches that come back; older resource versions are answered with 410. */
const keptEvents = 1000

/** What etcd is to a cluster: objects by kind, namespace and name, a version that only grows, and who wants to hear of it. */
export class Store {
  readonly listeners = new Set<(event: StoreEvent) => void>()
  readonly #nowMs: () => number
  readonly #objects = new Map<string, Map<string, KubeObject>>()
  readonly #events: StoreEvent[] = []
  #version = 1000

  /** `uuid`: gives one that no other call gives. */
  constructor(nowMs: () => number, readonly uuid: () => string = randomUUID) {
    this.#nowMs = nowMs
  }

  get version(): number {
    return this.#version
  }

  nowMs(): number {
    return this.#nowMs()
  }

  /** The world's time as Kubernetes writes it. */
  now(): string {
    return timestamp(this.#nowMs())
  }

  get(kind: Kind, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#objects.get(kind.id)?.get(keyOf(kind, namespace, name))
  }

  /** In the order of namespace and name, as a real server lists. */
  list(kind: Kind, namespace?: string): KubeObject[] {
    const all = [...(this.#objects.get(kind.id)?.entries() ?? [])]
    const wanted = namespace === undefined || namespace === '' ? all : all.filter(([, one]) => one.metadata.namespace === namespace)
    return wanted.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  }

  /** Every object of every kind. */
  all(): KubeObject[] {
    return [...this.#objects.values()].flatMap((ofKind) => [...ofKind.values()])
  }

  /** The resource version of the oldest event that can still be told. */
  get oldest(): number {
    return this.#events.length < keptEvents ? 0 : (this.#events[0]?.version ?? 0)
  }

  /** Events after a resource version. */
  since(version: number): StoreEvent[] {
    return this.#events.filter((one) => one.version > version)
  }

  /** Throws AlreadyExists. Gives uid, resource version, creation time and generation. */
  create(kind: Kind, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata
    if (this.get(kind, namespace, name)) throw alreadyExists(kind, name)
    const made = copy(object)
    const { generation: _, deletionTimestamp: __, ...given } = made.metadata
    made.metadata = {
      ...given,
      uid: made.metadata.uid ?? this.uuid(),
      resourceVersion: String((this.#version += 1)),
      creationTimestamp: this.now(),
      ...(kind.generation ? { generation: 1 } : {}),
    }
    this.#put(kind, made)
    this.#tell({ type: 'ADDED', kind, object: made, version: this.#version })
    return made
  }

  /**
   * Replaces an object. A resource version in it must be the current one. An update that changes nothing is none; one that takes
   * the last finalizer of an object being deleted removes it. Throws NotFound and Conflict.
   */
  update(kind: Kind, object: KubeObject): KubeObject {
    const { namespace, name, resourceVersion, uid } = object.metadata
    const before = this.get(kind, namespace, name)
    if (!before) throw notFound(kind, name)
    if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== before.metadata.resourceVersion) {
      throw conflict(kind, name, 'the object has been modified; please apply your changes to the latest version and try again')
    }
    if (uid !== undefined && uid !== before.metadata.uid) {
      throw conflict(kind, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid ?? ''}`)
    }
    const next = copy(object)
    next.metadata = { ...next.metadata, ...identity(before) }
    if (kind.generation && !same(wish(before), wish(next))) next.metadata.generation = (before.metadata.generation ?? 1) + 1
    if (same(before, next)) return before
    next.metadata.resourceVersion = String((this.#version += 1))
    if (next.metadata.deletionTimestamp !== undefined && (next.metadata.finalizers ?? []).length === 0 && kind.id !== 'pods'
      && kind.id !== 'namespaces') {
      this.#drop(kind, next, before)
      return next
    }
    this.#put(kind, next)
    this.#tell({ type: 'MODIFIED', kind, object: next, before, version: this.#version })
    return next
  }

  /** Changes a copy of an object and puts it back; nothing happens if the object is gone. */
  edit(kind: Kind, object: KubeObject, change: (draft: KubeObject) => void): KubeObject | undefined {
    const current = this.get(kind, object.metadata.namespace, object.metadata.name)
    if (current?.metadata.uid !== object.metadata.uid || !current) return undefined
    const draft = copy(current)
    change(draft)
    return this.update(kind, draft)
  }

  /** Takes an object away at once, whatever its finalizers say. */
  remove(kind: Kind, object: KubeObject): void {
    const before = this.get(kind, object.metadata.namespace, object.metadata.name)
    if (!before) return
    const last = copy(before)
    last.metadata.resourceVersion = String((this.#version += 1))
    this.#drop(kind, last, before)
  }

  #put(kind: Kind, object: KubeObject): void {
    const ofKind = this.#objects.get(kind.id) ?? new Map<string, KubeObject>()
    this.#objects.set(kind.id, ofKind)
    ofKind.set(keyOf(kind, object.metadata.namespace, object.metadata.name), object)
  }

  #drop(kind: Kind, last: KubeObject, before: KubeObject): void {
    this.#objects.get(kind.id)?.delete(keyOf(kind, last.metadata.namespace, last.metadata.name))
    this.#tell({ type: 'DELETED', kind, object: last, before, version: this.#version })
  }

  #tell(event: StoreEvent): void {
    this.#events.push(event)
    if (this.#events.length > keptEvents) this.#events.splice(0, this.#events.length - keptEvents)
    for (const listener of [...this.listeners]) listener(event)
  }
}

function keyOf(kind: Kind, namespace: string | undefined, name: string): string {
  return kind.namespaced ? `${namespace ?? ''}/${name}` : name
}

/** What no update changes. */
function identity(before: KubeObject): Fields & { uid?: string } {
  const { uid, creationTimestamp, generation, resourceVersion } = before.metadata
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(generation === undefined ? {} : { generation }),
  }
}

/** The part of an object that generations count. */
function wish(object: KubeObject): Fields {
  const { metadata: _, status: __, ...rest } = object
  return rest
}
