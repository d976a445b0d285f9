import type { RunState } from '../journal/index.js'
import { leave } from './rehearse.js'
import type { Screen } from './screen.js'
import type { Site } from './site.js'
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
export async function leftWorld(world: LeftWorld | undefined, screen: Screen, code: number): Promise<number> {
  return world === undefined ? code : leave(world, screen, code)
}
