import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { markedChildren, processes, processStart } from '../../src/platform/exec/processes.js'
import { execFor, RecordedChildren } from '../helpers/doors.js'

const sh = (script: string) => ({ file: '/bin/sh', args: ['-c', script], env: {}, timeoutMs: 60_000 })

/** A clock on which any wait is over at once. */
const hurried = { ...clockOf({}), sleepReal: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() }

const codeOf = (error: unknown): string => (error instanceof LifeboatError ? error.code : String(error))
const failure = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'none', codeOf)

describe('a command that only reads', () => {
  it('answers with its exit code and both of its outputs', async () => {
    const { exec } = execFor()
    expect(await exec.run(sh('echo out; echo err >&2; exit 3'))).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' })
  })

  it('gets the environment it is given, PATH, a plain locale, and nothing else', async () => {
    const { exec } = execFor()
    const { stdout } = await exec.run({ file: '/usr/bin/env', args: [], env: { A: '1' }, timeoutMs: 60_000 })
    expect(stdout.trim().split('\n').map((line) => line.split('=')[0]).sort()).toEqual(['A', 'LC_ALL', 'PATH'])
  })

  it('reads what it is given, and an empty input otherwise', async () => {
    const { exec } = execFor()
    expect((await exec.run({ ...sh('cat'), input: 'hello' })).stdout).toBe('hello')
    expect((await exec.run(sh('cat'))).stdout).toBe('')
  })

  it('is not journaled', async () => {
    const children = new RecordedChildren()
    await execFor(children).exec.run(sh('true'))
    expect(children.startedOnes).toEqual([])
  })

  it('is told missing when there is no such program', async () => {
    expect(await failure(execFor().exec.run({ file: '/no/such/program', args: [], env: {}, timeoutMs: 1000 }))).toBe('exec.missing')
  })

  it('is ended when its time is up', async () => {
    expect(await failure(execFor(new RecordedChildren(), hurried).exec.run(sh('sleep 1000')))).toBe('exec.timeout')
  })

  it('is ended with all that it started when the run is stopped', async () => {
    const { exec, secrets } = execFor()
    const stop = new AbortController()
    const pidFile = join(secrets, 'pid')
    const running = exec.run({ ...sh(`sleep 1000 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`), signal: stop.signal })
    await exec.run(sh(`until test -e ${pidFile}; do sleep 0.05; done`))
    const pid = Number((await exec.run(sh(`cat ${pidFile}`))).stdout)
    stop.abort(new LifeboatError('run.stopped', 'stopped'))
    expect(await failure(running)).toBe('run.stopped')
    await exec.run(sh(`while kill -0 ${pid} 2>/dev/null && ! grep -q 'State:.Z' /proc/${pid}/status; do sleep 0.05; done`))
    expect(await processStart(pid)).toBeUndefined()
  })
})

describe('a command that may change the world', () => {
  const write = { ...sh('echo done; cat'), survivor: 'end' as const }

  it('stands in the journal with pid and start before it works, and its end after', async () => {
    const { secrets } = execFor()
    const mark = join(secrets, 'worked')
    let workedEarly = true
    const children = new RecordedChildren()
    const started = children.started.bind(children)
    children.started = async (child) => {
      // Time enough for it to work, if it did not wait.
      for (let turn = 0; turn < 5; turn += 1) await execFor().exec.run(sh('touch /dev/null'))
      workedEarly = existsSync(mark)
      expect(await processes.alive(child.pid, child.started)).toBe(true)
      await started(child)
    }
    await execFor(children).exec.run({ ...sh(`touch ${mark}`), survivor: 'end', say: 'touch' })
    expect(workedEarly).toBe(false)
    expect(existsSync(mark)).toBe(true)
    expect(children.startedOnes).toMatchObject([{ host: processes.host, command: 'touch', survivor: 'end' }])
    expect(children.endedOnes).toMatchObject([{ child: children.startedOnes[0], exitCode: 0, signal: null }])
  })

  it('never works when it cannot be journaled', async () => {
    const { secrets } = execFor()
    const mark = join(secrets, 'worked')
    const children = new RecordedChildren()
    children.started = async () => Promise.reject(new LifeboatError('journal.failed', 'the disk is full'))
    expect(await failure(execFor(children).exec.run({ ...sh(`touch ${mark}`), survivor: 'end' }))).toBe('journal.failed')
    expect(existsSync(mark)).toBe(false)
  })

  it('is given its input and answers with its output, and leaves no file behind', async () => {
    const { exec, secrets } = execFor()
    expect(await exec.run({ ...write, input: 'lines\nof input' })).toEqual({ exitCode: 0, stdout: 'done\nlines\nof input', stderr: '' })
    expect(readdirSync(secrets)).toEqual([])
  })

  it('can be found by its mark while it runs, without any journal', async () => {
    const { exec, secrets } = execFor()
    const go = join(secrets, 'go')
    const running = exec.run({ ...sh(`until test -e ${go}; do sleep 0.05; done`), survivor: 'await' })
    let found = await markedChildren(`test@${secrets}`)
    while (found.length === 0) found = await markedChildren(`test@${secrets}`)
    // What it starts itself bears the mark too, but is not counted.
    expect(found).toMatchObject([{ survivor: 'await' }])
    writeFileSync(go, '')
    await running
  })

  it('is not broken off when it must be awaited', async () => {
    const stop = new AbortController()
    const children = new RecordedChildren()
    const { exec, secrets } = execFor(children)
    const go = join(secrets, 'go')
    children.started = async () => stop.abort(new LifeboatError('run.stopped', 'stopped'))
    const running = exec.run({ ...sh(`until test -e ${go}; do sleep 0.05; done; echo whole`), survivor: 'await', signal: stop.signal })
    writeFileSync(go, '')
    expect((await running).stdout).toBe('whole\n')
  })

  it('that does not listen to SIGTERM is killed ten seconds later', async () => {
    const waits: number[] = []
    const clock = { ...hurried, sleepReal: async (ms: number, signal?: AbortSignal) => (waits.push(ms), signal?.throwIfAborted()) }
    const { exec } = execFor(new RecordedChildren(), clock)
    expect(await failure(exec.run({ ...sh('trap "" TERM; sleep 1000'), survivor: 'end', timeoutMs: 5000 }))).toBe('exec.timeout')
    expect(waits).toEqual([5000, 10_000])
  })
})
