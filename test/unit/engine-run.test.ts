import { describe, expect, it } from 'vitest'
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
  type Question,
  type RunEvent,
} from '../../src/contract/index.js'
import { type Accepting, planRun, resumeRun, startRun, type Plan, type RunPorts } from '../../src/engine/index.js'
import { Journal, type RecordData } from '../../src/journal/index.js'
import type { Node, Runbook } from '../../src/runbook/index.js'
import { MemoryStore } from '../helpers/journal-samples.js'

/** A world of switches: each step turns its own on. */
class Switches {
  readonly on = new Set<string>()
  readonly turned: string[] = []
  /** Runs while a step is being applied. */
  during: (id: string, signal: AbortSignal) => Promise<void> = async () => undefined
  /** What a step's preflight says. */
  says: (id: string) => readonly (Finding | Demand)[] = () => []
  /** What is said of no step. */
  ofSite: () => readonly Finding[] = () => []
  /** Steps that take something from users. */
  readonly harmful = new Set<string>()
  /** Steps that can only be turned on another way, and offer it; `sees`: they find out when they look. */
  readonly offering = new Map<string, 'sees' | 'tries'>()
}

const owner = { user: 'op', host: 'here', pid: 1, started: 'a' }
const position = { line: 1, column: 1 }

function clock(): Clock {
  let ms = Date.UTC(2019, 1, 25)
  const pass = async (by: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    ms += by
    await new Promise(setImmediate)
  }
  return { now: () => new Date(ms), realNow: () => new Date(ms), sleep: pass, sleepReal: pass, toReal: (by) => by }
}

const detour = (id: string): Change => ({ resource: `${id} otherwise`, action: 'run' })
const offer = (id: string): LifeboatError =>
  new LifeboatError('test.refused', 'refused', { alternative: { id: 'other', offer: 'does it otherwise', changes: [detour(id)] } })

