import { LifeboatError } from '../contract/index.js'
import type { RunState } from '../journal/index.js'
import { hasLostWorld } from './condition.js'
import type { CommonOptions } from './options.js'
import { leave } from './rehearse.js'
import type { Screen } from './screen.js'
import type { Site } from './site.js'
import { commandLine } from './state.js'
import { WorldControl } from './world-control.js'

/** The world that a rehearsal has left for what goes on with it. */
export interface LeftWorld {
  readonly control: WorldControl
  readonly sim: NonNullable<RunState['sim']>
}

export function worldOf({ sim }: RunState, { cloud }: Site): LeftWorld | undefined {
  return sim === undefined ? undefined : { sim, control: new WorldControl(sim.control, cloud.certificateAuthority ?? '') }
}

/** A rehearsal's world is stopped when there is nothing left to go on with. */
export async function leftWorld(world: LeftWorld | undefined, screen: Screen, code: number, resumeCommand: string): Promise<number> {
  return world === undefined ? code : leave(world, screen, code, resumeCommand)
}

/** Throws `world.over` for a rehearsal whose world has ended: it cannot go on, forwards or back. */
export async function assertHasWorld(state: RunState, options: Pick<CommonOptions, 'stateDir'>): Promise<void> {
  if (!(await hasLostWorld(state))) return
  throw new LifeboatError('world.over', `the simulated world of rehearsal ${state.runbook.name} has ended, and it cannot go on in another one`, {
    blame: 'user',
    hint: `Nothing real was touched by it. To rehearse afresh: ${commandLine(options, 'rehearse', state.runbook.path)}`,
  })
}
