import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { Survivors } from '../../src/engine/index.js'
import { overPrograms } from '../../src/engine/over-programs.js'
import { fold, type Journal, type RunState } from '../../src/journal/index.js'
import { Records, started } from '../helpers/journal-samples.js'
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

  it('knows which of its own programs are over, and of none while one may be at work', async () => {
    const child = { pid: 7, started: 'then', host: 'here', command: 'helm upgrade', survivor: 'end' } as const
    const at = '2019-02-25T00:00:05.000Z'
    const begun = new Records().add('run.started', started).add('child.started', { step: 'a', child, at })
    const journalOf = (records: Records): Pick<Journal, 'records'> => ({ records: records.list })
    const over = [{ command: 'helm upgrade', startedAt: new Date(at) }]
    const known = (undone?: RunState['steps']) => overPrograms('a', { journal: journalOf(begun) as Journal, ...(undone === undefined ? {} : { undone }) })
    expect(known()).toEqual([])
    const before = fold(begun.list).steps
    begun.add('survivor.handled', { step: 'a', pid: 7, command: 'helm upgrade', how: 'gone' })
    expect(known()).toEqual(over)
    expect(known(before), 'and those of the run that it puts back').toEqual([...over, ...over])
    expect(overPrograms('b', { journal: journalOf(begun) as Journal })).toEqual([])
  })

  it('journals when it has started a program, and tells the step of it once that is over', async () => {
    const world = new Switches()
    const child = { pid: 7, started: 'then', host: 'here', command: 'helm upgrade', survivor: 'end' } as const
    world.during = async () => {
      await world.scope?.children.started(child)
      await world.scope?.children.ended(child, { exitCode: 0, signal: null })
    }
    await perform({ nodes: [step('a')], world })
    expect(world.programs.at(0)).toEqual([])
    expect(world.programs.at(-1)).toEqual([{ command: 'helm upgrade', startedAt: new Date('2019-02-25T00:00:00.000Z') }])
  })

  it('ends or awaits on the way back what the run that it puts back has left, and tells its steps of it only then', async () => {
    const child = { pid: 7, started: 'then', host: 'here', command: 'helm rollback', survivor: 'await' } as const
    const at = '2019-02-25T00:00:05.000Z'
    const undone = fold(new Records().add('run.started', started).add('child.started', { step: 'a', child, at }).list).steps
    const world = new Switches()
    const handled: number[] = []
    const survivors: Survivors = { marked: async () => [], handle: async ({ pid }) => (handled.push(pid), 'awaited') }
    await perform({ nodes: [step('a')], world, undone, survivors })
    expect([handled, world.programs]).toEqual([[7], [[], [{ command: 'helm rollback', startedAt: new Date(at) }], expect.anything()]])
    const elsewhere = new LifeboatError('child.elsewhere', 'it may still run there', { blame: 'user' })
    const apart: Survivors = { marked: async () => [], handle: () => Promise.reject(elsewhere) }
    await expect(perform({ nodes: [step('a')], world: new Switches(), undone, survivors: apart })).rejects.toBe(elsewhere)
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
