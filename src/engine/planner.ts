import {
  errorFacts,
  isIrreversible,
  LifeboatError,
  type AnyStep,
  type Change,
  type ErrorFacts,
  type Finding,
  type JsonObject,
  type Place,
  type PlanFacts,
  type PlanInputs,
  type PlannedStep,
  type PreflightContext,
  type ReadContext,
  type Seen,
} from '../contract/index.js'
import { chosenInAdvance, type Taken } from './alternatives.js'
import type { Node, StepNode } from '../runbook/index.js'
import { canObserve, inputsOf } from './inputs.js'
import { conflictError, lookOnce, readContext, type Inputs, type Look } from './look.js'
import { placesOf } from './places.js'
import type { PlanPorts } from './ports.js'
import { collate, type Heard, type StepFinding } from './readiness.js'
import { readPolicy, waitAfter, waitOut } from './retry.js'
import { factsOf } from './schedule.js'
import { unsettled } from './settled.js'
import { variantsOf } from './variants.js'

/** A step that cannot be planned: its state cannot be told, or it conflicts with what is wanted. It stands among the findings too. */
export interface PlanFailure {
  readonly step: string
  readonly error: ErrorFacts
}

export interface Plan {
  readonly steps: readonly PlannedStep[]
  readonly facts: PlanFacts
  readonly findings: readonly StepFinding[]
  readonly failures: readonly PlanFailure[]
  /** Alternatives that were chosen in advance and are part of this plan. */
  readonly taken: readonly Taken[]
  /** What the steps with changes work with. */
  readonly places: readonly Place[]
}

type Draft = Omit<PlannedStep, 'startMs'>

/**
 * Works out by reading only what a run would change: observe and plan for every step along the graph, then preflight for
 * those with changes, side by side. Steps whose inputs are pending are planned as for an absent resource and say so.
 */
export async function planRun<D>(ports: PlanPorts<D>): Promise<Plan> {
  const outputs = new Map<string, JsonObject>(ports.outputs)
  const drafts = new Map<string, Promise<Draft>>()
  const failures: PlanFailure[] = []
  const offers: Heard[] = []
  const taken: Taken[] = []
  const preflights = new Map<string, Preflight>()
  const given = new Map<string, PlanInputs<Inputs>>()
  const upTo = new Map<string, readonly Change[]>()
  for (const node of ports.runbook.nodes) {
    // The order is topological: what a node needs has its draft already.
    const needs = node.needs.map((id) => drafts.get(id) as Promise<Draft>)
    const draft = Promise.all(needs).then(async () => {
      const before = [...new Set(node.needs.flatMap((id) => upTo.get(id) ?? []))]
      upTo.set(node.id, before)
      try {
        const made = await draftTaking(node, ports, outputs, { taken, before }, (inputs, preflight) => {
          given.set(node.id, inputs)
          preflights.set(node.id, preflight)
        })
        upTo.set(node.id, [...before, ...made.changes])
        return made
      } catch (error) {
        ports.signal.throwIfAborted()
        const offer = offerOf(node.id, error)
        if (offer !== undefined) offers.push(offer)
        if (offer !== undefined && node.kind === 'step') return unknownDraft(node, ports, outputs, (inputs) => given.set(node.id, inputs))
        failures.push({ step: node.id, error: errorFacts(error) })
        return emptyDraft(node, 'assumed')
      }
    })
    draft.catch(() => undefined)
    drafts.set(node.id, draft)
  }
  const { steps: timed, facts: placed } = factsOf(await Promise.all(drafts.values()))
  const steps = timed.map((step) => chosenBetween(step, timed, ports, outputs))
  const facts = { ...placed, marks: steps.some((step) => step.changes.length > 0) ? (ports.marks ?? []) : [] }
  const changes = new Map(steps.map((step) => [step.id, step.changes]))
  const ready = await readinessOf(ports, preflights, (step) => changes.get(step) ?? [])
  const heard = [...failures.map(unplannable), ...offers, ...ready]
  const places = placesOf(steps.flatMap(({ id, changes: planned }) => {
    const inputs = given.get(id)
    return inputs === undefined ? [] : [{ inputs, changes: planned }]
  }))
  return { steps, facts, findings: collate(unsettled(heard, steps)), failures, taken, places }
}

