import type { AnyStep, Change, Clock, Finding, JsonObject, Listener, Operator, Secret, Write } from '../contract/index.js'
import type { SecretReference } from '../contract/inputs.js'
import type { Accepting } from './alternatives.js'
import type { History } from './history.js'
import type { ChildFacts, Journal, RunState } from '../journal/index.js'
import type { Runbook } from '../runbook/index.js'

/** The step modules by their `uses`. The engine drives them by contract and knows none by name. */
export type Registry<D> = ReadonlyMap<string, AnyStep<D>>

/** What doors of one step are told: what they create is tagged with it, what they start is journaled for it. */
export interface StepScope {
  readonly step: string
  readonly children: {
    started(child: ChildFacts): Promise<void>
    ended(child: ChildFacts, how: { readonly exitCode: number | null; readonly signal: string | null }): Promise<void>
  }
}

/** Secrets that a runbook refers to. Both throw `cloud.reference` where a reference leads nowhere. */
export interface SecretPort {
  /** What may be shown and journaled of a value: another value has another one. */
  digest(reference: SecretReference): string
  /** Throws `secret.changed` where the reference bears the digest of another value. */
  read(reference: SecretReference): Secret
}

/** What planning needs; a plan reads and nothing else, so it has no journal. */
export interface PlanPorts<D> {
  readonly runbook: Runbook
  readonly registry: Registry<D>
  /** By step, what takes the place of the registry's module: an undo drives each step backwards. */
  readonly modules?: ReadonlyMap<string, AnyStep<D>>
  /** Outputs that are known before any step has been looked at: an undo has those of the run. */
  readonly outputs?: Outputs
  /** What is put back, by step, as its journal tells it. */
  readonly undone?: RunState['steps']
  readonly clock: Clock
  readonly env: (name: string) => string | undefined
  readonly secrets: SecretPort
  readonly doors: (scope: StepScope) => D
  readonly signal: AbortSignal
  /** Milliseconds of the run's clock between two looks, from the cloud file. */
  readonly pollEveryMs: number
  /** Called with what a step is looking at, for people who wait. */
  readonly progress?: (step: string, message: string) => void
  /** What belongs to no step: this machine, its clock, its disk. Asked beside the preflights, if anything has changes. */
  readonly site?: () => Promise<readonly Finding[]>
  /** What earlier runs of this kind took. */
  readonly history?: History
  /** What a run with changes writes besides its steps. */
  readonly marks?: readonly Write[]
  /** Alternatives that the operator has chosen before they were offered. */
  readonly accept?: Accepting
}

/** Children of earlier lives that may still be at work. */
export interface Survivors {
  /**
   * Ends or awaits a child; resolves only when it is gone. Calls `found` once if it is not. Rejects with the signal's reason when that
   * is aborted: then it may still run, and nothing may be written.
   */
  handle(child: ChildFacts, found: () => void, signal: AbortSignal): Promise<'ended' | 'awaited' | 'gone'>
  /** Those that bear this site's mark, whatever a journal knows of them. Called only while this process has no children. */
  marked(): Promise<readonly ChildFacts[]>
}

/** Who may write to the target, across machines. */
export interface Target {
  /** Before every intent. Rejects if another run has taken the target over. True if it was only taken now, which takes seconds. */
  beforeIntent(): Promise<boolean>
  /** Asked of this machine alone. Rejects, and stops the run, once another has taken it over: no answer of its operator counts any more. */
  stillOurs(): Promise<void>
  /** A resource group that a step makes is there. */
  reached(group: string): Promise<void>
}

/** What running needs besides. */
export interface RunPorts<D> extends PlanPorts<D> {
  readonly journal: Journal
  readonly operator: Operator
  readonly listeners: readonly Listener[]
  readonly survivors: Survivors
  /** Told of each failure of a step as it is: what is journaled of it is only what a person needs. */
  readonly failed?: (step: string, error: unknown) => void
  readonly target?: Target
  /** The command that goes on after a stop, for `run.finished`. */
  readonly resumeCommand: string
  /** The one that puts back what the run has changed; not of a way back. */
  readonly undoCommand?: string
  /** In a rehearsal: the critical path in the world's own durations, asked for when the run is over. */
  readonly criticalPathMs?: (changed: ReadonlyMap<string, readonly Change[]>) => Promise<number | undefined>
}

export type Outputs = ReadonlyMap<string, JsonObject>
