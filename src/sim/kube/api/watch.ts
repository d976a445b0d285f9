import type { KubeObject } from '../object.js'
import { KubeError } from '../status.js'
import type { Store, StoreEvent } from '../store.js'
import { tableOf } from '../wire/table.js'
import type { Call } from './call.js'

/** Which objects a call is about. */
export type Selects = (object: KubeObject) => boolean

/** Where the events of a stream go. */
export interface Sink {
  send(type: string, object: unknown): void
  /** The server ends the stream in order. */
  end(): void
  /** The server is dead in mid-stream. */
  cut(): void
}

/** Begins; what it gives ends the stream from the client's side. */
export type Stream = (sink: Sink) => () => void

/**
 * Answers with events until the client goes away. Three beginnings: from a resource version (410 in the stream if that is too
 * long ago); from everything there is; or a WatchList, `sendInitialEvents`, which ends its beginning with a bookmark.
 *
 * `timeoutSeconds` is not honoured: it is real time, of which the world knows nothing, and clients do not rely on it.
 */
export function watch(store: Store, call: Call, selects: Selects): Stream {
  const initial = call.query.get('sendInitialEvents') === 'true'
  if (initial && call.query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw new KubeError(422, 'Invalid', 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires '
      + 'setting resourceVersionMatch to NotOlderThan')
  }
  return (sink) => begin(store, call, selects, sink)
}

function begin(store: Store, call: Call, selects: Selects, sink: Sink): () => void {
  const { kind, namespace } = call
  const show = (type: string, object: KubeObject): void =>
    sink.send(type, call.asTable ? tableOf(kind, [object], object.metadata.resourceVersion, store.nowMs()) : object)
  const tell = (event: StoreEvent): void => {
    if (event.kind !== kind) return
    if (namespace !== undefined && event.object.metadata.namespace !== namespace) return
    const type = seenAs(event, selects)
    if (type !== undefined) show(type, event.object)
  }
  const from = call.query.get('resourceVersion') ?? ''
  const initial = call.query.get('sendInitialEvents') === 'true'
  if (initial || from === '' || from === '0') {
    for (const object of store.list(kind, namespace)) if (selects(object)) show('ADDED', object)
    if (initial) sink.send('BOOKMARK', bookmark(call, store.version))
  } else {
    const version = Number(from)
    if (version < store.oldest) {
      sink.send('ERROR', new KubeError(410, 'Expired', `too old resource version: ${from} (${store.oldest})`).body)
      sink.end()
      return () => undefined
    }
    for (const event of store.since(version)) tell(event)
  }
  store.listeners.add(tell)
  return () => void store.listeners.delete(tell)
}

/** What an event is to somebody who sees only what a selector lets through. */
function seenAs(event: StoreEvent, selects: Selects): string | undefined {
  const is = event.type !== 'DELETED' && selects(event.object)
  const was = event.before !== undefined && selects(event.before)
  if (is) return was ? 'MODIFIED' : 'ADDED'
  return was ? 'DELETED' : undefined
}

function bookmark(call: Call, version: number): unknown {
  return {
    kind: call.kind.kind,
    apiVersion: call.kind.apiVersion,
    metadata: { resourceVersion: String(version), creationTimestamp: null, annotations: { 'k8s.io/initial-events-end': 'true' } },
  }
}
