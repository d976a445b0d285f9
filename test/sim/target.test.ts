import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder, type RunningCli } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { readinessIn } from '../helpers/readiness.js'
import { served, worldRequests, worldState, worldWhere, type Served } from '../helpers/served.js'
import { groupSteps, runSmall, smallRunbook } from '../helpers/small.js'
import { worldFile } from '../helpers/worlds.js'

const runArgs = (world: Served): string[] => ['run', data100, '--cloud', world.cloudPath, '--state-dir', temporaryFolder(), '--confirm=data100', '--yes', '--json']

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
    const plan = await lifeboatHere(['plan', data100, '--cloud', world.cloudPath, '--json'])
    expect(plan.stderr).toMatch(/At work on this target: run 20190225-190000-data100-abcd of bob on bobs-laptop \(pid 4711/)
    expect(JSON.parse(plan.stdout)).toMatchObject({ atWork: [{ person: 'bob', host: 'bobs-laptop' }] })

    const refused = await lifeboatHere(runArgs(world))
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
    const cli = lifeboat(runArgs(world))
    await worldWhere(world, ({ operations }) => operations.some(({ what }) => what === 'cluster create'))
    cli.child.kill('SIGTERM')
    expect((await cli.ended).code, (await cli.ended).stderr).toBe(143)
    const { stderr } = await lifeboatHere(['plan', data100, '--cloud', world.cloudPath])
    expect(stderr).not.toContain('At work')
  })
})

describe('a target that is taken over', () => {
  it('is planned again once the displaced run has stopped: what it did meanwhile, and was not shown, stops the run', async () => {
    const alive = { ...elsewhere, 'lifeboat-owner-heartbeat': new Date().toISOString() }
    await using world = await served(worldFile(({ groups }) => void groups.push({ name: 'data100-nfs', tags: alive }, { name: 'data100-network', tags: {} })))
    const tags = (): Record<string, string> => world.world.group('data100-nfs')!.tags
    const cli = lifeboat([...runArgs(world), '--take-over'])
    await worldWhere(world, () => tags()['lifeboat-owner-run'] !== elsewhere['lifeboat-owner-run'])
    // The other run's last act, and its word that it has stopped.
    world.world.groups.delete('data100-network')
    tags()['lifeboat-owner-yielded'] = `${elsewhere['lifeboat-owner-run']} 4711 boot:1 bobs-laptop`
    const { code, stderr } = await cli.ended
    expect(stderr).toMatch(/the run that was at work has gone on meanwhile[\s\S]*data100-network/)
    expect([code, (await worldState(world)).operations.filter(({ what }) => what.endsWith(' create'))]).toEqual([4, []])
  })
})

describe('a run that is stopped while it takes a target over', () => {
  it('says whom it has displaced', async () => {
    const alive = { ...elsewhere, 'lifeboat-owner-heartbeat': new Date().toISOString() }
    await using world = await served(worldFile(({ groups }) => void groups.push({ name: 'data100-nfs', tags: alive })))
    const tags = (): Record<string, string> => world.world.group('data100-nfs')!.tags
    const cli = lifeboat([...runArgs(world), '--take-over'])
    await worldWhere(world, () => tags()['lifeboat-owner-run'] !== elsewhere['lifeboat-owner-run'])
    cli.child.kill('SIGINT')
    const { code, stderr } = await cli.ended
    const displaced = `Run ${elsewhere['lifeboat-owner-run']} of bob on bobs-laptop (pid 4711) was displaced and stops, if it is still at work`
    expect([code, stderr]).toEqual([130, expect.stringContaining(`before anything was begun. ${displaced}; nothing else was changed.`)])
  })
})

describe('two live runs of one runbook, each with a state folder of its own', () => {
  it('the second is refused, and with --take-over goes on, while the first stops with exit code 5 and writes no more', async () => {
    // The network never comes, and the world goes so slowly that its deadline is minutes away on a machine that is busy.
    await using world = await served(worldFile(({ durations }) => void (durations['network'] = '900m')), 2)
    const network = 'resourceGroup: first, location: westus2, name: n, addressSpace: [10.9.0.0/16], subnets: { a: 10.9.0.0/24 }'
    const runbook = smallRunbook(`${groupSteps('first')}  - { id: network, uses: azure/network, needs: [first], with: { ${network} } }\n`)
    const small = (...more: string[]): RunningCli => runSmall({ runbook, world, state: temporaryFolder() }, ...more)
    const waits = (event: RunEvent): boolean => event.type === 'step.progress' && /network n is (creating|updating)/.test(event.message)
    const first = small()
    // Until it has nothing left to do but to wait for its network.
    await worldWhere(world, ({ operations }) => operations.some(({ what }) => what === 'network'))
    const second = await small().ended
    expect([second.code, second.stderr]).toEqual([5, expect.stringMatching(/run \S+ of .*\sis\s+at\s+work\s+on\s+first/s)])

    const third = small('--take-over')
    const displaced = await first.ended
    const failures = first.events.flatMap((event) => (event.type === 'step.failed' ? [event.error] : []))
    expect([displaced.code, failures], displaced.stderr).toEqual([5, []])
    expect(displaced.stderr).toMatch(/was\s+taken\s+over\s+from\s+run\s+\S+\s+by\s+run\s+\S+/)
    expect(first.events.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'interrupted' })
    // The third finds what the first has made, and waits for the same network.
    await third.until(waits)
    third.child.kill('SIGTERM')
    expect((await third.ended).code, (await third.ended).stderr).toBe(143)
    const { operations, violations } = await worldState(world)
    expect([operations.filter(({ what }) => what === 'network').length, violations]).toEqual([1, []])
  })
})
