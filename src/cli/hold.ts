import { mkdir, rm } from 'node:fs/promises'
import { errorFacts, LifeboatError, type EventOf, type Listener } from '../contract/index.js'
import type { StepScope } from '../engine/index.js'
import { errnoOf, isLost, RunLock, type Holder, type LockKey, type LockOwner, type StateFolder, type TargetLock } from '../journal/index.js'
import type { Platform } from '../platform/platform.js'
import { formatDuration } from '../render/index.js'
import { isSilent } from './condition.js'
import { exit } from './exit.js'
import { interruption, type Interrupts } from './interrupts.js'
import { RunLog, type Logging } from './run-log.js'
import { noStep, type Site } from './site.js'
import { admitted, outcomeWord, targetOf, type EarlierLife, type PutsBack } from './target.js'

/** What a run needs to be the only one at work: on this machine by a lock, and in the cloud by a mark. */
export interface Holding {
  readonly site: Site
  readonly state: StateFolder
  readonly run: string
  readonly interrupts: Interrupts
  readonly takeOver: boolean
  /** The life that this run goes on from, or undoes, as its journal says: its mark is no obstacle. */
  readonly earlier?: EarlierLife
  /** Of an undo: what it puts back. */
  readonly putsBack?: PutsBack
  readonly listeners: readonly Listener[]
  readonly notice: (message: string) => void
  readonly logging: Logging
}

/** What a run works with while it has its lock and, on the cloud itself, its target. */
export interface Hold {
  readonly signal: AbortSignal
  readonly target: TargetLock
  readonly lock: RunLock
  /** To be called before every intent and after every answer: rejects once the lock is another's, and stops this run. */
  readonly stillOurs: () => Promise<void>
  readonly doors: (scope: StepScope) => Platform
  readonly log: RunLog
}

/** Holds the run's lock around `work`, on this machine and in the cloud, and stops the run if another takes it over. */
export async function underLock(holding: Holding, work: (hold: Hold) => Promise<number>): Promise<number> {
  const { site, state, run, interrupts, takeOver } = holding
  const owner = { ...(await site.processes.self()), run }
  const lock = await RunLock.acquire(state.locks, lockKey(site), owner, site.processes, () => site.clock.realNow(), {
    takeOver,
  })
  if (lock.takenFrom?.life === 'dead') holding.notice(sayTaken(lock.takenFrom))
  const over = new AbortController()
  const signal = AbortSignal.any([interrupts.signal, over.signal])
  const beating = new AbortController()
  const lost = (error: unknown): void => over.abort(error)
  const alive = lock.keepAlive(site.clock, beating.signal).catch(lost)
  const stillOurs = (): Promise<void> => lock.heartbeat().catch((error: unknown) => {
    // Whoever asks before an intent learns of it first: what follows is a run that was stopped, and no step that failed.
    if (isLost(error)) lost(error)
    throw error
  })
  const { secrets } = state.paths(run)
  try {
    // Swept before it is used: an earlier life may have left credentials there. One that is to be displaced is using them.
    if (lock.takenFrom === undefined || lock.takenFrom.life === 'dead') await takeAway(secrets, holding)
    await mkdir(secrets, { recursive: true, mode: 0o700 })
    return await logged(holding, async (log) => {
      tellStopping(holding, log, over.signal)
      const code = await onTarget(holding, signal, over, (hold) => work({ ...hold, log, lock, stillOurs }), log)
      // Whoever was displaced says so, whatever else stopped with it.
      if (over.signal.aborted && !interrupts.signal.aborted) throw over.signal.reason as Error
      return code
    })
  } catch (error) {
    // The journal goes with the lock, which says who has it.
    if (error instanceof LifeboatError && error.code === 'journal.displaced') await lock.heartbeat()
    throw error
  } finally {
    // Whoever goes on with this very run needs them.
    if (!(await lock.isRunElsewhere().catch(() => false))) await takeAway(secrets, holding)
    await state.sweepOver(lock.takenFrom?.life === 'dead' ? lock.takenFrom.owner?.run : undefined)
    beating.abort()
    await alive
    // A full disk takes no such word either; the run's own failure is what must be told.
    await lock.release().catch((error: unknown) => {
      if (!(error instanceof LifeboatError)) throw error
      holding.notice(`${error.message}: the next run takes it over from this process, which is gone then.`)
    })
  }
}

/**
 * Takes away the run's credentials. Never rejects: what is left of them must keep neither the lock nor what the run has come to. On NFS a
 * file that is still open keeps its folder for a moment, hence the retries.
 */
async function takeAway(secrets: string, { notice }: Holding): Promise<void> {
  await rm(secrets, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) => {
    notice(`Credentials of this run could not be taken away (${errnoOf(error) ?? 'unknown error'}). Remove them: ${secrets}`)
  })
}

/** Of a signal the screen has told already; whoever looks on reads the log. Who takes over is told by both. */
function tellStopping({ site, run, interrupts, listeners }: Holding, log: RunLog, over: AbortSignal): void {
  const tell = (to: readonly Listener[], how: Pick<EventOf<'run.stopping'>, 'signal' | 'displaced'>): void => {
    const event = { type: 'run.stopping', t: site.clock.now().toISOString(), run, ...how } as const
    for (const listener of to) listener(event)
  }
  interrupts.signal.addEventListener('abort', () => tell([log.listener], { signal: interrupts.first ?? 'a signal' }))
  over.addEventListener('abort', () => {
    tell([...listeners, log.listener], { signal: 'another run’s take-over', displaced: errorFacts(over.reason).message })
  })
}

