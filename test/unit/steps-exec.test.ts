import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isIrreversible, LifeboatError, Pending, Secret, type Change, type Clock } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { openCommands } from '../../src/platform/command/command.js'
import { keptBytes } from '../../src/platform/command/door.js'
import { strikeOut } from '../../src/platform/command/strike.js'
import type { Platform } from '../../src/platform/platform.js'
import { exec } from '../../src/steps/exec.js'
import { execFor, RecordedChildren } from '../helpers/doors.js'
import { Driven } from '../helpers/steps.js'
import { tempFolder } from '../helpers/temp-folder.js'

const token = 'hunter2/hunter2'
const sh = (script: string): string[] => ['sh', '-c', script]

function site(inputs: Record<string, unknown>, { clock = clockOf({}), signal }: { clock?: Clock; signal?: AbortSignal } = {}) {
  const folder = tempFolder()
  const children = new RecordedChildren()
  const command = openCommands({
    exec: execFor(children, clock).exec,
    cloud: { env: { TOKEN: token, PLAIN: 'plain' } },
    folder,
    path: process.env['PATH'] ?? '',
    env: { TOKEN: 'of the process', HOME: '/nowhere' },
  })
  // The door looks for them itself, and says what it does not find.
  const secrets = { digest: () => 'keyed:0', read: () => new Secret(token) }
  const given = { run: sh('touch done'), observe: sh('test -e done && exit 0; exit 10'), describe: 'the mark', ...inputs }
  const driven = new Driven(exec, { command } as unknown as Platform, clock, given, secrets)
  const said: string[] = []
  Object.assign(driven.ctx, { progress: (line: string) => said.push(line), ...(signal === undefined ? {} : { signal }) })
  return { folder, children, driven, said, command }
}

const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
  promise.then(() => Promise.reject(new Error('it did not fail')), (error: unknown) => error as LifeboatError)

