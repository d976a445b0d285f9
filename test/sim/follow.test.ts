import { describe, expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { plant, served } from '../helpers/served.js'
import { groupSteps, runSmall, smallRunbook } from '../helpers/small.js'

describe('lifeboat status --follow', () => {
  it('shows a run to a second terminal as it goes on, and ends with it', async () => {
    await using world = await served()
    const small = { world, runbook: smallRunbook(groupSteps('one', 'two', 'three')), state: temporaryFolder() }
    const run = runSmall(small)
    await run.until(({ type }) => type === 'step.started')
    const [stream, lines] = ['--json', '--verbose'].map((flag) => lifeboat(['status', '--follow', flag, '--state-dir', small.state]))
    const [own, followed, plain] = await Promise.all([run.ended, stream?.ended, lines?.ended])
    expect([own.code, followed?.code, plain?.code], plain?.stderr).toEqual([0, 0, 0])
    const told = (events: typeof run.events): string[] =>
      events.filter(({ type }) => /^(run|step)\.(?!progress|waiting)/.test(type)).map((event) => `${event.type} ${'step' in event ? event.step : ''}`)
    expect(told(stream?.events ?? [])).toEqual(told(run.events))
    expect(stream?.events.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'succeeded' })
    expect(plain?.stderr).toContain('small succeeded after')
    expect(plain?.stdout).toBe('')
  })

  it('ends where the process of the run is gone, and says how to go on', async () => {
    await using world = await served()
    // It waits there for an answer, however long its follower takes to come.
    await plant(world, { match: { method: 'PUT', path: '/three$' }, times: 1, drop: 'never' })
    const small = { world, runbook: smallRunbook(groupSteps('one', 'two', 'three')), state: temporaryFolder() }
    const run = runSmall(small)
    await run.until(({ type }) => type === 'step.verified')
    const follower = lifeboat(['status', '-f', '--json', '--state-dir', small.state])
    await follower.until(({ type }) => type === 'run.started')
    run.child.kill('SIGKILL')
    await run.ended
    const { code, stdout, stderr } = await follower.ended
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/The process of this run is gone. To go on with it: lifeboat resume 2\d+-\d+-small-\w+/)

    const status = await lifeboatHere(['status', '--state-dir', small.state])
    expect(status.stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(10)
    expect(status.stdout).toMatch(/stopped in mid-run[\s\S]*owner [\s\S]*next +lifeboat resume /)
    const unknown = await lifeboatHere(['status', '--follow', 'no-such-run', '--state-dir', small.state])
    expect(unknown.code).toBe(2)
  })
})
