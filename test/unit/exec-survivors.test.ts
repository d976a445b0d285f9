import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { processes, processStart } from '../../src/platform/exec/processes.js'
import { handleSurvivor } from '../../src/platform/exec/survivors.js'
import type { Child } from '../../src/platform/scope.js'

const clock = clockOf({})
const started: ChildProcess[] = []

/** A process in a group of its own, as a killed run leaves it. */
async function survivor(script: string, how: Child['survivor']): Promise<Child & { ended: Promise<unknown>; letGo(): void }> {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
  started.push(child)
  // A shell that is told to end before it has set its trap simply ends.
  if (script.includes('echo begun')) await once(child.stdout, 'data')
  const ended = once(child, 'exit')
  const pid = child.pid ?? 0
  return { pid, started: (await processStart(pid)) ?? '', host: processes.host, command: 'sh', survivor: how, ended, letGo: () => child.stdin.end() }
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

describe('a child that outlived the run that started it', () => {
  it('is ended, with what it started', async () => {
    const child = await survivor('sleep 1000 & wait', 'end')
    expect(await handleSurvivor(child, { clock })).toBe('ended')
    await child.ended
    expect(await processes.alive(child.pid, child.started)).toBe(false)
  })

  it('is killed if it does not listen, after ten real seconds', async () => {
    let sleptMs = 0
    const hurried = { ...clock, sleepReal: async (ms: number) => ((sleptMs += ms), clock.sleepReal(1)) }
    const child = await survivor('trap "" TERM; echo begun; while :; do sleep 1000; done', 'end')
    expect(await handleSurvivor(child, { clock: hurried })).toBe('ended')
    expect(sleptMs).toBeGreaterThanOrEqual(10_000)
  })

  it('is awaited where it must not be broken off', async () => {
    const child = await survivor('trap "exit 1" TERM; read line; exit 0', 'await')
    let told = 0
    // It ends only once somebody has waited for it.
    const waiting = { ...clock, sleepReal: async () => (child.letGo(), clock.sleepReal(1)) }
    expect(await handleSurvivor(child, { clock: waiting, found: () => (told += 1) })).toBe('awaited')
    expect(await child.ended).toEqual([0, null])
    expect(told).toBe(1)
  })

  it('is left to itself when the operator stops waiting for it', async () => {
    const child = await survivor('trap "exit 1" TERM; echo begun; read line; exit 0', 'await')
    const stop = new AbortController()
    const failure = await handleSurvivor(child, { clock, found: () => stop.abort(new Error('stopped')), signal: stop.signal }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ message: 'stopped' })
    expect(await processes.alive(child.pid, child.started)).toBe(true)
  })

  it('is gone once it has ended, and nobody is told to wait', async () => {
    const child = await survivor('exit 0', 'end')
    await child.ended
    const found = (): never => {
      throw new Error('it is not there')
    }
    expect(await handleSurvivor(child, { clock, found })).toBe('gone')
  })

  it('is not taken for another process with its pid, which is left alone', async () => {
    const other = await survivor('sleep 1000', 'end')
    expect(await handleSurvivor({ ...other, started: 'another:1' }, { clock })).toBe('gone')
    expect(await processes.alive(other.pid, other.started)).toBe(true)
  })

  it('is asked about when it was started on another host', async () => {
    const child = await survivor('sleep 1000', 'end')
    const failure = await handleSurvivor({ ...child, host: 'elsewhere' }, { clock }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(LifeboatError)
    expect(failure).toMatchObject({ code: 'child.elsewhere' })
  })
})

describe('the start of a process', () => {
  it('is the same whoever asks, and unknown for a pid that nobody has', async () => {
    expect(await processStart(process.pid)).toBe((await processes.self()).started)
    expect(await processStart(2 ** 22 + 1)).toBeUndefined()
  })
})
