import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  anyStep,
  LifeboatError,
  type Answer,
  type AnyStep,
  type Change,
  type Clock,
  type Observation,
  type RunEvent,
} from '../../src/contract/index.js'
import { bringAbout, type StepWork } from '../../src/engine/lifecycle.js'
import { Recorder } from '../../src/engine/recorder.js'
import { Journal, type Store } from '../../src/journal/index.js'
import { bareContext } from '../helpers/bare-context.js'

type Look = Observation<{ id: string }, { was: string }>

const make: Change = { resource: 'thing a', action: 'create', after: { size: 1 } }
const rest: Change = { resource: 'thing b', action: 'create', after: { size: 1 } }
const done: Look = { state: 'converged', outputs: { id: 'a' } }

/** A clock whose sleeps take no time and add up. */
function instantClock(): Clock & { slept: number } {
  const clock = {
    slept: 0,
    now: () => new Date(clock.slept),
    realNow: () => new Date(clock.slept),
    sleep: async (ms: number) => void (clock.slept += ms),
    sleepReal: async (ms: number) => void (clock.slept += ms),
    toReal: (ms: number) => ms,
  }
  return clock
}

function memoryStore(): Store {
  let text = ''
  return {
    append: async (line) => void (text += line),
    read: async () => text,
    truncate: async () => undefined,
    close: async () => undefined,
  }
}

interface Script {
  readonly looks: (Look | Error)[]
  readonly apply?: (Error | undefined)[]
  readonly answer?: Answer['choice']
  readonly shown?: Change[]
  readonly begun?: Change[]
  readonly change?: Change
  /** The target has to be taken at the first intent. */
  readonly isTargetFree?: boolean
}

/** Plays a scripted module through the lifecycle and tells what happened, in order. */
async function play({ looks, apply = [], answer = 'stop', shown = [make], begun = [], change = make, isTargetFree = false }: Script) {
  let isFree = isTargetFree
  const told: string[] = []
  let at = 0
  const module: AnyStep<unknown> = anyStep<Record<string, unknown>, { id: string }, string, { was: string }, unknown>({
    uses: 'test/thing',
    summary: '',
    inputs: z.object({}),
    outputs: z.object({ id: z.string() }),
    identity: [],
    verification: () => ({ everyMs: 10, withinMs: 100 }),
    preflight: async () => [],
    observe: async () => {
      const look = looks[Math.min(at++, looks.length - 1)] as Look | Error
      told.push(look instanceof Error ? 'look!' : `look:${look.state}`)
      if (look instanceof Error) throw look
      return look
    },
    plan: (_inputs, seen) => (seen.state === 'drifted' && seen.seen.was === 'the rest' ? [rest] : [change]),
    apply: async () => {
      told.push('apply')
      const error = apply.shift()
      if (error !== undefined) throw error
    },
    invert: () => [],
    claims: () => [],
    estimateMs: () => 0,
  })
  const clock = instantClock()
  const journal = Journal.create(memoryStore(), 'run', () => clock.now())
  const listen = (event: RunEvent): void => void (event.type === 'step.progress' || told.push(event.type))
  const work: StepWork<unknown> = {
    step: 'a',
    module,
    inputs: {},
    ctx: bareContext(clock),
    recorder: new Recorder(journal, [listen], clock),
    shown: () => shown,
    begun: () => begun,
    startedMs: 0,
    ask: async (question) => {
      told.push(`ask:${question.kind}`)
      return { choice: answer, by: 'test', reason: '', alternative: '' }
    },
    beforeHarm: async () => void told.push('beforeHarm'),
    beforeIntent: async () => {
      const takes = isFree
      isFree = false
      if (takes) told.push('taken')
      return takes
    },
  }
  const error = await bringAbout(work).then(
    () => undefined,
    (caught: unknown) => caught as LifeboatError,
  )
  return { told, clock, error }
}

