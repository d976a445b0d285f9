import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/cli.js'
import { served, worldRequests } from '../helpers/served.js'
import { groupSteps, resumeSmall, runSmall, runSmallWithin, smallRunbook } from '../helpers/small.js'
import { cloudFile } from '../helpers/worlds.js'

const names = ['one', 'two', 'three', 'four', 'five', 'six']

function journalIn(state: string): string {
  const [run = ''] = readdirSync(join(state, 'runs'))
  return join(state, 'runs', run, 'journal.ndjson')
}

describe('a disk that is full under the journal', () => {
  it('stops the run, which says so, and goes on once there is room, with nothing done twice', async () => {
    await using world = await served()
    const stage = { world, runbook: smallRunbook(groupSteps(...names)), state: temporaryFolder() }
    const { code, stderr } = await runSmallWithin(stage, 6)
    expect(code, stderr).toBe(1)
    expect(stderr).toMatch(/the journal cannot be written \(EFBIG,\s.*journal\.ndjson\)/)
    expect(stderr).toContain('Free some space there')
    expect(statSync(journalIn(stage.state)).size).toBeLessThanOrEqual(6 * 1024)
    expect(names.every((name) => world.world.group(name) !== undefined)).toBe(false)

    const resumed = resumeSmall(stage)
    expect((await resumed.ended).code, (await resumed.ended).stderr).toBe(0)
    const made = (await worldRequests(world)).filter(({ method, path, status }) => method === 'PUT' && /resourceGroups\/\w+$/i.test(path) && status < 300)
    expect(made.map(({ path }) => path.split('/').at(-1)).sort()).toEqual([...names].sort())
  })
})

describe('a clock that is set back between two lives of a run', () => {
  it('is told, and the journal does not go back in time', async () => {
    await using world = await served()
    const hour = 3_600_000
    // The run's clock comes from the cloud file: three hours later first, as it is afterwards.
    const later = cloudFile(world.cloudPath, ({ clock }) => void (clock.world = new Date(Date.parse(clock.world) + 3 * hour).toISOString()))
    const stage = { world: { ...world, cloudPath: later }, runbook: smallRunbook(groupSteps(...names)), state: temporaryFolder() }
    const run = runSmall(stage)
    await run.until((event) => event.type === 'step.verified')
    run.child.kill('SIGKILL')
    await run.ended
    cloudFile(world.cloudPath, () => undefined)

    const resumed = resumeSmall(stage)
    expect((await resumed.ended).code, (await resumed.ended).stderr).toBe(0)
    const notices = resumed.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []))
    expect(notices).toContainEqual(expect.stringMatching(/^The clock is 1\d\d min behind the journal's last record: it was set back/) as unknown)
    const times = readFileSync(journalIn(stage.state), 'utf8').trimEnd().split('\n').map((line) => (JSON.parse(line) as { t: string }).t)
    expect(times).toEqual([...times].sort())
  })
})
