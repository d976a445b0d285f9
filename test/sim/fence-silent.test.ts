import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { PlanFacts, PlannedStep } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { served, worldRequests, worldState } from '../helpers/served.js'

/** data100 up to its exports, without a cluster: what happens to the storage is the same, in half the time. */
function storageOnly(): string {
  const { steps, ...rest } = parse(readFileSync(data100, 'utf8')) as { steps: { id: string }[]; rehearsal?: unknown }
  const others = /^(ttl|group-cluster|identity|subnet-rights|cluster|go-on-to-prod|(staging|prod)(-.+)?)$/
  const path = join(temporaryFolder(), 'storage.yaml')
  writeFileSync(path, JSON.stringify({ ...rest, rehearsal: undefined, steps: steps.filter(({ id }) => !others.test(id)) }))
  return path
}

describe('an old server that does not answer', () => {
  it('is stopped only by choice, as the plan shows; its pool is imported with -f then, and all is as wanted', async () => {
    await using world = await served()
    for (const host of world.world.hosts.values()) host.answers = false
    const runbook = storageOnly()
    const flags = ['--cloud', world.cloudPath, '--json']
    const confirmed = [...flags, '--state-dir', temporaryFolder(), '--confirm=data100', '--yes']

    // `--yes` passes gates and chooses nothing.
    expect((await lifeboatHere(['run', runbook, ...confirmed])).code).toBe(4)
    const accept = ['--accept', 'fence=deallocate']
    const plan = await lifeboatHere(['plan', runbook, ...flags, ...accept])
    expect(plan.code, plan.stderr).toBe(0)
    const planned = JSON.parse(plan.stdout) as PlanFacts & { steps: PlannedStep[] }
    const { steps, firstHarm, pointOfNoReturn } = planned
    expect([firstHarm, pointOfNoReturn]).toEqual(['fence', null])
    expect(steps.find(({ id }) => id === 'fence')?.changes).toMatchObject([{ resource: 'old server', after: { power: 'deallocated' } }])
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])

    const run = lifeboat(['run', runbook, ...confirmed, ...accept])
    expect((await run.ended).code, (await run.ended).stderr).toBe(0)
    const fenced = run.events.flatMap((event) => (event.type === 'step.verified' && event.step === 'fence' ? [event.outputs] : []))
    expect(fenced).toEqual([expect.objectContaining({ how: 'deallocated' })])
    expect((await worldRequests(world)).filter(({ path }) => path.includes('zpool import -f'))).toHaveLength(1)
    const { pools, disks, snapshots, violations } = await worldState(world)
    expect(violations).toEqual([])
    expect(pools.map(({ importedOn }) => importedOn)).toEqual([[expect.stringMatching(/\/resourceGroups\/data100-nfs\/.*\/nfsserver$/i)]])
    expect(disks.filter(({ id }) => id.includes('DataDisk')).map(({ id, moves }) => [/data100-disks/i.test(id), moves])).toEqual([[true, 1], [true, 1]])
    expect(snapshots.map(({ torn }) => torn)).toEqual([false, false])
    expect((await lifeboatHere(['plan', runbook, ...flags, '--detailed-exitcode'])).code).toBe(0)
  })
})
