import { z } from 'zod'
import {
  anyStep,
  LifeboatError,
  Secret,
  type Answer,
  type AnyStep,
  type Change,
  type Claim,
  type Clock,
  type Demand,
  type Finding,
  type JsonObject,
  type OwnProgram,
  type Question,
  type RunEvent,
} from '../../src/contract/index.js'
import { type Accepting, planRun, resumeRun, startRun, type Plan, type RunPorts, type StepScope, type Survivors, type Target } from '../../src/engine/index.js'
import { Journal, type RecordData, type RunState } from '../../src/journal/index.js'
import { Expression, type Node, type Runbook, type Template } from '../../src/runbook/index.js'
import { MemoryStore } from './journal-samples.js'

/** A world of switches: each step turns its own on. */
export class Switches {
  readonly on = new Set<string>()
  readonly turned: string[] = []
  /** What each look of a step was given: its id, and its inputs. */
  readonly given: [string, Record<string, unknown>][] = []
  /** Runs while a step is being applied. */
  during: (id: string, signal: AbortSignal) => Promise<void> = async () => undefined
  /** What a step's preflight says. */
  says: (id: string) => readonly (Finding | Demand)[] = () => []
  /** What is said of no step. */
  ofSite: () => readonly Finding[] = () => []
  /** Steps that take something from users. */
  readonly harmful = new Set<string>()
  /** Steps that others rely on, whether they take something of it or not. */
  readonly guarding = new Set<string>()
  /** Steps that are not looked at again once they are verified. */
  readonly standing = new Set<string>()
  /** Steps that can only be turned on another way, and offer it; `sees`: they find out when they look. */
  readonly offering = new Map<string, 'sees' | 'tries'>()
  /** Steps at which somebody is at work, on something that is there. */
  readonly flying = new Set<string>()
  /** Steps that make a resource group, and which. */
  readonly grouping = new Map<string, string>()
  /** What the doors of the last step were told that was given some. */
  scope: StepScope | undefined
  /** What a step is told at each look of the programs of its run that are over. */
  readonly programs: (readonly OwnProgram[])[] = []
}

const owner = { user: 'op', host: 'here', pid: 1, started: 'a' }
const position = { line: 1, column: 1 }

function clock(laterMs: number): Clock {
  let ms = Date.UTC(2019, 1, 25) + laterMs
  const pass = async (by: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    ms += by
    await new Promise(setImmediate)
  }
  return { now: () => new Date(ms), realNow: () => new Date(ms), sleep: pass, sleepReal: pass, toReal: (by) => by }
}

export const detour = (id: string): Change => ({ resource: `${id} otherwise`, action: 'run' })
const offer = (id: string): LifeboatError =>
  new LifeboatError('test.refused', 'refused', { alternative: { id: 'other', offer: 'does it otherwise', changes: [detour(id)] } })

function switchStep(world: Switches, id: string, claims: readonly Claim[] = []): AnyStep<unknown> {
  return anyStep<Record<string, unknown>, { id: string }, string, unknown, unknown>({
    uses: `test/${id}`,
    summary: '',
    inputs: z.looseObject({}),
    outputs: z.object({ id: z.string() }),
    identity: [],
    ...(world.standing.has(id) ? { stands: true } : {}),
    ...(world.guarding.has(id) ? { guards: true } : {}),
    verification: () => ({ everyMs: 10, withinMs: 1000 }),
    preflight: async () => world.says(id),
    observe: async (inputs, { accepted, overPrograms }) => {
      world.given.push([id, inputs])
      world.programs.push(overPrograms())
      if (world.flying.has(id)) return { state: 'in-flight', what: 'somebody is at it', seen: 'other' }
      if (world.offering.get(id) === 'sees' && !accepted.has('other')) throw offer(id)
      if (world.on.has(id)) return { state: 'converged', outputs: { id } }
      return accepted.has('other') ? { state: 'drifted', seen: 'other' } : { state: 'absent' }
    },
    plan: (_inputs, { state }) => [
      state === 'drifted' ? detour(id) : { resource: id, action: 'create', ...(world.harmful.has(id) ? { harm: 'notebooks stop' } : {}) },
    ],
    apply: async (changes, _inputs, { signal }) => {
      if (world.offering.get(id) === 'tries' && changes[0]?.resource === id) throw offer(id)
      await world.during(id, signal)
      world.turned.push(id)
      world.on.add(id)
    },
    invert: (changes) => changes.map((change: Change) => ({ ...change, action: 'delete' as const })),
    claims: () => claims,
    ...(world.grouping.has(id) ? { group: () => world.grouping.get(id) ?? '' } : {}),
    estimateMs: () => 60_000,
  })
}