describe('uses: exec', () => {
  it('runs what its observe command calls undone, once, in the folder of the runbook', async () => {
    const { driven, folder, children } = site({})
    expect(await driven.see()).toEqual({ state: 'absent' })
    expect(await driven.make()).toMatchObject([{ resource: 'the mark', action: 'run', after: { run: sh('touch done') } }])
    expect(existsSync(join(folder, 'done'))).toBe(true)
    expect(await driven.see()).toEqual({ state: 'converged', outputs: {} })
    expect(await driven.plan()).toEqual([])
    expect(children.startedOnes).toMatchObject([{ command: 'sh -c touch done', survivor: 'await' }])
    expect(children.endedOnes).toMatchObject([{ exitCode: 0 }])
  })

  it('does not journal, nor change, what only looks', async () => {
    const { driven, children, folder } = site({})
    const changes = await driven.plan()
    expect(await driven.module.preflight(changes, driven.inputs, driven.ctx)).toEqual([])
    expect(children.startedOnes).toEqual([])
    expect(existsSync(join(folder, 'done'))).toBe(false)
  })

  it('takes its outputs from the last line that the observe command prints', async () => {
    const { driven } = site({ observe: sh('echo looking; echo \'{"url":"https://a","n":[1]}\'') })
    expect(await driven.see()).toEqual({ state: 'converged', outputs: { url: 'https://a', n: [1] } })
    await expect(site({ observe: sh('echo \'{"url":\'') }).driven.see()).rejects.toMatchObject({ code: 'exec.outputs' })
  })

  it.each([1, 2, 3, 126, 127])('is unknown, never undone, when its observe command ends with %i', async (code) => {
    const { driven } = site({ observe: sh(`echo no network >&2; exit ${code}`) })
    expect(await driven.see()).toMatchObject({ state: 'unknown', why: expect.stringContaining('no network') as string, cause: { code: 'exec.unknown' } })
  })

  it('is unknown when there is no such program, and preflight says so of all of them', async () => {
    await expect(site({ observe: ['./looks'] }).driven.see()).rejects.toMatchObject({ code: 'exec.missing' })
    const { driven } = site({ run: ['no-such-program'], inverse: ['./no-such-script'] })
    const findings = await driven.module.preflight(await driven.plan(), driven.inputs, driven.ctx)
    expect(findings).toMatchObject([{ level: 'stop' }, { level: 'stop' }])
  })

  it('runs a program by its path relative to the runbook', async () => {
    const { driven, folder } = site({ observe: ['./bin'] })
    writeFileSync(join(folder, 'bin'), '#!/bin/sh\nexit 10\n')
    expect((await failure(driven.see())).code).toBe('exec.missing')
    chmodSync(join(folder, 'bin'), 0o755)
    expect(await driven.see()).toEqual({ state: 'absent' })
  })

  it('is read by no shell', async () => {
    const { driven } = site({ observe: ['echo', '{"said":"$HOME $(id) `id` ; exit 10"}'] })
    expect(await driven.see()).toMatchObject({ outputs: { said: '$HOME $(id) `id` ; exit 10' } })
  })

  it('gets PATH, a plain locale and what it names, and nothing else', async () => {
    const names = 'node -e \'console.log(JSON.stringify({ names: Object.keys(process.env).filter((n) => !/^(_|PWD|SHLVL|OLDPWD)$/.test(n)).sort() }))\''
    const { driven } = site({ observe: sh(names), env: { PLAIN: 'a', KEY: { secret: { env: 'TOKEN' } } } })
    expect(await driven.see()).toMatchObject({ outputs: { names: ['KEY', 'LC_ALL', 'PATH', 'PLAIN'] } })
  })

  it('says why it failed, by the last lines of it', async () => {
    const { driven } = site({ run: sh('for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 4') })
    const error = await failure(driven.make())
    expect(error).toMatchObject({ code: 'exec.failed', retry: undefined })
    expect(error.message).toBe('`sh` ended with exit code 4 and said: line 3 | line 4 | line 5 | line 6 | line 7')
  })

  it('journals the last of what it said once it is done', async () => {
    const { driven } = site({ run: sh('for i in 1 2 3 4 5 6; do echo line $i; done; touch done') })
    const kept: unknown[] = []
    Object.assign(driven.ctx, { checkpoint: async (what: unknown) => void kept.push(what) })
    await driven.make()
    expect(kept).toEqual([{ said: ['line 2', 'line 3', 'line 4', 'line 5', 'line 6'] }])
  })

  it('shows what it says while it works', async () => {
    const { driven, said, folder } = site({ run: sh('echo half; until test -e go; do sleep 0.05; done; touch done') })
    const making = driven.make()
    while (!said.includes('half')) await driven.ctx.clock.sleepReal(20)
    writeFileSync(join(folder, 'go'), '')
    await making
  })

  it('keeps no more than the end of what it says, fit for a terminal', async () => {
    const { command, driven } = site({})
    const wish = { env: {}, timeoutMs: 60_000, signal: driven.ctx.signal }
    const long = sh('head -c 300000 /dev/zero | tr \'\\0\' x | fold -w 100; printf \'\\n\\033[31mred\\n\'')
    for (const answer of [await command.look({ ...wish, argv: long }), await command.run({ ...wish, argv: long }, () => undefined)]) {
      expect(answer.stdout.length).toBeLessThanOrEqual(keptBytes)
      expect(answer.stdout.length).toBeGreaterThan(keptBytes / 2)
      expect(answer.lastLines.at(-1)).toBe('[31mred')
    }
  })

  it('is not broken off by a stop, but is by its time limit', async () => {
    const stop = new AbortController()
    const { driven, folder, children } = site({ run: sh('until test -e go; do sleep 0.05; done; touch done') }, { signal: stop.signal })
    const making = driven.make()
    while (children.startedOnes.length === 0) await driven.ctx.clock.sleepReal(10)
    stop.abort(new LifeboatError('interrupted.SIGINT', 'stopped'))
    writeFileSync(join(folder, 'go'), '')
    await making
    expect(existsSync(join(folder, 'done'))).toBe(true)

    const hurried = { ...clockOf({}), sleepReal: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() }
    const slow = site({ run: sh('sleep 1000') }, { clock: hurried })
    expect((await failure(slow.driven.apply([{ resource: 'x', action: 'run', after: { run: sh('sleep 1000') } }]))).code).toBe('exec.timeout')
  })
})

