import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { otherThan } from '../../src/gameday/oracle/end-state.js'
import { StateFolder, type JournalRecord } from '../../src/journal/index.js'
import { stateOf, type WorldState } from '../../src/sim/control/state.js'
import { lifeboat, temporaryFolder, type Ended } from './cli.js'
import { expectFailedOver } from './failed-over.js'
import { childrenTold, killsAt, momentText, momentsOf, recordText, watchedFor, type Moment } from './moments.js'
import { served, worldState, type Served } from './served.js'
import { sites } from './sites.js'
import { quickWorld } from './worlds.js'

export interface Undisturbed {
  readonly moments: readonly Moment[]
  readonly state: WorldState
}

const { name, runbook, world: site, after } = sites.data100
const words = (stateDir: string): string[] => ['--state-dir', stateDir, '--yes', '--json']
const runWords = (world: Served): string[] => ['run', runbook, '--cloud', world.cloudPath, `--confirm=${name}`]

/** The records of the run that was begun last, and its name if there is something to go on with. */
async function recordsIn(stateDir: string): Promise<{ readonly run?: string; readonly records: readonly JournalRecord[] }> {
  const folder = new StateFolder(stateDir)
  const last = existsSync(stateDir) ? (await folder.runs())[0] : undefined
  if (last === undefined) return { records: [] }
  const { records } = await folder.read(last.run)
  return { records, ...(last.status === 'empty' ? {} : { run: last.run }) }
}

function expectSucceeded({ code, stderr }: Ended): void {
  expect(stderr).not.toContain('tool.bug')
  expect(code, stderr).toBe(0)
}

/** Fails the site over by the real CLI, and tells what it comes to and at which moments it could be killed. */
export async function undisturbedRun(): Promise<Undisturbed> {
  await using world = await served(quickWorld(undefined, site))
  const stateDir = temporaryFolder()
  const file = join(temporaryFolder(), 'children')
  expectSucceeded(await lifeboat([...runWords(world), ...words(stateDir)], watchedFor({ childrenTold: file })).ended)
  // What all others are held against must be right itself.
  expectFailedOver(await worldState(world), after)
  const { records } = await recordsIn(stateDir)
  return { moments: momentsOf({ records, requests: world.world.requests, children: childrenTold(file) }), state: stateOf(world.world) }
}

/**
 * Kills the real CLI at that moment of a failover in a world of its own, and goes on with the run. Answers what is other then than where
 * nothing disturbed it.
 */
export async function killedAt(moment: Moment, undisturbed: Undisturbed): Promise<readonly string[]> {
  await using world = await served(quickWorld(undefined, site))
  const stateDir = temporaryFolder()
  const first = lifeboat([...runWords(world), ...words(stateDir)], watchedFor({ moment }))
  killsAt(world, moment, () => first.child.kill('SIGKILL'))
  const { signal, stderr } = await first.ended
  expect(signal, `it is killed ${momentText(moment)}: ${stderr}`).toBe('SIGKILL')
  const { run, records } = await recordsIn(stateDir)
  if (moment.kind === 'journal') expectStandsAt(records, moment)

  const goOn = run === undefined ? runWords(world) : ['resume', run]
  expectSucceeded(await lifeboat([...goOn, ...words(stateDir)]).ended)
  expect(readdirSync(join(stateDir, 'private')), `credentials that are left, killed ${momentText(moment)}`).toEqual([])
  return otherThan(undisturbed.state, stateOf(world.world))
}

/** The journal has the record of that moment as its last one, or not at all. */
function expectStandsAt(records: readonly JournalRecord[], { what, n, when }: Moment): void {
  const all = records.map(recordText)
  expect(all.filter((one) => one === what)).toHaveLength(when === 'before' ? n - 1 : n)
  if (when === 'after') expect(all.at(-1)).toBe(what)
}
