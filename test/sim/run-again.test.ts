import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { served, type Served } from '../helpers/served.js'
import { switched, work, type Switched } from '../helpers/switched.js'
import { hasTerminals, inTerminal, keys } from '../helpers/terminal.js'

let world: Served & AsyncDisposable
beforeAll(async () => void (world = await served(undefined, 1)))
afterAll(() => world[Symbol.asyncDispose]())

interface Site extends Switched {
  readonly stateDir: string
  readonly run: readonly string[]
}

/** A runbook of two steps, of which the first is done and the second has failed. */
async function failedSite(): Promise<Site & { readonly id: string }> {
  const small = switched(work('rack') + work('hub', ['rack']))
  const stateDir = temporaryFolder()
  const run = ['run', small.runbook, '--cloud', world.cloudPath, '--state-dir', stateDir, '--confirm=small', '--yes']
  small.finish('rack')
  small.fail('hub')
  expect((await lifeboat(run).ended).code).toBe(1)
  const { stdout } = await lifeboatHere(['status', '--json', '--state-dir', stateDir])
  return { ...small, stateDir, run, id: (JSON.parse(stdout) as { run: string }).run }
}

const runsOf = async (stateDir: string): Promise<readonly { run: string; condition: string }[]> =>
  (JSON.parse((await lifeboatHere(['runs', '--json', '--state-dir', stateDir])).stdout) as { runs: { run: string; condition: string }[] }).runs

describe('the same command again after a failure', () => {
  it('without a terminal begins nothing, says how to go on, and begins afresh with --fresh', async () => {
    const small = await failedSite()
    const refused = await lifeboatHere(small.run)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(new RegExp(`run ${small.id} of small is not finished: it failed at hub; 1 of 2 steps done, begun \\w+ ago by `))
    expect(refused.stderr).toContain('--fresh')
    expect(refused.stderr).toContain(`lifeboat resume ${small.id} --yes --state-dir ${small.stateDir}`)
    expect(await runsOf(small.stateDir)).toHaveLength(1)

    small.fail('hub')
    expect((await lifeboat([...small.run, '--fresh']).ended).code).toBe(1)
    const [newer, older] = await runsOf(small.stateDir)
    // The older one is in nobody's way: a resume without a name means the newer, and a look at the older one says so.
    expect((await lifeboatHere(['status', small.id, '--state-dir', small.stateDir])).stdout).toContain(`newer   ${newer?.run ?? ''} has begun since`)
    small.finish('hub')
    const resumed = await lifeboat(['resume', '--yes', '--state-dir', small.stateDir]).ended
    expect([resumed.code, older?.run], resumed.stderr).toEqual([0, small.id])
    expect((await runsOf(small.stateDir)).map(({ condition }) => condition)).toEqual(['succeeded', 'failed'])

    // What is done is done: nothing is offered any more, and a new run finds all as it is wanted.
    const again = await lifeboat(small.run).ended
    expect(again.code, again.stderr).toBe(0)
    const byName = await lifeboat(['resume', small.id, '--yes', '--state-dir', small.stateDir]).ended
    expect([byName.code, byName.stderr]).toEqual([0, expect.stringContaining('A newer run of small has begun since')])
  })

  it('begins nothing beside a run whose journal nobody can read, unless that is wanted', async () => {
    const small = await failedSite()
    const journal = join(small.stateDir, 'runs', small.id, 'journal.ndjson')
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('"v":1', '"v":2'))
    const refused = await lifeboatHere(small.run)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(`whether the run ${small.id} is finished cannot be told`)
    expect(readdirSync(join(small.stateDir, 'runs'))).toEqual([small.id])
    small.finish('hub')
    expect((await lifeboat([...small.run, '--fresh']).ended).code).toBe(0)
    // One that came to its end since tells where things stand.
    expect((await lifeboat(small.run).ended).code).toBe(0)
  })

  it.skipIf(!hasTerminals)('at a terminal asks, and resumes', async () => {
    const small = await failedSite()
    small.finish('hub')
    const session = inTerminal(small.run.filter((one) => one !== '--confirm=small'))
    await session.waitFor('❯ Resume it')
    const shown = session.screen().join(' ').replaceAll(/\s+/g, ' ')
    expect(shown).toContain('it failed at hub; 1 of 2 steps done')
    expect(shown).toMatch(/❯ Resume it: go on where it stopped Begin afresh, .* Stop here/)
    session.type(keys.enter)
    expect(await session.ended).toBe(0)
    expect(await runsOf(small.stateDir)).toMatchObject([{ run: small.id, condition: 'succeeded' }])
  })

  it.skipIf(!hasTerminals)('at a terminal can be left, or begun afresh', async () => {
    const small = await failedSite()
    const left = inTerminal(small.run)
    await left.waitFor('What now?')
    left.type('3')
    await left.waitFor('❯ Stop here')
    left.type(keys.enter)
    expect(await left.ended).toBe(3)
    expect(left.screen().at(-1)).toBe('Stopped; nothing was changed.')

    small.finish('hub')
    const fresh = inTerminal(small.run)
    await fresh.waitFor('What now?')
    fresh.type('2')
    await fresh.waitFor('❯ Begin afresh')
    fresh.type(keys.enter)
    expect(await fresh.ended).toBe(0)
    expect((await runsOf(small.stateDir)).map(({ condition }) => condition)).toEqual(['succeeded', 'failed'])
  })
})

