/**
 * For whom doors are opened. Every step gets doors of its own: what it creates is tagged with its name, and the children
 * it starts are journaled as its own.
 */
export interface DoorScope {
  readonly run: string
  readonly runbook: string
  readonly step: string
  readonly children: ChildLog
}

/** A process that may outlive us, as the journal keeps it. */
export interface Child {
  readonly pid: number
  /** The process's start as the operating system tells it: a pid alone may have been given to another. */
  readonly started: string
  readonly host: string
  /** Arguments with secrets struck out. */
  readonly command: string
  /** What a resume does with it while it lives: end it by SIGTERM, or wait for it (a rollback must not be broken off). */
  readonly survivor: 'end' | 'await'
}

export interface ChildLog {
  /** Resolves once the child stands in the journal; the door lets it work only then. */
  started(child: Child): Promise<void>
  ended(child: Child, how: { readonly exitCode: number | null; readonly signal: string | null }): Promise<void>
}
