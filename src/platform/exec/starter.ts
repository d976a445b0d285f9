import type { Child } from '../scope.js'
import type { Command } from './command.js'

/** A child under way: resolves when it has ended, however it ended. */
export type Running = Promise<Ending> & { readonly pid?: number | undefined }

export interface Ending {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly isMaxBuffer: boolean
  readonly stdout?: string | undefined
  readonly stderr?: string | undefined
}

/** What a child that may outlive us has said. */
export interface Said {
  /** The beginning of both, or with `endBytes` only so much of their ends. */
  read(endBytes?: number): Promise<{ readonly stdout: string; readonly stderr: string }>
  remove(): Promise<void>
}

/** A command that has been started and does nothing until `letGo`. If we die before that, it ends. */
export interface Held {
  readonly child: Running
  readonly output: Said
  letGo(): void
}

/** Processes by pid: those of this machine, or of a modelled one. */
export interface ProcessTable {
  readonly host: string
  /** When a process was started, as its system tells it, or undefined if there is none: a pid may be given to another. */
  startOf(pid: number): Promise<string | undefined>
  /** Children lead their own process group, so that what they started ends with them. */
  signalGroup(pid: number, signal: NodeJS.Signals): void
}

/** What starts processes. */
export interface Starter extends ProcessTable {
  canRun(file: string): Promise<boolean>
  startReader(command: Command): Running
  startHeld(command: Command, survivor: Child['survivor']): Promise<Held>
}
