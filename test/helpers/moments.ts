import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { JournalRecord } from '../../src/journal/index.js'
import type { RequestEntry } from '../../src/sim/world/model.js'
import type { Arrival } from '../../src/sim/world/world.js'
import { seeded } from '../../src/virtual/chance.js'
import { watchingProcesses } from './leaks.js'
import type { Served } from './served.js'

/** Where the real CLI can be killed: the n-th time that this happens in a run. */
export interface Moment {
  /** A record of the journal, a request that writes at one of the world's doors, or a program that the CLI starts. */
  readonly kind: 'journal' | 'arm' | 'ssh' | 'kube' | 'child'
  /** Before it: not written, not looked at. After it: it is done, and no answer has come. A child has just been started. */
  readonly when: 'before' | 'after'
  /** The same in every run that does the same. */
  readonly what: string
  readonly n: number
}

export const momentText = ({ kind, when, what, n }: Moment): string => `${when} ${kind} ${what}${n === 1 ? '' : ` (${n})`}`
export const momentKind = ({ kind, when }: Moment): string => (kind === 'child' ? 'child started' : `${kind} ${when}`)

export const recordText = ({ type, data }: JournalRecord): string => ('step' in data ? `${type} ${data.step}` : type)

/** Safety copies bear the time of the run in their names. */
const requestText = ({ method, path }: Pick<RequestEntry, 'method' | 'path'>): string => `${method} ${path.replace(/-\d{14}$/, '-…')}`

/** What a run that nothing disturbed has left behind. */
export interface Traces {
  readonly records: readonly JournalRecord[]
  readonly requests: readonly RequestEntry[]
  /** The commands of the programs that it has started. */
  readonly children: readonly string[]
}

/** All moments of a run. Of a child the first of each command: how often a look is taken again depends on time. */
export function momentsOf({ records, requests, children }: Traces): readonly Moment[] {
  const around = (moment: Omit<Moment, 'when'>): Moment[] => [{ ...moment, when: 'before' }, { ...moment, when: 'after' }]
  const journal = numbered(records.map((record) => ({ kind: 'journal' as const, what: recordText(record) })))
  const served = requests.flatMap(({ door, writes, ...request }) => {
    return door === 'arm' || door === 'ssh' || door === 'kube' ? [{ kind: door, what: requestText(request), writes }] : []
  })
  const written = numbered(served).flatMap(({ writes, ...moment }) => (writes ? [moment] : []))
  const started = [...new Set(children)].map((what) => ({ kind: 'child' as const, when: 'after' as const, what, n: 1 }))
  return [...[...journal, ...written].flatMap(around), ...started]
}

function numbered<T extends { readonly kind: string; readonly what: string }>(all: readonly T[]): (T & { readonly n: number })[] {
  const counts = new Map<string, number>()
  return all.map((one) => {
    const key = `${one.kind} ${one.what}`
    const n = (counts.get(key) ?? 0) + 1
    counts.set(key, n)
    return { ...one, n }
  })
}

/** So many of them by a seed, as evenly over the kinds as there are such. In which order they came in that run does not matter. */
export function drawn(moments: readonly Moment[], count: number, seed: number): readonly Moment[] {
  const random = seeded(seed)
  const byKind = new Map<string, Moment[]>()
  const inOrder = [...moments].sort((one, other) => (momentText(one) < momentText(other) ? -1 : 1))
  for (const moment of inOrder) byKind.set(momentKind(moment), [...(byKind.get(momentKind(moment)) ?? []), moment])
  const chosen: Moment[] = []
  const wanted = Math.min(count, moments.length)
  while (chosen.length < wanted) {
    for (const left of byKind.values()) {
      const [one] = left.splice(Math.floor(random() * left.length), 1)
      if (one !== undefined && chosen.length < wanted) chosen.push(one)
    }
  }
  return chosen
}

/** `journal before 3, arm after 2` */
export function kindsOf(moments: readonly Moment[]): string {
  const kinds = [...new Set(moments.map(momentKind))]
  return kinds.map((kind) => `${kind} ${moments.filter((one) => momentKind(one) === kind).length}`).join(', ')
}

/** What the CLI is given so that it tells the children that it starts, or is killed at a moment that the world does not see. */
export function watchedFor(order: { readonly moment: Moment } | { readonly childrenTold: string }): Record<string, string> {
  const hook = `--require=${fileURLToPath(new URL('dies-at.cjs', import.meta.url))}`
  const NODE_OPTIONS = [watchingProcesses()['NODE_OPTIONS'], hook].filter(Boolean).join(' ')
  return 'moment' in order ? { NODE_OPTIONS, KILLED_AT: JSON.stringify(order.moment) } : { NODE_OPTIONS, CHILDREN_TOLD: order.childrenTold }
}

export function childrenTold(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as string)
}

/**
 * Has the world kill the CLI as the request of that moment arrives, or once it has been carried out. A request of the CLI's own is lost
 * with it, or its answer; one of a child (helm, ssh) goes on, as the child does.
 */
export function killsAt({ world, faults }: Served, moment: Moment, kill: () => void): void {
  const arrives = countingTo(moment)
  const ends = countingTo(moment)
  world.onArrival.add((arrival) => {
    if (arrives(arrival) && moment.when === 'before') kill()
  })
  faults.befall = (method, path) => {
    if (!arrives({ door: 'arm', method, path })) return undefined
    if (moment.when === 'before') kill()
    return { drop: moment.when }
  }
  world.onRequest.add((entry) => {
    if (ends(entry) && moment.when === 'after') kill()
  })
}

function countingTo({ kind, what, n }: Moment): (request: Arrival) => boolean {
  let met = 0
  return (request) => request.door === kind && requestText(request) === what && (met += 1) === n
}
