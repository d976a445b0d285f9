import { LifeboatError } from '../contract/index.js'
import { fold, hasBegun, isNamedFor, type RunState, type RunSummary, type StateFolder } from '../journal/index.js'
import { formatDuration, type Asker } from '../render/index.js'
import { conditionOf, hasLostWorld } from './condition.js'
import { exit } from './exit.js'
import { usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import type { Screen } from './screen.js'
import { commandLine } from './state.js'

/** What a fresh run finds before it: to be gone on with, if the operator wants that. */
export interface Unfinished {
  readonly run: string
  readonly state: RunState
  /** A later one that nobody can read. */
  readonly unread?: Unread
}

/** A run that bears the runbook's name, and whose journal nobody can read: damaged, or a newer lifeboat's. */
interface Unread {
  readonly run: string
  readonly error: unknown
}

type Target = Pick<RunState, 'mode' | 'cloud'> & { readonly runbook: { readonly name: string } }

/**
 * Of one runbook on one cloud: such runs work on the same things, and the newest of them tells where those stand. Each rehearsal has
 * a world of its own, and the newest is the one that is meant.
 */
function isSameTarget(one: Target, other: Target): boolean {
  const place = ({ cloud }: Target): readonly string[] => [cloud.resourceManager.toLowerCase().replace(/\/+$/, ''), cloud.subscription.toLowerCase()]
  const key = (of: Target): string => [of.mode, of.runbook.name, ...(of.mode === 'rehearsal' ? [] : place(of))].join('\n')
  return key(one) === key(other)
}

/**
 * The newest run of this runbook on this cloud, or the undo of one, if it stopped on its way. One that is at work is the lock's affair.
 * A later one that nobody can read may have stopped on its way too: it is told with what was found, or to `unread` if nothing was.
 */
export async function unfinishedBefore(folder: StateFolder, target: Target, unread?: TellUnread): Promise<Unfinished | undefined> {
  const { found, later } = await newestOf(folder, target)
  if (found !== undefined) return later === undefined ? found : { ...found, unread: later }
  if (later !== undefined) unread?.(later)
  return undefined
}

interface Newest {
  readonly found: Unfinished | undefined
  /** The latest that nobody can read, if it is later than the newest that can be read. It must not hide that one. */
  readonly later: Unread | undefined
}

type TellUnread = (one: Unread) => void

async function newestOf(folder: StateFolder, target: Target): Promise<Newest> {
  const unread: Unread[] = []
  for (const run of await folder.ids()) {
    const state = await readable(folder, run, (error) => isNamedFor(run, target.runbook.name) && unread.push({ run, error }))
    if (state === undefined || !isSameTarget(state, target)) continue
    const isNobodys = state.status === 'finished' || (await folder.undoOf(state)) !== undefined || (await conditionOf(run, state, folder)) === 'running'
    return { found: isNobodys ? undefined : { run, state }, later: unread[0] }
  }
  return { found: undefined, later: unread[0] }
}

/** Nobody knows whether that run is finished: a new one is begun beside it on purpose only. */
export function refuseUnread({ fresh }: FreshWish): TellUnread {
  return (one) => {
    if (fresh !== true) throw unreadError(one)
  }
}

function unreadError({ run, error }: Unread): LifeboatError {
  const mend = error instanceof LifeboatError && error.hint !== undefined ? `${error.hint} ` : ''
  return usageError(`whether the run ${run} is finished cannot be told: ${messageOf(error)}`, `${mend}To begin afresh all the same, add --fresh.`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Has it come so far that a resume needs what it works on? */
export async function hasBegunIn(folder: StateFolder, run: string): Promise<boolean> {
  return (await readable(folder, run)) !== undefined
}

/** Undefined for a journal that is damaged, and for a run that ended before it began. */
async function readable(folder: StateFolder, run: string, told?: (error: unknown) => unknown): Promise<RunState | undefined> {
  const records = await folder.read(run).then(
    (read) => read.records,
    (error: unknown) => (told?.(error), []),
  )
  const state = records.length === 0 ? undefined : fold(records)
  return state !== undefined && hasBegun(state) ? state : undefined
}

/**
 * The run of the same runbook on the same cloud that has begun after this one, if there is one: then a resume that names no run means
 * that one. Of several the latest.
 */
export async function newerThan(run: string, state: RunState, folder: StateFolder): Promise<string | undefined> {
  for (const other of await folder.ids()) {
    if (other <= run) return undefined
    const one = await readable(folder, other)
    if (one !== undefined && one.undoes !== run && isSameTarget(one, state)) return other
  }
  return undefined
}

/** Those that a resume can go on with, and those of which nobody knows since they are damaged; latest first. */
export async function resumable(folder: StateFolder): Promise<readonly RunSummary[]> {
  return filtered(await folder.unfinished(), async (one) => !('state' in one) || !(await hasLostWorld(one.state)))
}

/** Those that an undo can put back, latest first. */
export async function undoable(folder: StateFolder): Promise<readonly RunSummary[]> {
  return filtered(await folder.runs(), async (one) => {
    if (!('state' in one) || one.state.undoes !== undefined || (await hasLostWorld(one.state))) return false
    return (await folder.undoOf(one.state)) === undefined
  })
}

async function filtered(all: readonly RunSummary[], keep: (one: RunSummary) => Promise<boolean>): Promise<readonly RunSummary[]> {
  const kept = await Promise.all(all.map(keep))
  return all.filter((_, index) => kept[index] === true)
}

export interface FreshWish extends CommonOptions {
  /** To begin a new run though an earlier one is not finished. */
  readonly fresh?: boolean
  readonly plan?: string
}

/**
 * What becomes of an earlier run that is not finished: `fresh` leaves it, `resume` goes on with it, and an exit code ends here. Without
 * anybody to ask it ends, unless `--fresh` was given or nothing was changed: what runs unseen must not leave a failover half done.
 */
export async function fateOf(
  earlier: Unfinished,
  options: FreshWish,
  { interrupts }: Invocation,
  screen: Screen,
  realNow: Date,
): Promise<'fresh' | 'resume' | number> {
  const { run, unread } = earlier
  const said = sayUnfinished(earlier, realNow)
  const resuming = commandLine(options, 'resume', run, ...(options.yes === true ? ['--yes'] : []))
  if (options.fresh === true) {
    screen.notice(`${said} It stays as it is, and this run begins afresh. To go on with it instead: ${resuming}`)
    return 'fresh'
  }
  if (screen.canAsk) return asked(screen.asker, earlier, said, interrupts.signal, screen)
  if (!hasChanged(earlier.state)) {
    // It says nothing about the later one, and nobody would have agreed to leave that half done.
    if (unread !== undefined) throw unreadError(unread)
    screen.notice(`${said} It has changed nothing, so this run begins afresh.`)
    return 'fresh'
  }
  throw usageError(said.replace(/\.$/, ''), `To begin afresh all the same, add --fresh. To go on with it: ${resuming}`)
}

async function asked(asker: Asker, { run, state }: Unfinished, said: string, signal: AbortSignal, screen: Screen): Promise<'fresh' | 'resume' | number> {
  const what = state.undoes === undefined ? 'run' : 'undo'
  const choice = await asker.select(
    {
      title: `The ${what} ${run} is not finished. What now?`,
      about: [said, 'Both look at everything again before they write; what is done is not done again.'],
    },
    [
      { value: 'resume', name: 'Resume it: go on where it stopped' },
      { value: 'fresh', name: 'Begin afresh, with a new plan; the old one then goes on only by its name' },
      { value: 'stop', name: 'Stop here' },
    ],
    signal,
  )
  if (choice !== 'stop') return choice
  screen.notice('Stopped; nothing was changed.')
  return exit.declined
}

/** `The run r1 of data100 is not finished: it failed at hub; 3 of 5 steps done, begun 12m ago by ada.` */
function sayUnfinished({ run, state, unread }: Unfinished, realNow: Date): string {
  const { runbook, undoes, realStartedAt, owner, steps, planned } = state
  const all = (planned?.steps ?? []).filter((step) => step.state !== 'gate')
  const done = all.filter(({ id }) => ['verified', 'skipped'].includes(steps.get(id)?.status ?? ''))
  const ago = formatDuration(realNow.getTime() - Date.parse(realStartedAt))
  const what = undoes === undefined ? 'run' : 'undo'
  const later = unread === undefined ? '' : `A later run, ${unread.run}, cannot be read: ${messageOf(unread.error)}. `
  return `${later}The ${what} ${run} of ${runbook.name} is not finished: ${sayEnd(state)}; ${done.length} of ${all.length} steps done, begun ${ago} ago by ${owner.user}.`
}

function sayEnd({ outcome, steps }: RunState): string {
  switch (outcome) {
    case 'interrupted':
      return 'it was interrupted'
    case 'declined':
      return 'it was declined at a gate'
    case 'failed': {
      const failed = [...steps].filter(([, { status }]) => status === 'failed').map(([id]) => id)
      return failed.length === 0 ? 'it failed' : `it failed at ${failed.join(', ')}`
    }
    default:
      return 'its process ended in mid-run'
  }
}

function hasChanged({ steps }: RunState): boolean {
  return [...steps.values()].some(({ firstChanges, children }) => firstChanges.length > 0 || children.length > 0)
}
