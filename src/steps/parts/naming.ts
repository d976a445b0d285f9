import { isPending, LifeboatError, type Pending } from '../../contract/index.js'

/**
 * An input that names what is changed. While it is pending there is no name to show, and whatever were shown instead would stop
 * the run later as something that nobody has seen: the plan says so at once.
 */
export function naming<T>(value: T | Pending, input: string): T {
  if (!isPending(value)) return value
  throw new LifeboatError('step.named-late', `${input} names what is changed, and is known only after ${value.steps.join(', ')}`, {
    blame: 'user',
    hint: `Write ${input} into the runbook, or take it from its vars.`,
  })
}
