/** How a program ended by itself. */
export interface ProgramEnd {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** What a modelled program has of the process that it runs in. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  /** All of its standard input. */
  readonly stdin: string
  /** For which step it was started, and a name that this process alone has. */
  readonly sender: { readonly by: string; readonly program: string }
  /** Milliseconds of the world. A process that has ended never wakes up: this settles no more. */
  sleep(ms: number): Promise<void>
  /** Does this after so many milliseconds of the world, unless the process has ended; the answer cancels it. */
  after(ms: number, act: () => void): () => void
  /** What the machine's own clock says: real time, as far as nobody has set it. */
  now(): Date
  /** The same promise; but one that has ended never hears of it. */
  heard<T>(promise: Promise<T>): Promise<T>
  /** False once the process has ended: what it has left behind must do nothing more. */
  alive(): boolean
  /** What happens at SIGTERM; without it the process ends at once. */
  onTerminate(act: () => void): void
  /** Says something before the end. */
  say(output: 'stdout' | 'stderr', text: string): void
}

/** A model of a program, by what it does when it is run with these arguments (without its own name). */
export type Program = (args: readonly string[], at: Surroundings) => Promise<ProgramEnd>

export function ended(stdout: string, stderr = '', exitCode = 0): ProgramEnd {
  return { exitCode, stdout, stderr }
}

/** A failure in the program's own words; the newline comes from here. */
export function failed(exitCode: number, stderr: string): ProgramEnd {
  return { exitCode, stdout: '', stderr: stderr === '' ? '' : `${stderr}\n` }
}
