import { LifeboatError, type AnyStep, type Finding, type PlanInputs } from '../contract/index.js'
import type { Inputs } from './look.js'

/** A step that the run has found as wanted, and that rests on what it made before (`rests` in the step contract). */
export interface Resting<D> {
  readonly step: string
  readonly module: AnyStep<D>
  readonly inputs: PlanInputs<Inputs>
}

/**
 * The way back of a step on which others may rest: a pool that a person has imported is in no journal, and would lose its disks. Whether it
 * is still there is looked at; putting it back is for whoever made it. What cannot be told now throws, and is asked again.
 */
export function unlessRested<D>(module: AnyStep<D>, resting: readonly Resting<D>[]): AnyStep<D> {
  if (resting.length === 0) return module
  return {
    ...module,
    async preflight(changes, inputs, ctx) {
      const [own, ...stops] = await Promise.all([module.preflight(changes, inputs, ctx), ...resting.map((one) => restedBy(one, ctx))])
      return [...own, ...stops.flat()]
    },
  }
}

async function restedBy<D>({ step, module, inputs }: Resting<D>, ctx: Parameters<AnyStep<D>['observe']>[1]): Promise<readonly Finding[]> {
  const seen = await module.observe(inputs, ctx)
  if (seen.state === 'unknown') throw new LifeboatError('step.unknown', `whether ${step} is still there cannot be told: ${seen.why}`, { retry: {} })
  if (seen.state === 'absent') return []
  return [{ level: 'stop', what: `${step} still stands on this, and the run has only found it so: somebody else has made it`, mend: module.rests ?? '' }]
}
