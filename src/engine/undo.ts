import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { isIrreversible, isKept, LifeboatError, type AnyStep, type Change, type PlanInputs } from '../contract/index.js'
import type { RunState, StepState } from '../journal/index.js'
import { dependents, type Runbook, type StepNode } from '../runbook/index.js'
import { inputsOf, outputsIn, unread } from './inputs.js'
import type { Inputs, Look } from './look.js'
import { moduleOf } from './planner.js'
import type { PlanPorts } from './ports.js'
import { unlessRested } from './resting.js'

/** What is left as it is, and why. */
export interface LeftBehind {
  readonly step: string
  readonly resource: string
  readonly why: string
  /** True for what is left on purpose (a safety copy), false for what cannot be put back. */
  readonly kept: boolean
  /** The resource group that it was made in, where the change says so: it stays, too. */
  readonly group?: string
}

/** A run's graph turned round, with modules that put back what the run changed. */
export interface Course<D> extends Required<Pick<PlanPorts<D>, 'runbook' | 'modules' | 'outputs' | 'undone'>> {
  readonly leftBehind: readonly LeftBehind[]
  /** Steps not known to be over: what they began may still be going on, and is put back only once it is there to be seen. */
  readonly open: readonly string[]
}

/**
 * The way back from a run: its steps with journaled changes, newest first, each driven through the same lifecycle as on the
 * way out. `undone` is what an earlier life of this undo has journaled: a step that is back, and behind which the undo has
 * gone on, cannot be looked at any more (its machine may be gone) and is left out.
 */
export function courseBack<D>(
  { runbook, registry, env }: Pick<PlanPorts<D>, 'runbook' | 'registry' | 'env'>,
  ran: RunState,
  undone?: RunState,
): Course<D> {
  const changed = runbook.nodes.flatMap((node) => {
    const changes = ran.steps.get(node.id)?.firstChanges ?? []
    return node.kind === 'step' && changes.length > 0 ? [{ node, changes, module: moduleOf({ registry }, node) }] : []
  })
  const isOpen = (id: string): boolean => ran.steps.get(id)?.open === true
  const modules = new Map(changed.map(({ node, changes, module }) => [node.id, backwards(module, changes, isOpen(node.id))]))
  const outputs = outputsIn(ran)
  const within = changed.flatMap(({ node, changes, module }) => leftOf(node.id, module, changes))
  const { staying, going } = byWhatStays(changed, within)
  const leftBehind = [...within, ...staying, ...forgotten(runbook, ran)]
  const names = { runbook, env, secrets: unread }
  const inputsIn = (node: StepNode, module: AnyStep<D>): PlanInputs<Inputs> => inputsOf(node, module, names, outputs)
  const aloneIn = (node: StepNode, module: AnyStep<D>): ReadonlySet<string> =>
    new Set(module.claims(inputsIn(node, module)).filter(({ mode }) => mode === 'alone').map(({ resource }) => resource))
  const alone = new Map(going.map(({ node, module }) => [node.id, aloneIn(node, module)] as const))
  for (const { node, module: forward } of going) {
    const on = alone.get(node.id) ?? new Set()
    const resting = foundOn(node.id, runbook, registry, ran)
      .filter((one) => [...aloneIn(one.node, one.module)].some((resource) => on.has(resource)))
      .map((one) => ({ step: one.node.id, module: one.module, inputs: inputsIn(one.node, one.module) }))
    modules.set(node.id, unlessRested(modules.get(node.id) ?? forward, resting))
  }
  const turned = turnedRound(runbook, going.map(({ node }) => node), alone)
  const open = going.map(({ node }) => node.id).filter((id) => mayGoOnOf(ran.steps.get(id)))
  return { runbook: withoutPassed(turned, undone), modules, outputs, undone: ran.steps, leftBehind, open }
}

interface Changed<D> {
  readonly node: StepNode
  readonly changes: readonly Change[]
  readonly module: AnyStep<D>
}

interface Parted<D> {
  readonly staying: readonly LeftBehind[]
  readonly going: readonly Changed<D>[]
}

/**
 * A group that the run made stays with what is left in it. It is no part of the way back: whether it is empty would be asked of a list, and
 * lists are behind.
 */
function byWhatStays<D>(changed: readonly Changed<D>[], within: readonly LeftBehind[]): Parted<D> {
  const staying = changed.flatMap(({ node, changes }): LeftBehind[] => {
    const [change, ...more] = changes
    const [, name] = /^resourceGroup (.+)$/.exec(change?.resource ?? '') ?? []
    const left = within.find(({ group }) => group?.toLowerCase() === name?.toLowerCase())
    if (change?.action !== 'create' || more.length > 0 || name === undefined || left === undefined) return []
    return [{ step: node.id, resource: change.resource, why: `${left.resource} is in it, and stays`, kept: true }]
  })
  return { staying, going: changed.filter(({ node }) => !staying.some(({ step }) => step === node.id)) }
}

