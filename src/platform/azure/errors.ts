import { LifeboatError, type Retryable } from '../../contract/index.js'
import { retryAfterMs } from './hints.js'

interface Wire {
  readonly code?: string
  readonly statusCode?: number
  readonly message: string
  readonly response?: { readonly headers: { get(name: string): string | undefined } }
}

/** Codes by which Azure says that what was asked for is being done already, or that something is in its way for a while. */
const inFlight = /^(OperationNotAllowed|OperationPreempted|AnotherOperationInProgress|ResourceGroupBeingMoved|MoveInProgress|Conflict(ingConcurrentWrite.*)?|AttachDiskWhileBeingDetached|ScopeLockedByMove|CannotMoveResource.*InProgress)$/i
const quota = /quota|SkuNotAvailable|AllocationFailed|ZonalAllocationFailed|OverconstrainedAllocation/i
const network = /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|REQUEST_SEND_ERROR|socket hang up/

/** Is this the answer for what does not exist? Only then may a read say `undefined`. */
export function isNotFound(error: unknown): boolean {
  return isWire(error) && error.statusCode === 404
}

/** What an SDK throws, as a coded error: what happened, whether it may pass, and what to do. */
export function azureError(error: unknown, doing: string): LifeboatError {
  if (error instanceof LifeboatError) return error
  if (!isWire(error)) return new LifeboatError('azure.failed', `${doing}: ${clean(String(error))}`, { cause: error })
  const { statusCode: status = 0, code = '' } = error
  const message = `${doing}: ${clean(error.message)}`
  const details = { cause: error }
  if (status === 412) return new LifeboatError('azure.etag', `${doing}: somebody else has changed it in between`, { ...details, retry: {} })
  if (status === 423 || (code === 'ScopeLocked' && status === 409)) return locked(message, error)
  if (quota.test(code)) {
    return new LifeboatError('azure.quota', message, { ...details, blame: 'user', hint: 'Ask for more quota, or choose another size or zone in the runbook.' })
  }
  if (status === 409 && inFlight.test(code)) return new LifeboatError('azure.in-flight', message, { ...details, retry: waitOf(error) })
  if (status === 401 || status === 403 || isLogin(error)) return denied(message, error)
  if ([408, 429, 500, 502, 503, 504].includes(status)) return new LifeboatError('azure.busy', message, { ...details, retry: waitOf(error) })
  if (status === 0 && network.test(`${code} ${error.message}`)) return unreachable(doing, error)
  // A failed operation is a plain Error with its code in the text alone (facts/arm-wire); looking again decides.
  return new LifeboatError(status === 0 ? 'azure.operation-failed' : 'azure.refused', message, { ...details, blame: status >= 400 && status < 500 ? 'user' : 'cloud' })
}

function unreachable(doing: string, cause: Wire): LifeboatError {
  return new LifeboatError('azure.unreachable', `${doing}: the cloud does not answer (${cause.code ?? clean(cause.message)})`, {
    cause,
    retry: {},
    hint: 'Is the network up, and does the cloud file name the right endpoint?',
  })
}

function denied(message: string, cause: Wire): LifeboatError {
  return new LifeboatError('azure.denied', message, {
    cause,
    blame: 'user',
    hint: 'Log in again (az login), or ask for the right to do this. A role that was assigned a moment ago takes a while to be seen.',
  })
}

function locked(message: string, cause: Wire): LifeboatError {
  return new LifeboatError('azure.locked', message, {
    cause,
    retry: {},
    hint: 'A management lock keeps this from being changed (az lock list), or a move locks the group until it ends.',
  })
}

function isLogin(error: Wire): boolean {
  return error instanceof Error && /^(AuthenticationError|CredentialUnavailableError|AggregateAuthenticationError)$/.test(error.name)
}

function waitOf(error: Wire): Retryable {
  const afterMs = error.response === undefined ? undefined : retryAfterMs((name) => error.response?.headers.get(name))
  return afterMs === undefined ? {} : { afterMs }
}

function isWire(error: unknown): error is Wire {
  return error instanceof Error
}

/** URLs of operations carry signatures, and login errors carry ids of requests: neither is anybody's business. */
function clean(message: string): string {
  return message.replace(/https?:\/\/\S+/g, '(url)').replace(/\s+/g, ' ').trim().slice(0, 600)
}