describe('a look at a run that is at work', () => {
  it('measures to now, and not to the last record', async () => {
    const small = switched(work('rack'))
    const stateDir = temporaryFolder()
    const run = lifeboat(['run', small.runbook, '--cloud', world.cloudPath, '--state-dir', stateDir, '--confirm=small', '--yes'])
    await small.begun('rack')
    const look = async (): Promise<{ elapsedMs: number; running: { id: string; elapsedMs: number }[] }> =>
      JSON.parse((await lifeboatHere(['status', '--json', '--state-dir', stateDir])).stdout) as never
    const first = await look()
    const second = await look()
    // Nothing was journaled in between.
    expect(second.elapsedMs).toBeGreaterThan(first.elapsedMs)
    expect(second.running[0]?.id).toBe('rack')
    expect(second.running[0]?.elapsedMs).toBeGreaterThan(first.running[0]?.elapsedMs ?? Infinity)
    // What would be put back can be looked at meanwhile, and nothing is locked by it.
    const undo = await lifeboatHere(['undo', '--dry-run', '--state-dir', stateDir])
    expect([undo.code, undo.stderr]).toEqual([0, expect.stringContaining('This run is still at work (')])
    expect(undo.stdout).toContain('Plan for small')
    small.finish('rack')
    expect((await run.ended).code).toBe(0)
  })
})

