import type { Clock, CommandWrite, Log } from '../../contract/index.js'
import type { Child, ChildLog } from '../scope.js'

export interface Command {
  /** Absolute path of the program. */
  readonly file: string
  readonly args: readonly string[]
  /** The whole environment of the child; nothing of ours is added but PATH, LC_ALL and the marks. */
  readonly env: Readonly<Record<string, string>>
  /** Working folder, absolute; ours if absent. */
  readonly cwd?: string
  readonly input?: string
  /** Real milliseconds after which it is ended. Absent: it is left to come to its own end. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /**
   * Set for what changes the world: it is journaled before it may work, and a resume ends or awaits it. What is awaited is
   * not broken off by the signal either.
   */
  readonly survivor?: Child['survivor']
  /** Of what may change the world: what it does, taken from the arguments themselves (see `verbs.ts`). */
  readonly writes?: readonly CommandWrite[]
  /** How it stands in the journal and in errors; the arguments if absent. Must hold no secret. */
  readonly say?: string
  /** What it says on standard output may hold secrets that nobody of us knows: a log is told how much it was, and no more. */
  readonly withheld?: boolean
  /** Of what a surviving command says, only so many bytes from the end are given back; absent: from the beginning. */
  readonly keepEndBytes?: number
  /** Told the last line that a surviving command has said, now and then while it works. */
  readonly onLine?: (line: string) => void
}

/** Runs programs: real ones are processes of this machine (`SystemExec`). */
export interface Exec {
  /**
   * Runs a command to its end; an exit code other than 0 is an answer. Throws `exec.missing` (no such program),
   * `exec.timeout`, `exec.killed`, `exec.output` (more than it may say), what the journal throws, and the signal's reason
   * when that is aborted.
   */
  run(command: Command): Promise<Finished>
}

export interface Finished {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface ExecOptions {
  readonly clock: Clock
  readonly children: ChildLog
  /** Names runbook and cloud: the mark by which children are found when the journal is lost. */
  readonly site: string
  /** PATH for children: ssh finds its own helpers there. */
  readonly path: string
  /** Private folder of the run (0700), for the output of children that may outlive us. */
  readonly secrets: string
  /** Told of every command that has ended. */
  readonly log?: Log
}
