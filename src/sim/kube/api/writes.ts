import { parse as parseYaml } from 'yaml'
import { beginDeletion, type DeleteOptions } from '../deletion.js'
import type { Kind } from '../kinds.js'
import { copy, fields, isFields, text as textOf, type Fields, type KubeObject } from '../object.js'
import { serverSideApply } from '../patch/apply.js'
import { jsonPatch, mergePatch } from '../patch/json.js'
import { strategicPatch } from '../patch/strategic.js'
import { alreadyExists, badRequest, conflict, forbidden, KubeError, notFound, success } from '../status.js'
import type { Store } from '../store.js'
import { admit, decodeApplied, decodeStrictly, readObject } from './admission.js'
import { decodeBody, parseJson, type Answer, type Call } from './call.js'

function validation(call: Call): string {
  return call.query.get('fieldValidation') ?? 'Warn'
}

function dry(call: Call): boolean {
  return call.query.getAll('dryRun').includes('All')
}

/** POST on a collection. */
export function create(store: Store, call: Call): Answer {
  const { kind } = call
  const given = readObject(kind, decodeBody(call.contentType, call.body), call.namespace, undefined)
  const { object, warnings } = decodeStrictly(kind, given, validation(call))
  const admitted = admit(store, kind, object, undefined, { manager: call.manager, applied: false })
  const { namespace, name } = admitted.metadata
  if (store.get(kind, namespace, name)) throw alreadyExists(kind, name)
  return { status: 201, body: dry(call) ? admitted : store.create(kind, admitted), warnings }
}

/** PUT on an object; what does not exist is not made. */
export function replace(store: Store, call: Call): Answer {
  const { kind } = call
  const before = existing(store, call)
  const given = readObject(kind, decodeBody(call.contentType, call.body), call.namespace, call.name)
  const { object, warnings } = decodeStrictly(kind, given, validation(call))
  return { status: 200, body: write(store, call, object, before), warnings }
}

/** PATCH on an object: JSON, merge, strategic merge, or apply, which also makes what does not exist. */
export function patch(store: Store, call: Call): Answer {
  if (call.contentType.startsWith('application/apply-patch')) return apply(store, call)
  const before = existing(store, call)
  const changed = patched(call.kind, call.contentType, before, parseJson(call.body))
  const given = readObject(call.kind, changed, call.namespace, call.name)
  const { object, warnings } = decodeStrictly(call.kind, given, validation(call))
  return { status: 200, body: write(store, call, object, before), warnings }
}

/** An object as a patch makes it. Throws 415 for a kind of patch that is not known. */
export function patched(kind: Kind, contentType: string, before: KubeObject, given: unknown): Fields {
  switch (contentType) {
    case 'application/json-patch+json':
      return fields(jsonPatch(before, given))
    case 'application/merge-patch+json':
      return fields(mergePatch(before, given))
    case 'application/strategic-merge-patch+json':
      if (!isFields(given)) throw badRequest('the patch is not an object')
      return strategicPatch(kind, copy(before), given)
    default:
      throw new KubeError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${contentType}`)
  }
}

function write(store: Store, call: Call, object: KubeObject, before: KubeObject): KubeObject {
  const { kind } = call
  const { resourceVersion, uid } = object.metadata
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== before.metadata.resourceVersion) {
    throw conflict(kind, before.metadata.name, 'the object has been modified; please apply your changes to the latest version and try again')
  }
  if (uid !== undefined && uid !== before.metadata.uid) {
    throw conflict(kind, before.metadata.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid ?? ''}`)
  }
  const admitted = admit(store, kind, object, before, { manager: call.manager, applied: false })
  return dry(call) ? admitted : store.update(kind, admitted)
}

function apply(store: Store, call: Call): Answer {
  const { kind, namespace, name = '' } = call
  if (call.query.get('fieldManager') === null) throw badRequest('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
  // Most clients write JSON, which is YAML, and much quicker to read.
  const text = call.body.toString('utf8')
  const read: unknown = text.startsWith('{') ? parseJson(call.body) : parseYaml(text)
  if (!isFields(read)) throw badRequest('error decoding YAML: the body is not an object')
  const given = readObject(kind, read, namespace, name)
  if (given.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  const applied = decodeApplied(kind, given)
  const before = store.get(kind, namespace, name)
  if (before && applied.metadata.uid !== undefined && applied.metadata.uid !== before.metadata.uid) {
    throw conflict(kind, name, 'uid mismatch')
  }
  const { resourceVersion } = applied.metadata
  if (before && resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
    throw conflict(kind, name, 'the object has been modified; please apply your changes to the latest version and try again')
  }
  const options = { manager: call.manager, force: call.query.get('force') === 'true', time: store.now() }
  const merged = serverSideApply(kind, before, applied, options)
  const admitted = admit(store, kind, merged, before, { manager: call.manager, applied: true })
  if (dry(call)) return { status: before ? 200 : 201, body: admitted }
  return before ? { status: 200, body: store.update(kind, admitted) } : { status: 201, body: store.create(kind, admitted) }
}

/** Namespaces that no cluster lets go of. */
const undying = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** DELETE on an object. */
export function remove(store: Store, call: Call): Answer {
  const { kind } = call
  const before = existing(store, call)
  const { name, uid = '' } = before.metadata
  if (kind.id === 'namespaces' && undying.includes(name)) throw forbidden(kind, name, 'this namespace may not be deleted')
  const options = deleteOptions(call)
  if (dry(call) || options.dryRun?.includes('All') === true) return { status: 200, body: success(kind, name, uid) }
  const left = beginDeletion(store, kind, before, options)
  return { status: 200, body: left ?? success(kind, name, uid) }
}

/** DELETE on a collection; `selected` are those that the selectors leave. */
export function removeAll(store: Store, call: Call, selected: readonly KubeObject[]): Answer {
  const options = deleteOptions(call)
  if (!dry(call)) for (const object of selected) beginDeletion(store, call.kind, object, options)
  return { status: 200, body: { kind: `${call.kind.kind}List`, apiVersion: call.kind.apiVersion, metadata: {}, items: selected } }
}

function deleteOptions(call: Call): DeleteOptions {
  const body = call.body.length === 0 ? {} : decodeBody(call.contentType, call.body)
  const grace = call.query.get('gracePeriodSeconds')
  const policy = call.query.get('propagationPolicy')
  return {
    ...(body as DeleteOptions),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
  }
}

/** The object that a call names. Throws NotFound. */
export function existing(store: Store, call: Call): KubeObject {
  const name = textOf(call.name)
  const found = store.get(call.kind, call.namespace, name)
  if (!found) throw notFound(call.kind, name)
  return found
}