/** With what else its runbook could say. On the way back there is nothing to choose. */
function chosenBetween<D>(
  step: PlannedStep,
  steps: readonly PlannedStep[],
  ports: PlanPorts<D>,
  outputs: ReadonlyMap<string, JsonObject>,
): PlannedStep {
  const node = ports.runbook.nodes.find(({ id }) => id === step.id)
  if (node?.kind !== 'step' || ports.modules !== undefined) return step
  const module = moduleOf(ports, node)
  if (module.variants === undefined || (step.changes.length === 0 && step.state !== 'converged')) return step
  const choosable = { step, module, inputs: inputsOf(node, module, ports, outputs), outputs: outputs.get(step.id) }
  const variants = variantsOf(choosable, steps, ports.history)
  return variants.length === 0 ? step : { ...step, variants }
}

type Planned = PreflightContext<unknown>['planned']
type Preflight = (planned: Planned) => ReturnType<AnyStep<unknown>['preflight']>

/** All checks side by side; told in the graph's order, whichever answered first. */
async function readinessOf<D>(
  ports: PlanPorts<D>,
  preflights: ReadonlyMap<string, Preflight>,
  planned: Planned,
): Promise<readonly Heard[]> {
  if (preflights.size === 0) return []
  const site = hear([], async () => (await ports.site?.()) ?? [], ports)
  const steps = ports.runbook.nodes.flatMap(({ id }) => {
    const preflight = preflights.get(id)
    return preflight === undefined ? [] : [hear([id], () => preflight(planned), ports)]
  })
  return Promise.all([site, ...steps])
}

/** A check that cannot be made is a finding: unknown is not ready. What may pass is tried again first. */
async function hear<D>(steps: readonly string[], check: () => ReturnType<Preflight>, { clock, signal }: PlanPorts<D>): Promise<Heard> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { steps, said: await check() }
    } catch (error) {
      signal.throwIfAborted()
      const wait = waitAfter(error, attempt, readPolicy)
      if (wait === undefined) return { steps, said: [uncheckable(error)] }
      await waitOut(clock, wait, signal)
    }
  }
}

/** A step that cannot be planned keeps the run from starting like anything else that is found, and is mended like it. */
function unplannable({ step, error }: PlanFailure): Heard {
  const what = error.blame === 'user' ? error.message : `cannot be planned: ${error.message}`
  return { steps: [step], said: [{ level: 'stop', what, mend: error.hint ?? 'Try again once this can be read.' }] }
}

function uncheckable(error: unknown): Finding {
  const { message, hint, blame } = errorFacts(error)
  // What is the user's to mend (no helm, a key that is none) is what the check found, not its failure.
  const what = blame === 'user' ? message : `cannot be checked: ${message}`
  return { level: 'stop', what, mend: hint ?? 'Try again once this can be read.' }
}

/** Looks once more for each alternative that is offered now and was chosen in advance. */
async function draftTaking<D>(
  node: Node,
  ports: PlanPorts<D>,
  outputs: Map<string, JsonObject>,
  { taken, before }: { readonly taken: Taken[]; readonly before: readonly Change[] },
  changing: (inputs: PlanInputs<Inputs>, check: Preflight) => void,
): Promise<Draft> {
  const accepted = new Set<string>()
  for (;;) {
    try {
      return await draftOf(node, ports, outputs, changing, { accepted, before })
    } catch (error) {
      const chosen = chosenInAdvance(ports.accept, node.id, errorFacts(error))
      if (chosen === undefined || accepted.has(chosen.error.alternative.id)) throw error
      accepted.add(chosen.error.alternative.id)
      taken.push(chosen)
    }
  }
}

