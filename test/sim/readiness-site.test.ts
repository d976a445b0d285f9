import { describe, expect, it } from 'vitest'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { readinessIn } from '../helpers/readiness.js'
import { served, worldRequests } from '../helpers/served.js'
import { doorsTo } from '../helpers/steps.js'
import { worldFile } from '../helpers/worlds.js'

describe('R1: the Date of the resource manager', () => {
  it('is real time in a world of another year that runs fast', async () => {
    await using world = await served()
    const { doors, clock } = await doorsTo(world.cloudPath)
    const before = clock.realNow().getTime()
    const told = (await doors.azure.serverTime()).getTime()
    expect(told).toBeGreaterThan(before - 1000)
    expect(told).toBeLessThanOrEqual(clock.realNow().getTime())
    expect(Math.abs(told - clock.now().getTime())).toBeGreaterThan(365 * 24 * 3_600_000)
  })
})

describe('the clock of this machine', () => {
  it('is no finding where both agree, and nothing else is in the way of data100', async () => {
    await using world = await served()
    const { code, findings, failures } = await readinessIn(world)
    expect(failures).toEqual([])
    expect(findings.filter(({ level }) => level === 'stop')).toEqual([])
    expect(findings.filter(({ steps }) => steps.length === 0)).toEqual([])
    expect(code).toBe(0)
  })

  it('is a warning a few minutes off', async () => {
    await using world = await served(worldFile((file) => void (file.clockAhead = '3m')))
    const { code, findings } = await readinessIn(world)
    expect(findings).toContainEqual({ level: 'warn', steps: [], what: expect.stringMatching(/clock of this machine is \d min.* behind/) as string, mend: expect.any(String) as string })
    expect(code).toBe(0)
  })

  it('stops a run that is further off, before anything is written', async () => {
    await using world = await served(worldFile((file) => void (file.clockAhead = '10m')))
    const args = ['run', data100, '--cloud', world.cloudPath, '--confirm=data100', '--yes', '--state-dir', temporaryFolder()]
    const { code, stderr } = await lifeboat(args, { COLUMNS: '80' }).ended
    expect(code, stderr).toBe(4)
    expect(stderr).toMatch(/Readiness: 1 thing stops it/)
    expect(stderr).toMatch(/stop +\(site\) +the clock of this machine is/)
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])
  })
})