export const step = (id: string, needs: string[] = [], inputs: Record<string, Template> = {}): Node => ({ kind: 'step', id, uses: `test/${id}`, needs, with: inputs, position, positions: new Map() })
/** `${{ steps.STEP.outputs.id }}` as an input. */
export const idOf = (from: string): Expression =>
  new Expression([{ reference: { root: 'steps', step: from, path: ['id'] }, text: `steps.${from}.outputs.id`, ...position }])
export const gate = (id: string, needs: string[]): Node => ({ kind: 'gate', id, ask: 'go on?', needs, position })

export interface Stage {
  readonly nodes: readonly Node[]
  readonly world: Switches
  readonly store?: MemoryStore
  readonly claims?: Record<string, Claim[]>
  readonly answer?: (question: Question) => Answer['choice']
  readonly stop?: AbortController
  readonly heard?: (event: RunEvent) => unknown
  /** Chosen in advance. */
  readonly accept?: Accepting
  /** Outputs of the run that is undone: the steps are its way back. */
  readonly outputs?: ReadonlyMap<string, JsonObject>
  /** Nobody is there to be asked. */
  readonly alone?: boolean
  /** How much later than the first life of a run it is. */
  readonly laterMs?: number
  /** Children of earlier lives; without it, there are none. */
  readonly survivors?: Survivors
  /** What the run that is put back has journaled. */
  readonly undone?: RunState['steps']
  /** Who may write to the target; without it, nobody else may. */
  readonly target?: Target
}

export async function perform({ nodes, world, store = new MemoryStore(), claims = {}, answer = () => 'go', stop = new AbortController(), heard = () => undefined, accept, outputs, alone = false, survivors, undone, target, laterMs = 0 }: Stage) {
  const events: RunEvent[] = []
  const runbook: Runbook = {
    apiVersion: 'lifeboat/v1',
    name: 'test',
    path: '/t.yaml',
    folder: '/',
    text: '',
    azure: { subscription: 's', location: 'l', cloud: 'c' },
    vars: {},
    nodes,
  }
  const time = clock(laterMs)
  const steps = nodes.filter(({ kind }) => kind === 'step').map(({ id }) => switchStep(world, id, claims[id]))
  const resuming = (await store.read()) !== ''
  const journal = resuming ? (await Journal.open(store, 'run', () => time.now())).journal : Journal.create(store, 'run', () => time.now())
  const ports: RunPorts<unknown> = {
    runbook,
    registry: new Map(steps.map((module) => [module.uses, module])),
    clock: time,
    env: () => undefined,
    secrets: { digest: () => 'keyed:0', read: () => new Secret('') },
    doors: (scope) => void (world.scope = scope),
    signal: stop.signal,
    pollEveryMs: 10,
    site: async () => world.ofSite(),
    journal,
    listeners: [(event) => events.push(event), (event) => void heard(event)],
    ...(accept === undefined ? {} : { accept }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(undone === undefined ? {} : { undone }),
    ...(target === undefined ? {} : { target }),
    operator: { name: 'test', present: !alone, ask: async (question) => ({ choice: answer(question), by: 'test', reason: 'because', alternative: 'other' }) },
    survivors: survivors ?? { handle: async () => 'gone', marked: async () => [] },
    resumeCommand: 'lifeboat resume run',
    undoCommand: 'lifeboat undo run',
  }
  const started: RecordData['run.started'] = {
    runbook: { name: 'test', path: '/t.yaml', text: '' },
    mode: 'run',
    cloud: { name: 'c', resourceManager: 'https://c', subscription: 's', path: null },
    owner,
    pins: [],
    confirmed: 'flag',
    realStartedAt: time.realNow().toISOString(),
  }
  let plan: Plan | undefined
  const outcome = resuming
    ? await resumeRun(ports, { owner, realStartedAt: time.realNow().toISOString(), acceptedChanges: false })
    : await startRun(ports, started, (plan = await planRun(ports)))
  return { outcome, plan, events, store, asked: events.flatMap((event) => (event.type === 'question.asked' ? [event.question.kind] : [])) }
}