/** A step that cannot go on as it is, and offers another way: a finding, since the operator can choose it. */
function offerOf(step: string, error: unknown): Heard | undefined {
  const { message, hint, alternative } = errorFacts(error)
  if (alternative === undefined) return undefined
  const otherwise = `Or, with --accept ${step}=${alternative.id}: ${alternative.offer}`
  return { steps: [step], said: [{ level: 'stop', what: message, mend: [hint, otherwise].filter((part) => part !== undefined).join(' ') }] }
}

/** What could not be looked at is planned as if all of it were to be done, so that the harm of it is seen. */
function unknownDraft<D>(
  node: StepNode,
  ports: PlanPorts<D>,
  outputs: Map<string, JsonObject>,
  changing: (inputs: PlanInputs<Inputs>) => void,
): Draft {
  const module = moduleOf(ports, node)
  const inputs = inputsOf(node, module, ports, outputs)
  changing(inputs)
  const changes = module.plan(inputs, { state: 'absent' })
  return {
    ...emptyDraft(node, 'unknown'),
    changes,
    ...writesOf(module, changes, inputs),
    irreversible: irreversibleOf(module, changes),
    ...estimateOf(node, module.estimateMs(inputs), ports),
  }
}

async function draftOf<D>(
  node: Node,
  ports: PlanPorts<D>,
  outputs: Map<string, JsonObject>,
  changing: (inputs: PlanInputs<Inputs>, check: Preflight) => void,
  { accepted, before }: { readonly accepted: ReadonlySet<string>; readonly before: readonly Change[] },
): Promise<Draft> {
  if (node.kind !== 'step') return idleDraft(node, 'gate')
  const module = moduleOf(ports, node)
  const inputs = inputsOf(node, module, ports, outputs)
  const ctx = contextFor(node, ports, accepted)
  const estimate = estimateOf(node, module.estimateMs(inputs), ports)
  const looked = canObserve(module, inputs) ? await lookWithRetries(module, inputs, ctx) : undefined
  const seen = looked?.state === 'conflict' ? unlessChanged(looked, before) : looked
  // On the way back what the run had of a step stays what others refer to: a step that is back gives nothing.
  if (seen?.state === 'converged' && ports.outputs?.has(node.id) !== true) outputs.set(node.id, seen.outputs as JsonObject)
  if (module.check === true) return { ...idleDraft(node, 'check'), ...estimate }
  if (seen?.state === 'converged') return { ...idleDraft(node, 'converged'), ...estimate, ...remarkOf(seen.outputs) }
  if (seen?.state === 'conflict') throw conflictError(seen)
  const basis = basisOf(seen)
  const changes = module.plan(inputs, basis)
  if (changes.length > 0) changing(inputs, (planned) => module.preflight(changes, inputs, { ...ctx, planned }))
  return {
    ...emptyDraft(node, seen === undefined ? 'assumed' : (seen.state)),
    changes,
    ...writesOf(module, changes, inputs),
    irreversible: irreversibleOf(module, changes),
    ...estimate,
  }
}

type Conflict = Extract<Look, { state: 'conflict' }>

/** What steps before this one are going to change cannot be held against it. */
function unlessChanged(conflict: Conflict, before: readonly Change[]): Conflict | Extract<Look, { state: 'drifted' }> {
  const { until } = conflict
  if (until === undefined) return conflict
  const same = (one: unknown, other: unknown): boolean => String(one).toLowerCase() === String(other).toLowerCase()
  const changes = (change: Change, resource: string, was: JsonObject): boolean => {
    const now = change.before as JsonObject | undefined
    return change.resource === resource && Object.entries(was).every(([key, value]) => same(value, now?.[key]))
  }
  const isChanged = until.changes.every(({ resource, before: was }) => before.some((change) => changes(change, resource, was)))
  return isChanged ? { state: 'drifted', seen: until.seen } : conflict
}

