import { describe, expect, it } from 'vitest'
import { data100, lifeboat, temporaryFolder, type RunningCli } from '../helpers/cli.js'
import { readinessIn } from '../helpers/readiness.js'
import { served, worldRequests, worldState, worldWhere, type Served } from '../helpers/served.js'
import { worldFile } from '../helpers/worlds.js'

const run = (world: Served, ...more: string[]): RunningCli =>
  lifeboat(['run', data100, '--cloud', world.cloudPath, '--state-dir', temporaryFolder(), '--confirm=data100', '--yes', '--json', ...more])

/** What the world has of a run of another machine. */
const elsewhere = {
  'lifeboat-owner-run': '20190225-190000-data100-abcd',
  'lifeboat-owner-runbook': 'data100',
  'lifeboat-owner-person': 'bob',
  'lifeboat-owner-host': 'bobs-laptop',
  'lifeboat-owner-machine': '0123456789abcdef',
  'lifeboat-owner-pid': '4711',
  'lifeboat-owner-process': 'boot:1',
  'lifeboat-owner-since': '2019-02-25T19:00:00.000Z',
  'lifeboat-owner-heartbeat': '2019-02-25T19:01:00.000Z',
  'lifeboat-owner-state': 'at work',
}

describe('a target on which another machine is at work', () => {
  it('is told by a plan, and refuses a run with exit code 5 before anything is written', async () => {
    await using world = await served(worldFile(({ groups }) => void groups.push({ name: 'data100-nfs', tags: elsewhere })))
    const plan = await lifeboat(['plan', data100, '--cloud', world.cloudPath, '--json']).ended
    expect(plan.stderr).toMatch(/At work on this target: run 20190225-190000-data100-abcd of bob on bobs-laptop \(pid 4711/)
    expect(JSON.parse(plan.stdout)).toMatchObject({ atWork: [{ person: 'bob', host: 'bobs-laptop' }] })

    const refused = await run(world).ended
    expect(refused.code, refused.stderr).toBe(5)
    expect(refused.stderr).toMatch(/run\s+20190225-190000-data100-abcd\s+of\s+bob\s+on\s+bobs-laptop.*last\s+heard\s+of\s+\d+\s+h\s+ago/s)
    expect(refused.stderr).toContain('--take-over')
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])
  })

  it('cannot be marked without the right to: found before anything is written', async () => {
    const permissions = [{ actions: ['*'], notActions: ['Microsoft.Resources/tags/*'] }]
    await using world = await served(worldFile((file) => void (file.permissions = permissions)))
    const { code, findings } = await readinessIn(world)
    expect([code, findings.filter(({ what }) => what.includes('Microsoft.Resources/tags/write'))]).toMatchObject([4, [{ level: 'stop', steps: [] }]])
  })

  it('is told from one on which that run has ended', async () => {
    const ended = { ...elsewhere, 'lifeboat-owner-state': 'ended: failed' }
    await using world = await served(worldFile(({ groups }) => void groups.push({ name: 'data100-nfs', tags: ended })))
    const cli = run(world)
    await worldWhere(world, ({ operations }) => operations.some(({ what }) => what === 'cluster create'))
    cli.child.kill('SIGTERM')
    expect((await cli.ended).code, (await cli.ended).stderr).toBe(143)
    const { stderr } = await lifeboat(['plan', data100, '--cloud', world.cloudPath]).ended
    expect(stderr).not.toContain('At work')
  })
})

describe('a target that is taken over', () => {
  it('is planned again once the displaced run has stopped: what it did meanwhile, and was not shown, stops the run', async () => {
    const alive = { ...elsewhere, 'lifeboat-owner-heartbeat': new Date().toISOString() }
    await using world = await served(worldFile(({ groups }) => void groups.push({ name: 'data100-nfs', tags: alive }, { name: 'data100-network', tags: {} })))
    const tags = (): Record<string, string> => world.world.group('data100-nfs')!.tags
    const cli = run(world, '--take-over')
    await worldWhere(world, () => tags()['lifeboat-owner-run'] !== elsewhere['lifeboat-owner-run'])
    // The other run's last act, and its word that it has stopped.
    world.world.groups.delete('data100-network')
    tags()['lifeboat-owner-yielded'] = `${elsewhere['lifeboat-owner-run']} 4711 boot:1 bobs-laptop`
    const { code, stderr } = await cli.ended
    expect(stderr).toMatch(/the displaced run has gone on meanwhile[\s\S]*data100-network/)
    expect([code, (await worldState(world)).operations.filter(({ what }) => what.endsWith(' create'))]).toEqual([1, []])
  })
})

describe('two live runs of one runbook, each with a state folder of its own', () => {
  it('the second is refused, and with --take-over goes on, while the first stops with exit code 5 and writes no more', async () => {
    // The cluster takes so long, and the world goes so slowly, that the first run still waits for it on a machine that is busy.
    await using world = await served(worldFile(({ durations }) => void (durations['cluster create'] = '900m')), 20)
    const first = run(world)
    // Until it has nothing left to do but to wait for its cluster.
    await first.until((event) => event.type === 'step.verified' && event.step === 'exports')
    const second = await run(world).ended
    expect([second.code, second.stderr]).toEqual([5, expect.stringMatching(/run \S+ of .*\sis\s+at\s+work\s+on\s+data100-/s)])

    const third = run(world, '--take-over')
    const displaced = await first.ended
    const failures = first.events.flatMap((event) => (event.type === 'step.failed' ? [event.error] : []))
    expect([displaced.code, failures], displaced.stderr).toEqual([5, []])
    expect(displaced.stderr).toMatch(/was\s+taken\s+over\s+from\s+run\s+\S+\s+by\s+run\s+\S+/)
    expect(first.events.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'interrupted' })
    // The third finds what the first has made, and waits for the same cluster.
    await third.until((event) => event.type === 'step.verified' && event.step === 'exports')
    third.child.kill('SIGTERM')
    expect((await third.ended).code, (await third.ended).stderr).toBe(143)
    const { operations, violations } = await worldState(world)
    const made = operations.filter(({ what }) => what === 'cluster create' || what === 'vm create').map(({ what }) => what)
    expect([made.sort(), violations]).toEqual([['cluster create', 'vm create'], []])
  })
})
