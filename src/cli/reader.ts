import type { Clock, RunEvent } from '../contract/index.js'
import { retold } from '../engine/index.js'
import { Folding, type JournalRecord, type JournalTail, type RunState, type StateFolder } from '../journal/index.js'
import { clockOf } from '../platform/clock/clock.js'
import { loadCloud } from '../platform/cloud/load.js'
import { emptyView, foldEvent, type RunView } from '../render/index.js'
import { LogTail } from './log-tail.js'

/** Journal and log of a run, as events, each once. */
export class Reader {
  readonly #resumeCommand: string
  readonly #undoCommand: string | undefined
  readonly #journal: JournalTail
  readonly #log: LogTail
  readonly #folding = new Folding()
  #state: RunState | undefined

  constructor(run: string, folder: StateFolder, journal: JournalTail, resumeCommand: string, undoCommand?: string) {
    this.#resumeCommand = resumeCommand
    this.#undoCommand = undoCommand
    this.#journal = journal
    this.#log = new LogTail(folder.paths(run).log)
  }

  /** Once something has been read. */
  get state(): RunState {
    return this.#state as RunState
  }

  get isOver(): boolean {
    return this.#state?.outcome !== undefined
  }

  async next(): Promise<readonly RunEvent[]> {
    const fresh = await this.#journal.next()
    this.#folding.add(fresh)
    if (fresh.length > 0 || this.#state === undefined) this.#state = this.#folding.state()
    const { state } = this
    const journaled = fresh.flatMap((record) => retold(record, state, this.#resumeCommand, this.#undoCommand) ?? [])
    const passing = await this.#log.next()
    // Both are in order by themselves; an end comes after whatever was told before it.
    return [...journaled, ...passing].sort((a, b) => Date.parse(a.t) - Date.parse(b.t) || Number(a.type === 'run.finished') - Number(b.type === 'run.finished'))
  }
}

/** What earlier lives of a run have told, for whoever goes on with it: their ends are none any more. */
export function earlierOf(records: readonly JournalRecord[], state: RunState, resumeCommand: string): readonly RunEvent[] {
  return records.flatMap((record) => retold(record, state, resumeCommand) ?? []).filter(({ type }) => type !== 'run.finished')
}

/** The run's own clock; undefined where its cloud file is gone, with its world. */
export async function ownClockOf({ cloud }: RunState): Promise<Clock | undefined> {
  return cloud.path === null ? clockOf({}) : loadCloud(cloud.path).then(clockOf, () => undefined)
}

/** The same, or the machine's. */
export async function clockIn(state: RunState): Promise<Clock> {
  return (await ownClockOf(state)) ?? clockOf({})
}

/** A run of another process as its own terminal shows it, and what time its clock shows, in milliseconds since the epoch. */
export async function liveView(run: string, folder: StateFolder): Promise<{ readonly view: RunView; readonly nowMs: number }> {
  const reader = new Reader(run, folder, await folder.tail(run), '')
  const events = await reader.next()
  return { view: events.reduce(foldEvent, emptyView()), nowMs: (await clockIn(reader.state)).now().getTime() }
}
