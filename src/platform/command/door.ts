import type { Reference } from '../cloud/schema.js'

/** A command of the site's own. It is run as it stands: no shell reads it. */
export interface SiteCommand {
  /** Program and arguments. A program with a `/` in it is relative to the runbook's folder, any other is looked for on PATH. */
  readonly argv: readonly string[]
  /** Its environment beside PATH and LC_ALL; nothing else of ours gets there. A secret is read only when the command starts. */
  readonly env: Readonly<Record<string, string | { readonly secret: Reference }>>
  /** Real milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** How it ended and what it said, with secrets struck out: at most `keptBytes` from the end of each output. */
export interface SiteAnswer {
  readonly exitCode: number
  readonly stdout: string
  /** The last lines of its errors, or of its output where it told of none; each fit for a terminal. */
  readonly lastLines: readonly string[]
}

export const keptBytes = 64 * 1024

/** Programs of the site's own, run in the runbook's folder. */
export interface CommandDoor {
  /** Runs what only reads. Throws what `run` throws, and `exec.output` for one that says more than 8 MiB. */
  look(command: SiteCommand): Promise<SiteAnswer>
  /**
   * Runs what may change the world: journaled before it starts, and awaited by a resume if it outlives us. `onLine` is told
   * now and then what it said last. An exit code other than 0 is an answer. Throws `exec.missing`, `exec.timeout`,
   * `exec.killed`, and `cloud.reference` for a secret that cannot be read.
   */
  run(command: SiteCommand, onLine: (line: string) => void): Promise<SiteAnswer>
  /** Whether program and secrets can be found, without running anything. Throws `exec.missing` and `cloud.reference`. */
  check(command: Pick<SiteCommand, 'argv' | 'env'>): Promise<void>
}
