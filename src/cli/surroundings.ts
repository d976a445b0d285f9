import type { Clock, Listener, Operator } from '../contract/index.js'
import type { Survivors } from '../engine/index.js'
import { localStore } from '../journal/index.js'
import { clockOf } from '../platform/clock/clock.js'
import type { Cloud } from '../platform/cloud/schema.js'
import { markedChildren, processes } from '../platform/exec/processes.js'
import { handleSurvivor } from '../platform/exec/survivors.js'
import type { Wires } from '../platform/wires.js'

/** What a command finds around it, besides files: time, the processes of this machine, ways to the outside, chance. */
export interface Surroundings {
  clockOf(cloud: Pick<Cloud, 'clock'>): Clock
  readonly processes: typeof processes
  /** Of a site, by its mark. */
  survivors(mark: string, clock: Clock): Survivors
  readonly openStore: typeof localStore
  /** From 0 up to 1. */
  random(): number
  /** Absent: sockets, and programs of this machine. */
  readonly wires?: Wires
  /** Answers the engine's questions in the place of a person at the terminal. Absent: whoever sits there, if somebody does. */
  readonly operator?: Operator
  /** Hears every event that a renderer is shown. */
  readonly heard?: Listener
}

/** What there is for a command that somebody has typed. Game days and simulations give others. */
export const thisMachine: Surroundings = {
  clockOf: (cloud) => clockOf(cloud),
  processes,
  survivors: (mark, clock) => ({
    handle: (child, found, signal) => handleSurvivor(child, { clock, found, signal }),
    marked: () => markedChildren(mark),
  }),
  openStore: localStore,
  // By the operating system's own generator.
  random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
}