/** What is under way may end in part: all of the rest must have been shown. */
function basisOf(seen: Exclude<Look, { state: 'unknown' | 'converged' | 'conflict' }> | undefined): Seen<unknown> {
  if (seen?.state === 'drifted') return seen
  return seen?.state === 'in-flight' && seen.seen !== undefined ? { state: 'drifted', seen: seen.seen } : { state: 'absent' }
}

/** Nothing where the module does not say. */
function writesOf<D>(module: AnyStep<D>, changes: readonly Change[], inputs: PlanInputs<Inputs>): Pick<Draft, 'writes'> {
  const writes = module.writes?.(changes, inputs)
  return writes === undefined ? {} : { writes }
}

/** What it took before, where that is known; the module's own guess otherwise. */
function estimateOf<D>(node: StepNode, guessMs: number, { history }: PlanPorts<D>): Pick<Draft, 'estimateMs' | 'estimatedFrom'> {
  const usual = history?.usual(node)
  if (usual === undefined) return { estimateMs: guessMs }
  return { estimateMs: usual.p50Ms, estimatedFrom: { runs: usual.runs, p90Ms: usual.p90Ms } }
}

function remarkOf({ remark }: Inputs): { readonly remark?: string } {
  return typeof remark === 'string' ? { remark } : {}
}

/** Before a plan, unknown stops after a few tries: nothing may be assumed of what cannot be read. */
async function lookWithRetries<D>(
  module: AnyStep<D>,
  inputs: PlanInputs<Inputs>,
  ctx: ReadContext<D>,
): Promise<Exclude<Look, { state: 'unknown' }>> {
  for (let attempt = 1; ; attempt += 1) {
    const seen = await lookOnce(module, inputs, ctx)
    if (seen.state !== 'unknown') return seen
    // A check that does not pass yet is no obstacle: passing is what the steps before it are for.
    if (module.check === true) return { state: 'absent' }
    const wait = waitAfter(seen.cause, attempt, readPolicy)
    if (wait === undefined) {
      if (seen.cause instanceof LifeboatError) throw seen.cause
      throw new LifeboatError('step.unknown', `its state cannot be told: ${seen.why}`, { cause: seen.cause })
    }
    ctx.progress(`cannot tell yet: ${seen.why}`)
    await waitOut(ctx.clock, wait, ctx.signal)
  }
}

export function contextFor<D>(node: StepNode, ports: PlanPorts<D>, accepted: ReadonlySet<string>): ReadContext<D> {
  // A plan starts no child that may outlive it and writes nothing, so there is nothing to journal.
  const children = { started: () => Promise.resolve(), ended: () => Promise.resolve() }
  const doors = ports.doors({ step: node.id, children })
  return readContext(doors, ports.clock, ports.signal, (message) => ports.progress?.(node.id, message), accepted, ports.secrets)
}

export function moduleOf<D>({ registry, modules }: Pick<PlanPorts<D>, 'registry' | 'modules'>, node: StepNode): AnyStep<D> {
  const module = modules?.get(node.id) ?? registry.get(node.uses)
  if (module === undefined) throw new LifeboatError('tool.bug', `no module ${node.uses}`, { blame: 'tool' })
  return module
}

export function irreversibleOf<D>(module: AnyStep<D>, changes: readonly Change[]): Record<string, string> {
  const reasons = module.invert(changes).filter(isIrreversible)
  return Object.fromEntries(reasons.map(({ resource, irreversible }) => [resource, irreversible]))
}

/** A step that has nothing to write. */
function idleDraft(node: Node, state: Draft['state']): Draft {
  return { ...emptyDraft(node, state), writes: [] }
}

function emptyDraft(node: Node, state: Draft['state']): Draft {
  const uses = node.kind === 'step' ? node.uses : node.kind
  return { id: node.id, uses, needs: node.needs, state, changes: [], irreversible: {}, estimateMs: 0 }
}
