// Not the whole contract: its schemas load zod, and this is loaded for `--version` too.
import { LifeboatError } from '../contract/error.js'

const prefix = 'interrupted.'

/** Name of the signal, if that is what ended the work. */
export function interruption(error: unknown): string | undefined {
  return error instanceof LifeboatError && error.code.startsWith(prefix) ? error.code.slice(prefix.length) : undefined
}

/**
 * The first Ctrl-C, SIGTERM or SIGHUP asks for a safe point; `main` ends the process on the second. Whoever works hands out
 * what would still be in flight then. A SIGHUP is never the second: a window that closes sends it more than once (the shell, and the
 * kernel to whatever is in its foreground), and nobody is there any more who could be in a hurry.
 */
export class Interrupts {
  readonly #controller = new AbortController()
  /** Name of the first signal, for the exit code. */
  first: string | undefined
  /** What is said when the process ends now: what goes on without us, and how to go on. */
  leaving: () => readonly string[] = () => []
  /** Those who were displaced for a run that has not begun yet; a sentence of each, without its full stop. */
  displaced: () => readonly string[] = () => []
  onFirst: (signal: string) => void = () => undefined
  /** Ends the process now: `main` says how. */
  atOnce: (signal: string) => void = () => undefined
  /** The terminal has gone, or whoever sent SIGHUP says so. */
  hungUp = false

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What a command leaves that ends before anything was begun. */
  get unbegun(): string {
    const displaced = this.displaced()
    return displaced.length === 0
      ? 'before anything was begun; nothing was changed.'
      : `before anything was begun. ${displaced.join('. ')}; nothing else was changed.`
  }

  /** A signal, or the key that stands for one. */
  hear(signal: string): void {
    if (!this.receive(signal)) this.atOnce(signal)
  }

  /** True for the first signal and for a window that closes after it; false says that the process should end at once. */
  receive(signal: string): boolean {
    this.hungUp ||= signal === 'SIGHUP'
    if (this.first !== undefined) return signal === 'SIGHUP'
    this.first = signal
    this.#controller.abort(new LifeboatError(`${prefix}${signal}`, `stopped by ${signal}`, { blame: 'user' }))
    this.onFirst(signal)
    return true
  }
}
