import { errorFacts, eventStreamVersion, type Clock, type ErrorFacts, type EventOf, type Listener, type RunEvent } from '../contract/index.js'
import type { Plan } from '../engine/index.js'
import { clockOf } from '../platform/clock/clock.js'
import type { Output } from '../render/index.js'
import { exit } from './exit.js'
import type { CommonOptions } from './options.js'
import { toolVersion } from './version.js'

export interface Told {
  readonly run: string
  readonly site: { readonly clock: Pick<Clock, 'now'> }
  readonly listeners: readonly Listener[]
  /** Called once, when it begins. */
  readonly begins: () => void
}

type Refusal = Pick<EventOf<'run.refused'>, 'why' | 'findings' | 'error'>

/**
 * Ends the stream of events also where nothing begins: a reader of it has no other word of why. `work` says what it has planned and
 * when it begins; from then on the run tells its own end.
 */
export async function orRefused(
  { listeners, site, run, begins }: Told,
  work: (planned: (plan: Pick<Plan, 'findings'>) => void, hasBegun: () => void) => Promise<number>,
): Promise<number> {
  let findings: Plan['findings'] = []
  let begun = false
  const tell = (refusal: Refusal): void => {
    if (begun) return
    for (const listener of listeners) listener({ type: 'run.refused', t: site.clock.now().toISOString(), run, ...refusal })
  }
  const hasBegun = (): void => {
    begun = true
    begins()
  }
  try {
    const code = await work((plan) => void (findings = plan.findings), hasBegun)
    if (code !== exit.done) tell({ why: code === exit.declined ? 'declined' : 'not-ready', findings })
    return code
  } catch (error) {
    tell({ why: 'error', findings, error: errorFacts(error) })
    throw error
  }
}

/**
 * The whole stream of a command that was refused before it had one: wrong usage, a runbook that is not right, a run that nobody knows.
 * Its events are of no run. Says nothing where something has been told, or where no events were asked for.
 */
export function refuseUnopened(
  output: Pick<Output, 'data' | 'hasData'>,
  { json, dryRun }: Pick<CommonOptions, 'json' | 'dryRun'>,
  code: number,
  error?: ErrorFacts,
): void {
  if (json !== true || dryRun === true || output.hasData || code === exit.done) return
  const of = { t: clockOf({}).now().toISOString(), run: '' }
  const why = code === exit.declined ? 'declined' : error === undefined ? 'not-ready' : 'error'
  const events: readonly RunEvent[] = [
    { type: 'stream.opened', ...of, version: eventStreamVersion, tool: toolVersion() },
    { type: 'run.refused', ...of, why, findings: [], ...(error === undefined ? {} : { error }) },
  ]
  for (const event of events) output.data(`${JSON.stringify(event)}\n`)
}
