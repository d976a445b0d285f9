import type { Kind } from './kinds.js'

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
}

/** A refusal, as the API server words it: an object of kind Status. */
export class KubeError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'KubeError'
    this.code = code
    this.reason = reason
    this.details = details
  }

  get body(): unknown {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }
}

function about(kind: Kind, name: string): StatusDetails {
  return { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural }
}

export function notFound(kind: Kind, name: string): KubeError {
  return new KubeError(404, 'NotFound', `${kind.id} "${name}" not found`, about(kind, name))
}

export function alreadyExists(kind: Kind, name: string): KubeError {
  return new KubeError(409, 'AlreadyExists', `${kind.id} "${name}" already exists`, about(kind, name))
}

/** Somebody else was faster. */
export function conflict(kind: Kind, name: string, why: string): KubeError {
  return new KubeError(409, 'Conflict', `Operation cannot be fulfilled on ${kind.id} "${name}": ${why}`, about(kind, name))
}

export function badRequest(message: string): KubeError {
  return new KubeError(400, 'BadRequest', message)
}

export function forbidden(kind: Kind, name: string, why: string): KubeError {
  return new KubeError(403, 'Forbidden', `${kind.id} "${name}" is forbidden: ${why}`, about(kind, name))
}

export interface Cause {
  readonly field: string
  readonly reason: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueForbidden'
  readonly message: string
}

/** 422 with every finding, not only the first. */
export function invalid(kind: Kind, name: string, causes: readonly Cause[]): KubeError {
  const found = causes.map((one) => `${one.field}: ${one.message}`)
  const words = found.length === 1 ? (found[0] ?? '') : `[${found.join(', ')}]`
  const group = kind.group === '' ? '' : `.${kind.group}`
  return new KubeError(422, 'Invalid', `${kind.kind}${group} "${name}" is invalid: ${words}`, {
    name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes,
  })
}

/** The answer to a deletion that left nothing. */
export function success(kind: Kind, name: string, uid: string): unknown {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...about(kind, name), uid },
  }
}
