import type { z } from 'zod'
import type { Change, Inverse } from './change.js'
import type { Clock } from './clock.js'
import type { SecretReference } from './inputs.js'
import type { Json } from './json.js'
import type { Observation, Seen } from './observation.js'
import type { ObserveInputs, Pending, PlanInputs } from './pending.js'
import type { Secret } from './secret.js'
import type { Write } from './write.js'

/** A resource that a step needs while it works. Two steps that claim one overlap only if both share it. */
export interface Claim {
  /** For example the lower-cased id of a resource group: compared as a plain string. */
  readonly resource: string
  readonly mode: 'alone' | 'shared'
}

/** What preflight found. `stop` keeps the run from starting. */
export interface Finding {
  readonly level: 'stop' | 'warn'
  readonly what: string
  readonly mend: string
  /** Set on a warning that another step of the same run may do away with. */
  readonly settledBy?: Settlement
}

/** The planned change of another step that does away with a warning, if it comes early enough. */
export interface Settlement {
  /** The change's own `resource`. */
  readonly resource: string
  /** A key that the change's `after` must have: what it sets. */
  readonly sets: string
  /** How long before the warning's step it must be done, by the plan's estimates; milliseconds of the run's clock. */
  readonly aheadMs: number
}

/** Something that a step reads from afar, with the digest of what it is now. */
export interface PinnedThing {
  /** How it is called, wherever it is read to: `oci://registry.example/hub:1.2.3`. */
  readonly what: string
  readonly digest: string
}

/**
 * A share that a step's changes take of one stock (quota, addresses, space). Two steps may each fit and not both, so the
 * engine adds up what all of them want and stops where that is more than is left; a step does not compare by itself.
 */
export interface Demand {
  /** What the stock holds and where, in one spelling for all who take from it: `vCPUs of standardESv3Family in westus2`. */
  readonly resource: string
  /** In the stock's own unit. */
  readonly wanted: number
  /** What the stock still has for anybody, before any step of this run takes from it. */
  readonly left: number
  readonly mend: string
}

/** A program that a run has started for a step, and that may have written. */
export interface OwnProgram {
  /** As it is shown: `helm upgrade --install hub …`. */
  readonly command: string
  /** By the clock of the machine that it ran on: so is what it has written itself. */
  readonly startedAt: Date
}

/** What every function of a step may use: the doors to the outside, the run's clock, and a way to say what it waits for. */
export interface ReadContext<D> {
  readonly doors: D
  readonly clock: Clock
  /** Aborted when the run must stop now. Pass it to every wait. */
  readonly signal: AbortSignal
  /** "moving 2 disks, both groups locked": shown while the step runs, not journaled. */
  readonly progress: (message: string) => void
  /**
   * The value that an input of the kind `secret` refers to, as it is now. Throws `cloud.reference` where it leads nowhere, and
   * `secret.changed` where the value is no longer the one that the inputs' digest is of: then it is to be planned again.
   */
  readonly secret: (reference: SecretReference) => Promise<Secret>
  /** Ids of the alternatives that the operator has chosen for this step. */
  readonly accepted: ReadonlySet<string>
  /**
   * The programs of this run that wrote for this step, in whichever of its lives, where none of them can be at work any more: each is
   * known to have ended, or was ended or awaited on its own machine. On the way back, those of the run that is put back as well. Empty
   * while that is not known, as in a plan: what looks as if somebody were at work has to be taken for that then.
   */
  readonly overPrograms: () => readonly OwnProgram[]
  /**
   * When this run last began to change something by this step, by its journal: an earlier life counts. Undefined where it never did,
   * and in a plan. An output may tell it, so that what comes later can tell what was made since.
   */
  readonly begunAt?: () => Date | undefined
}

export interface PreflightContext<D> extends ReadContext<D> {
  /** What another step of this run was shown to change: what it will make can be reckoned with before it is there. */
  readonly planned: (step: string) => readonly Change[]
}

export interface ApplyContext<D> extends ReadContext<D> {
  /**
   * Journals that the other side has accepted something long. Never pass a token, an operation's URL or any other secret.
   * `{ said: [lines] }` is what a program has said: it is shown, where other checkpoints are only kept.
   */
  readonly checkpoint: (what: Json) => Promise<void>
}

/** One value of an input that decides when or how a step does its work, and how long the step takes with it. */
export interface Variant {
  readonly input: string
  readonly value: string
  readonly chosen: boolean
  /** What speaks for it or against it, besides the time. */
  readonly says: string
  /** Milliseconds of the run's clock, until real history exists; 0 where it then has nothing to do. */
  readonly estimateMs: number
}

/** Verify is `observe` repeated until converged; both figures are in the run's clock. */
export interface Verification {
  readonly everyMs: number
  readonly withinMs: number
}

/**
 * The code behind `uses:`. `I` are its inputs after the schema, `O` its outputs, `K` the inputs that must be known for
 * `observe` to look at all (while one of them is pending, the plan assumes an absent resource), `S` what `observe` tells
 * `plan` of a drifted resource, `D` the doors it is given.
 */