function switchStep(world: Switches, id: string, claims: readonly Claim[] = []): AnyStep<unknown> {
  return anyStep<Record<string, unknown>, { id: string }, string, unknown, unknown>({
    uses: `test/${id}`,
    summary: '',
    inputs: z.object({}),
    outputs: z.object({ id: z.string() }),
    identity: [],
    verification: () => ({ everyMs: 10, withinMs: 1000 }),
    preflight: async () => world.says(id),
    observe: async (_inputs, { accepted }) => {
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
    estimateMs: () => 60_000,
  })
}

const step = (id: string, needs: string[] = []): Node => ({ kind: 'step', id, uses: `test/${id}`, needs, with: {}, position, positions: new Map() })
const gate = (id: string, needs: string[]): Node => ({ kind: 'gate', id, ask: 'go on?', needs, position })

interface Stage {
  readonly nodes: readonly Node[]
  readonly world: Switches
  readonly store?: MemoryStore
  readonly claims?: Record<string, Claim[]>
  readonly answer?: (question: Question) => Answer['choice']
  readonly stop?: AbortController
  /** Chosen in advance. */
  readonly accept?: Accepting
  /** Nobody is there to be asked. */
  readonly alone?: boolean
}

async function perform({ nodes, world, store = new MemoryStore(), claims = {}, answer = () => 'go', stop = new AbortController(), accept, alone = false }: Stage) {
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
  const time = clock()
  const steps = nodes.filter(({ kind }) => kind === 'step').map(({ id }) => switchStep(world, id, claims[id]))
  const resuming = (await store.read()) !== ''
  const journal = resuming ? (await Journal.open(store, 'run', () => time.now())).journal : Journal.create(store, 'run', () => time.now())
  const ports: RunPorts<unknown> = {
    runbook,
    registry: new Map(steps.map((module) => [module.uses, module])),
    clock: time,
    env: () => undefined,
    secrets: { digest: () => 'keyed:0', read: () => new Secret('') },
    doors: () => undefined,
    signal: stop.signal,
    pollEveryMs: 10,
    site: async () => world.ofSite(),
    journal,
    listeners: [(event) => events.push(event)],
    ...(accept === undefined ? {} : { accept }),
    operator: { name: 'test', present: !alone, ask: async (question) => ({ choice: answer(question), by: 'test', reason: 'because', alternative: 'other' }) },
    survivors: { handle: async () => 'gone', marked: async () => [] },
    resumeCommand: 'lifeboat resume run',
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

describe('a run', () => {
  it('does what needs nothing side by side, and everything else after what it needs', async () => {
    const world = new Switches()
    const { outcome } = await perform({ nodes: [step('a'), step('b', ['a']), step('c'), step('d', ['b', 'c'])], world })
    expect(outcome).toBe('succeeded')
    expect(world.turned.indexOf('c')).toBeLessThan(world.turned.indexOf('d'))
    expect(world.turned.filter((id) => id !== 'c')).toEqual(['a', 'b', 'd'])
  })

  it('keeps steps apart whose claims collide', async () => {
    const world = new Switches()
    let busy = 0
    let most = 0
    world.during = async () => {
      most = Math.max(most, (busy += 1))
      await new Promise(setImmediate)
      busy -= 1
    }
    const group: Claim[] = [{ resource: 'g', mode: 'alone' }]
    await perform({ nodes: [step('a'), step('b'), step('c')], world, claims: { a: group, b: group, c: group } })
    expect(most).toBe(1)
  })

  it('starts nothing that comes after a failed step, and is resumed from there', async () => {
    const world = new Switches()
    const nodes = [step('a'), step('b', ['a']), step('c', ['b'])]
    world.during = async (id) => {
      if (id === 'b') throw new LifeboatError('azure.refused', 'no')
    }
    const first = await perform({ nodes, world, answer: () => 'stop' })
    expect([first.outcome, world.turned]).toEqual(['failed', ['a']])
    expect(first.events.at(-1)).toMatchObject({ type: 'run.finished', next: 'lifeboat resume run' })
    world.during = async () => undefined
    const second = await perform({ nodes, world, store: first.store })
    expect([second.outcome, world.turned]).toEqual(['succeeded', ['a', 'b', 'c']])
  })

  it('waits for nothing any more once its journal cannot be written, and is resumed when it can', async () => {
    const world = new Switches()
    const store = new MemoryStore()
    const nodes = [step('long'), step('short')]
    world.during = (id, signal) => {
      if (id === 'short') {
        store.failure = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        return Promise.resolve()
      }
      // Hours of somebody else's work, which only an abort ends.
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    }
    await expect(perform({ nodes, world, store })).rejects.toMatchObject({ code: 'journal.write-failed', hint: expect.stringContaining('Free some space') as string })
    store.failure = undefined
    world.during = async () => undefined
    const { outcome, events } = await perform({ nodes, world, store })
    expect([outcome, world.turned]).toEqual(['succeeded', ['short', 'long']])
    expect(events.filter(({ type }) => type === 'step.intent')).toHaveLength(1)
  })

  it('asks a gate once, not again when it is resumed, and never when nothing would change after it', async () => {
    const world = new Switches()
    const nodes = [step('a'), gate('g', ['a']), step('b', ['g'])]
    world.during = async (id) => {
      if (id === 'b') throw new LifeboatError('azure.refused', 'no')
    }
    const first = await perform({ nodes, world, answer: (question) => (question.kind === 'gate' ? 'go' : 'stop') })
    expect(first.asked).toEqual(['gate', 'failure'])
    world.during = async () => undefined
    expect((await perform({ nodes, world, store: first.store })).asked).toEqual([])
    expect((await perform({ nodes, world })).asked).toEqual([])
  })

  it('ends as declined at a gate that is not passed, with nothing done behind it', async () => {
    const world = new Switches()
    const { outcome } = await perform({ nodes: [step('a'), gate('g', ['a']), step('b', ['g'])], world, answer: () => 'stop' })
    expect([outcome, world.turned]).toEqual(['declined', ['a']])
  })

  it('looks again at what was verified, and mends it if it is gone', async () => {
    const world = new Switches()
    const nodes = [step('a'), step('b', ['a'])]
    world.during = async (id) => {
      if (id === 'b') throw new LifeboatError('azure.refused', 'no')
    }
    const first = await perform({ nodes, world, answer: () => 'stop' })
    world.during = async () => undefined
    world.on.delete('a')
    await perform({ nodes, world, store: first.store })
    expect(world.turned).toEqual(['a', 'a', 'b'])
  })

  it('comes to a safe point when it is interrupted: nothing new is started, and the rest is left to a resume', async () => {
    const world = new Switches()
    const stop = new AbortController()
    const nodes = [step('a'), step('b', ['a'])]
    world.during = async () => stop.abort(new LifeboatError('interrupted.SIGINT', 'stopped'))
    const first = await perform({ nodes, world, stop })
    expect([first.outcome, world.turned]).toEqual(['interrupted', ['a']])
    world.during = async () => undefined
    expect((await perform({ nodes, world, store: first.store })).outcome).toBe('succeeded')
    expect(world.turned).toEqual(['a', 'b'])
  })

  it('stops when the journal cannot be written, before it does anything that would not be on record', async () => {
    const world = new Switches()
    const store = new MemoryStore()
    const append = store.append.bind(store)
    store.append = async (text) => {
      if (text.includes('step.intent')) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      return append(text)
    }
    await expect(perform({ nodes: [step('a')], world, store })).rejects.toMatchObject({ code: 'journal.write-failed' })
    expect(world.turned).toEqual([])
  })
})

describe('readiness', () => {
  const stop: Finding = { level: 'stop', what: 'locked', mend: 'Unlock it.' }
  const cores = (wanted: number, left: number): Demand => ({ resource: 'vCPUs', wanted, left, mend: 'Ask for more.' })

  it('is found for all steps with changes and for the site, in the order of the graph', async () => {
    const world = new Switches()
    world.on.add('b')
    world.says = (id) => (id === 'a' ? [cores(3, 4)] : id === 'c' ? [stop, cores(2, 4)] : [{ ...stop, what: 'never asked' }])
    world.ofSite = () => [{ level: 'warn', what: 'clock', mend: 'Set it.' }]
    const { plan } = await perform({ nodes: [step('a'), step('b'), step('c', ['b'])], world })
    expect(plan?.findings).toEqual([
      { ...stop, steps: ['c'] },
      { level: 'stop', steps: ['a', 'c'], what: 'vCPUs: 3 wanted by a and 2 by c, 4 left', mend: 'Ask for more.' },
      { level: 'warn', steps: [], what: 'clock', mend: 'Set it.' },
    ])
  })

  it('has nothing to say where nothing changes, not even of the site', async () => {
    const world = new Switches()
    world.on.add('a')
    world.says = () => [stop]
    world.ofSite = () => [stop]
    expect((await perform({ nodes: [step('a')], world })).plan?.findings).toEqual([])
  })

  it('makes a finding of a check that cannot be made, after trying again where that may help', async () => {
    const world = new Switches()
    let tries = 0
    world.says = () => {
      if ((tries += 1) === 1) throw new LifeboatError('azure.busy', 'try later', { retry: {} })
      throw new LifeboatError('azure.forbidden', 'not allowed to read', { hint: 'Ask for Reader.' })
    }
    const { plan } = await perform({ nodes: [step('a')], world })
    expect([tries, plan?.findings]).toEqual([2, [{ level: 'stop', steps: ['a'], what: 'cannot be checked: not allowed to read', mend: 'Ask for Reader.' }]])
  })

  it('is asked again before first harm of what is downstream, and only a stop stops there', async () => {
    const world = new Switches()
    world.harmful.add('fence')
    const nodes = [step('before'), step('aside'), step('fence', ['before']), step('move', ['fence']), step('attach', ['fence'])]
    let said: (id: string) => readonly (Finding | Demand)[] = () => []
    world.during = async (id) => {
      if (id === 'before') world.says = said
    }
    said = (id) => (id === 'before' || id === 'aside' ? [stop] : [cores(1, 2), { ...stop, level: 'warn' }])
    const first = await perform({ nodes, world, answer: () => 'stop' })
    expect(first.outcome).toBe('failed')
    expect(first.events.find(({ type }) => type === 'step.failed')).toMatchObject({
      step: 'fence',
      error: {
        code: 'preflight.failed',
        message: 'fence, move, attach: vCPUs: 1 wanted by fence, 1 by move, and 1 by attach, 2 left',
        hint: 'Ask for more.',
      },
    })
    expect(world.turned).not.toContain('fence')
    world.says = () => [{ ...stop, level: 'warn' }]
    expect((await perform({ nodes, world, store: first.store })).outcome).toBe('succeeded')
  })
})

describe('an alternative', () => {
  const other = new Map([['a', new Set(['other'])]])
  const intents = (events: readonly RunEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'step.intent' ? event.changes.map(({ resource }) => resource) : []))
  const finished = (events: readonly RunEvent[]) => events.flatMap((event) => (event.type === 'run.finished' ? [event] : []))[0]
  const notices = (events: readonly RunEvent[]): string[] => events.flatMap((event) => (event.type === 'notice' ? [event.message] : []))
  const refusing = (how: 'sees' | 'tries'): Switches => {
    const world = new Switches()
    world.offering.set('a', how)
    return world
  }

  it('that the operator chooses is gone without another question, since its changes were shown with it', async () => {
    const { outcome, events, asked } = await perform({ nodes: [step('a')], world: refusing('tries'), answer: ({ kind }) => (kind === 'failure' ? 'accept' : 'stop') })
    expect([outcome, asked]).toEqual(['succeeded', ['failure']])
    expect(intents(events)).toEqual(['a', 'a otherwise'])
  })

  it('is never taken where nobody is there to choose it: the run stops, and says which command takes it', async () => {
    const world = refusing('tries')
    const { outcome, events } = await perform({ nodes: [step('a')], world, alone: true })
    expect([outcome, world.turned]).toEqual(['failed', []])
    expect(finished(events)?.choices).toEqual([
      { step: 'a', alternative: 'other', offer: 'does it otherwise', command: 'lifeboat resume run --accept a=other' },
    ])
  })

  it('is taken by a resume that brings it, without trying the refused way once more', async () => {
    const world = refusing('tries')
    const { store } = await perform({ nodes: [step('a')], world, alone: true })
    const { outcome, events } = await perform({ nodes: [step('a')], world, store, alone: true, accept: other })
    expect([outcome, intents(events)]).toEqual(['succeeded', ['a otherwise']])
    expect(events).toContainEqual(expect.objectContaining({ type: 'question.answered', answer: { choice: 'accept', by: '--accept', alternative: 'other' } }))
  })

  it('stays chosen through another stop', async () => {
    const world = refusing('tries')
    world.during = async () => {
      throw new LifeboatError('test.again', 'another failure')
    }
    const first = await perform({ nodes: [step('a')], world, alone: true, accept: other })
    expect([first.outcome, finished(first.events)?.choices]).toEqual(['failed', undefined])
    world.during = async () => undefined
    const second = await perform({ nodes: [step('a')], world, store: first.store, alone: true })
    expect([second.outcome, intents(second.events)]).toEqual(['succeeded', ['a otherwise']])
  })

  it('that was chosen in advance and not needed is told, and so is an id that no step has', async () => {
    const { outcome, events } = await perform({ nodes: [step('a')], world: new Switches(), accept: other })
    expect([outcome, notices(events)]).toEqual(['succeeded', ['--accept a=other was not used: a has not offered that.']])
    const wrong = await perform({ nodes: [step('a')], world: refusing('tries'), alone: true, accept: new Map([['a', new Set(['othr'])]]) })
    expect([wrong.outcome, notices(wrong.events)]).toEqual(['failed', ['--accept a=othr was not used: a offers other, not othr.']])
  })

  it('that is offered when looking is a finding of the plan, and a part of it once it is chosen', async () => {
    const world = refusing('sees')
    world.harmful.add('a')
    const { plan } = await perform({ nodes: [step('a')], world, alone: true })
    expect(plan?.failures).toEqual([])
    expect(plan?.findings).toEqual([
      { level: 'stop', steps: ['a'], what: 'refused', mend: 'Or, with --accept a=other: does it otherwise' },
    ])
    expect([plan?.steps[0]?.state, plan?.facts.firstHarm]).toEqual(['unknown', 'a'])

    const chosen = await perform({ nodes: [step('a')], world: refusing('sees'), alone: true, accept: other })
    expect(chosen.plan?.steps[0]?.changes).toEqual([detour('a')])
    expect([chosen.outcome, intents(chosen.events)]).toEqual(['succeeded', ['a otherwise']])
  })
})