const passing = (afterMs?: number): LifeboatError =>
  new LifeboatError('azure.busy', 'try later', { retry: afterMs === undefined ? {} : { afterMs } })

describe('the life of a step', () => {
  it('journals the intent before it applies, and verifies afterwards', async () => {
    const { told } = await play({ looks: [{ state: 'absent' }, done] })
    expect(told).toEqual(['look:absent', 'step.intent', 'apply', 'step.applied', 'look:converged', 'step.verified'])
  })

  it('writes nothing where everything is as wanted', async () => {
    expect((await play({ looks: [done] })).told).toEqual(['look:converged', 'step.verified'])
  })

  it('never takes a failed read for an absence', async () => {
    const { told, error } = await play({ looks: [new LifeboatError('azure.denied', 'no')] })
    expect(told).toEqual(['look!'])
    expect(error?.code).toBe('azure.denied')
  })

  it('looks again once the target is taken: what an earlier life had sent may have arrived meanwhile', async () => {
    expect((await play({ looks: [{ state: 'absent' }, done], isTargetFree: true })).told).toEqual(['look:absent', 'taken', 'look:converged', 'step.verified'])
    const { told } = await play({ looks: [{ state: 'absent' }, { state: 'absent' }, done], isTargetFree: true, shown: [], answer: 'go' })
    expect(told).toEqual(['look:absent', 'ask:surprise', 'taken', 'look:absent', 'step.intent', 'apply', 'step.applied', 'look:converged', 'step.verified'])
  })

  it('reads again while the failure may pass, and then acts on what it sees', async () => {
    const { told } = await play({ looks: [passing(), passing(), { state: 'absent' }, done] })
    expect(told.slice(0, 4)).toEqual(['look!', 'look!', 'look:absent', 'step.intent'])
  })

  it('covers by a new intent what the last one did not have and no waiting brings about, if it was shown', async () => {
    const left: Look = { state: 'drifted', seen: { was: 'the rest' } }
    const looks: Look[] = [{ state: 'absent' }, left, left, left, left, done]
    const { told } = await play({ looks, shown: [make, rest] })
    expect(told.filter((one) => one === 'step.intent' || one === 'apply')).toEqual(['step.intent', 'apply', 'step.intent', 'apply'])
    const late: Look[] = [{ state: 'absent' }, left, left, done]
    expect((await play({ looks: late, shown: [make, rest] })).told.filter((one) => one === 'apply')).toHaveLength(1)
    expect((await play({ looks, shown: [make] })).told.filter((one) => one === 'apply')).toHaveLength(1)
  })

  it('waits for what is in flight instead of making a second one', async () => {
    const flying: Look = { state: 'in-flight', what: 'being made' }
    const { told } = await play({ looks: [flying, flying, done] })
    expect(told).not.toContain('apply')
  })

  it('watches what is in flight as long as the step has patience, be that less or more than its deadline, and offers then what an earlier life would have', async () => {
    const error = new LifeboatError('thing.stuck', 'it hangs', { alternative: { id: 'force', offer: 'take it', changes: [] } })
    const hanging: Look = { state: 'in-flight', what: 'being made', patience: { ms: 30, error } }
    const { told, error: caught, clock } = await play({ looks: [hanging] })
    expect([caught, clock.slept, told.includes('apply')]).toEqual([error, 30, false])
    const longer = await play({ looks: [{ ...hanging, patience: { ms: 1_000_000, error } }] })
    expect([longer.error, longer.clock.slept >= 1_000_000]).toEqual([error, true])
    expect((await play({ looks: [{ state: 'in-flight', what: 'being made' }] })).error?.code).toBe('step.overdue')
  })

  it('looks again before it repeats an apply that failed', async () => {
    const { told } = await play({ looks: [{ state: 'absent' }, { state: 'absent' }, done], apply: [passing()] })
    expect(told).toEqual([
      'look:absent',
      'step.intent',
      'apply',
      'step.retrying',
      'look:absent',
      'step.intent',
      'apply',
      'step.applied',
      'look:converged',
      'step.verified',
    ])
  })

  it('takes a lost reply for no failure: what it did is seen, and not done again', async () => {
    const { told } = await play({ looks: [{ state: 'absent' }, done], apply: [passing()] })
    expect(told.filter((one) => one === 'apply')).toHaveLength(1)
  })

  it('waits as long as the other side asks, in real time', async () => {
    const { clock } = await play({ looks: [{ state: 'absent' }, done], apply: [passing(12_345)] })
    expect(clock.slept).toBe(12_345)
  })

  it('gives up at its deadline with what it last saw', async () => {
    const { error } = await play({ looks: [{ state: 'absent' }, { state: 'in-flight', what: 'server boots' }] })
    expect(error?.code).toBe('step.overdue')
    expect(error?.message).toContain('server boots')
  })

  it('does not wait for what somebody has to mend first, such as a login', async () => {
    const refused = new LifeboatError('azure.login', 'the secret has expired', { blame: 'user', hint: 'Log in again.' })
    const { told, error } = await play({ looks: [{ state: 'absent' }, passing(), refused, done] })
    expect(told.slice(-3)).toEqual(['step.applied', 'look!', 'look!'])
    expect(error).toMatchObject({ code: 'azure.login', hint: 'Log in again.' })
  })

  it('tries for as long as somebody else’s work may take, where the error says so', async () => {
    const locked = (): LifeboatError => new LifeboatError('azure.locked', 'a move holds it', { retry: { attempts: 40 } })
    const { told, error } = await play({ looks: [...Array.from({ length: 31 }, (): Look => ({ state: 'absent' })), done], apply: Array.from({ length: 30 }, locked) })
    expect(error).toBeUndefined()
    expect(told.filter((one) => one === 'step.retrying')).toHaveLength(30)
  })

  it('gives each kind of failure its own tries: a long wait for somebody else is no reason to give up at the first hiccup after it', async () => {
    const locked = (): LifeboatError => new LifeboatError('azure.locked', 'a move holds it', { retry: { attempts: 40 } })
    const looks = [...Array.from({ length: 32 }, (): Look => ({ state: 'absent' })), done]
    const { told, error } = await play({ looks, apply: [...Array.from({ length: 30 }, locked), passing()] })
    expect([error, told.filter((one) => one === 'step.retrying').length]).toEqual([undefined, 31])
    const hiccups = await play({ looks: [{ state: 'absent' }], apply: Array.from({ length: 9 }, () => passing()) })
    expect([hiccups.error?.code, hiccups.told.filter((one) => one === 'apply').length]).toEqual(['azure.busy', 8])
  })

  it('stops at a conflict without asking or writing', async () => {
    const { told, error } = await play({ looks: [{ state: 'conflict', why: 'other region', mend: 'use another name' }] })
    expect(told).toEqual(['look:conflict'])
    expect(error?.hint).toBe('use another name')
  })

  it('asks when it would do what was not shown, and writes nothing unless the operator agrees', async () => {
    const shown = [{ ...make, resource: 'thing b' }]
    const refused = await play({ looks: [{ state: 'absent' }, done], shown })
    expect(refused.told).toEqual(['look:absent', 'ask:surprise'])
    expect(refused.error?.code).toBe('step.surprise')
    const agreed = await play({ looks: [{ state: 'absent' }, done], shown, answer: 'go' })
    expect(agreed.told).toContain('apply')
  })

  it('looks downstream once more right before it takes something from users', async () => {
    const change = { ...make, harm: 'notebooks stop' }
    const { told } = await play({ looks: [{ state: 'absent' }, done], shown: [change], change })
    expect(told.slice(0, 3)).toEqual(['look:absent', 'beforeHarm', 'step.intent'])
  })
})
