import type { Write } from './write.js'

/**
 * Told before something is sent or started that may change the world, so that it is not missed where this process dies in the midst
 * of it. What came of it is told by an entry of its own.
 */
export interface LoggedSending {
  readonly kind: 'sending'
  readonly step: string
  readonly writes: readonly Write[]
}

/** A program that was run. */
export interface LoggedCommand {
  readonly kind: 'command'
  readonly step: string
  /** Arguments, with secrets struck out. */
  readonly command: string
  /** What of it may have changed the world; such a one stands in the journal as a child. */
  readonly writes: readonly Write[]
  /** Real milliseconds. */
  readonly tookMs: number
  readonly exitCode?: number
  /** Why it did not come to an end of its own: an error's code. */
  readonly failure?: string
  /** The last of what it said, with secrets struck out. */
  readonly stdout?: string
  readonly stderr?: string
  /** Characters of standard output that are not kept, since what stands there may be secret. */
  readonly withheld?: number
}

/** A request that was sent, without its body; of its address nothing that grants anything. */
export interface LoggedRequest {
  readonly kind: 'request'
  readonly step: string
  readonly method: string
  readonly url: string
  /** Itself, where it may have changed the world. */
  readonly writes: readonly Write[]
  /** Real milliseconds. */
  readonly tookMs: number
  readonly status?: number
  /** Why no answer came. */
  readonly failure?: string
}

/** What a step, or the run itself, failed with: all of it, where the journal has what a person needs. */
export interface LoggedError {
  readonly kind: 'error'
  readonly step: string
  readonly code: string
  readonly message: string
  /** With the stacks of its causes. */
  readonly stack: readonly string[]
}

/** What a run's log is told: how the run's own facts came about, for whoever looks for a fault afterwards. */
export type LogEntry = LoggedSending | LoggedCommand | LoggedRequest | LoggedError

/** It must never throw: a log that cannot be written is no reason to stop a failover. */
export type Log = (entry: LogEntry) => void
