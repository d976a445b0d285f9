import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder, type RunningCli } from '../helpers/cli.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { helmWaitsIn, served, worldRequests, worldState } from '../helpers/served.js'
import { quickWorld } from '../helpers/worlds.js'

const kill = async (life: RunningCli): Promise<void> => {
  life.child.kill('SIGKILL')
  await life.ended
}

const survivorsOf = ({ events }: RunningCli): unknown[] =>
  events.flatMap((event) => (event.type === 'survivor.handled' ? [['step' in event ? event.step : 'of another run', event.command.includes('helm upgrade'), event.how]] : []))

const isIntentOf = (step: string) => (event: RunEvent) => event.type === 'step.intent' && event.step === step

/**
 * What would need a failover each, in one (only with `CRASH=all`): an early step, one whose claims a step before it needs as well, a
 * child that goes on, and a journal that is lost while one does.
 */
describe('one failover in five lives', () => {
  it('is killed among the first steps, at an intent, and twice in mid-helm, the second time with its journal lost; nothing is made twice', async () => {
    // Its pods take so long that helm cannot end by itself before the next life looks for it.
    await using world = await served(quickWorld(({ podsReady = {} }) => void (podsReady['data100-staging'] = '55m')))
    const state = temporaryFolder()
    const flags = (folder: string): string[] => ['--state-dir', folder, '--yes', '--json']
    const run = (folder: string): RunningCli => lifeboat(['run', data100, '--cloud', world.cloudPath, '--confirm=data100', ...flags(folder)])
    const resume = (): RunningCli => lifeboat(['resume', ...flags(state)])

    const first = run(state)
    await first.until((_, seen) => seen.filter(({ type }) => type === 'step.started').length === 8)
    await kill(first)

    const second = resume()
    await second.until(isIntentOf('detach'))
    await kill(second)

    const third = resume()
    await helmWaitsIn(world, 'data100-staging')
    await kill(third)

    // The journal knows of the helm that goes on: it is ended, and another one is at work.
    const fourth = resume()
    await fourth.until(({ type }) => type === 'survivor.handled')
    await helmWaitsIn(world, 'data100-staging', (await worldRequests(world)).length)
    await kill(fourth)
    expect(survivorsOf(fourth)).toEqual([['staging', true, 'ended']])

    // Nothing is left that knows of the run: another adopts what it finds, and ends the helm by the mark in its environment.
    rmSync(state, { recursive: true })
    const fifth = run(temporaryFolder())
    const { code, stderr } = await fifth.ended
    expect(code, stderr).toBe(0)
    expect(stderr).not.toContain('tool.bug')
    expect(survivorsOf(fifth)).toContainEqual([expect.anything(), true, 'ended'])
    expectFailedOver(await worldState(world))
  })
})
