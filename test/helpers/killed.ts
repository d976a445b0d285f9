import { expect } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { data100, lifeboat, temporaryFolder } from './cli.js'
import { expectFailedOver } from './failed-over.js'
import { served, worldState } from './served.js'
import { quickWorld } from './worlds.js'

/** Runs data100 until that event, kills the process with SIGKILL, resumes it, and looks at the world that came of it. */
export async function killedAndResumed(at: (event: RunEvent, seen: readonly RunEvent[]) => boolean): Promise<void> {
  await using world = await served(process.env['CRASH'] === 'all' ? undefined : quickWorld())
  const flags = ['--state-dir', temporaryFolder(), '--yes', '--json']
  const first = lifeboat(['run', data100, '--cloud', world.cloudPath, '--confirm=data100', ...flags])
  await first.until(at)
  first.child.kill('SIGKILL')
  await first.ended

  const second = await lifeboat(['resume', ...flags]).ended
  expect(second.stderr, second.stderr).not.toContain('tool.bug')
  expect(second.code, second.stderr).toBe(0)
  expectFailedOver(await worldState(world))
}
