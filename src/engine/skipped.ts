import { isPending, LifeboatError, type PlanInputs } from '../contract/index.js'
import { dependents, takersOf, type Runbook } from '../runbook/index.js'
import type { Outputs } from './ports.js'

/** It cannot go on without steps that were skipped. Trying it again tries those first. */
export class NeedsSkipped extends LifeboatError {
  /** `steps`: sorted, at least one. `what`: they would have done for this one. */
  constructor(readonly steps: readonly string[], what: 'given' | 'made sure of') {
    const names = steps.join(', ')
    const how = what === 'given' ? 'takes what' : 'relies on what'
    super('step.needs-skipped', `it ${how} ${names} would have ${what}, and ${steps.length === 1 ? 'that was' : 'those were'} skipped`, {
      blame: 'user',
      hint: `Trying again begins with ${names}, and asks as before if that fails. Nothing was written here.`,
    })
  }
}

/** Which steps would have given what is missing of these inputs; sorted. */
export function missingIn(inputs: PlanInputs<Record<string, unknown>>): readonly string[] {
  return [...new Set(Object.values(inputs).flatMap((value) => (isPending(value) ? value.steps : [])))].sort()
}

/** Steps that could not go on if this one were skipped. On the way back what the run had of it is known, but not what it guards. */
export function takersIf(
  step: string,
  runbook: Runbook,
  kept: Outputs | undefined,
  guards: boolean,
): { readonly takers?: readonly string[] } {
  const takers = guards ? guardedBy(step, runbook) : kept?.has(step) === true ? [] : takersOf(runbook, step)
  return takers.length === 0 ? {} : { takers }
}

/** Steps behind a guard, in the runbook's order. */
function guardedBy(guard: string, runbook: Runbook): readonly string[] {
  const behind = dependents(runbook, guard)
  return runbook.nodes.filter(({ id, kind }) => kind === 'step' && behind.has(id)).map(({ id }) => id)
}

/** Those guards, of some that were skipped, that a step is behind; sorted. */
export function guardsOf(step: string, skipped: ReadonlySet<string>, runbook: Runbook): readonly string[] {
  return [...skipped].filter((guard) => dependents(runbook, guard).has(step)).sort()
}
