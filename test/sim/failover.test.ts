import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sayWrite, type Fidelity, type Write } from '../../src/contract/index.js'
import { matched } from '../../src/engine/fidelity.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { served, worldRequests, worldState, type RequestEntry, type Served } from '../helpers/served.js'
import { asWorldSees, once, worldWrites } from '../helpers/world-writes.js'
import { quickWorld } from '../helpers/worlds.js'

const runFlags = (world: Served, state: string): string[] => [
  data100,
  ...['--cloud', world.cloudPath, '--state-dir', state, '--confirm=data100', '--yes', '--json'],
]

const writesOf = (requests: readonly RequestEntry[]): RequestEntry[] => requests.filter(({ writes }) => writes)

interface Planned {
  marks: Write[]
  steps: { id: string; state: string; changes: unknown[]; writes?: Write[] }[]
}

/** The plan beside what the world saw, and the run's log beside the same; then what the report says of both. */
async function expectForetold({ steps, marks }: Planned, requests: readonly RequestEntry[], state: string): Promise<void> {
  const [run = ''] = readdirSync(join(state, 'runs'))
  const log = readFileSync(join(state, 'runs', run, 'log.ndjson'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Logged)
  const answered = log.filter(({ kind, writes = [] }) => kind === 'request' && writes.length > 0)
  const toAzure = requests.filter(({ door, writes }) => door === 'arm' && writes)
  const text = (write: Write, status: number | undefined): string => `${sayWrite(write).toLowerCase()} ${String(status)}`
  const inWorld = toAzure.map((entry) => text(worldWrites([entry])[0]!, entry.status)).sort()
  expect(answered.flatMap(({ writes = [], status }) => writes.map((write) => text(write, status))).sort()).toEqual(inWorld)
  expect(log.filter(({ kind, writes = [] }) => kind === 'sending' && writes.some((write) => 'method' in write))).toHaveLength(toAzure.length)

  const seen = once(worldWrites(requests))
  const predicted = [...steps.flatMap(({ writes = [] }) => writes), ...marks].map(asWorldSees)
  const { pairs, missing, unpredicted } = matched(predicted, seen.map((write) => ({ write })))
  const strange = JSON.stringify({ missing, unpredicted })
  expect(pairs.length).toBeGreaterThan(30)
  expect(pairs.length / (pairs.length + missing.length), strange).toBeGreaterThanOrEqual(0.99)
  expect(pairs.length / (pairs.length + unpredicted.length), strange).toBeGreaterThanOrEqual(0.99)

  const report = await lifeboatHere(['report', '--fidelity', '--json', '--state-dir', state])
  const { total } = JSON.parse(report.stdout) as Fidelity
  expect(total).toMatchObject({ predicted: 39, happened: 39, missing: 0, unpredicted: 0, precision: 1, recall: 1 })
}

interface Logged {
  readonly kind: string
  readonly writes?: readonly Write[]
  readonly status?: number
}

describe('data100, failed over by the real CLI in a simulated world', () => {
  it('plans without writing, runs, and then has nothing left to do', async () => {
    await using world = await served(quickWorld())
    const state = temporaryFolder()

    const plan = await lifeboat(['plan', data100, '--cloud', world.cloudPath, '--json', '--detailed-exitcode']).ended
    expect(plan.code, plan.stderr).toBe(10)
    expect(writesOf(await worldRequests(world))).toEqual([])
    const planned = JSON.parse(plan.stdout) as {
      dryRun: boolean
      firstHarm: string
      pointOfNoReturn: string | null
    } & Planned
    expect(planned.dryRun).toBe(true)
    expect(planned.firstHarm).toBe('fence')
    expect(planned.steps.find(({ id }) => id === 'staging')).toMatchObject({ state: 'assumed' })
    expect(JSON.stringify(planned.steps.find(({ id }) => id === 'prod-dns')?.changes)).toContain('$pending')

    const run = await lifeboat(['run', ...runFlags(world, state)]).ended
    expect(run.code, run.stderr).toBe(0)
    expectFailedOver(await worldState(world))
    await expectForetold(planned, await worldRequests(world), state)

    const again = await lifeboatHere(['plan', data100, '--cloud', world.cloudPath, '--json', '--detailed-exitcode'])
    expect(again.code, again.stdout).toBe(0)

    const before = writesOf(await worldRequests(world)).length
    const second = lifeboat(['run', ...runFlags(world, state)])
    expect((await second.ended).code, (await second.ended).stderr).toBe(0)
    expect(writesOf(await worldRequests(world)).slice(before)).toEqual([])
    expect(second.events.filter(({ type }) => type === 'question.asked')).toEqual([])
  })
})
