import { kindOf, type Kind } from '../kinds.js'
import { copy, fields, items, text, type Fields, type KubeObject } from '../object.js'
import { trackUpdate } from '../patch/managed.js'
import { setDefaults } from '../rules/defaults.js'
import { immutableChanges } from '../rules/immutable.js'
import { allocateAddresses } from '../rules/services.js'
import { validate } from '../rules/validate.js'
import { forbidden, invalid, KubeError, notFound } from '../status.js'
import type { Store } from '../store.js'
import { decodeAs, type Findings } from '../strict.js'

export interface Admitted {
  readonly object: KubeObject
  readonly warnings: readonly string[]
}

/** What a body says, as an object of the kind and place that the path names. Throws 400 for a body that belongs elsewhere. */
export function readObject(kind: Kind, body: Fields, namespace: string | undefined, name: string | undefined): KubeObject {
  const object = copy(body) as KubeObject
  if (object.apiVersion !== kind.apiVersion || object.kind !== kind.kind) {
    throw new KubeError(400, 'BadRequest', `the object provided is unrecognized (must be of type ${kind.kind}): `
      + `it says ${object.apiVersion}, Kind=${object.kind}`)
  }
  const meta = fields(object.metadata)
  const at = text(meta['namespace'])
  if (kind.namespaced && at !== '' && at !== namespace) {
    throw new KubeError(400, 'BadRequest', 'the namespace of the provided object does not match the namespace sent on the request')
  }
  if (name !== undefined && text(meta['name']) !== '' && text(meta['name']) !== name) {
    throw new KubeError(400, 'BadRequest', `the name of the object (${text(meta['name'])}) does not match the name on the URL (${name})`)
  }
  const { namespace: _, ...rest } = meta
  object.metadata = { ...rest, name: name ?? text(meta['name']), ...(kind.namespaced && namespace !== undefined ? { namespace } : {}) }
  return object
}

/** Strict: unknown fields are refused; Warn: told of; Ignore: dropped in silence. Wrong types are always refused. */
export function decodeStrictly(kind: Kind, object: KubeObject, fieldValidation: string): Admitted {
  const { object: read, findings } = decodeAs(kind, object)
  refuseWrongTypes(kind, findings)
  const unknown = findings.unknown.map((path) => `unknown field "${path}"`)
  if (unknown.length > 0 && fieldValidation === 'Strict') {
    throw new KubeError(400, 'BadRequest', `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: `
      + `strict decoding error: ${unknown.join(', ')}`)
  }
  return { object: read, warnings: fieldValidation === 'Ignore' ? [] : unknown }
}

function refuseWrongTypes(kind: Kind, findings: Findings): void {
  const [first] = findings.wrong
  if (!first) return
  throw new KubeError(400, 'BadRequest', `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: `
    + `json: cannot unmarshal ${first.got} into Go struct field ${kind.kind}.${first.path} of type ${first.expected}`)
}

/** For server-side apply, where an unknown field is an error whatever the validation (structured-merge-diff). */
export function decodeApplied(kind: Kind, object: KubeObject): KubeObject {
  const { object: read, findings } = decodeAs(kind, object)
  const [unknown] = findings.unknown
  const [wrong] = findings.wrong
  const where = `${object.metadata.namespace ?? ''}/${object.metadata.name}; ${kind.apiVersion}, Kind=${kind.kind}`
  if (unknown !== undefined) {
    throw new KubeError(500, '', `failed to create typed patch object (${where}): .${unknown}: field not declared in schema`)
  }
  if (wrong) {
    throw new KubeError(500, '', `failed to create typed patch object (${where}): .${wrong.path}: expected ${wrong.expected}, got ${wrong.got}`)
  }
  return read
}

export interface AdmitOptions {
  readonly manager: string
  /** The object comes from server-side apply and has its `managedFields` already. */
  readonly applied: boolean
}

