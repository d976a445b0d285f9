import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { PlanFacts, PlannedStep } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { plant, served, worldRequests, worldState, worldWhere } from '../helpers/served.js'
import { oldServer } from '../helpers/storage-path.js'

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
    await using world = await served(undefined, 240)
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

  it('that came back in the middle and served its users is fenced again, and copied again: older copies are none of what they wrote', async () => {
    await using world = await served(undefined, 240)
    for (const host of world.world.hosts.values()) host.answers = false
    const flags = ['--accept', 'fence=deallocate', '--yes', '--json', '--state-dir', temporaryFolder()]
    const meanwhile = { method: 'POST', path: `${oldServer}/start` }
    await plant(world, { match: { method: 'PUT', path: 'data100-snapshots/.*/snapshots/' }, meanwhile })
    const run = lifeboat(['run', storageOnly(), '--cloud', world.cloudPath, '--confirm=data100', ...flags])
    expect((await run.ended).code, (await run.ended).stderr).toBe(1)
    expect(run.events.find(({ type }) => type === 'step.failed')).toMatchObject({ step: 'detach', error: { code: 'detach.not-fenced' } })
    await worldWhere(world, ({ pools }) => pools[0]?.importedOn.includes(oldServer) === true)

    const resumed = await lifeboat(['resume', ...flags]).ended
    expect(resumed.code, resumed.stderr).toBe(0)
    const { operations, snapshots, pools, violations } = await worldState(world)
    const what = operations.map((operation) => operation.what).filter((one) => /^(deallocate|snapshot|start|detach)$/.test(one))
    expect(what).toEqual(['deallocate', 'start', 'snapshot', 'snapshot', 'deallocate', 'snapshot', 'snapshot', 'detach'])
    expect(snapshots.slice(2).map(({ torn }) => torn)).toEqual([false, false])
    expect([pools.map(({ importedOn }) => importedOn.length), violations]).toEqual([[1], []])
  })
})
