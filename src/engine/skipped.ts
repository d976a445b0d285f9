import { isPending, LifeboatError, type PlanInputs } from '../contract/index.js'
import { takersOf, type Runbook } from '../runbook/index.js'
import type { Outputs } from './ports.js'

/** It takes what steps would have given that were skipped. Trying it again tries those first. */
export class NeedsSkipped extends LifeboatError {
  /** Sorted, at least one. */
  readonly steps: readonly string[]

  constructor(inputs: PlanInputs<Record<string, unknown>>) {
    const steps = [...new Set(Object.values(inputs).flatMap((value) => (isPending(value) ? value.steps : [])))].sort()
    const names = steps.join(', ')
    super('step.needs-skipped', `it takes what ${names} would have given, and ${steps.length === 1 ? 'that was' : 'those were'} skipped`, {
      blame: 'user',
      hint: `Trying again begins with ${names}, and asks as before if that fails. Nothing was written here.`,
    })
    this.steps = steps
  }
}

/** Steps that could not go on if this one were skipped. On the way back what the run had of it is known. */
export function takersIf(step: string, runbook: Runbook, kept: Outputs | undefined): { readonly takers?: readonly string[] } {
  const takers = kept?.has(step) === true ? [] : takersOf(runbook, step)
  return takers.length === 0 ? {} : { takers }
}
