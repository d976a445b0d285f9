import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anyStep, LifeboatError, type AnyStep } from '../../src/contract/index.js'
import { lookUntilConverged, lookUntilSettled, type Look } from '../../src/engine/look.js'
import { bareContext } from '../helpers/bare-context.js'

const minute = 60_000
const absent: Look = { state: 'absent' }

/** A step that is looked at every ten seconds, for four hours at most; `seen` by minutes since the beginning. */
function watched(seen: (atMs: number) => Look) {
  let nowMs = 0
  const looks: number[] = []
  const clock = {
    now: () => new Date(nowMs),
    realNow: () => new Date(nowMs),
    sleep: async (ms: number) => void (nowMs += ms),
    sleepReal: async (ms: number) => void (nowMs += ms),
    toReal: (ms: number) => ms,
  }
  const module: AnyStep<unknown> = anyStep<Record<string, unknown>, Record<string, unknown>, string, unknown, unknown>({
    uses: 'test/slow',
    summary: '',
    inputs: z.object({}),
    outputs: z.object({}),
    identity: [],
    verification: () => ({ everyMs: 10_000, withinMs: 240 * minute }),
    preflight: async () => [],
    observe: async () => {
      looks.push(nowMs)
      return seen(nowMs)
    },
    plan: () => [],
    apply: async () => undefined,
    invert: () => [],
    claims: () => [],
    estimateMs: () => 0,
  })
  const ctx = bareContext(clock)
  const gaps = (): number[] => looks.slice(1).map((atMs, index) => atMs - (looks[index] ?? 0))
  return { module, ctx, gaps }
}

describe('waiting', () => {
  it('looks as often as the step says while it takes no longer than usual', async () => {
    const { module, ctx, gaps } = watched((atMs) => (atMs < 20 * minute ? absent : { state: 'converged', outputs: {} }))
    expect(await lookUntilConverged(module, {}, ctx)).toEqual({})
    expect(new Set(gaps())).toEqual(new Set([10_000]))
  })

  it('does not give up what is in flight for reads that fail now and then in between', async () => {
    const failing: Look = { state: 'unknown', why: 'busy', cause: new LifeboatError('azure.busy', 'busy', { retry: {} }) }
    let looks = 0
    const { module, ctx } = watched((atMs) => {
      if (atMs >= 90 * minute) return { state: 'converged', outputs: {} }
      return (looks += 1) % 3 === 0 ? failing : { state: 'in-flight', what: 'a cluster is being made' }
    })
    expect(await lookUntilSettled(module, {}, ctx)).toEqual({ state: 'converged', outputs: {} })
    const { module: silent, ctx: there } = watched(() => failing)
    await expect(lookUntilSettled(silent, {}, there)).rejects.toMatchObject({ code: 'azure.busy' })
  })

  it('looks less often at what goes on for half an hour and more, whether it was made here or found', async () => {
    for (const wait of [lookUntilConverged, lookUntilSettled] as const) {
      const going: Look = { state: 'in-flight', what: 'a cluster is being made' }
      const { module, ctx, gaps } = watched((atMs) => (atMs < 90 * minute ? going : { state: 'converged', outputs: {} }))
      await wait(module, {}, ctx)
      expect(gaps().filter((ms) => ms === 10_000)).toHaveLength(180)
      expect(gaps().filter((ms) => ms === 30_000)).toHaveLength(120)
    }
  })
})