describe('secrets of uses: exec', () => {
  const env = { KEY: { secret: { env: 'TOKEN' } } }

  it('reach the command, by the cloud file where that has a section', async () => {
    const { driven } = site({ observe: sh(`test "$KEY" = ${token}`), env })
    expect(await driven.see()).toMatchObject({ state: 'converged' })
    const { driven: other } = site({ env: { KEY: { secret: { env: 'HOME' } } } })
    expect((await failure(other.see())).code).toBe('cloud.reference')
  })

  it('are read from a file relative to the runbook', async () => {
    const { driven, folder } = site({ observe: sh('test "$KEY" = abc'), env: { KEY: { secret: { file: 'key.txt' } } } })
    writeFileSync(join(folder, 'key.txt'), 'abc\n')
    expect(await driven.see()).toMatchObject({ state: 'converged' })
  })

  it('are struck out of changes, outputs, progress, failures and the journal', async () => {
    const leaking = 'echo "{\\"key\\":\\"$KEY\\"}"'
    const { driven: seen } = site({ observe: sh(leaking), env })
    expect(await seen.see()).toEqual({ state: 'converged', outputs: { key: '***' } })
    const { driven, children, said } = site({ run: sh('echo "it is $KEY" >&2; printf %s "$KEY" | base64 >&2; exit 1'), env })
    const changes = await driven.plan()
    expect(changes).toMatchObject([{ after: { env: { KEY: { secret: { env: 'TOKEN' } } } } }])
    const error = await failure(driven.apply(changes))
    expect(error.message).toContain('it is *** | ***')
    expect(JSON.stringify([changes, error.message, children, said])).not.toMatch(/hunter2|aHVudGVy/)
  })

  it('are struck out line by line, as JSON, and the longest first', () => {
    expect(strikeOut('ab abc', ['ab', 'abc'])).toBe('*** ***')
    expect(strikeOut('first\nthen second', ['first\nsecond'])).toBe('***\nthen ***')
    expect(strikeOut('{"k":"a\\"b"}', ['a"b'])).toBe('{"k":"***"}')
    expect(strikeOut('nothing', ['', '\n'])).toBe('nothing')
  })
})

describe('the plan of uses: exec', () => {
  const plan = (inputs: Record<string, unknown>): readonly Change[] =>
    exec.plan({ ...exec.inputs.parse({ run: ['a'], observe: ['b'], describe: 'c' }), ...inputs }, { state: 'absent' })

  it('bears harm, and stays one change while its arguments are not known', () => {
    expect(plan({ harm: 'notebooks stop' })).toMatchObject([{ resource: 'c', harm: 'notebooks stop' }])
    expect(plan({ run: new Pending(['x']) })).toMatchObject([{ resource: 'c', after: { run: expect.any(Pending) as Pending } }])
    expect(() => plan({ describe: new Pending(['x']) })).toThrow('known only later')
  })

  it('is put back by its inverse, and by nothing without one', () => {
    const [back] = exec.invert(plan({ inverse: ['z'] }))
    expect(back).toEqual({ resource: 'put back: c', action: 'run', after: { run: ['z'], inverse: ['a'] } })
    expect(exec.invert([back as Change])).toMatchObject([{ resource: 'c', after: { run: ['a'], inverse: ['z'] } }])
    expect(exec.invert(plan({})).every(isIrreversible)).toBe(true)
  })
})
