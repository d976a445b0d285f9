import { expect } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { lifeboat, temporaryFolder } from './cli.js'
import { expectFailedOver } from './failed-over.js'
import { served, worldState } from './served.js'
import { sites, type Site } from './sites.js'

/** Runs a site's failover until that event, kills the process with SIGKILL, resumes it, and looks at the world that came of it. */
export async function killedAndResumed(
  at: (event: RunEvent, seen: readonly RunEvent[]) => boolean,
  { name, runbook, world: file, after }: Site = sites.data100,
): Promise<void> {
  await using world = await served(file)
  const flags = ['--state-dir', temporaryFolder(), '--yes', '--json']
  const first = lifeboat(['run', runbook, '--cloud', world.cloudPath, `--confirm=${name}`, ...flags])
  await first.until(at)
  first.child.kill('SIGKILL')
  await first.ended

  const second = await lifeboat(['resume', ...flags]).ended
  expect(second.stderr, second.stderr).not.toContain('tool.bug')
  expect(second.code, second.stderr).toBe(0)
  expectFailedOver(await worldState(world), after)
}

/** Kills it after the n-th `step.started`. */
export const killedAtStart = (n: number, site?: Site): Promise<void> =>
  killedAndResumed((_, seen) => seen.filter(({ type }) => type === 'step.started').length === n, site)
