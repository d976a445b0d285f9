import type { Change } from './change.js'

/** Whose fault an error is: the user's (mend the runbook), the cloud's (try again), or ours (a bug). */
export type Blame = 'user' | 'cloud' | 'tool'

export interface ErrorDetails {
  /** What to do next, as a sentence. */
  hint?: string
  cause?: unknown
  blame?: Blame
  /** Another way that is open to the operator after this failure. It is never taken without being chosen. */
  alternative?: Alternative
  /** Set by an undo that leaves something in place for a good reason (a group in which others have put things). */
  leaves?: true
  /** Set where the same call may succeed later. `afterMs` is the other side's own wish, in real milliseconds. */
  retry?: Retryable
}

/** Worth trying again; who retries and how often is the engine's business alone. */
export interface Retryable {
  readonly afterMs?: number
  /** How often, where that is more than the usual: somebody else's work of hours is in the way. */
  readonly attempts?: number
}

/**
 * Another way to what a step is for. Once chosen, its `id` is in `ctx.accepted` of that step, and its changes count as shown:
 * they must be all that the step would make then and had not shown before.
 */
export interface Alternative {
  /** Unique within the step: what `--accept STEP=ID` names. */
  readonly id: string
  /** What it does and what it costs, as a sentence. */
  readonly offer: string
  readonly changes: readonly Change[]
}

/**
 * Every failure that the tool expects. `code` is stable and dotted (`azure.conflict`, `ssh.unreachable`); the message
 * says what happened, the hint what to do. It never holds a secret.
 */
export class LifeboatError extends Error {
  readonly code: string
  readonly blame: Blame
  readonly hint: string | undefined
  readonly retry: Retryable | undefined
  readonly alternative: Alternative | undefined
  readonly leaves: boolean

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'LifeboatError'
    this.code = code
    this.blame = details.blame ?? 'cloud'
    this.hint = details.hint
    this.retry = details.retry
    this.alternative = details.alternative
    this.leaves = details.leaves === true
  }
}

/** An error as it stands in the journal and in events. */
export interface ErrorFacts {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly blame: Blame
  readonly retryable: boolean
  readonly alternative?: Alternative
}

/** What is not a LifeboatError is a bug of ours, and is called so. */
export function errorFacts(error: unknown): ErrorFacts {
  if (error instanceof LifeboatError) {
    const { code, message, hint, blame, retry, alternative } = error
    return {
      code,
      message,
      blame,
      retryable: retry !== undefined,
      ...(hint === undefined ? {} : { hint }),
      ...(alternative === undefined ? {} : { alternative }),
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (isFullDisk(error)) return { code: 'disk.full', message, hint: 'Free some space there, then resume.', blame: 'user', retryable: false }
  return { code: 'tool.bug', message, blame: 'tool', retryable: false }
}

/** Wherever a file is written on this machine: the system's own words name it. */
function isFullDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String(error.code))
}
