import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { helmWaitsIn, served, worldState } from '../helpers/served.js'
import { quickWorld } from '../helpers/worlds.js'

describe('a run whose state folder was lost', () => {
  it('is gone on with by another, which adopts the half-finished world and ends the helm that outlived the first', async () => {
    // Its pods take so long that helm cannot end by itself while the second run still plans.
    await using world = await served(quickWorld(({ podsReady = {} }) => void (podsReady['data100-staging'] = '55m')))
    const state = temporaryFolder()
    const run = (folder: string): ReturnType<typeof lifeboat> =>
      lifeboat(['run', data100, '--cloud', world.cloudPath, '--state-dir', folder, '--confirm=data100', '--yes', '--json'])
    const first = run(state)
    // In mid-helm: its process goes on, and no journal is left that knows of it.
    await helmWaitsIn(world, 'data100-staging')
    first.child.kill('SIGKILL')
    await first.ended
    rmSync(state, { recursive: true })

    const second = run(temporaryFolder())
    expect((await second.ended).code, (await second.ended).stderr).toBe(0)
    const survivors = second.events.flatMap((event) => (event.type === 'survivor.handled' ? [event] : []))
    expect(survivors.map(({ command, how }) => [command.includes('helm'), how])).toContainEqual([true, 'ended'])
    expectFailedOver(await worldState(world))
  })
})
