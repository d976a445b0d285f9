import { describe, expect, it } from 'vitest'
import type { Claim } from '../../src/contract/index.js'
import { ClaimTable } from '../../src/engine/claims.js'

const alone = (resource: string): Claim => ({ resource, mode: 'alone' })
const shared = (resource: string): Claim => ({ resource, mode: 'shared' })
const never = new AbortController().signal

/** Says of each step whether it holds its claims yet. */
function watch(promise: Promise<() => void>): { held: boolean; release?: () => void } {
  const state: { held: boolean; release?: () => void } = { held: false }
  void promise.then((release) => {
    state.held = true
    state.release = release
  })
  return state
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
}

describe('claims', () => {
  it('lets steps that share a resource overlap and keeps one that needs it alone out', async () => {
    const table = new ClaimTable()
    const first = watch(table.take('a', [shared('group')], never))
    const second = watch(table.take('b', [shared('group')], never))
    const mover = watch(table.take('move', [alone('group')], never))
    await settle()
    expect([first.held, second.held, mover.held]).toEqual([true, true, false])
    first.release?.()
    second.release?.()
    await settle()
    expect(mover.held).toBe(true)
  })

  it('does not let a stream of sharers starve one that came earlier and needs the group alone', async () => {
    const table = new ClaimTable()
    const first = watch(table.take('a', [shared('group')], never))
    const mover = watch(table.take('move', [alone('group')], never))
    const late = watch(table.take('late', [shared('group')], never))
    await settle()
    expect(late.held).toBe(false)
    first.release?.()
    await settle()
    expect([mover.held, late.held]).toEqual([true, false])
    mover.release?.()
    await settle()
    expect(late.held).toBe(true)
  })

  it('takes all claims of a step at once, so that two steps cannot wait for each other', async () => {
    const table = new ClaimTable()
    const holder = watch(table.take('a', [alone('x')], never))
    const both = watch(table.take('b', [alone('x'), alone('y')], never))
    await settle()
    expect(both.held).toBe(false)
    holder.release?.()
    await settle()
    expect(both.held).toBe(true)
  })

  it('tells a waiting step who is in its way and forgets it when the run is stopped', async () => {
    const table = new ClaimTable()
    const holder = watch(table.take('a', [alone('x')], never))
    const stop = new AbortController()
    let told: readonly string[] = []
    const waiting = table.take('b', [alone('x')], stop.signal, (on) => (told = on))
    stop.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
    expect(told).toEqual(['a'])
    const next = watch(table.take('c', [alone('x')], never))
    await settle()
    holder.release?.()
    await settle()
    expect(next.held).toBe(true)
  })

  it('keeps what a resumed step held from all but the steps that it waits for', async () => {
    const table = new ClaimTable()
    const release = table.reserve('detach', [alone('server')], new Set(['fence']))
    const other = watch(table.take('snapshots', [shared('server')], never))
    const before = watch(table.take('fence', [alone('server')], never))
    await settle()
    expect([before.held, other.held]).toEqual([true, false])
    before.release?.()
    await settle()
    expect(other.held).toBe(false)
    release()
    await settle()
    expect(other.held).toBe(true)
  })
})
