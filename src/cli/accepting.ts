import type { Accepting } from '../engine/index.js'
import { suggestion, type Runbook } from '../runbook/index.js'
import { usageError } from './guard.js'

const form = 'It is --accept STEP=ID, as the failure of the step names it: --accept move=attach-across-groups.'

/**
 * What `--accept STEP=ID` chooses, by step. A step that the runbook does not have is a mistake of the command line; whether a
 * step ever offers that id, only the run tells.
 */
export function acceptingOf(given: readonly string[] | undefined, { nodes }: Pick<Runbook, 'nodes'>): Accepting {
  const accepting = new Map<string, Set<string>>()
  const steps = nodes.flatMap(({ id, kind }) => (kind === 'step' ? [id] : []))
  for (const text of given ?? []) {
    const [, step, id] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
    if (step === undefined || id === undefined) throw usageError(`--accept ${text} does not say which way of which step`, form)
    if (!steps.includes(step)) throw usageError(`--accept ${text}: the runbook has no step ${step}`, suggestion(step, steps, 'steps'))
    accepting.set(step, (accepting.get(step) ?? new Set()).add(id))
  }
  return accepting
}
