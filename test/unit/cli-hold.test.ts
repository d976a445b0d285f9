import { describe, expect, it } from 'vitest'
import { displaced, standingOf, type Hold, type Holding } from '../../src/cli/hold.js'
import { Interrupts } from '../../src/cli/interrupts.js'
import { toldOf } from '../../src/cli/perform.js'
import type { Holder } from '../../src/journal/index.js'
import { processes } from '../../src/platform/exec/processes.js'

const owner = { run: 'r1', user: 'ann', host: processes.host, pid: 7, started: 'then' }
const alive: Holder = { life: 'alive', owner, silentMs: 1000 }
const mark = { run: 'r2', person: 'bob', host: 'jumpbox', pid: 8 }

interface Found {
  readonly takenFrom?: Holder
  /** As he is when the plan is agreed to. */
  readonly was?: Holder | 'ended'
  readonly elsewhere?: readonly (typeof mark)[]
}

function holdOf({ takenFrom, was, elsewhere = [] }: Found): Hold {
  const target = { displacing: elsewhere, displace: async () => elsewhere.length > 0 }
  return { lock: { takenFrom, displace: async () => was }, target } as unknown as Hold
}

async function said(found: Found): Promise<readonly unknown[]> {
  const told: string[] = []
  const holding = { notice: (message: string) => told.push(message), interrupts: new Interrupts() } as Partial<Holding> as Holding
  return [await displaced(holdOf(found), holding), ...told]
}

describe('whoever is at work where a run is to begin', () => {
  it('is told once, also where this machine and the cloud both know of him', () => {
    const both = holdOf({ takenFrom: alive, elsewhere: [{ ...mark, run: 'r1' }, mark] })
    expect(standingOf(both).map((line) => line.slice(0, line.indexOf(' (pid')))).toEqual([`Run r1 of ann on ${processes.host}`, 'Run r2 of bob on jumpbox'])
    expect(standingOf(both)[0]).toContain('is at work on this. It goes on until you agree to this plan, which displaces it.')
    expect(standingOf(holdOf({ takenFrom: { ...alive, life: 'dead' } }))).toEqual([])
  })

  it('is said to be displaced only if he is: by what can be known of him now', async () => {
    expect(await said({})).toEqual([false])
    expect(await said({ takenFrom: alive, was: alive })).toEqual([true, expect.stringMatching(/^Took over from run r1 .*it comes to a safe point and stops/)])
    expect(await said({ takenFrom: alive, was: 'ended' })).toEqual([true, expect.stringMatching(/^Run r1 of ann .* has ended meanwhile: nobody is displaced\.$/)])
    expect(await said({ takenFrom: alive, was: { ...alive, life: 'dead' } })).toEqual([true, expect.stringContaining('that process is gone')])
    expect(await said({ takenFrom: alive, was: { ...alive, silentMs: 50_000 } })).toEqual([true, expect.stringContaining('silent for 50s: suspended or stuck')])
    expect(await said({ elsewhere: [mark] })).toEqual([true])
  })
})

describe('whether something of an earlier life is still at work', () => {
  const child = { pid: 7, started: 'then', host: 'here', command: 'helm upgrade', survivor: 'await' } as const
  const until = new AbortController().signal

  it('stays open where it could not be looked for, or waiting for its end was broken off', async () => {
    const stopped = new Error('stopped')
    let open = 0
    const none = toldOf({ handle: () => Promise.reject(stopped), marked: () => Promise.reject(stopped) }, () => (open += 1))
    await expect(none.handle(child, () => undefined, until)).rejects.toBe(stopped)
    await expect(none.marked()).rejects.toBe(stopped)
    expect(open).toBe(2)
    const gone = toldOf({ handle: async () => 'gone', marked: async () => [] }, () => (open += 1))
    expect([await gone.handle(child, () => undefined, until), await gone.marked(), open]).toEqual(['gone', [], 2])
  })
})
