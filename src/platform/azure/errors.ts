import { LifeboatError, type ErrorDetails, type Retryable } from '../../contract/index.js'
import { retryAfterMs } from './hints.js'

interface Wire {
  readonly name: string
  readonly code?: string
  readonly statusCode?: number
  readonly message: string
  readonly response?: { readonly headers: { get(name: string): string | undefined } }
}

/** 409s by which Azure says that it is being done already, or that something is in its way for a while. */
const inFlight =
  /InProgress|BeingDeleted|BeingCreated|BeingDetached|BeingMoved|Preempted|NotProvisioned|Concurrent|Retryable|AlreadyExists|^(Conflict|OperationNotAllowed)$/i
const quota = /quota/i
const capacity = /SkuNotAvailable|AllocationFailed|OverconstrainedAllocation/i
/** The SDKs' code for a body that they could not read, whether it did not come or made no sense. */
const brokenOff = 'PARSE_ERROR'
const network =
  /ECONNREFUSED|ECONNRESET|ECONNABORTED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|REQUEST_SEND_ERROR|PARSE_ERROR|socket hang up/
const certificate = /CERT_|_CERT|UNABLE_TO_VERIFY|ERR_TLS|UNABLE_TO_GET_ISSUER/
const busy: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/**
 * Is this the answer for a resource that does not exist? Only then may a read say `undefined`. A 404 without Azure's own
 * code (a wrong endpoint, a proxy's page) or for a whole subscription says nothing about the resource.
 */
export function isNotFound(error: unknown): boolean {
  if (!isWire(error) || error.statusCode !== 404) return false
  return /NotFound$/i.test(error.code ?? '') && !/^(Subscription|Tenant)/i.test(error.code ?? '')
}

/** What an SDK throws, as a coded error: what happened, whether it may pass, and what to do. */
export function azureError(error: unknown, doing: string): LifeboatError {
  if (error instanceof LifeboatError) return error
  if (!isWire(error)) return new LifeboatError('azure.failed', `${doing}: ${clean(String(error))}`)
  // An SDK has stumbled over what is not in an answer: no word of Azure's, let alone that something has failed there.
  if (error instanceof TypeError) return new LifeboatError('azure.garbled', `${doing}: what is answered cannot be read (${clean(error.message)})`, { cause: causeOf(error), retry: {} })
  const { statusCode: status = 0, code = '' } = error
  const failed = (kind: string, details: ErrorDetails): LifeboatError =>
    new LifeboatError(kind, `${doing}: ${clean(error.message)}`, { cause: causeOf(error), ...details })
  if (status === 0 && certificate.test(code)) return failed('azure.untrusted', untrusted)
  if (error.name === 'AbortError' || (status === 0 && isNetwork(code, error.message))) return unreachable(error, doing)
  // Whatever was asked for: it is the same for all that is, and told once.
  if (isLogin(error)) return new LifeboatError('azure.login', `the login does not work: ${clean(error.message)}`, { cause: causeOf(error), ...noLogin })
  if (status === 401) return failed('azure.token-refused', { retry: {}, ...noLogin })
  if (status === 403) return failed('azure.denied', denied)
  if (status === 412) return failed('azure.etag', { retry: {}, hint: 'Somebody else has changed it in between.' })
  if (status === 423 || code === 'ScopeLocked') return failed('azure.locked', locked)
  if (capacity.test(code) || (status === 0 && capacity.test(error.message))) return failed('azure.no-capacity', full)
  if (isQuota(status, code, error.message)) return failed('azure.quota', short)
  // Somebody was first with this one, or the directory has not seen its principal yet: looking again decides.
  if (code === 'RoleAssignmentExists' || code === 'PrincipalNotFound') return failed('azure.in-flight', { retry: waitOf(error) })
  if (status === 409 && inFlight.test(code)) return failed('azure.in-flight', { retry: waitOf(error) })
  if (busy.has(status)) return failed('azure.busy', { retry: waitOf(error) })
  // A failed operation is a plain Error with its code in the text alone (facts/arm-wire); looking again decides.
  if (status === 0) return failed('azure.operation-failed', {})
  return failed('azure.refused', status < 500 ? { blame: 'user', ...hintFor(code, error.message) } : {})
}

