import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { LifeboatError } from '../contract/index.js'
import { decode, type Known } from './codec.js'
import { isErrno } from './errno.js'
import { fold } from './fold.js'
import { Journal, unreadable, writeFailed, type Opened } from './journal.js'
import { nearRuns } from './names.js'
import type { JournalRecord } from './records.js'
import { hasBegun, type RunState } from './state.js'
import { localStore, syncFolder } from './store.js'
import { JournalTail } from './tail.js'

const idPattern = /^[a-z0-9][a-z0-9-]*$/

/** One run as `runs` lists it. */
export type RunSummary =
  | { readonly run: string; readonly status: RunState['status']; readonly state: RunState }
  /** It ended before its plan stood in the journal: it changed nothing. */
  | { readonly run: string; readonly status: 'empty' }
  | { readonly run: string; readonly status: 'damaged'; readonly problem: LifeboatError }

export interface RunPaths {
  readonly folder: string
  readonly journal: string
  /** What happened on the way, for whoever looks for a fault; no part of a run's state. */
  readonly log: string
  /** For credentials while the run is at work (0700); whoever puts some there makes and sweeps it. */
  readonly secrets: string
}

export interface RunRecords {
  readonly records: readonly JournalRecord[]
  /** Bytes of a last line that is not whole: torn, or being written at this moment. */
  readonly tornBytes?: number
}

/**
 * Where runs and locks lie on this machine: `runs/<run>/journal.ndjson` and `locks/`. Nothing is made before the first run
 * is.
 */
export class StateFolder {
  readonly root: string
  readonly #openStore: typeof localStore
  readonly #listing: string
  /** The run that was read last: whoever looks at a run and then opens it under its lock reads most of it only once. */
  #read: (Known & { readonly run: string }) | undefined

  /** `openStore` takes the place of files for the journals' bytes; `listing` is the command that lists the runs here, for hints. */
  constructor(root: string, openStore: typeof localStore = localStore, listing = 'lifeboat runs') {
    this.root = resolve(root)
    this.#openStore = openStore
    this.#listing = listing
  }

  /** The folder for `RunLock`. */
  get locks(): string {
    return join(this.root, 'locks')
  }

  /** Throws `run.unknown` for what cannot be a run's id, so that no path leads out of the folder. */
  paths(run: string): RunPaths {
    if (!idPattern.test(run)) throw unknownRun(run, [], this.#listing)
    const folder = join(this.root, 'runs', run)
    return { folder, journal: join(folder, 'journal.ndjson'), log: join(folder, 'log.ndjson'), secrets: join(this.root, 'private', run) }
  }

  /**
   * Makes an empty journal, and the run's folder if it is not there yet. `now` is the run's clock. Throws `run.exists` and
   * `journal.write-failed`.
   */
  async create(run: string, now: () => Date): Promise<Journal> {
    const { folder, journal } = this.paths(run)
    try {
      const store = await this.#openStore(journal, { fresh: true })
      // Whoever made these folders may not have synced them.
      for (const made of [dirname(folder), this.root]) await syncFolder(made)
      return Journal.create(store, run, now)
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw new LifeboatError('run.exists', `there is a run ${run} already`, { blame: 'tool' })
      throw writeFailed(error)
    }
  }

  /**
   * Opens a run to go on with it; only under its lock, for a torn tail is cut off. `now` is the run's clock. Throws
   * `run.unknown`, with near names, and what `Journal.open` throws.
   */
  async open(run: string, now: () => Date): Promise<Opened> {
    await this.#mustExist(run)
    const store = await this.#openStore(this.paths(run).journal).catch((error: unknown) => {
      throw writeFailed(error)
    })
    try {
      return await Journal.open(store, run, now, this.#read?.run === run ? this.#read : undefined)
    } catch (error) {
      await store.close()
      throw error
    } finally {
      this.#read = undefined
    }
  }

  /** Reads a run and leaves it as it is, so also while another process is at work on it. Throws as `open` does. */
  async read(run: string): Promise<RunRecords> {
    await this.#mustExist(run)
    const { journal } = this.paths(run)
    const text = await readFile(journal, 'utf8').catch((error: unknown) => {
      throw unreadable(run, error)
    })
    const known = this.#read?.run === run ? { known: this.#read } : {}
    const decoded = decode(text, { run, name: journal, ...known })
    this.#read = { run, lines: text.slice(0, text.lastIndexOf('\n') + 1), records: decoded.records }
    return decoded
  }

  /** The same as it grows. Throws `run.unknown`, with near names. */
  async tail(run: string): Promise<JournalTail> {
    await this.#mustExist(run)
    return new JournalTail(this.paths(run).journal, run)
  }

  /** Ids of all runs, latest first. */
  ids(): Promise<readonly string[]> {
    return this.#ids()
  }