export interface StepModule<I extends object, O extends object, K extends keyof I, S, D> {
  readonly uses: string
  /** One line for help and docs. */
  readonly summary: string
  readonly inputs: z.ZodType<I> & { readonly shape: Readonly<Record<string, z.ZodType>> }
  readonly outputs: z.ZodType<O>
  readonly identity: readonly K[]
  /** True for a step whose plan is always empty (`http/check`). It then has no part in "no change" plans. */
  readonly check?: true
  /**
   * True for a check of something that the run itself does away with: what it once verified stands in the journal, and a resume
   * does not look again.
   */
  readonly stands?: true
  /**
   * True where what `apply` has begun cannot be seen while it is under way (a move shows only in where each disk is). The way back from an
   * intent without an outcome then shows all of it, and `apply` must wait for the end of what may still be going on.
   */
  readonly unseen?: true
  /**
   * True for a step that makes sure of what those behind it rely on (nobody writes to these disks any more), whether they take something of
   * it or not: while a person has skipped it, none of them begins, on the way back neither.
   */
  readonly guards?: true
  /**
   * Set for a step whose state rests on what earlier ones did to what both claim alone (an imported pool on the disks of its machine).
   * While it is there and the run has only found it so, the way back of those does not begin; it says what a person can do then.
   */
  readonly rests?: string
  /** True for a step whose changes take something from users: `validate` warns where no gate precedes it. */
  readonly harms?: true
  verification(inputs: I): Verification
  /** Could these changes succeed? Reads only; asked only where there are changes. An empty list says yes. */
  preflight(changes: readonly Change[], inputs: PlanInputs<I>, ctx: PreflightContext<D>): Promise<readonly (Finding | Demand)[]>
  /**
   * What it reads from afar and must stay the same for a whole run (a chart in a registry): told when a run starts and when it is
   * resumed, before anything is written. Reads only. Files that inputs name (`file`) are pinned without it.
   */
  pins?(inputs: PlanInputs<I>, ctx: ReadContext<D>): Promise<readonly PinnedThing[]>
  /** Reads only. A thrown error counts as unknown. */
  observe(inputs: ObserveInputs<I, K>, ctx: ReadContext<D>): Promise<Observation<O, S>>
  /** Pure. Never called when converged. */
  plan(inputs: PlanInputs<I>, seen: Seen<S>): readonly Change[]
  /**
   * Makes exactly these changes, no others. All inputs are known by now. It must not fail while something that it has sent beside what
   * failed is unanswered: `observe` comes next, and cannot see that.
   */
  apply(changes: readonly Change[], inputs: I, ctx: ApplyContext<D>): Promise<void>
  /**
   * Pure. The writes that `apply` makes of these changes, each once, however often it may have to be tried: what the plan shows of
   * them, and what `report --fidelity` holds against what was sent. Without it a plan says that they are not predicted.
   */
  writes?(changes: readonly Change[], inputs: PlanInputs<I>): readonly Write[]
  /** Pure. One inverse for each change, in the same order, of the same name; one that is named by what it does may say `put back: NAME`. */
  invert(changes: readonly Change[]): readonly Inverse[]
  /**
   * Pure; for modules whose way back does not lead to the very state from before (a rollback is a new revision). `then` is the
   * change as it was made, `now` what going forward would change of the same resource again, if anything, and `forward` all of that:
   * is it back? `in-part` for one that is half made, and so to be put back. Undefined, or without this function, both must be alike.
   * `found` is what `observe` has told with its state: the outputs of what is converged, or what has drifted.
   */
  readonly isBack?: (then: Change, now: Change | undefined, forward: readonly Change[], found?: unknown) => boolean | 'in-part' | undefined
  /** Pure. */
  claims(inputs: PlanInputs<I>): readonly Claim[]
  /**
   * Pure. Name of the resource group that this step makes: it bears the mark of the run that is at work, by which another
   * machine is refused. Only for steps that make one.
   */
  group?(inputs: PlanInputs<I>): string | Pending
  /**
   * Pure. Between what its author can choose while the step and what waits for it have not been done: the plan shows what each makes
   * of the times. `outputs` where it is as wanted already. Empty where nothing is left to choose.
   */
  variants?(inputs: PlanInputs<I>, changes: readonly Change[], outputs: O | undefined): readonly Variant[]
  /** Pure. Expected duration in milliseconds of the run's clock, until real history exists. */
  estimateMs(inputs: PlanInputs<I>): number
}

/** A module whose types have been forgotten, as the registry lists it and the engine drives it. */
export type AnyStep<D> = StepModule<Record<string, unknown>, Record<string, unknown>, string, unknown, D>

/** Forgets a module's types; the engine parses inputs with the module's own schema before it passes them back. */
export function anyStep<I extends object, O extends object, K extends keyof I, S, D>(
  module: StepModule<I, O, K, S, D>,
): AnyStep<D> {
  return module as unknown as AnyStep<D>
}