/** Keeps the log of a run around `work`, and what it ended with in it. */
async function logged({ site, state, run, logging }: Holding, work: (log: RunLog) => Promise<number>): Promise<number> {
  const { journal, log: path } = state.paths(run)
  const log = new RunLog(path, site.clock, logging.echo)
  logging.opened(log)
  try {
    const code = await work(log)
    if (code === exit.done || code === exit.declined) await log.removeWithout(journal)
    return code
  } catch (error) {
    log.fatal(error)
    if (interruption(error) !== undefined) await log.removeWithout(journal)
    throw error
  } finally {
    log.close()
  }
}

/** The same for the target, whose mark every machine sees. */
async function onTarget(
  holding: Holding,
  signal: AbortSignal,
  over: AbortController,
  work: (hold: Omit<Hold, 'log' | 'lock' | 'stillOurs'>) => Promise<number>,
  { log }: RunLog,
): Promise<number> {
  const { site, state, run, takeOver, notice, earlier, putsBack } = holding
  const doors = site.doors(state.paths(run).secrets, run, log)
  const azure = doors(noStep).azure
  const lives = { ...(earlier === undefined ? {} : { earlier }), ...(putsBack === undefined ? {} : { putsBack }) }
  const target = targetOf({ site, azure, run, takeOver, notice, ...lives }, signal, over)
  await admitted(target, site, signal, notice)
  const beating = new AbortController()
  const beats = target.keepBeating(beating.signal)
  let code: number | undefined
  try {
    code = await work({ signal, target, doors })
    return code
  } finally {
    beating.abort()
    await beats
    await target.release(outcomeWord(code))
  }
}

/** Takes the lock and the target from whoever may have had them until now, and not before; true if there was somebody. */
export async function displaced({ lock, target }: Hold, { notice, interrupts }: Holding): Promise<boolean> {
  const marks = elsewhere(lock.takenFrom, target)
  let here: readonly string[] = []
  // From now on this is no command any more that has changed nothing, even if it is stopped while it waits for the other's word.
  interrupts.displaced = () => [...here, ...(target.hasWritten ? marks.map((mark) => sayDisplaced(ofMark(mark))) : [])]
  const was = await lock.displace()
  if (was !== undefined && was !== 'ended' && was.life !== 'dead') here = [sayDisplaced(was)]
  if (was === 'ended') notice(`${sayRun(lock.takenFrom?.owner)} has ended meanwhile: nobody is displaced.`)
  else if (was !== undefined) notice(sayTaken(was))
  const wasAnywhere = await target.displace()
  return was !== undefined || wasAnywhere
}

/** Who is at work on this and would be displaced: nobody is disturbed by a plan. */
export function standingOf({ lock: { takenFrom }, target }: Hold): readonly string[] {
  const here = takenFrom === undefined || takenFrom.life === 'dead' ? [] : [sayStanding(takenFrom)]
  return [...here, ...elsewhere(takenFrom, target).map((mark) => sayStanding(ofMark(mark)))]
}

/** Those whose marks stand in the cloud, and of whom this machine knows nothing. */
function elsewhere(takenFrom: Holder | undefined, { displacing }: TargetLock): TargetLock['displacing'] {
  return displacing.filter(({ run }) => run !== takenFrom?.owner?.run)
}

function ofMark({ run, person, host, pid }: TargetLock['displacing'][number]): Standing {
  return { life: 'doubtful', owner: { run, user: person, host, pid } }
}

function sayRun(owner: Standing['owner']): string {
  return owner === undefined ? 'Somebody, by a lock that cannot be read,' : `Run ${owner.run} of ${owner.user} on ${owner.host} (pid ${owner.pid})`
}

type Standing = Pick<Holder, 'life'> & { readonly owner?: Pick<LockOwner, 'run' | 'user' | 'host' | 'pid'> }

function sayStanding({ owner, life }: Standing): string {
  return `${sayRun(owner)} ${life === 'alive' ? 'is' : 'may be'} at work on this. It goes on until you agree to this plan, which displaces it.`
}

function sayDisplaced({ owner, life }: Standing): string {
  return `${sayRun(owner)} was displaced and stops${life === 'alive' ? '' : ', if it is still at work'}`
}

function sayTaken(holder: Holder): string {
  const { owner } = holder
  if (owner === undefined) return 'Took over a lock that could not be read.'
  return `Took over from run ${owner.run} of ${owner.user} on ${owner.host} (pid ${owner.pid}; ${sayFate(holder)}).`
}

function sayFate(holder: Holder): string {
  if (holder.life === 'dead') return 'that process is gone'
  if (holder.life !== 'alive') return 'make sure that it has stopped'
  if (!isSilent(holder)) return 'it comes to a safe point and stops'
  const silent = formatDuration(holder.silentMs)
  return `silent for ${silent}: suspended or stuck; it begins nothing more once it wakes, but end it if you can`
}

function lockKey({ runbook, cloudFacts }: Site): LockKey {
  return { runbook: runbook.name, resourceManager: cloudFacts.resourceManager, subscription: cloudFacts.subscription }
}

