import type { AnyStep, JsonObject } from '../contract/index.js'
import type { Template } from './expression.js'

/** Where something stands in the runbook; both count from 1, columns in UTF-16 units as editors count them. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** What the loader must know of a step module. A registry of step modules fits by shape. */
export type StepSchema = Pick<AnyStep<unknown>, 'uses' | 'inputs' | 'outputs' | 'check'>

/** Step modules by their `uses`. */
export type StepSchemas = ReadonlyMap<string, StepSchema>

/** A moment of the incident that a rehearsal's own times are shown beside. */
export interface IncidentMoment {
  readonly what: string
  /** The step whose end is that moment. */
  readonly step: string
  /** Milliseconds after the decision. */
  readonly afterMs: number
}

/** A checked runbook: ids are unique, every reference leads somewhere, and the graph has no cycle. */
export interface Runbook {
  readonly apiVersion: 'lifeboat/v1'
  readonly name: string
  /** Absolute. */
  readonly path: string
  /** Absolute; relative paths of the runbook start here. */
  readonly folder: string
  /** The file as it was read, so that a resume can show what has changed since. */
  readonly text: string
  readonly objectiveMs?: number
  readonly azure: AzureFacts
  readonly rehearsal?: {
    /** Absolute path of the world's file. */
    readonly world: string
    readonly incident: readonly IncidentMoment[]
  }
  readonly vars: { readonly [key: string]: Template }
  /** In an order in which every node stands behind what it needs; file order where the graph leaves a choice. */
  readonly nodes: readonly Node[]
}

export interface AzureFacts {
  readonly subscription: string
  readonly location: string
  readonly cloud: string
}

export type Node = StepNode | GateNode | ManualNode

interface NodeBase {
  readonly id: string
  /** Ids of the nodes that must be done before: those listed and those referred to, sorted, each once. */
  readonly needs: readonly string[]
  readonly position: Position
}

export interface StepNode extends NodeBase {
  readonly kind: 'step'
  readonly uses: string
  /** Inputs as written, expressions parsed but not resolved: `resolveInputs` does that. */
  readonly with: { readonly [key: string]: Template }
  /** Where each value of `with` stands, by JSON pointer (`/values/hub/host`; `` for `with` itself). */
  readonly positions: ReadonlyMap<string, Position>
}

/** A question that the operator must say yes to. */
export interface GateNode extends NodeBase {
  readonly kind: 'gate'
  readonly ask: string
}

/** Work that a person does by hand. */
export interface ManualNode extends NodeBase {
  readonly kind: 'manual'
  readonly checklist: readonly string[]
}

/** What expressions are resolved against; `vars` and `azure` come from the runbook itself. */
export interface Scope {
  env(name: string): string | undefined
  /** Outputs of a step, or undefined while it has none: what refers to them is then pending. */
  outputs(step: string): JsonObject | undefined
}