describe('--take-over of a run that is at work', () => {
  it.skipIf(!hasTerminals)('says whom a new run would displace, and takes nothing from it before its plan is agreed to', async () => {
    const small = switched(work('rack') + work('hub', ['rack']))
    const run = ['run', small.runbook, '--cloud', world.cloudPath, '--state-dir', temporaryFolder()]
    const first = lifeboat([...run, '--confirm=small', '--yes', '--json'])
    const { run: id } = await first.until(({ type }) => type === 'step.intent')
    await small.begun('rack')
    const declining = inTerminal([...run, '--take-over'])
    await declining.waitFor('Type small')
    expect(declining.screen().join(' ').replaceAll(/\s+/g, ' ')).toMatch(new RegExp(`Run ${id} of \\S+ on \\S+ \\(pid \\d+\\) is at work on this\\.`))
    declining.type(keys.enter)
    expect(await declining.ended).toBe(3)
    expect(declining.screen().at(-1)).toBe('Declined; nothing was changed.')
    small.finish('rack')
    small.finish('hub')
    const ended = await first.ended
    expect(ended.code, ended.stderr).toBe(0)
  })

  it('of a new run stops the first once it is agreed to, and waits for the command that the first has begun', async () => {
    const small = switched(work('rack') + work('hub', ['rack']))
    const run = ['run', small.runbook, '--cloud', world.cloudPath, '--state-dir', temporaryFolder(), '--confirm=small', '--yes', '--json']
    const first = lifeboat(run)
    await small.begun('rack')
    const second = lifeboat([...run, '--take-over'])
    await second.until(({ type }) => type === 'survivor.found')
    small.finish('rack')
    expect((await first.ended).code, (await first.ended).stderr).toBe(5)
    small.finish('hub')
    const ended = await second.ended
    expect(ended.code, ended.stderr).toBe(0)
    const stopping = first.events.find((event) => event.type === 'run.stopping')
    expect(stopping).toMatchObject({ displaced: expect.stringContaining('has taken over from run') as string })
    const notices = second.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []))
    expect(notices).toContainEqual(expect.stringMatching(/^Took over from run \S+ of .*it comes to a safe point and stops/))
    expect(second.events.flatMap((event) => (event.type === 'step.intent' ? [event.step] : []))).toEqual(['hub'])
  })

  it('stops the first with exit code 5 once its command has ended, and the journal stays whole for the second', async () => {
    const small = switched(work('rack') + work('hub', ['rack']))
    const folder = ['--state-dir', temporaryFolder()]
    const first = lifeboat(['run', small.runbook, '--cloud', world.cloudPath, '--confirm=small', '--yes', '--json', ...folder])
    const { run: id } = await first.until(({ type }) => type === 'step.intent')
    await small.begun('rack')
    const second = lifeboat(['resume', id, '--take-over', '--yes', '--json', ...folder])
    await second.until(({ type }) => type === 'survivor.found')
    small.finish('rack')
    const displaced = await first.ended
    expect(displaced.code, displaced.stderr).toBe(5)
    expect(displaced.stderr).toContain(`goes on with run ${id}`)
    expect(displaced.stderr).not.toContain('lifeboat resume')
    small.finish('hub')
    const ended = await second.ended
    expect(ended.code, ended.stderr).toBe(0)
    const { condition, stepsDone } = JSON.parse((await lifeboatHere(['status', id, '--json', ...folder])).stdout) as Record<string, unknown>
    expect([condition, stepsDone]).toEqual(['succeeded', 2])
  })

  it.skipIf(!hasTerminals)('by its undo leaves nothing out that it has begun since that was shown', async () => {
    const gate = "  - { id: go, uses: gate, needs: [rack], with: { ask: 'go on to the hub?' } }\n"
    const small = switched(`${work('rack')}${gate}${work('hub', ['go'])}${work('tail', ['hub'])}`)
    const [first, folder] = [['run', small.runbook, '--cloud', world.cloudPath, '--confirm=small', '--gate', 'ask'], ['--state-dir', temporaryFolder()]]
    const run = inTerminal([...first, ...folder])
    small.finish('rack')
    await run.waitFor('❯ Go on')
    const undo = inTerminal(['undo', '--take-over', ...folder])
    await undo.waitFor('Type small')
    run.type(keys.enter)
    small.finish('hub')
    await small.begun('tail')
    undo.type('small\r')
    await undo.waitFor('Took over')
    small.finish('tail')
    expect(await undo.ended).toBe(4)
    expect(undo.screen().join(' ').replaceAll(/\s+/g, ' ')).toMatch(/has gone on meanwhile; this was not shown: .*hub.*Give the same command again/)
    await run.ended
    for (const step of ['rack', 'hub', 'tail']) small.back(step)
    const again = await lifeboat(['undo', '--confirm=small', '--yes', ...folder]).ended
    expect(again.code, again.stderr).toBe(0)
    expect(['rack', 'hub', 'tail'].filter((step) => small.isDone(step))).toEqual([])
  })
})
