import { Watch } from '../../gameday/oracle/watch.js'
import { glanceOf } from '../../sim/control/state.js'
import type { WorldParts } from '../../sim/within.js'

/** What the journals of a stage say now. */
export interface Journals {
  /** Steps of which an intent stands in a journal, synced, and no end since. */
  readonly openIntents: number
  /**
   * Has this step one that has not failed, in the journal of a life that is not over: of this one, or where it is not known which, of any?
   * True where it cannot be told whose a write is.
   */
  hasIntent(step: string, life?: string): boolean
  /** Lives that are in the midst of changing something now; `but`: something else than this step. */
  atWork(but?: string): number
}

/** The oracle, watching all that happens in a world. */
export function watched({ world, hubs }: Pick<WorldParts, 'world' | 'hubs'>, journals: Journals): Watch {
  const watch = new Watch(glanceOf(world), {
    hubs: () => hubs.places(),
    atStart: idsOf(world),
    openIntents: () => journals.openIntents,
    hasIntent: (step, life) => journals.hasIntent(step, life),
    atWork: (but) => journals.atWork(but),
    operations: () => world.operations,
    nowMs: () => world.clock.nowMs(),
  })
  world.onChange.add(() => watch.look(glanceOf(world)))
  world.onRequest.add((entry) => watch.hear(entry))
  world.onProgram.add((moment) => watch.hearOfProgram(moment))
  world.tamper.add(({ what, resource }) => {
    if (what === 'zpool import') watch.imports(resource)
    return undefined
  })
  return watch
}

function idsOf({ resources, groups }: WorldParts['world']): ReadonlySet<string> {
  return new Set([...resources.values(), ...groups.values()].map(({ id }) => id.toLowerCase()))
}
