import { access, rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorFacts, type Clock, type Listener, type Log, type LoggedError, type RunEvent } from '../contract/index.js'
import { LogFile } from '../platform/log/file.js'

/** What is told only stands in the log whole; of what is journaled only that it was. */
export const passing: ReadonlySet<RunEvent['type']> = new Set([
  ...(['step.progress', 'step.waiting', 'question.waiting', 'survivor.found', 'eta.updated', 'run.stopping', 'notice'] as const),
])

/** The log of one life of a run, beside its journal. `echo` is told of each entry too. */
export class RunLog {
  readonly #file: LogFile
  readonly #echo: Log | undefined

  constructor(path: string, clock: Clock, echo?: Log) {
    this.#file = new LogFile(path, clock)
    this.#echo = echo
  }

  /** Undefined where none could be written. */
  get path(): string | undefined {
    return this.#file.isKept ? this.#file.path : undefined
  }

  readonly log: Log = (entry) => {
    this.#file.write(entry)
    this.#echo?.(entry)
  }

  readonly listener: Listener = (event) => {
    const { type } = event
    if (passing.has(type)) return this.#file.write({ kind: 'event', event })
    const step = 'step' in event ? { step: event.step } : {}
    const error = 'error' in event ? { error: event.error } : {}
    this.#file.write({ kind: 'event', event: { type, t: event.t, ...step, ...error } })
  }

  note(message: string): void {
    this.#file.write({ kind: 'note', message })
  }

  failed(step: string, error: unknown): void {
    this.log(errorEntry(step, error))
  }

  /** What ended the run itself; the screen has it from elsewhere. */
  fatal(error: unknown): void {
    this.#file.write(errorEntry('site', error))
  }

  close(): void {
    this.#file.close()
  }

  /** Of a run that never began, since somebody thought better of it, nothing is left. */
  async removeWithout(journal: string): Promise<void> {
    const begun = await access(journal).then(() => true, () => false)
    if (begun) return
    await rm(this.#file.path, { force: true })
    await rmdir(dirname(this.#file.path)).catch(() => undefined)
  }
}

/** How a command and the log of its run get to know each other. */
export interface Logging {
  /** Told of each entry as well: `--debug`. */
  readonly echo?: Log
  /** The log is there. */
  opened(log: RunLog): void
}

function errorEntry(step: string, error: unknown): LoggedError {
  const { code, message } = errorFacts(error)
  return { kind: 'error', step, code, message, stack: stacksOf(error) }
}

/** Of an error and of what caused it, as far as anybody wants to read. */
function stacksOf(error: unknown): readonly string[] {
  const stacks: string[] = []
  for (let at = error; at instanceof Error && stacks.length < mostCauses; at = at.cause) stacks.push(at.stack ?? at.message)
  return stacks
}

const mostCauses = 5
