import { LifeboatError, type Change, type JsonObject } from '../contract/index.js'
import { dependents, needsOf, type StepNode } from '../runbook/index.js'
import { allKnown, inputsOf } from './inputs.js'
import type { StepWork } from './lifecycle.js'
import { lookUntilSettled } from './look.js'
import { moduleOf } from './planner.js'
import type { RunPorts } from './ports.js'
import { collate, type Heard } from './readiness.js'

/** What a walk has seen and shown so far. */
export interface Known<D> {
  readonly ports: RunPorts<D>
  readonly outputs: ReadonlyMap<string, JsonObject>
  /** What was agreed to, by step. */
  readonly shown: ReadonlyMap<string, readonly Change[]>
  /** Steps that this life of the run has seen to be as wanted. */
  readonly verified: ReadonlySet<string>
  readonly contextOf: (step: string) => StepWork<D>['ctx']
}

const nothing: Heard = { steps: [], said: [] }

/**
 * The last look before users lose something: preflight of the harming step `id` and of all that comes after it, and whether
 * what this run has made for them is still so (the cluster, the identity that it acts as, the right that this one was given).
 * On the way back nothing was made for them, and what is back may not be there to be looked at: a release, once its cluster goes.
 * Throws `preflight.failed` with everything that stands in the way.
 */
export async function lookBeforeHarm<D>(id: string, known: Known<D>): Promise<void> {
  const { runbook, outputs } = known.ports
  const isWayBack = outputs !== undefined
  const steps = runbook.nodes.filter((node) => node.kind === 'step')
  const concerned = new Set([id, ...dependents(runbook, id)])
  const needed = new Set([...concerned].flatMap((one) => [...needsOf(runbook, one)]))
  const before = isWayBack ? [] : steps.filter((step) => needed.has(step.id) && !concerned.has(step.id) && known.verified.has(step.id))
  const after = steps.filter((step) => concerned.has(step.id))
  const heard = await Promise.all([...before.map((step) => stillThere(step, known)), ...after.map((step) => preflight(step, known))])
  const stops = collate(heard).filter((finding) => finding.level === 'stop')
  if (stops.length === 0) return
  const whats = stops.map(({ steps: of, what }) => `${of.join(', ')}: ${what}`)
  throw new LifeboatError('preflight.failed', whats.join('; '), {
    hint: [...new Set(stops.map((finding) => finding.mend))].join(' '),
    blame: 'user',
  })
}

/** What was verified a while ago may have been taken away since. What cannot be told now throws, and is tried again with the step. */
async function stillThere<D>(node: StepNode, { ports, outputs, contextOf }: Known<D>): Promise<Heard> {
  const module = moduleOf(ports, node)
  if (module.check === true || module.stands === true) return nothing
  const inputs = inputsOf(node, module, ports, outputs)
  if (!allKnown(inputs)) return nothing
  const seen = await lookUntilSettled(module, inputs, contextOf(node.id))
  if (seen.state === 'converged') return nothing
  const why = seen.state === 'conflict' ? seen.why : seen.state === 'absent' ? 'it is gone' : 'it has been changed'
  const mend = 'Nothing was begun here that takes something from users. Find out who changed it; a resume then looks at it again first, and mends it.'
  return { steps: [node.id], said: [{ level: 'stop', what: `is not any more as it was verified: ${why}`, mend }] }
}

async function preflight<D>(node: StepNode, { ports, outputs, shown, contextOf }: Known<D>): Promise<Heard> {
  const planned = (step: string): readonly Change[] => shown.get(step) ?? []
  const changes = planned(node.id)
  if (changes.length === 0) return nothing
  const module = moduleOf(ports, node)
  const inputs = inputsOf(node, module, ports, outputs)
  return { steps: [node.id], said: await module.preflight(changes, inputs, { ...contextOf(node.id), planned }) }
}
