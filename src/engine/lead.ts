import type { Change } from '../contract/index.js'
import type { RunState } from '../journal/index.js'
import { needsOf, type Node, type Runbook } from '../runbook/index.js'
import { groupMakers } from './inputs.js'
import type { PlanPorts, RunPorts } from './ports.js'

/** The group that bears a run's mark before any other does, and the step that makes it. */
export interface Lead {
  readonly group: string
  readonly step: string
}

/**
 * The lead of a runbook: the same for all who run it, and as early as there is one, before any question if it can be. Undefined where no
 * step makes a group whose name is known beforehand: then nobody can tell who is at work.
 */
export function leadOf<D>(ports: Pick<PlanPorts<D>, 'runbook' | 'env' | 'registry'>): Lead | undefined {
  const questions = new Set(ports.runbook.nodes.filter(({ kind }) => kind !== 'step').map(({ id }) => id))
  const makers = groupMakers(ports).map(({ group, step }) => {
    const before = [...needsOf(ports.runbook, step)]
    return { group: group.toLowerCase(), step, asked: before.filter((id) => questions.has(id)).length, after: before.length }
  })
  const [lead] = makers.sort((a, b) => a.asked - b.asked || a.after - b.after || (a.group < b.group ? -1 : 1))
  return lead && { group: lead.group, step: lead.step }
}

/**
 * The step that a node waits for besides what it needs. Until a group bears the run's mark no other run sees it, and both would write
 * whatever comes first: so all steps wait for the lead where that is yet to be made. On the way back there is a mark already.
 */
export function firstFor<D>(
  ports: RunPorts<D>,
  { steps }: RunState,
  shown: ReadonlyMap<string, readonly Change[]>,
): (node: Node) => string | undefined {
  const lead = ports.target === undefined || ports.undone !== undefined ? undefined : leadOf(ports)
  if (lead === undefined || (shown.get(lead.step) ?? []).length === 0 || steps.get(lead.step)?.status === 'verified') return () => undefined
  return ({ id, kind }) => (kind === 'step' && steps.get(id)?.open !== true && waitsForLead(ports.runbook, lead, id) ? lead.step : undefined)
}

/**
 * Not what the lead itself needs; nor what does not wait for the questions that the lead waits for, since a person takes longer than
 * anything here.
 */
function waitsForLead(runbook: Runbook, { step: lead }: Lead, step: string): boolean {
  const before = needsOf(runbook, lead)
  if (step === lead || before.has(step)) return false
  const own = needsOf(runbook, step)
  return runbook.nodes.every(({ kind, id }) => kind === 'step' || !before.has(id) || own.has(id))
}