/** No answer at all: of the resource manager, or of the authority that gives tokens. */
function unreachable(error: Wire, doing: string): LifeboatError {
  const said = saidOf(error)
  return new LifeboatError('azure.unreachable', `${doing}: the cloud does not answer (${said})`, {
    cause: causeOf(error),
    retry: {},
    hint: 'Is the network up, and does the cloud file name the right endpoint?',
  })
}

/** Node's own codes are no answer, whatever they are; what an operation ended with has none. */
function isNetwork(code: string, message: string): boolean {
  return network.test(`${code} ${message}`) || /^(E(?!RR_)[A-Z_]{3,}|ERR_(SSL|HTTP2|SOCKET|STREAM)_\w+|HPE_\w+)$/.test(code)
}

function saidOf({ name, code, message }: Wire): string {
  if (name === 'AbortError') return 'no answer in time'
  return code === brokenOff ? 'its answer broke off' : (code ?? clean(message))
}

const untrusted: ErrorDetails = {
  blame: 'user',
  hint: 'Its certificate is not vouched for by an authority that is trusted here: name that one in the cloud file (certificateAuthority).',
}
const noLogin: ErrorDetails = {
  blame: 'user',
  hint: 'Log in again (az login), or mend the credential that the cloud file refers to; then resume. Nothing was changed by what was refused.',
}
const denied: ErrorDetails = {
  blame: 'user',
  hint: 'Ask for the right to do this, or log in as somebody who has it. A role that was assigned a moment ago takes a while to be seen.',
}
/** A move takes up to four hours (facts/azure), and a minute lies between two tries in the end. */
const locked: ErrorDetails = {
  retry: { attempts: 300 },
  hint: 'A management lock keeps this from being changed (az lock list), or a move locks the group until it ends.',
}
const short: ErrorDetails = {
  blame: 'user',
  hint: 'Ask for more quota, or choose another size, zone or region in the runbook.',
}
const full: ErrorDetails = {
  hint: 'Azure has no room for this size there now, and more quota would not help: choose another size, other zones or none, or another region.',
}

function hintFor(code: string, message: string): { hint?: string } {
  // A validation that fails bears a code of its own, and the reason inside.
  if (`${code} ${message}`.includes('MoveCannotProceedWithResourcesNotInSucceededState')) {
    return { hint: 'Something in a network of that group has failed (look for provisioningState Failed). Mend or delete it, then try again.' }
  }
  if (/^SubscriptionNotFound$/i.test(code)) return { hint: 'Is this the subscription of the runbook, and is it one that this login sees?' }
  return {}
}

/** Azure says "quota" by a code of its own, by a code that means many things, or only in an operation's text. */
function isQuota(status: number, code: string, message: string): boolean {
  if (quota.test(code)) return true
  return (status === 0 || code === 'OperationNotAllowed') && quota.test(message)
}

function isLogin({ name }: Wire): boolean {
  return /^(AuthenticationError|AuthenticationRequiredError|CredentialUnavailableError|AggregateAuthenticationError)$/.test(name)
}

function waitOf({ response }: Wire): Retryable {
  const afterMs = response === undefined ? undefined : retryAfterMs((name) => response.headers.get(name))
  return afterMs === undefined ? {} : { afterMs }
}

function isWire(error: unknown): error is Wire {
  return error instanceof Error
}

/** An SDK's error holds the whole request, its bearer token too: only what it says is kept. */
function causeOf({ name, message, code, statusCode }: Wire): Error {
  const status = statusCode === undefined ? {} : { statusCode }
  return Object.assign(new Error(clean(message)), { name, ...(code === undefined ? {} : { code }), ...status })
}

/** URLs of operations carry signatures: they are nobody's business. */
export function clean(message: string): string {
  return message.replace(/https?:\/\/\S+/g, '(url)').replace(/\s+/g, ' ').trim().slice(0, 600)
}
