/**
 * A value that only exists once other steps are done: the address of a release that is not installed yet.
 * It takes the place of an input in a plan and prints as `(known after prod)`; nothing is invented for it.
 */
export class Pending {
  /** Ids of the steps whose outputs are waited for, sorted, at least one. */
  readonly steps: readonly string[]
  readonly #output: PendingOutput | undefined

  /** `output` where it is nothing but one output of one step. */
  constructor(steps: readonly string[], output?: PendingOutput) {
    this.steps = [...new Set(steps)].sort()
    this.#output = output
  }

  /** Which output it is, where it is nothing else; it is no part of what is shown, compared and journaled. */
  get output(): PendingOutput | undefined {
    return this.#output
  }

  toString(): string {
    return `(known after ${this.steps.join(', ')})`
  }

  /** The form in which it stands in the journal and in `plan --json`. */
  toJSON(): { $pending: readonly string[] } {
    return { $pending: this.steps }
  }
}

/** `steps.network.outputs.subnets.nfs` is the path `subnets`, `nfs` of the step `network`. */
export interface PendingOutput {
  readonly step: string
  readonly path: readonly string[]
}

export function isPending(value: unknown): value is Pending {
  return value instanceof Pending
}

/** What a step's planning functions see: every input either known, as its schema says, or pending as a whole. */
export type PlanInputs<I> = { readonly [K in keyof I]: I[K] | Pending }

/** The same, with the inputs `K` guaranteed to be known. */
export type ObserveInputs<I, K extends keyof I> = Pick<I, K> & PlanInputs<Omit<I, K>>
