import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import type { RemoteCall } from '../../src/virtual/gate.js'
import { clockOfLife } from '../../src/virtual/time.js'
import { ended, failed, type Program } from '../../src/virtual/programs/program.js'
import { RecordedChildren } from '../helpers/doors.js'
import { machineOn } from '../helpers/within.js'

const minute = 60_000
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'none', (error: unknown) => (error instanceof LifeboatError ? error.code : String(error)))

describe('models of programs at the exec door', () => {
  let time: VirtualClock
  let at: ReturnType<typeof machineOn>
  let worked: string[]
  beforeEach(() => {
    time = virtualClock(Date.parse('2019-02-25T19:34:00Z'))
    at = machineOn(time, mkdtempSync(join(tmpdir(), 'lifeboat-virtual-')))
    worked = []
  })

  /** Works for a minute of the world; says what it was given. */
  const slow: Program = async (args, here) => {
    worked.push('began')
    here.say('stderr', 'half way\n')
    await here.sleep(minute)
    worked.push('ended')
    return ended(`${args.join(' ')}|${here.stdin}|${Object.keys(here.env).sort().join(' ')}\n`, 'all the way\n', 3)
  }
  const polite: Program = async (_, here) =>
    new Promise((resolve) => {
      here.onTerminate(() => void here.sleep(10).then(() => resolve(failed(1, 'told to end'))))
    })
  const deaf: Program = async (_, here) => {
    here.onTerminate(() => undefined)
    await here.sleep(60 * minute)
    return ended('')
  }
  const programs = { slow, polite, deaf }
  const run = { file: '/usr/bin/slow', args: ['a', 'b'], env: { A: '1' }, timeoutMs: 10 * minute }
  const write = { ...run, survivor: 'end' as const }

  it('answer as programs do, and only where there is such a program', async () => {
    const { exec } = at.execWith(programs, new RecordedChildren())
    expect(await at.settled(exec.run({ ...run, input: 'in' }))).toEqual({ exitCode: 3, stdout: 'a b|in|A LC_ALL PATH\n', stderr: 'half way\nall the way\n' })
    expect(time.nowMs() - Date.parse('2019-02-25T19:34:00Z')).toBe(minute)
    expect(await at.settled(failure(exec.run({ ...run, file: '/usr/bin/none' })))).toBe('exec.missing')
  })

  it('that may change the world stand in the journal before they work', async () => {
    const children = new RecordedChildren()
    let workedEarly = true
    children.started = async (child) => {
      await at.clock.sleepReal(minute)
      workedEarly = worked.length > 0
      children.startedOnes.push(child)
    }
    const { exec } = at.execWith(programs, children)
    expect((await at.settled(exec.run(write))).exitCode).toBe(3)
    expect(workedEarly).toBe(false)
    expect(children.startedOnes).toMatchObject([{ host: at.machine.host, command: 'slow a b', survivor: 'end' }])
    expect(children.endedOnes).toMatchObject([{ exitCode: 3, signal: null }])
  })

  it('never work when they cannot be journaled', async () => {
    const children = new RecordedChildren()
    children.started = async () => Promise.reject(new LifeboatError('journal.failed', 'the disk is full'))
    expect(await at.settled(failure(at.execWith(programs, children).exec.run(write)))).toBe('journal.failed')
    expect(worked).toEqual([])
    expect(at.machine.marked('test')).toEqual([])
  })

  it('may be killed by the system, or cut off from what they have begun elsewhere', async () => {
    const befallen = (kind: 'killed' | 'cut-off') => {
      const trouble = { onRequest: () => undefined, onProgram: () => ({ kind, afterMs: 1000 }) }
      return at.settled(at.execWith(programs, new RecordedChildren(), { trouble }).exec.run(run))
    }
    expect(await failure(befallen('killed'))).toBe('exec.killed')
    expect(await befallen('cut-off')).toMatchObject({ exitCode: 255, stderr: 'half way\nclient_loop: send disconnect: Broken pipe\n' })
  })

  it('are ended when their time is up: asked first, killed ten seconds later', async () => {
    const { exec } = at.execWith(programs, new RecordedChildren())
    expect(await at.settled(failure(exec.run({ ...write, file: '/bin/polite', timeoutMs: minute })))).toBe('exec.timeout')
    expect(time.nowMs() - Date.parse('2019-02-25T19:34:00Z')).toBe(minute + 10)
    expect(await at.settled(failure(exec.run({ ...write, file: '/bin/deaf', timeoutMs: minute })))).toBe('exec.timeout')
    expect(time.nowMs() - Date.parse('2019-02-25T19:34:00Z')).toBe(2 * minute + 10 + 10_000)
  })

  it('are broken off with the run, unless they have to be awaited', async () => {
    const stop = new AbortController()
    time.schedule(1000, () => stop.abort(new LifeboatError('run.stopped', 'stopped')))
    const { exec } = at.execWith(programs, new RecordedChildren())
    const awaited = exec.run({ ...write, survivor: 'await', signal: stop.signal })
    expect(await at.settled(failure(exec.run({ ...write, signal: stop.signal })))).toBe('run.stopped')
    expect((await at.settled(awaited)).exitCode).toBe(3)
  })

  it('tell what they say while they work', async () => {
    const lines: string[] = []
    await at.settled(at.execWith(programs, new RecordedChildren()).exec.run({ ...write, onLine: (line) => lines.push(line) }))
    expect(lines).toEqual(['half way'])
  })

  it('see the clock of their machine, as somebody has set it, and not the time of a world that goes faster', async () => {
    const fast = virtualClock(time.nowMs(), 30)
    const at = machineOn(fast, mkdtempSync(join(tmpdir(), 'lifeboat-virtual-')))
    at.machine.clockAheadMs = 5 * minute
    const seen: Date[] = []
    const told: Program = async (_args, here) => {
      await here.sleep(30 * minute)
      seen.push(here.now())
      return { exitCode: 0, stdout: '', stderr: '' }
    }
    await at.settled(at.execWith({ told }, new RecordedChildren()).exec.run({ ...write, file: '/bin/told' }))
    expect(seen.map((one) => one.getTime() - fast.epochMs)).toEqual([6 * minute])
  })

  it('live on when the life that let them go is killed, and are found by their mark and ended or awaited', async () => {
    const other = { ...at.machine.begin() }
    const { exec } = at.execWith(programs, new RecordedChildren())
    void exec.run(write)
    void exec.run({ ...write, file: '/bin/deaf', survivor: 'await' })
    await at.until(() => worked.length > 0)
    at.life.kill()
    const next = clockOfLife(time, () => false)
    const survivors = at.machine.survivorsOf('test', next)
    const [first, second] = await survivors.marked()
    expect([first, second]).toMatchObject([{ survivor: 'end' }, { survivor: 'await' }])
    const { signal } = new AbortController()
    expect(await at.settled(survivors.handle(first!, () => undefined, signal))).toBe('ended')
    expect(await at.settled(survivors.handle(second!, () => undefined, signal))).toBe('awaited')
    expect(await at.settled(survivors.handle(second!, () => undefined, signal))).toBe('gone')
    expect(worked).toEqual(['began'])
    const { self, alive } = at.machine.processesOf(other)
    const { pid, started } = await self()
    expect([await alive(pid, started), await alive(at.life.pid, at.life.started)]).toEqual([true, false])
  })

  it('that a killed life still held end without having done anything', async () => {
    const children = new RecordedChildren()
    children.started = () => new Promise(() => undefined)
    void at.execWith(programs, children).exec.run(write)
    await at.until(() => at.machine.marked('test').length > 0)
    at.life.kill()
    expect(at.machine.marked('test')).toEqual([])
    void at.execWith(programs, children).exec.run(write)
    await at.settled(clockOfLife(time, () => false).sleepReal(minute))
    expect([at.machine.marked('test'), worked]).toEqual([[], []])
  })

  it('go through the gate, which may keep their end to itself', async () => {
    const calls: RemoteCall[] = []
    const gate = {
      through: async <T>(call: RemoteCall, send: () => Promise<T>): Promise<T> => {
        calls.push(call)
        await send()
        return new Promise<T>(() => undefined)
      },
    }
    const children = new RecordedChildren()
    const { exec, secrets } = at.execWith(programs, children, { gate })
    let isOver = false
    void exec.run({ ...write, args: ['--values', `${secrets}/values-17.json`] }).finally(() => (isOver = true))
    await at.until(() => worked.includes('ended'))
    await at.settled(at.clock.sleepReal(minute))
    expect(calls).toEqual([{ door: 'exec', what: 'slow --values …', writes: true }])
    expect([isOver, children.endedOnes]).toEqual([false, []])
  })
})
