import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { Target } from '../../src/engine/index.js'
import { gate, perform, step, Switches } from '../helpers/switches.js'

/** A world in which steps make groups; it tells in which order steps were turned on and groups were marked. */
function worldWith(groups: Record<string, string>): { world: Switches; order: string[]; target: Target } {
  const world = new Switches()
  for (const [id, name] of Object.entries(groups)) world.grouping.set(id, name)
  const order: string[] = []
  world.during = async (id) => void order.push(id)
  const target: Target = {
    beforeIntent: async () => false,
    stillOurs: async () => undefined,
    reached: async (group) => {
      await new Promise(setImmediate)
      order.push(`mark on ${group}`)
    },
  }
  return { world, order, target }
}

describe('the group by which others see who is at work', () => {
  it('is made and marked before anything else, and its step says who waits for it', async () => {
    const { world, order, target } = worldWith({ second: 'b', first: 'A' })
    const { outcome, events } = await perform({ nodes: [step('ttl'), step('second'), step('first'), step('last', ['ttl'])], world, target })
    expect([outcome, order.slice(0, 2)]).toEqual(['succeeded', ['first', 'mark on A']])
    expect(events.flatMap((event) => (event.type === 'step.waiting' ? [[event.step, event.on, event.forMark]] : []))).toEqual([
      ['ttl', ['first'], true],
      ['second', ['first'], true],
    ])
  })

  it('is waited for by nothing that it needs itself, nor by what does not wait for a question that it waits for', async () => {
    const { world, order, target } = worldWith({ group: 'a' })
    const nodes = [step('before'), step('ttl'), gate('go', []), step('group', ['before', 'go']), step('other', ['go'])]
    const { outcome } = await perform({ nodes, world, target })
    expect([outcome, order.slice(0, 2).sort(), order.slice(2)]).toEqual(['succeeded', ['before', 'ttl'], ['group', 'mark on a', 'other']])
  })

  it('is one that waits for no question, if there is one', async () => {
    const { world, order, target } = worldWith({ asked: 'a', free: 'b' })
    await perform({ nodes: [step('x'), gate('go', []), step('asked', ['go']), step('free', ['x']), step('ttl')], world, target })
    expect(order.slice(0, 3)).toEqual(['x', 'free', 'mark on b'])
  })

  it('that is there already is waited for by nobody', async () => {
    const { world, order, target } = worldWith({ group: 'a' })
    world.on.add('group')
    const { events } = await perform({ nodes: [step('ttl'), step('group')], world, target })
    expect([order.includes('ttl'), events.some(({ type }) => type === 'step.waiting')]).toEqual([true, false])
  })

  it('that cannot be made keeps everything else from being begun, until a resume has made it', async () => {
    const { world, order, target } = worldWith({ group: 'a' })
    const nodes = [step('ttl'), step('group')]
    world.during = async (id) => {
      if (id === 'group') throw new LifeboatError('azure.refused', 'no')
      order.push(id)
    }
    const first = await perform({ nodes, world, target, answer: () => 'stop' })
    expect([first.outcome, order]).toEqual(['failed', []])
    world.during = async (id) => void order.push(id)
    const second = await perform({ nodes, world, target, store: first.store })
    expect([second.outcome, order]).toEqual(['succeeded', ['group', 'mark on a', 'ttl']])
  })
})
