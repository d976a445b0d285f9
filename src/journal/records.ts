import type {
  Answer,
  Change,
  CloudFacts,
  ErrorFacts,
  Json,
  JsonObject,
  Mode,
  Outcome,
  PlanFacts,
  PlannedStep,
  Question,
} from '../contract/index.js'

/** Who drives a run: enough to tell whether that process still lives. */
export interface Owner {
  readonly user: string
  readonly host: string
  readonly pid: number
  /** The process's start as the operating system tells it. */
  readonly started: string
}

/** A child process as journaled; the shape that `platform/scope.ts` hands over. */
export interface ChildFacts {
  readonly pid: number
  readonly started: string
  readonly host: string
  readonly command: string
  readonly survivor: 'end' | 'await'
}

/** A file that the run reads, fixed when it started. */
export interface Pin {
  readonly path: string
  /** `sha256:…` over the file, or over a folder's files with their relative paths. */
  readonly digest: string
  /** `path` is no file of this machine but what a step reads from elsewhere: `oci://registry.example/hub:1.2.3`. */
  readonly afar?: true
}

/** Everything that a journal can say, by type. Adding a field is fine; changing one needs a new `v`. */
export interface RecordData {
  'run.started': {
    readonly runbook: { readonly name: string; readonly path: string; readonly text: string }
    readonly mode: Mode
    readonly cloud: CloudFacts & { readonly path: string | null }
    readonly owner: Owner
    readonly pins: readonly Pin[]
    /** How the operator let it write: typed name, `--confirm`, or a rehearsal that needs none. */
    readonly confirmed: 'typed' | 'flag' | 'rehearsal'
    /** Real time beside the run's clock, so that wall time can be told after a resume. */
    readonly realStartedAt: string
    /** The world's process that was left for a resume, if this is a rehearsal. */
    readonly sim?: {
      readonly pid: number
      readonly started: string
      readonly control: string
      /** Digest of the world's file, and how fast it runs: only runs with the same of both tell how long another will take. */
      readonly world?: string
      readonly speed?: number
    }
    /** The runbook's objective, milliseconds. */
    readonly objectiveMs?: number
    /** The run that this one puts back, if it is an undo. */
    readonly undoes?: string
  }
  /** An undo of this run begins now: once its plan stands in its own journal, it is that one which is resumed. */
  'run.undoing': { readonly by: string }
  'run.resumed': {
    readonly owner: Owner
    readonly realStartedAt: string
    readonly acceptedChanges: boolean
    readonly runbookText?: string
    /** Of what was accepted: from now on these are the run's. */
    readonly pins?: readonly Pin[]
  }
  'run.planned': PlanFacts & { readonly steps: readonly PlannedStep[] }
  'step.started': { readonly step: string; readonly uses: string; readonly attempt: number }
  'step.intent': { readonly step: string; readonly changes: readonly Change[] }
  /** `at`: real time, by the clock of the machine that it runs on. */
  'child.started': { readonly step: string; readonly child: ChildFacts; readonly at?: string }
  'child.ended': { readonly step: string; readonly pid: number; readonly exitCode: number | null; readonly signal: string | null }
  /** Without a step: of another run of the same runbook. */
  'survivor.handled': { readonly step?: string; readonly pid: number; readonly command: string; readonly how: 'ended' | 'awaited' | 'gone' }
  'step.checkpoint': { readonly step: string; readonly what: Json }
  'step.applied': { readonly step: string }
  'step.verified': { readonly step: string; readonly outputs: JsonObject; readonly changes: number; readonly elapsedMs: number }
  'step.retrying': { readonly step: string; readonly attempt: number; readonly inMs: number; readonly error: ErrorFacts }
  'step.failed': { readonly step: string; readonly error: ErrorFacts; readonly elapsedMs: number }
  'step.skipped': { readonly step: string; readonly reason: string; readonly by: string }
  'question.asked': { readonly step: string; readonly question: Question }
  'question.answered': { readonly step: string; readonly kind: Question['kind']; readonly answer: Answer }
  'run.interrupted': { readonly signal: string }
  'run.finished': { readonly outcome: Outcome; readonly elapsedMs: number; readonly wallMs: number }
}

export type RecordType = keyof RecordData

/** One line of a journal, without its checksum. */
export type JournalRecord = {
  [T in RecordType]: {
    readonly v: 1
    /** Counts from 1 without a gap. */
    readonly seq: number
    /** RFC 3339 UTC, the run's clock. */
    readonly t: string
    readonly run: string
    readonly type: T
    readonly data: RecordData[T]
  }
}[RecordType]
