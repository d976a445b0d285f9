import { describe, expect, it } from 'vitest'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { isInstalling, served, worldState, worldWhere } from '../helpers/served.js'
import { quickWorld } from '../helpers/worlds.js'

describe('a child that outlived the kill', () => {
  it('helm is found by the journal, ended, and its release finished once', async () => {
    // Its pods take so long that helm cannot end by itself before the resume looks for it.
    await using world = await served(quickWorld(({ podsReady = {} }) => void (podsReady['data100-prod'] = '55m')))
    const flags = ['--state-dir', temporaryFolder(), '--yes', '--json']
    const first = lifeboat(['run', data100, '--cloud', world.cloudPath, '--confirm=data100', ...flags])
    await worldWhere(world, isInstalling('data100-prod'))
    first.child.kill('SIGKILL')
    await first.ended

    const second = lifeboat(['resume', ...flags])
    expect((await second.ended).code, (await second.ended).stderr).toBe(0)
    const survivors = second.events.flatMap((event) => (event.type === 'survivor.handled' ? [event] : []))
    expect(survivors.map(({ step, how }) => [step, how])).toEqual([['prod', 'ended']])
    expectFailedOver(await worldState(world))
  })
})
