import { beginDeletion } from '../deletion.js'
import { copy, count, fields, isFields, text, texts, type KubeObject } from '../object.js'
import { jsonPatch, mergePatch } from '../patch/json.js'
import { trackUpdate } from '../patch/managed.js'
import { badRequest, KubeError } from '../status.js'
import type { Store } from '../store.js'
import { decodeBody, parseJson, type Answer, type Call } from './call.js'
import { existing, patched } from './writes.js'

/** Calls on a part of an object. Throws 404 for a part that the kind has not, 405 for a verb that the part has not. */
export function onSubresource(store: Store, call: Call): Answer {
  const sub = call.subresource ?? ''
  const { method, kind } = call
  if (kind.id === 'namespaces' && sub === 'finalize') return { status: 200, body: existing(store, call) }
  if (!kind.subresources.some((one) => one === sub)) throw new KubeError(404, 'NotFound', 'the server could not find the requested resource')
  const before = existing(store, call)
  if (sub === 'log' && method === 'GET') return { status: 200, body: logOf(before), contentType: 'text/plain' }
  if (sub === 'eviction' && method === 'POST') {
    beginDeletion(store, kind, before, {})
    return { status: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } }
  }
  if (sub === 'status') return status(store, call, before)
  if (sub === 'scale') return scale(store, call, before)
  throw new KubeError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
}

function logOf(pod: KubeObject): string {
  return fields(pod['status'])['phase'] === 'Pending' ? '' : `${pod.metadata.name} runs in a simulated world and has nothing to say\n`
}

function status(store: Store, call: Call, before: KubeObject): Answer {
  const { kind, method } = call
  if (method === 'GET') return { status: 200, body: before }
  const given = method === 'PUT'
    ? decodeBody(call.contentType, call.body)
    : patched(kind, call.contentType.startsWith('application/apply') ? 'application/merge-patch+json' : call.contentType, before, parseJson(call.body))
  const next = copy(before)
  next['status'] = given['status']
  return { status: 200, body: store.update(kind, next) }
}

function scaleOf(object: KubeObject): unknown {
  const spec = fields(object['spec'])
  const selector = texts(fields(spec['selector'])['matchLabels'])
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: count(spec['replicas']) },
    status: {
      replicas: count(fields(object['status'])['replicas']),
      selector: Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(','),
    },
  }
}

function scale(store: Store, call: Call, before: KubeObject): Answer {
  const { kind, method } = call
  if (method === 'GET') return { status: 200, body: scaleOf(before) }
  const current = fields(scaleOf(before))
  const given = method === 'PUT'
    ? decodeBody(call.contentType, call.body)
    : fields(call.contentType === 'application/json-patch+json' ? jsonPatch(current, parseJson(call.body)) : mergePatch(current, parseJson(call.body)))
  const replicas = fields(given['spec'])['replicas']
  if (typeof replicas !== 'number' || replicas < 0) throw badRequest('spec.replicas: Invalid value')
  const next = copy(before)
  if (isFields(next['spec'])) next['spec']['replicas'] = replicas
  const expected = text(fields(given['metadata'])['resourceVersion'])
  if (expected !== '') next.metadata.resourceVersion = expected
  const managed = trackUpdate(kind, before, next, call.manager, store.now())
  next.metadata.managedFields = managed
  return { status: 200, body: scaleOf(store.update(kind, next)) }
}
