import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { Survivors } from '../../src/engine/index.js'
import { perform, step, Switches } from '../helpers/switches.js'

describe('a run before which others were at work', () => {
  it('writes nothing while a child of an earlier life is at work, says so, and can be stopped there', async () => {
    const world = new Switches()
    const stop = new AbortController()
    const child = { pid: 7, started: 'then', host: 'here', command: 'helm upgrade', survivor: 'await' } as const
    const atWork: Survivors = {
      marked: async () => [child],
      handle: async (_child, found, signal) => {
        found()
        stop.abort(new LifeboatError('interrupted.SIGINT', 'stopped by SIGINT', { blame: 'user' }))
        signal.throwIfAborted()
        return 'awaited'
      },
    }
    const nodes = [step('a'), step('b', ['a'])]
    const { outcome, events, store } = await perform({ nodes, world, stop, survivors: atWork })
    expect(outcome).toBe('interrupted')
    expect(events).toContainEqual(expect.objectContaining({ type: 'survivor.found', pid: 7, command: 'helm upgrade', survivor: 'await' }))
    expect(events.filter((event) => event.type === 'survivor.found' && 'step' in event), 'it is of no step of this run').toEqual([])
    expect(world.turned).toEqual([])
    const again = await perform({ nodes, world, store })
    expect(again.outcome).toBe('succeeded')
    expect(world.turned).toEqual(['a', 'b'])
  })

  it('tells of all that outlived earlier lives before the first of them has ended, and awaits none of them once one cannot be looked at', async () => {
    const child = (pid: number) => ({ pid, started: 'then', host: 'here', command: 'helm upgrade', survivor: 'await' }) as const
    const told: number[] = []
    const together: Survivors = {
      marked: async () => [child(7), child(8)],
      handle: async ({ pid }, found) => {
        found()
        told.push(pid)
        while (told.length < 2) await new Promise(setImmediate)
        return 'awaited'
      },
    }
    const { events } = await perform({ nodes: [step('a')], world: new Switches(), survivors: together })
    expect(events.filter(({ type }) => type.startsWith('survivor.')).map(({ type }) => type)).toEqual(['found', 'found', 'handled', 'handled'].map((how) => `survivor.${how}`))
    const elsewhere = new LifeboatError('child.elsewhere', 'it may still run there', { blame: 'user' })
    const apart: Survivors = {
      ...together,
      handle: (one, _found, signal) => new Promise((_resolve, reject) => {
        if (one.pid === 8) reject(elsewhere)
        else signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
    }
    await expect(perform({ nodes: [step('a')], world: new Switches(), survivors: apart })).rejects.toBe(elsewhere)
  })
})
