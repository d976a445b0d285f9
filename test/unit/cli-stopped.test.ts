import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { guarded, guardedStream } from '../../src/cli/guard.js'
import { displaced, underLock, type Hold, type Holding } from '../../src/cli/hold.js'
import { Interrupts } from '../../src/cli/interrupts.js'
import { RunLock, StateFolder, type Holder } from '../../src/journal/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { processes } from '../../src/platform/exec/processes.js'
import { Output } from '../../src/render/output.js'
import { tempFolder } from '../helpers/temp-folder.js'

const owner = { run: 'r1', user: 'ann', host: processes.host, pid: 7, started: 'then' }
const alive: Holder = { life: 'alive', owner, silentMs: 1000 }
const mark = { run: 'r2', person: 'bob', host: 'jumpbox', pid: 8 }

/** What a command says that is stopped by Ctrl-C in the midst of `work`, and what it would say at a second one. */
async function stoppedIn(
  work: (interrupts: Interrupts) => Promise<unknown>,
  guard: typeof guardedStream = guarded,
): Promise<{ readonly said: string; readonly atOnce: readonly string[] }> {
  const stderr = new PassThrough()
  const output = new Output({ stdin: new PassThrough(), stdout: new PassThrough(), stderr })
  const interrupts = new Interrupts()
  let atOnce: readonly string[] = []
  interrupts.atOnce = () => void (atOnce = interrupts.leaving())
  await guard({ color: false }, { output, interrupts, env: {}, self: '' }, async () => {
    await work(interrupts)
    interrupts.hear('SIGINT')
    interrupts.hear('SIGINT')
    throw interrupts.signal.reason
  })
  return { said: String(stderr.read() ?? ''), atOnce }
}

interface Found {
  readonly was?: Holder | 'ended'
  readonly takenFrom?: Holder
  readonly elsewhere?: readonly (typeof mark)[]
  /** Has the other's mark been overwritten? */
  readonly isMarked?: boolean
}

function taking({ was, takenFrom, elsewhere = [], isMarked = true }: Found): (interrupts: Interrupts) => Promise<unknown> {
  const target = { displacing: elsewhere, hasWritten: isMarked, displace: async () => elsewhere.length > 0 }
  const hold = { lock: { takenFrom, displace: async () => was }, target } as unknown as Hold
  return (interrupts) => displaced(hold, { notice: () => undefined, interrupts } as Partial<Holding> as Holding)
}

describe('a command that is stopped before anything is begun', () => {
  it('says that nothing was changed, and at a second Ctrl-C that it ends at once', async () => {
    const { said, atOnce } = await stoppedIn(async () => undefined, guardedStream)
    expect(said).toBe('Stopped by SIGINT before anything was begun; nothing was changed.\n')
    expect(atOnce).toEqual(['Ended at once, before anything was begun; nothing was changed.'])
  })

  it.each<readonly [string, Found, string]>([
    ['here', { was: alive, takenFrom: alive }, `Run r1 of ann on ${processes.host} (pid 7) was displaced and stops; nothing else was changed.`],
    ['elsewhere', { elsewhere: [mark] }, 'Run r2 of bob on jumpbox (pid 8) was displaced and stops, if it is still at work; nothing else was changed.'],
    ['both by its lock and by its mark', { was: alive, takenFrom: alive, elsewhere: [{ ...mark, run: 'r1' }] }, `Run r1 of ann on ${processes.host} (pid 7) was displaced and stops; nothing else was changed.`],
  ])('says whom it has displaced %s', async (_where, found, what) => {
    const { said, atOnce } = await stoppedIn(taking(found), guardedStream)
    expect(said).toBe(`Stopped by SIGINT before anything was begun. ${what}\n`)
    expect(atOnce).toEqual([`Ended at once, before anything was begun. ${what}`])
  })

  it.each<readonly [string, Found]>([
    ['has ended meanwhile', { was: 'ended', takenFrom: alive }],
    ['is dead', { was: { ...alive, life: 'dead' }, takenFrom: alive }],
    ['has kept its mark', { elsewhere: [mark], isMarked: false }],
  ])('has displaced nobody where the other %s', async (_what, found) => {
    expect((await stoppedIn(taking(found))).said).toContain('nothing was changed.')
  })
})

/** As much of a command as holds a lock. */
function holding(state: StateFolder, notice: (message: string) => void): Holding {
  const site = {
    ...{ runbook: { name: 'small', nodes: [] }, registry: new Map(), env: () => undefined, processes, clock: clockOf({}) },
    cloudFacts: { name: 'cloud', resourceManager: 'https://arm.example', subscription: 'sub-1', path: null },
    doors: () => () => ({ azure: {} }),
  }
  return { site, state, run: 'r1', interrupts: new Interrupts(), takeOver: false, listeners: [], notice, logging: { opened: () => undefined } } as unknown as Holding
}

describe('credentials that cannot be taken away', () => {
  it('keep neither the lock nor what the run has come to, and are told', async () => {
    const state = new StateFolder(tempFolder())
    const { secrets } = state.paths('r1')
    const told: string[] = []
    const held = holding(state, (message) => told.push(message))
    const code = await underLock(held, async () => {
      // A path through a file can be removed by nobody, root included.
      rmSync(dirname(secrets), { recursive: true })
      writeFileSync(dirname(secrets), '')
      return 7
    })
    expect([code, told]).toEqual([7, [`Credentials of this run could not be taken away (ENOTDIR). Remove them: ${secrets}`]])
    const key = { runbook: 'small', resourceManager: 'https://arm.example', subscription: 'sub-1' }
    expect(await RunLock.holder(state.locks, key, processes, () => new Date())).toBeUndefined()
    rmSync(dirname(secrets))
    mkdirSync(secrets, { recursive: true })
    expect(await underLock(held, async () => 0)).toBe(0)
    expect(told).toHaveLength(1)
  })
})
