import type { Owner } from './records.js'

/**
 * One life of a run (from its start or a resume to its end), as the tags of a resource group tell of it. Times are real,
 * RFC 3339 UTC: the beat of a run is the same whatever its cloud's clock does.
 */
export interface Mark {
  readonly run: string
  readonly runbook: string
  readonly person: string
  readonly host: string
  /** Tells apart hosts of one name. */
  readonly machine: string
  readonly pid: number
  /** The process's start as the operating system tells it. */
  readonly process: string
  readonly since: string
  readonly heartbeat: string
  /** The group that decides between two lives that began at the same moment: the one that is made and marked first. */
  readonly lead: string
  /** The run that this one puts back, if it is an undo; empty, so that the tag of another is written over. */
  readonly undoes: string
  readonly state: 'at work' | `ended: ${string}`
}

export type Tags = Readonly<Record<string, string>>

const prefix = 'lifeboat-owner-'
const longest = 256

/** The tags of a mark, or of some of its fields. Azure takes 256 characters each. */
export function tagsOfMark(mark: Partial<Mark>): Tags {
  return Object.fromEntries(Object.entries(mark).map(([field, value]) => [prefix + field, String(value).slice(0, longest)]))
}

/** The mark among a group's tags, or undefined if there is none. One that somebody has torn is a mark all the same. */
export function markIn(tags: Tags): Mark | undefined {
  const told = new Map(Object.entries(tags).map(([name, value]) => [name.toLowerCase(), value]))
  const of = (field: keyof Mark): string => told.get(prefix + field) ?? ''
  if (of('run') === '') return undefined
  return {
    run: of('run'),
    runbook: of('runbook'),
    person: of('person'),
    host: of('host'),
    machine: of('machine'),
    pid: Number(of('pid')),
    process: of('process'),
    since: of('since'),
    heartbeat: of('heartbeat'),
    lead: of('lead'),
    undoes: of('undoes'),
    state: of('state').startsWith('ended: ') ? (of('state') as Mark['state']) : 'at work',
  }
}

/** Names one life: the same run, resumed, is another. */
export function lifeOf({ run, host, machine, pid, process }: Mark): string {
  return JSON.stringify([run, host, machine, pid, process])
}

/** Is this the life that a journal names as its run's last? */
export function isOwner({ host, pid, process }: Mark, owner: Owner): boolean {
  return host === owner.host && pid === owner.pid && process === owner.started
}

const yielded = `${prefix}yielded`

/** What a displaced life says once it has stopped: it stands beside the mark of whoever displaced it. */
export function yieldOf(mark: Mark): Tags {
  return { [yielded]: nameOfLife(mark) }
}

/** Do a group's tags say that this life has stopped? */
export function hasYielded(tags: Tags | undefined, mark: Mark): boolean {
  return Object.entries(tags ?? {}).some(([name, value]) => name.toLowerCase() === yielded && value === nameOfLife(mark))
}

function nameOfLife({ run, host, pid, process }: Mark): string {
  return [run, pid, process, host].join(' ').slice(0, longest)
}

/** One life with all that the groups say of it. */
export interface Life {
  /** The mark that was heard of last; its `state` is at work only if no group says otherwise. */
  readonly mark: Mark
  readonly groups: readonly string[]
}

/** What several groups say, put together: a move keeps some of them from being written, so each may know only half. */
export function livesIn(marks: ReadonlyMap<string, Mark | undefined>): readonly Life[] {
  const lives = new Map<string, { mark: Mark; groups: string[] }>()
  for (const [group, mark] of marks) {
    if (mark === undefined) continue
    const known = lives.get(lifeOf(mark))
    if (known === undefined) lives.set(lifeOf(mark), { mark, groups: [group] })
    else lives.set(lifeOf(mark), { mark: together(known.mark, mark), groups: [...known.groups, group] })
  }
  return [...lives.values()]
}

function together(one: Mark, other: Mark): Mark {
  const later = one.heartbeat < other.heartbeat ? other : one
  const ended = [one, other].find(({ state }) => state !== 'at work')
  return ended === undefined ? later : { ...later, state: ended.state }
}