  /** All runs, latest first by id. One that cannot be read is listed as damaged. */
  async runs(): Promise<readonly RunSummary[]> {
    return Promise.all((await this.#ids()).map((run) => this.#summary(run)))
  }

  /** Those that `resume` may mean: not at their end, or damaged so that nobody knows. Latest first. */
  async unfinished(): Promise<readonly RunSummary[]> {
    const open = (await this.runs()).filter(({ status }) => status !== 'finished' && status !== 'empty')
    const undos = await Promise.all(open.map(async (one) => ('state' in one ? this.undoOf(one.state) : undefined)))
    return open.filter((_, index) => undos[index] === undefined)
  }

  /**
   * The undo that has begun to put this run back, the latest of several: from then on that one is gone on with, and never the run. A run
   * is told of its undo before the undo's plan stands in a journal; one that ended in between has written nothing and counts for nothing,
   * or neither of the two could be gone on with. One that lives there holds the lock. An undo whose journal is gone or damaged may have
   * begun.
   */
  async undoOf({ undoings = [] }: Pick<RunState, 'undoings'>): Promise<string | undefined> {
    for (const by of [...undoings].reverse()) {
      if ((await this.#summary(by)).status !== 'empty') return by
    }
    return undefined
  }

  /**
   * Takes away the credentials of runs that are over for good. One that was killed between its last record and its own sweep, or that was
   * put back since, is never gone on with: nobody else would. Nor is one whose process is `dead` before its plan stood in a journal; of
   * others that have not begun nobody knows here whether they are planning now. What cannot be taken away stops nobody.
   */
  async sweepOver(dead?: string): Promise<void> {
    const left = await readdir(dirname(this.paths('any').secrets)).catch((): string[] => [])
    for (const run of left.filter((name) => idPattern.test(name))) {
      // Whoever calls this has a lock to give back: a folder that cannot be read is not its failure.
      const isNobodys = await this.#isNobodys(run, dead).catch(() => false)
      if (isNobodys) await rm(this.paths(run).secrets, { recursive: true, force: true }).catch(() => undefined)
    }
  }

  async #isNobodys(run: string, dead: string | undefined): Promise<boolean> {
    return (await this.#isOver(run)) || (run === dead && !(await this.#hasBegun(run)))
  }

  /** True as well where its journal cannot be read. */
  async #hasBegun(run: string): Promise<boolean> {
    return (await this.#ids()).includes(run) && (await this.#summary(run)).status !== 'empty'
  }

  async #isOver(run: string): Promise<boolean> {
    const found = await this.#summary(run)
    if (!('state' in found)) return false
    if (found.status === 'finished') return true
    const undo = await this.undoOf(found.state)
    return undo !== undefined && this.#isOver(undo)
  }

  async #summary(run: string): Promise<RunSummary> {
    try {
      const { records } = await this.read(run)
      if (records.length === 0) return { run, status: 'empty' }
      const state = fold(records)
      if (!hasBegun(state)) return { run, status: 'empty' }
      return { run, status: state.status, state }
    } catch (error) {
      if (error instanceof LifeboatError) return { run, status: 'damaged', problem: error }
      throw error
    }
  }

  async #mustExist(run: string): Promise<void> {
    const runs = await this.#ids()
    if (!runs.includes(run)) throw unknownRun(run, nearRuns(run, runs), this.#listing)
  }

  /** A folder without a journal is no run: it was given up before it began. */
  async #ids(): Promise<readonly string[]> {
    try {
      const names = (await readdir(join(this.root, 'runs'))).filter((name) => idPattern.test(name))
      const begun = await Promise.all(names.map((name) => exists(this.paths(name).journal)))
      return names.filter((_, index) => begun[index]).sort().reverse()
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw new LifeboatError('state.unreadable', `the state folder ${this.root} cannot be read`, {
        blame: 'user',
        cause: error,
        hint: 'Make it readable, or choose another with --state-dir.',
      })
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return false
    throw error
  }
}

/**
 * `20190225-124003-data100-x7k2`: sorts by time, says what it is, and can be told on the phone. `now` is real time, `random`
 * gives numbers from 0 up to 1.
 */
export function newRunId(runbook: string, now: Date, random: () => number): string {
  const [day, time] = now.toISOString().replace(/[-:]/g, '').slice(0, 15).split('T')
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  const tail = Array.from({ length: 4 }, () => letters[Math.floor(random() * letters.length)]).join('')
  return `${day}-${time}-${nameInId(runbook)}-${tail}`
}

function nameInId(runbook: string): string {
  return runbook.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 40)
}

/** May that be a run of the runbook with this name, by what its id says? */
export function isNamedFor(run: string, runbook: string): boolean {
  return /^\d+-\d+-(.*)-[^-]+$/.exec(run)?.[1] === nameInId(runbook)
}

/**
 * Where state lies unless `--state-dir` says otherwise: `LIFEBOAT_STATE_DIR`, `XDG_STATE_HOME/lifeboat`, or
 * `~/.local/state/lifeboat`. As the XDG base directory specification has it, an empty or relative `XDG_STATE_HOME` does not
 * count.
 */
export function defaultStateDir(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const { LIFEBOAT_STATE_DIR: own, XDG_STATE_HOME: xdg } = env
  if (own !== undefined && own !== '') return own
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'lifeboat')
  return join(home, '.local', 'state', 'lifeboat')
}

function unknownRun(run: string, near: readonly string[], listing: string): LifeboatError {
  const meant = near.length === 0 ? '' : `Did you mean ${near.join(' or ')}? `
  return new LifeboatError('run.unknown', `there is no run ${run}`, {
    blame: 'user',
    hint: `${meant}All of them are listed by: ${listing}`,
  })
}