/** What steps have changed that the runbook has no more: nobody knows how to put it back. */
function forgotten({ nodes }: Runbook, { steps }: RunState): readonly LeftBehind[] {
  const ids = new Set(nodes.filter(({ kind }) => kind === 'step').map(({ id }) => id))
  return [...steps].flatMap(([step, { firstChanges }]) =>
    ids.has(step) ? [] : firstChanges.map(({ resource }) => ({ step, resource, why: 'its step is no longer in the runbook', kept: false })),
  )
}

/** Steps further on that rest on what is before them, and that the run has once verified and never begun itself. */
function foundOn<D>(
  id: string,
  runbook: Runbook,
  registry: PlanPorts<D>['registry'],
  { steps }: RunState,
): readonly { readonly node: StepNode; readonly module: AnyStep<D> }[] {
  const after = dependents(runbook, id)
  return runbook.nodes.flatMap((node) => {
    if (node.kind !== 'step' || !after.has(node.id)) return []
    const { outputs, firstChanges = [] } = steps.get(node.id) ?? {}
    // Not its status: a later life may have failed to look at it again.
    if (outputs === undefined || firstChanges.length > 0) return []
    const module = moduleOf({ registry }, node)
    return module.rests === undefined ? [] : [{ node, module }]
  })
}

/** One that has failed is over, skipped then or not, but for a process of it of which nobody knows an end. */
function mayGoOnOf(step: StepState | undefined): boolean {
  if (step?.open !== true) return false
  return step.children.length > 0 || (step.status !== 'failed' && step.status !== 'skipped')
}

/**
 * Each node now waits for those that waited for it, also through nodes that changed nothing; and for those further down in the runbook that
 * changed the same thing, as the TTL of a record for its values: resolvers would keep a dead address for the long time.
 */
function turnedRound(runbook: Runbook, nodes: readonly StepNode[], alone: ReadonlyMap<string, ReadonlySet<string>>): Runbook {
  const ids = new Set(nodes.map(({ id }) => id))
  const needs = new Map(nodes.map(({ id }) => [id, new Set([...dependents(runbook, id)].filter((one) => ids.has(one)))]))
  nodes.forEach(({ id }, at) => {
    for (const { id: later } of nodes.slice(at + 1)) {
      const isSame = [...(alone.get(id) ?? [])].some((resource) => alone.get(later)?.has(resource) === true)
      if (isSame && !waitsFor(later, id, needs)) needs.get(id)?.add(later)
    }
  })
  const turned = nodes.map((node) => ({ ...node, needs: [...(needs.get(node.id) ?? [])].sort() }))
  return { ...runbook, nodes: turned.reverse() }
}

/** Does it wait for the other, through whatever it waits for? */
function waitsFor(step: string, other: string, needs: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const all = new Set([step])
  for (const one of all) for (const need of needs.get(one) ?? []) all.add(need)
  return all.has(other)
}

function withoutPassed(runbook: Runbook, undone: RunState | undefined): Runbook {
  if (undone === undefined) return runbook
  // By what no later life takes back: a step that was looked at again, and could not be told, has gone on all the same.
  const begun = (id: string): boolean => {
    const { firstChanges = [], outputs } = undone.steps.get(id) ?? {}
    return firstChanges.length > 0 || outputs !== undefined || isOver(undone, id)
  }
  const passed = new Set(
    runbook.nodes.filter(({ id }) => isOver(undone, id) && [...dependents(runbook, id)].some(begun)).map(({ id }) => id),
  )
  const left = runbook.nodes.filter(({ id }) => !passed.has(id))
  return { ...runbook, nodes: left.map((node) => ({ ...node, needs: node.needs.filter((id) => !passed.has(id)) })) }
}

function isOver({ steps }: RunState, id: string): boolean {
  const status = steps.get(id)?.status
  return status === 'verified' || status === 'skipped'
}

function leftOf<D>(step: string, module: AnyStep<D>, changes: readonly Change[]): LeftBehind[] {
  return module.invert(changes).flatMap((inverse, index): LeftBehind[] => {
    const { resource } = inverse
    const within = groupIn(changes[index]?.after)
    if (isIrreversible(inverse)) return [{ step, resource, why: inverse.irreversible, kept: false, ...within }]
    return isKept(inverse) ? [{ step, resource, why: inverse.kept, kept: true, ...within }] : []
  })
}

function groupIn(after: Change['after']): { readonly group?: string } {
  const group = typeof after === 'object' && after !== null && 'group' in after ? after.group : undefined
  return typeof group === 'string' ? { group } : {}
}

/**
 * A module that goes the other way: converged where going forward would make the run's own changes again, from the very state
 * that the run found. `changes` are those of the first intent for each resource. `open`: that intent has no outcome, so that what it
 * began may still be going on; where that cannot be seen (`unseen`), it counts as made until this has put it back.
 */
