import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, temporaryFolder } from '../helpers/cli.js'
import { plant, served } from '../helpers/served.js'
import { groupSteps, resumeSmall, runSmall, smallRunbook, type Small } from '../helpers/small.js'

interface Line {
  readonly kind: string
  readonly step?: string
  readonly method?: string
  readonly url?: string
  readonly status?: number
  readonly message?: string
  readonly stack?: readonly string[]
}

const logOf = ({ state }: Pick<Small, 'state'>): string => {
  const [run = ''] = readdirSync(join(state, 'runs'))
  return join(state, 'runs', run, 'log.ndjson')
}
const linesOf = (small: Pick<Small, 'state'>): Line[] => readFileSync(logOf(small), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Line)

/** The same run whose reader goes away after the first line, as `head -1` does. */
async function runIntoHead({ runbook, world, state }: Small): Promise<{ code: number | null; stderr: string }> {
  const command = [join(root, 'dist/main.js'), 'run', runbook, '--cloud', world.cloudPath, '--state-dir', state, '--confirm=small', '--yes', '--json']
  const child = spawn(process.execPath, command, { env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.once('data', () => child.stdout.destroy())
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })))
}

describe('the log of a run', () => {
  it('has every request with the step it was for, is private, and is not spoken of when all is well', async () => {
    await using world = await served()
    const small = { world, runbook: smallRunbook(groupSteps('one', 'two')), state: temporaryFolder() }
    const { code, stderr } = await runSmall(small).ended
    expect(code, stderr).toBe(0)
    expect(stderr).not.toContain('log.ndjson')
    expect(statSync(logOf(small)).mode & 0o777).toBe(0o600)
    const made = linesOf(small).filter(({ kind, method }) => kind === 'request' && method === 'PUT')
    expect(made.map(({ step, url, status }) => [step, /resourcegroups\/(\w+)\?/i.exec(url ?? '')?.[1], status])).toEqual([['one', 'one', 201], ['two', 'two', 201]])
    const login = linesOf(small).find(({ method, url }) => method === 'POST' && url?.includes('/oauth2/v2.0/token') === true)
    expect(login).toMatchObject({ status: 200 })
  })

  it('is named on a failure, and holds the stack of what failed', async () => {
    await using world = await served()
    await plant(world, { match: { method: 'PUT', path: '/two$' }, times: 1, answer: { status: 400, code: 'Nonsense', message: 'no' } })
    const small = { world, runbook: smallRunbook(groupSteps('one', 'two')), state: temporaryFolder() }
    const { code, stderr } = await runSmall(small).ended
    expect(code, stderr).toBe(1)
    expect(stderr).toContain(`Log of this run: ${logOf(small)}\n`)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(linesOf(small).find(({ kind, step }) => kind === 'error' && step === 'two')?.stack?.[0]).toMatch(/\n {4}at /)
  })

  it('says that nobody reads any more, while the run goes on to its end', async () => {
    await using world = await served()
    const small = { world, runbook: smallRunbook(groupSteps('one', 'two', 'three')), state: temporaryFolder() }
    const { code, stderr } = await runIntoHead(small)
    expect(code, stderr).toBe(0)
    expect(stderr).not.toContain('EPIPE')
    expect(world.world.group('three')).toBeDefined()
    expect(linesOf(small)).toContainEqual(expect.objectContaining({ kind: 'note', message: expect.stringContaining('standard output was closed') as unknown }))
  })

  it('goes on where a resume goes on, after a terminal that has hung up', async () => {
    await using world = await served()
    const small = { world, runbook: smallRunbook(groupSteps('one', 'two', 'three', 'four')), state: temporaryFolder() }
    const run = runSmall(small)
    await run.until((event) => event.type === 'step.verified')
    run.child.kill('SIGHUP')
    const { code, stderr } = await run.ended
    expect(code, stderr).toBe(129)
    expect(stderr).toContain(logOf(small))
    const before = linesOf(small).length

    expect((await resumeSmall(small).ended).code).toBe(0)
    expect(world.world.group('four')).toBeDefined()
    expect(linesOf(small).length).toBeGreaterThan(before)
  })
})
