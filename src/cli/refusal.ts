import { errorFacts, type Clock, type EventOf, type Listener } from '../contract/index.js'
import type { Plan } from '../engine/index.js'
import { exit } from './exit.js'

export interface Told {
  readonly run: string
  readonly site: { readonly clock: Pick<Clock, 'now'> }
  readonly listeners: readonly Listener[]
}

type Refusal = Pick<EventOf<'run.refused'>, 'why' | 'findings' | 'error'>

/**
 * Ends the stream of events also where nothing begins: a reader of it has no other word of why. `work` says what it has planned and
 * when it begins; from then on the run tells its own end.
 */
export async function orRefused(
  { listeners, site, run }: Told,
  work: (planned: (plan: Pick<Plan, 'findings'>) => void, begins: () => void) => Promise<number>,
): Promise<number> {
  let findings: Plan['findings'] = []
  let begun = false
  const tell = (refusal: Refusal): void => {
    if (begun) return
    for (const listener of listeners) listener({ type: 'run.refused', t: site.clock.now().toISOString(), run, ...refusal })
  }
  try {
    const code = await work((plan) => void (findings = plan.findings), () => void (begun = true))
    if (code !== exit.done) tell({ why: code === exit.declined ? 'declined' : 'not-ready', findings })
    return code
  } catch (error) {
    tell({ why: 'error', findings, error: errorFacts(error) })
    throw error
  }
}