export function backwards<D>(module: AnyStep<D>, changes: readonly Change[], open = false): AnyStep<D> {
  const inverses = module.invert(changes)
  const invertible = changes.filter((_, index) => {
    const inverse = inverses[index]
    return inverse !== undefined && !isIrreversible(inverse) && !isKept(inverse)
  })
  let mayGoOn = open && module.unseen === true
  const placesIn = (forward: readonly Change[], found: unknown): readonly Placed[] =>
    invertible.map((change) => ({ change, place: placeOf(change, forward, module, found) }))
  // What is at work there may be this run's: shown as what it will be when it is over, since that must surprise nobody then.
  const begun = (): readonly Placed[] => invertible.map((change) => ({ change, place: 'made' }))
  return {
    ...module,
    outputs: z.object({}),
    async apply(...given): Promise<void> {
      await module.apply(...given)
      mayGoOn = false
    },
    async observe(inputs, ctx): Promise<Look> {
      const seen = await module.observe(inputs, ctx)
      if (seen.state === 'unknown') return isOurs(seen.halfMade, invertible) ? { state: 'drifted', seen: invertible } : seen
      if (seen.state === 'conflict') return inTheWay(seen, invertible)
      if (seen.state === 'in-flight') {
        if (isOurs(seen.halfMade, invertible)) return { state: 'drifted', seen: invertible }
        return flying(seen, seen.seen === undefined ? begun() : placesIn(module.plan(inputs, { state: 'drifted', seen: seen.seen }), seen.seen))
      }
      if (seen.state === 'converged' && seen.busy !== undefined) return flying({ state: 'in-flight', what: seen.busy }, begun())
      const places =
        seen.state === 'converged' ? placesIn([], seen.outputs) : placesIn(module.plan(inputs, seen), seen.state === 'drifted' ? seen.seen : undefined)
      const stranger = places.find(({ place }) => place === 'elsewhere')
      if (stranger !== undefined) return { state: 'conflict', ...notOurs(stranger.change) }
      const left = places.filter(({ place }) => place === 'made' || mayGoOn).map(({ change }) => change)
      return left.length === 0 ? { state: 'converged', outputs: {} } : { state: 'drifted', seen: left }
    },
    plan: (_inputs, seen) => (seen.state === 'drifted' ? module.invert(seen.seen as readonly Change[]).filter(isChange) : []),
    ...(module.check === true ? { check: true } : {}),
  }
}

/** What keeps a step from going forward keeps it from going back only where there is something to put back, and it is not that. */
function inTheWay(seen: Extract<Look, { state: 'conflict' }>, changes: readonly Change[]): Look {
  if (changes.length === 0) return { state: 'converged', outputs: {} }
  return isOurs(seen.halfMade, changes) ? { state: 'drifted', seen: changes } : seen
}

/** Has the run changed it? */
function isOurs(made: string | undefined, changes: readonly Change[]): boolean {
  return changes.some(({ resource }) => resource === made)
}

interface Placed {
  readonly change: Change
  readonly place: 'made' | 'back' | 'elsewhere'
}

/**
 * Whoever it is that is at work: it is waited for as long as on the way out. What is offered there leads further from where this run comes
 * from. Once it is over, whatever is not back may have to be put back, and was shown.
 */
function flying({ what, patience }: Extract<Look, { state: 'in-flight' }>, places: readonly Placed[]): Look {
  const left = places.filter(({ place }) => place !== 'back').map(({ change }) => change)
  return {
    state: 'in-flight',
    what,
    ...(patience === undefined || patience.error.alternative !== undefined ? {} : { patience }),
    ...(left.length === 0 ? {} : { seen: left }),
  }
}

function isChange(inverse: ReturnType<AnyStep<unknown>['invert']>[number]): inverse is Change {
  return !isIrreversible(inverse) && !isKept(inverse)
}

/** `made`: still as the run left it. `back`: as the run found it. `elsewhere`: somebody has changed it since, to something else. */
function placeOf<D>(change: Change, forward: readonly Change[], module: AnyStep<D>, found: unknown): Placed['place'] {
  const again = forward.find(({ resource }) => resource === change.resource)
  const told = module.isBack?.(change, again, forward, found)
  if (again === undefined) return told === true ? 'back' : 'made'
  if (told === 'in-part') return 'made'
  const same = told ?? (again.action === change.action && sameJson(again.before, change.before))
  return same ? 'back' : 'elsewhere'
}

/** As both stand in a journal. */
function sameJson(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other))
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}

function notOurs({ resource }: Change): { why: string; mend: string } {
  return {
    why: `${resource} is neither as this run left it nor as it was before: somebody has changed it since`,
    mend: 'Look at it. Put it right by hand and mark this step as done, or skip it with a reason.',
  }
}

/** Why a run cannot be undone, where that can be told from its journal. `forward` is the command that goes forward again. */
export function assertUndoable(ran: RunState, forward: string): void {
  if (ran.undoes !== undefined) {
    throw new LifeboatError('undo.of-undo', `${ran.run} is itself the undo of ${ran.undoes}`, {
      blame: 'user',
      hint: `To go forward again, run the runbook afresh: ${forward}`,
    })
  }
}