/** Everything between a readable object and the store: identity, defaults, validation, immutability, addresses, owners of fields. */
export function admit(store: Store, kind: Kind, object: KubeObject, before: KubeObject | undefined, options: AdmitOptions): KubeObject {
  const { metadata } = object
  if (before === undefined) {
    if (metadata.name === '' && metadata.generateName !== undefined) metadata.name = metadata.generateName + store.uuid().slice(0, 5)
    metadata.uid = store.uuid()
    Reflect.deleteProperty(metadata, 'resourceVersion')
    Reflect.deleteProperty(metadata, 'deletionTimestamp')
    checkNamespace(store, kind, object)
  } else {
    const { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } = before.metadata
    const kept = { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds }
    for (const [key, value] of Object.entries(kept)) {
      if (value === undefined) Reflect.deleteProperty(metadata, key)
      else Object.assign(metadata, { [key]: value })
    }
  }
  if (kind.subresources.includes('status')) {
    Reflect.deleteProperty(object, 'status')
    if (before?.['status'] !== undefined) object['status'] = copy(before['status'])
  }
  setDefaults(kind, object)
  if (kind.id === 'services') inheritAddresses(object, before)
  if (!options.applied) {
    const managed = trackUpdate(kind, before, object, options.manager, store.now())
    if (managed.length > 0) metadata.managedFields = managed
    else Reflect.deleteProperty(metadata, 'managedFields')
  }
  const causes = [...validate(kind, object), ...(before === undefined ? [] : immutableChanges(kind, before, object))]
  if (causes.length > 0) throw invalid(kind, metadata.name, causes)
  if (kind.id === 'services') allocateAddresses(store, object)
  if (before === undefined) object['status'] ??= firstStatus(kind)
  if (object['status'] === undefined) Reflect.deleteProperty(object, 'status')
  return object
}

function checkNamespace(store: Store, kind: Kind, object: KubeObject): void {
  const { namespace, name } = object.metadata
  if (!kind.namespaced) return
  const namespaces = kindOf('namespaces')
  const home = store.get(namespaces, undefined, namespace ?? '')
  if (!home) throw notFound(namespaces, namespace ?? '')
  if (home.metadata.deletionTimestamp !== undefined) {
    throw forbidden(kind, name, `unable to create new content in namespace ${namespace ?? ''} because it is being terminated`)
  }
  if (kind.id !== 'pods') return
  const account = text(fields(object['spec'])['serviceAccountName']) || 'default'
  if (!store.get(kindOf('serviceaccounts'), namespace, account)) {
    throw forbidden(kind, name, `error looking up service account ${namespace ?? ''}/${account}: serviceaccount "${account}" not found`)
  }
}

/** What a service was given stays, unless the client says otherwise. */
function inheritAddresses(object: KubeObject, before: KubeObject | undefined): void {
  const was = fields(before?.['spec'])
  const is = fields(object['spec'])
  if (was['type'] === 'ExternalName' || is['type'] === 'ExternalName') return
  for (const name of ['clusterIP', 'clusterIPs', 'healthCheckNodePort']) {
    if (is[name] === undefined && was[name] !== undefined) is[name] = was[name]
  }
  if (is['type'] === 'ClusterIP') return
  for (const port of items(is['ports'])) {
    const old = items(was['ports']).find((one) => one['port'] === port['port'] && one['protocol'] === port['protocol'])
    if (port['nodePort'] === undefined && old?.['nodePort'] !== undefined) port['nodePort'] = old['nodePort']
  }
}

function firstStatus(kind: Kind): Fields | undefined {
  switch (kind.id) {
    case 'pods':
      return { phase: 'Pending', qosClass: 'BestEffort' }
    case 'persistentvolumes':
    case 'persistentvolumeclaims':
      return { phase: 'Pending' }
    case 'namespaces':
      return { phase: 'Active' }
    case 'services':
    case 'ingresses.networking.k8s.io':
      return { loadBalancer: {} }
    default:
      return kind.subresources.includes('status') ? {} : undefined
  }
}
