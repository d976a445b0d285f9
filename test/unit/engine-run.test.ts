import { describe, expect, it } from 'vitest'
import { LifeboatError, type Claim, type Demand, type Finding, type Question, type RunEvent } from '../../src/contract/index.js'
import { MemoryStore } from '../helpers/journal-samples.js'
import { detour, gate, perform, step, Switches } from '../helpers/switches.js'

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

  it('gives nobody what a failed step may still have in hand before it is said what becomes of it', async () => {
    const world = new Switches()
    let began = (): void => undefined
    const both = new Promise<void>((resolve) => (began = resolve))
    world.during = async (id) => {
      // The operation goes on out there.
      if (id === 'a') await both
      if (id === 'a') throw new LifeboatError('move.overrun', 'it is still being moved')
    }
    const group: Claim[] = [{ resource: 'g', mode: 'alone' }]
    const turned: (readonly string[])[] = []
    const { outcome, events } = await perform({
      ...{ nodes: [step('a'), step('b')], world, claims: { a: group, b: group } },
      heard: ({ type }) => type === 'step.waiting' && began(),
      answer: () => {
        turned.push([...world.turned])
        return 'skip'
      },
    })
    expect([outcome, turned, world.turned]).toEqual(['succeeded', [[]], ['b']])
    const order = events.flatMap((event) => ('step' in event && ['step.started', 'step.skipped'].includes(event.type) ? [`${event.type} ${event.step}`] : []))
    expect(order).toEqual(['step.started a', 'step.skipped a', 'step.started b'])
  })

  it('begins nothing that still waits for what others had when it began to stop', async () => {
    const world = new Switches()
    let began = (): void => undefined
    const both = new Promise<void>((resolve) => (began = resolve))
    world.during = async (id) => {
      await both
      throw new LifeboatError('move.overrun', `${id} is still being moved`)
    }
    const group: Claim[] = [{ resource: 'g', mode: 'alone' }]
    const nodes = [step('a'), step('b')]
    const claims = { a: group, b: group }
    const first = await perform({ nodes, world, claims, heard: ({ type }) => type === 'step.waiting' && began(), answer: () => 'stop' })
    expect([first.outcome, first.events.some((event) => event.type === 'step.started' && event.step === 'b')]).toEqual(['failed', false])
    world.during = async () => undefined
    const second = await perform({ nodes, world, claims, store: first.store })
    expect([second.outcome, world.turned]).toEqual(['succeeded', ['a', 'b']])
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

  it('looks only once at what it does away with itself: a resume takes what stands in the journal', async () => {
    const world = new Switches()
    const nodes = [step('a'), step('b', ['a'])]
    world.standing.add('a')
    world.during = async (id) => {
      if (id === 'b') throw new LifeboatError('azure.refused', 'no')
    }
    const first = await perform({ nodes, world, answer: () => 'stop' })
    world.during = async () => undefined
    world.on.delete('a')
    const second = await perform({ nodes, world, store: first.store })
    expect([second.outcome, world.turned, second.events.some((event) => event.type === 'step.started' && event.step === 'a')]).toEqual(['succeeded', ['a', 'b'], false])
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

  it('shows of what somebody is at work on what is to be done if that comes to nothing', async () => {
    const world = new Switches()
    world.flying.add('a')
    const { plan, events } = await perform({ nodes: [step('a')], world, answer: () => 'stop' })
    expect(plan?.steps).toMatchObject([{ state: 'in-flight', changes: [detour('a')] }])
    expect(events).toContainEqual(expect.objectContaining({ type: 'step.progress', step: 'a', message: 'somebody is at it' }))
    expect(events).toContainEqual(expect.objectContaining({ type: 'step.failed', error: expect.objectContaining({ code: 'step.overdue' }) as unknown }))
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
    const { outcome, events } = await perform({ nodes: [step('a'), gate('g', ['a']), step('b', ['g'])], world, answer: () => 'stop' })
    expect([outcome, world.turned]).toEqual(['declined', ['a']])
    expect(events.at(-1)).toMatchObject({ next: 'lifeboat resume run', back: 'lifeboat undo run' })
    // Where nothing was changed there is nothing to put back.
    const { events: idle } = await perform({ nodes: [gate('g', []), step('b', ['g'])], world: new Switches(), answer: () => 'stop' })
    expect(idle.at(-1)).toMatchObject({ outcome: 'declined', next: 'lifeboat resume run' })
    expect(idle.at(-1)).not.toHaveProperty('back')
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

  it('tells of a step that fails by itself on the way to a safe point, and asks nobody', async () => {
    const world = new Switches()
    const stop = new AbortController()
    const asked: string[] = []
    world.during = async (id, signal) => {
      while (id === 'a' && !stop.signal.aborted) await new Promise(setImmediate)
      if (id === 'a') throw new LifeboatError('exec.failed', '`sh` ended with exit code 1', { blame: 'user' })
      stop.abort(new LifeboatError('interrupted.SIGINT', 'stopped'))
      signal.throwIfAborted()
    }
    const answer = (question: Question): 'stop' => (asked.push(question.step), 'stop')
    const nodes = [step('b'), step('a')]
    const { outcome, events } = await perform({ nodes, world, stop, answer })
    expect(outcome).toBe('interrupted')
    const failed = events.flatMap((event) => (event.type === 'step.failed' ? [[event.step, event.error.code]] : []))
    expect(failed).toEqual([['a', 'exec.failed']])
    expect(asked).toEqual([])
  })

  it('does not advise to go on with it once another run has taken its place', async () => {
    const world = new Switches()
    const stop = new AbortController()
    world.during = async () => stop.abort(new LifeboatError('target.lost', 'taken over', { blame: 'user' }))
    const { outcome, events } = await perform({ nodes: [step('a'), step('b', ['a'])], world, stop })
    expect([outcome, events.at(-1)?.type]).toEqual(['interrupted', 'run.finished'])
    expect(events.at(-1)).not.toHaveProperty('next')
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

  it('comes with another look at what the run has made for what is downstream, before first harm', async () => {
    const world = new Switches()
    world.harmful.add('fence')
    // The cluster acts as the identity; nothing but the hub needs either, and the server is aside.
    const nodes = [step('rights'), step('cluster', ['rights']), step('aside'), step('ready', ['cluster', 'aside']), step('fence', ['ready']), step('hub', ['cluster', 'fence'])]
    world.during = async (id) => {
      if (id === 'ready') world.on.delete('rights')
    }
    const first = await perform({ nodes, world, answer: () => 'stop' })
    expect(first.events.find(({ type }) => type === 'step.failed')).toMatchObject({
      step: 'fence',
      error: { code: 'preflight.failed', message: 'rights: is not any more as it was verified: it is gone' },
    })
    expect(world.turned).toEqual(expect.not.arrayContaining(['fence', 'hub']))
    world.during = async () => undefined
    expect((await perform({ nodes, world, store: first.store })).outcome).toBe('succeeded')
    expect(world.turned.slice(-3)).toEqual(['rights', 'fence', 'hub'])
  })

  it('looks at nothing behind it before a harm on the way back: what is back there may be gone together with what it stood on', async () => {
    const world = new Switches()
    world.harmful.add('exports')
    const nodes = [step('release'), step('cluster', ['release']), step('exports', ['release', 'cluster'])]
    world.during = async (id) => {
      if (id === 'cluster') world.on.delete('release')
    }
    const { outcome } = await perform({ nodes, world, outputs: new Map(), answer: () => 'stop' })
    expect([outcome, world.turned]).toEqual(['succeeded', ['release', 'cluster', 'exports']])
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
