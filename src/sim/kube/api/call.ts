import { findKind, type Kind } from '../kinds.js'
import { isFields, type Fields } from '../object.js'
import { badRequest, KubeError } from '../status.js'
import { decodeProtobuf, protobufType } from '../wire/protobuf.js'

/** A request on the objects of a kind. */
export interface Call {
  readonly method: string
  readonly kind: Kind
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  readonly query: URLSearchParams
  /** Media type of the body, without parameters. */
  readonly contentType: string
  readonly body: Buffer
  /** The program's own name for what it writes: `fieldManager`, or what its user agent begins with. */
  readonly manager: string
  /** Does the client want rows of a table instead of objects? */
  readonly asTable: boolean
}

/** What a call is answered with. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly contentType?: string
  readonly warnings?: readonly string[]
}

export interface Place {
  readonly kind: Kind
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

/** Where a path leads among the objects; undefined if nowhere. */
export function placeOf(path: string): Place | undefined {
  const parts = path.split('/').filter((part) => part !== '').map(decodeURIComponent)
  const core = parts[0] === 'api'
  const apiVersion = core ? (parts[1] ?? '') : `${parts[1] ?? ''}/${parts[2] ?? ''}`
  const rest = parts.slice(core ? 2 : 3)
  const inside = rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2] ?? '')
  const [plural = '', name, subresource] = inside ? rest.slice(2) : rest
  const kind = findKind(apiVersion, plural)
  if (!kind || (inside && !kind.namespaced)) return undefined
  return {
    kind,
    ...(inside && rest[1] !== undefined ? { namespace: rest[1] } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  }
}

/** Nothing that a client sends is larger: what etcd takes is a megabyte and a half. */
export const largestBody = 3 * 1024 * 1024

/** A request as it comes to the API server, over a connection or without one. */
export interface KubeCall {
  readonly method: string
  /** Path and query: `/api/v1/namespaces?limit=500`. */
  readonly url: string
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
  /** What it was sent for, and by which program, where that is known. */
  readonly sender?: { readonly by: string; readonly program: string }
}

/** One header, as a text. */
export function headerOf({ headers }: Pick<KubeCall, 'headers'>, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** JSON or protobuf. Throws a KubeError for anything else. */
export function decodeBody(contentType: string, body: Buffer): Fields {
  if (contentType === protobufType) return decodeProtobuf(body)
  if (contentType !== 'application/json' && contentType !== '') {
    throw new KubeError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: application/json, ${protobufType}`)
  }
  const read = parseJson(body)
  if (!isFields(read)) throw badRequest('the body is not an object')
  return read
}

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    throw badRequest('the body is not JSON')
  }
}

/** `helm` of `helm/4.1.4 (linux/amd64)`. */
export function managerOf(query: URLSearchParams, userAgent: string | undefined): string {
  return query.get('fieldManager') ?? (userAgent ?? 'unknown').split('/')[0] ?? 'unknown'
}
