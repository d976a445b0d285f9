import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { gate, idOf, perform, step, Switches } from '../helpers/switches.js'

describe('what an operator has decided, and what an earlier life has left', () => {
  it('tries what was skipped again, when what needs it is tried again, and offers the same other way', async () => {
    const world = new Switches()
    world.offering.set('a', 'tries')
    const nodes = [step('a'), step('b', ['a'], { id: idOf('a') }), step('c', ['a'], { id: idOf('a') })]
    const answers = { 'a 1': 'skip', 'b 1': 'retry', 'a 2': 'accept', 'c 1': 'retry' } as const
    const asked: string[] = []
    const { outcome, events } = await perform({
      nodes,
      world,
      answer: ({ step: id }) => {
        const name = `${id} ${asked.filter((one) => one.startsWith(id)).length + 1}`
        asked.push(name)
        return answers[name as keyof typeof answers]
      },
    })
    expect([outcome, [...world.turned].sort()]).toEqual(['succeeded', ['a', 'b', 'c']])
    expect(asked).toEqual(['a 1', 'b 1', 'c 1', 'a 2'])
    const questions = events.flatMap((event) => (event.type === 'question.asked' && event.question.kind === 'failure' ? [event.question] : []))
    expect(questions[0]?.takers).toEqual(['b', 'c'])
    expect(questions[1]?.error).toMatchObject({ code: 'step.needs-skipped', message: 'it takes what a would have given, and that was skipped' })
    const tries = events.flatMap((event) => (event.type === 'step.started' && event.step === 'a' ? [event.attempt] : []))
    expect(tries).toEqual([1, 2, 3])
  })

  describe('that guards what comes behind it, if it is skipped', () => {
    const nodes = [step('fence'), gate('sure', ['fence']), step('detach', ['sure']), step('move', ['detach']), step('other')]
    const guarded = (): Switches => {
      const world = new Switches()
      world.guarding.add('fence')
      world.during = async (id) => {
        if (id === 'fence') throw new LifeboatError('zfs.busy', 'somebody is in it')
      }
      return world
    }

    it('lets nothing behind it begin, also in a resume, and says so before', async () => {
      const world = guarded()
      const first = await perform({ nodes, world, answer: ({ kind, step: id }) => (kind === 'gate' ? 'go' : id === 'fence' ? 'skip' : 'stop') })
      expect([first.outcome, world.turned]).toEqual(['failed', ['other']])
      const questions = first.events.flatMap((event) => (event.type === 'question.asked' && event.question.kind === 'failure' ? [event.question] : []))
      expect(questions[0]).toMatchObject({ step: 'fence', takers: ['detach', 'move'] })
      expect(questions[1]).toMatchObject({ step: 'detach', error: { code: 'step.needs-skipped', message: 'it relies on what fence would have made sure of, and that was skipped' } })
      const again = await perform({ nodes, world, store: first.store, answer: () => 'stop' })
      expect([again.outcome, again.asked, world.turned]).toEqual(['failed', ['failure'], ['other']])
    })

    it.each([undefined, new Map([['fence', { id: 'fence' }]])])('is tried again with what is behind it, on the way back too (%s)', async (outputs) => {
      const world = guarded()
      const answers = ['skip', 'retry'] as const
      let asked = 0
      const { outcome } = await perform({
        nodes,
        world,
        ...(outputs === undefined ? {} : { outputs }),
        answer: ({ kind }) => {
          if (kind === 'gate') return 'go'
          if (asked === 1) world.during = async () => undefined
          return answers[asked++] ?? 'stop'
        },
      })
      expect([outcome, [...world.turned].sort(), asked]).toEqual(['succeeded', ['detach', 'fence', 'move', 'other'], 2])
    })
  })

  it('leaves skipped what a person has skipped when it is resumed, and says so', async () => {
    const world = new Switches()
    world.during = async () => {
      throw new LifeboatError('azure.refused', 'no')
    }
    const nodes = [step('a'), step('b', ['a'])]
    const first = await perform({ nodes, world, answer: ({ step: id }) => (id === 'a' ? 'skip' : 'stop') })
    world.during = async () => undefined
    const { outcome, events } = await perform({ nodes, world, store: first.store })
    expect([outcome, world.turned]).toEqual(['succeeded', ['b']])
    expect(events).toContainEqual(expect.objectContaining({ type: 'notice', message: 'a stays skipped, by test: because' }))
  })

  it('asks again where what was said to be done by hand is not to be seen', async () => {
    const world = new Switches()
    world.during = async () => {
      throw new LifeboatError('azure.refused', 'no')
    }
    const answers = ['done', 'stop'] as const
    let asked = 0
    const { events } = await perform({ nodes: [step('a')], world, answer: () => answers[asked++] ?? 'stop' })
    const failed = events.flatMap((event) => (event.type === 'step.failed' ? [event.error.code] : []))
    expect(failed).toEqual(['azure.refused', 'step.not-done'])
  })

  it('counts what an earlier life began from when that began it', async () => {
    const world = new Switches()
    const stop = new AbortController()
    world.during = async () => {
      stop.abort(new LifeboatError('interrupted.SIGINT', 'stopped'))
      stop.signal.throwIfAborted()
    }
    const first = await perform({ nodes: [step('a')], world, stop })
    world.during = async () => undefined
    const { events } = await perform({ nodes: [step('a')], world, store: first.store, laterMs: 40_000 })
    const [, left] = events.flatMap((event) => (event.type === 'eta.updated' ? [event.remainingMs] : []))
    expect(left).toBeLessThan(20_001)
  })

  it('expects no time of steps that an undo leaves out when it is resumed', async () => {
    const world = new Switches()
    world.during = async (id) => {
      if (id === 'b') throw new LifeboatError('azure.refused', 'no')
    }
    const first = await perform({ nodes: [step('a'), step('b', ['a'])], world, answer: () => 'stop' })
    world.during = async () => undefined
    const { events } = await perform({ nodes: [step('b')], world, store: first.store })
    expect(events.flatMap((event) => (event.type === 'eta.updated' ? [event.remainingMs] : [])).at(-1)).toBe(0)
  })

  it('tells what a skipped step offers, where it stops behind it', async () => {
    const world = new Switches()
    world.offering.set('a', 'tries')
    const nodes = [step('a'), step('b', ['a'], { id: idOf('a') })]
    const { outcome, events, store } = await perform({ nodes, world, answer: ({ step: id }) => (id === 'a' ? 'skip' : 'stop') })
    expect(outcome).toBe('failed')
    expect(events.at(-1)).toMatchObject({ choices: [{ step: 'a', command: 'lifeboat resume run --accept a=other' }] })
    // And that command does it, with nobody there to be asked.
    const resumed = await perform({ nodes, world, store, alone: true, accept: new Map([['a', new Set(['other'])]]) })
    expect([resumed.outcome, world.turned]).toEqual(['succeeded', ['a', 'b']])
  })
})
