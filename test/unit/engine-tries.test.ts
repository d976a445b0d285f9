import { describe, expect, it } from 'vitest'
import { LifeboatError, type Claim } from '../../src/contract/index.js'
import { gate, perform, step, Switches } from '../helpers/switches.js'

describe('a run whose steps are tried more than once', () => {
  it('asks once about what was not shown, however often its step is tried after that', async () => {
    const world = new Switches()
    world.on.add('a')
    let tries = 0
    world.during = async () => {
      if ((tries += 1) === 1) throw new LifeboatError('azure.busy', 'try later', { retry: {} })
    }
    const { outcome, asked } = await perform({ nodes: [step('a')], world, heard: ({ type }) => type === 'run.planned' && world.on.delete('a') })
    expect([outcome, tries, asked]).toEqual(['succeeded', 2, ['surprise']])
  })

  it('counts only work as work when it says how long it will take: neither what is waited for, nor a try that has failed', async () => {
    const world = new Switches()
    let isBroken = true
    world.during = async (id) => {
      if (id === 'a' && isBroken) throw new LifeboatError('azure.busy', 'try later', { retry: {} })
    }
    const group: Claim[] = [{ resource: 'g', mode: 'alone' }]
    const { events } = await perform({ nodes: [step('a'), step('b')], world, claims: { a: group, b: group }, answer: () => ((isBroken = false), 'retry') })
    const left = events.flatMap((event, at) => {
      const next = events.slice(at).find(({ type }) => type === 'eta.updated')
      return event.type === 'step.started' && next?.type === 'eta.updated' ? [[event.step, event.attempt, next.remainingMs]] : []
    })
    expect(left).toEqual([['a', 1, 60_000], ['a', 2, 60_000], ['b', 1, 60_000]])
  })

  it('has failed where a step does before a gate that an earlier life has declined', async () => {
    const world = new Switches()
    const nodes = [step('a'), gate('g', ['a']), step('b', ['g'])]
    const first = await perform({ nodes, world, answer: () => 'stop' })
    world.on.delete('a')
    world.during = async () => {
      throw new LifeboatError('azure.refused', 'no')
    }
    const second = await perform({ nodes, world, store: first.store, answer: () => 'stop' })
    expect([first.outcome, second.outcome, second.asked]).toEqual(['declined', 'failed', ['failure']])
    world.during = async () => undefined
    expect((await perform({ nodes, world, store: second.store, answer: () => 'stop' })).outcome).toBe('declined')
  })
})
