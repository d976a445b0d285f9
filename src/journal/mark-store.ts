import type { Processes } from './lock.js'
import { livesIn, markIn, type Mark, type Tags } from './mark.js'

/** Where marks stand: the tags of resource groups. `cli` makes one of the Azure door. */
export interface MarkStore {
  /** Undefined for a group that does not exist. A read that fails rejects. */
  read(group: string): Promise<Tags | undefined>
  /** Adds tags and keeps the others; false while the group is locked. */
  merge(group: string, tags: Tags): Promise<boolean>
}

/** Of a life that is not ours: `free` has ended or is known to be dead, `here` lives on this host, `elsewhere` may live. */
export type Standing = 'free' | 'here' | 'elsewhere'

/** Those who are at work on these groups, or may be: for a plan, which writes nothing. */
export async function atWorkOn(groups: readonly string[], store: MarkStore, processes: Processes): Promise<readonly Mark[]> {
  const lives = livesIn(await readMarks(store, groups))
  const standings = await Promise.all(lives.map(({ mark }) => standingOf(mark, processes)))
  return lives.filter((_, at) => standings[at] !== 'free').map(({ mark }) => mark)
}

/** Only groups that exist are in the answer. */
export async function readMarks(store: MarkStore, groups: Iterable<string>): Promise<ReadonlyMap<string, Mark | undefined>> {
  const read = await Promise.all([...groups].map(async (group) => [group, await store.read(group)] as const))
  return new Map(read.flatMap(([group, tags]) => (tags === undefined ? [] : [[group, markIn(tags)] as const])))
}

/** A process is known to be dead only where it ran. */
export async function standingOf(mark: Mark, processes: Processes): Promise<Standing> {
  if (mark.state !== 'at work') return 'free'
  if (mark.host !== processes.host || mark.machine !== (await processes.machine())) return 'elsewhere'
  return (await processes.alive(mark.pid, mark.process)) ? 'here' : 'free'
}
