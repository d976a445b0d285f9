import { mkdir, rm } from 'node:fs/promises'
import { LifeboatError, type Change, type Clock, type Listener, type Mode, type Operator } from '../contract/index.js'
import {
  differencesOf,
  pinsFromAfar,
  planRun,
  resumeRun,
  startRun,
  type Accepting,
  type Course,
  type History,
  type Plan,
  type RunPorts,
  type StepScope,
} from '../engine/index.js'
import {
  fold,
  RunLock,
  type Holder,
  type Journal,
  type LockKey,
  type Pin,
  type RecordData,
  type StateFolder,
  type TargetLock,
} from '../journal/index.js'
import type { Platform } from '../platform/platform.js'
import { differenceLines } from '../render/index.js'
import { exit, exitOf } from './exit.js'
import { interruption, type Interrupts } from './interrupts.js'
import { leavingLines } from './in-flight.js'
import { changedError, afarPins, changedAfar } from './pinned.js'
import { orRefused } from './refusal.js'
import { RunLog, type Logging } from './run-log.js'
import { noStep, type Site } from './site.js'
import { admitted, marksOf, outcomeWord, targetOf, type EarlierLife } from './target.js'

/** What a run needs from the command that performs it. */
export interface Performance {
  readonly site: Site
  /** An undo's way through the graph; a run goes as the runbook says. */
  readonly course?: Course<Platform>
  readonly state: StateFolder
  readonly run: string
  readonly operator: Operator
  readonly listeners: readonly Listener[]
  readonly interrupts: Interrupts
  readonly takeOver: boolean
  /** Alternatives that were chosen on the command line. */
  readonly accept?: Accepting
  /** The life that this run goes on from, or undoes, as its journal says: its mark is no obstacle. */
  readonly earlier?: EarlierLife
  /** The command that goes on with this run. */
  readonly resumeCommand: string
  readonly notice: (message: string) => void
  readonly logging: Logging
  /** What earlier runs of this kind took. */
  readonly history: History
  readonly criticalPathMs?: (journal: Journal) => (changed: ReadonlyMap<string, readonly Change[]>) => Promise<number>
}

export interface FreshRun extends Performance {
  readonly mode: Mode
  readonly sim?: NonNullable<RecordData['run.started']['sim']>
  /** The run that is put back, if this is an undo. */
  readonly undoes?: string
  /** Holds the plan beside one that was shown before, which takes its place; throws what keeps that from being run. */
  readonly agree?: (made: Plan) => Plan
  /** Shows the plan and asks whether to go on: how it was confirmed, or the exit code with which to end. */
  readonly consent: (plan: Plan) => Promise<RecordData['run.started']['confirmed'] | number>
}

/** Lock, plan, consent, journal, run: the whole of a fresh run. Resolves with the exit code. */
export async function performFresh(performance: FreshRun): Promise<number> {
  const { site, state, run, mode, sim, undoes } = performance
  return orRefused(performance, (planned, begins) => underLock(performance, async (hold) => {
    // First, since it needs no network: a file or a variable that is missing is told before anything is asked.
    const files = await site.pins()
    const pins = [...files, ...(await pinnedAfar(performance, hold))]
    const made = await planRun({ ...planPorts(performance, hold), signal: hold.signal })
    planned(made)
    const plan = performance.agree?.(made) ?? made
    const confirmed = await performance.consent(plan)
    if (typeof confirmed === 'number') {
      sayDisplaced(hold.lock, performance)
      return confirmed
    }
    if (await hold.target.displace()) await assertStillTrue(plan, performance, hold)
    const journal = await state.create(run, () => site.clock.now())
    const started: RecordData['run.started'] = {
      runbook: { name: site.runbook.name, path: site.runbook.path, text: site.runbook.text },
      mode,
      cloud: site.cloudFacts,
      owner: await site.processes.self(),
      pins,
      confirmed,
      realStartedAt: site.clock.realNow().toISOString(),
      ...(sim === undefined ? {} : { sim }),
      ...(undoes === undefined ? {} : { undoes }),
      ...(undoes !== undefined || site.runbook.objectiveMs === undefined ? {} : { objectiveMs: site.runbook.objectiveMs }),
    }
    if (undoes !== undefined) await markUndone(performance, undoes)
    begins()
    return finished(performance, journal, startRun(runPorts(performance, journal, hold), started, plan))
  }))
}

/** Whoever was displaced may have written until he stopped: what was agreed to must still be what would run. */
async function assertStillTrue({ steps }: Plan, performance: FreshRun, hold: Hold): Promise<void> {
  const now = await planRun({ ...planPorts(performance, hold), signal: hold.signal })
  const differences = differencesOf(steps, now.steps)
  if (differences.length === 0) return
  const lines = differenceLines(differences).map((line) => `  ${line}`)
  throw new LifeboatError('plan.moved-on', `the displaced run has gone on meanwhile; this was not shown:\n${lines.join('\n')}`, {
    blame: 'user',
    hint: 'Nothing was changed, and the displaced run has stopped. Give the same command again: it plans from what is there now.',
  })
}

/** What the way back needs is in the cluster: it must not wait for a place that charts are pulled from. */
async function pinnedAfar(performance: Performance, hold: Hold): Promise<readonly Pin[]> {
  if (performance.course !== undefined) return []
  return afarPins(await pinsFromAfar({ ...planPorts(performance, hold), signal: hold.signal }))
}

/** From here on it is the undo that is resumed, never the run: one of them half done must not be driven both ways. */
async function markUndone({ state, site, run }: Performance, undoes: string): Promise<void> {
  const { journal } = await state.open(undoes, () => site.clock.now())
  try {
    await journal.append('run.undoing', { by: run })
  } finally {
    await journal.close()
  }
}

export interface ResumedRun extends Performance {
  /** The operator goes on with whatever is other than what the run was started with. */
  readonly acceptChanges: boolean
  /** Runbook or files are other ones. */
  readonly acceptedChanges: boolean
  readonly pinned: readonly Pin[]
}

/** Lock, journal, run: the whole of a resume. Resolves with the exit code. */
export async function performResume(performance: ResumedRun): Promise<number> {
  const { site, state, run, acceptChanges, pinned } = performance
  return orRefused(performance, (_planned, begins) => underLock(performance, async (hold) => {
    const afar = await pinnedAfar(performance, hold)
    const differences = changedAfar(pinned, afar)
    if (differences.length > 0 && !acceptChanges) throw changedError(differences, 'resume')
    const acceptedChanges = performance.acceptedChanges || differences.length > 0
    await hold.target.displace()
    const { journal, records, cut } = await state.open(run, () => site.clock.now())
    if (cut !== undefined) performance.notice(cut)
    const setBack = sayClockSetBack(records.at(-1)?.t, site.clock)
    if (setBack !== undefined) performance.notice(setBack)
    const resumed: RecordData['run.resumed'] = {
      owner: await site.processes.self(),
      realStartedAt: site.clock.realNow().toISOString(),
      acceptedChanges,
      ...(acceptedChanges ? { runbookText: site.runbook.text, pins: [...(await site.pins()), ...afar] } : {}),
    }
    begins()
    return finished(performance, journal, resumeRun(runPorts(performance, journal, hold), resumed))
  }))
}

/** A minute is what two looks at a clock may differ by without anybody's having set it. */
const setBackMs = 60_000

function sayClockSetBack(lastT: string | undefined, clock: Clock): string | undefined {
  const behindMs = lastT === undefined ? 0 : Date.parse(lastT) - clock.now().getTime()
  if (behindMs < setBackMs) return undefined
  const minutes = Math.round(behindMs / 60_000)
  return `The clock is ${minutes} min behind the journal's last record: it was set back. Times in the journal stand still until it has caught up.`
}

/** Whoever declines has taken the lock all the same, and the run that had it does not go on by itself. */
function sayDisplaced({ takenFrom }: RunLock, { notice }: Performance): void {
  if (takenFrom?.owner === undefined || takenFrom.life === 'dead') return
  notice(`Run ${takenFrom.owner.run} was displaced by --take-over before that: it comes to a safe point and stops, and can be resumed.`)
}

/** What a run works with while it has its lock and, on the cloud itself, its target. */
interface Hold {
  readonly signal: AbortSignal
  readonly target: TargetLock
  readonly lock: RunLock
  readonly doors: (scope: StepScope) => Platform
  readonly log: RunLog
}

/** Holds the run's lock around `work`, on this machine and in the cloud, and stops the run if another takes it over. */
async function underLock(performance: Performance, work: (hold: Hold) => Promise<number>): Promise<number> {
  const { site, state, run, interrupts, takeOver } = performance
  const owner = { ...(await site.processes.self()), run }
  const lock = await RunLock.acquire(state.locks, lockKey(site), owner, site.processes, () => site.clock.realNow(), {
    takeOver,
  })
  if (lock.takenFrom !== undefined) performance.notice(takenFrom(lock.takenFrom))
  const over = new AbortController()
  const signal = AbortSignal.any([interrupts.signal, over.signal])
  const beating = new AbortController()
  const alive = lock.keepAlive(site.clock, beating.signal).catch((error: unknown) => {
    if (error instanceof LifeboatError) performance.notice(`${error.message}. What is under way here comes to its end, and nothing new is begun.`)
    over.abort(error)
  })
  const { secrets } = state.paths(run)
  try {
    // Swept before it is used: an earlier life may have left credentials there. One that was displaced may still be using them.
    if (lock.takenFrom === undefined || lock.takenFrom.life === 'dead') await rm(secrets, { recursive: true, force: true })
    await mkdir(secrets, { recursive: true, mode: 0o700 })
    return await logged(performance, async (log) => {
      const code = await onTarget(performance, signal, over, (hold) => work({ ...hold, log, lock }), log)
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
    if (!(await lock.isRunElsewhere().catch(() => false))) await rm(secrets, { recursive: true, force: true })
    beating.abort()
    await alive
    // A full disk takes no such word either; the run's own failure is what must be told.
    await lock.release().catch((error: unknown) => {
      if (!(error instanceof LifeboatError)) throw error
      performance.notice(`${error.message}: the next run takes it over from this process, which is gone then.`)
    })
  }
}

/** Keeps the log of a run around `work`, and what it ended with in it. */
async function logged({ site, state, run, logging }: Performance, work: (log: RunLog) => Promise<number>): Promise<number> {
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
  performance: Performance,
  signal: AbortSignal,
  over: AbortController,
  work: (hold: Omit<Hold, 'log' | 'lock'>) => Promise<number>,
  { log }: RunLog,
): Promise<number> {
  const { site, state, run, takeOver, notice, earlier } = performance
  const doors = site.doors(state.paths(run).secrets, run, log)
  const azure = doors(noStep).azure
  const target = targetOf({ site, azure, run, takeOver, notice, ...(earlier === undefined ? {} : { earlier }) }, signal, over)
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

function takenFrom({ owner, life }: Holder): string {
  if (owner === undefined) return 'Took over a lock that could not be read.'
  const fate = life === 'dead' ? 'that process is gone' : 'by --take-over: make sure that it has stopped'
  return `Took over from run ${owner.run} of ${owner.user} on ${owner.host} (pid ${owner.pid}; ${fate}).`
}

async function finished(
  { site, interrupts, resumeCommand, state, run }: Performance,
  journal: Journal,
  outcome: ReturnType<typeof startRun>,
): Promise<number> {
  const { log } = state.paths(run)
  interrupts.leaving = () => leavingLines(fold(journal.records), { host: site.processes.host, resumeCommand, log })
  try {
    return exitOf(await outcome, interrupts.first)
  } finally {
    await journal.close()
  }
}

function planPorts({ site, state, course, accept, history }: Performance, { doors }: Hold): Omit<RunPorts<Platform>, 'journal' | 'operator' | 'listeners' | 'survivors' | 'resumeCommand' | 'signal'> {
  return {
    runbook: course?.runbook ?? site.runbook,
    ...(course === undefined ? {} : { modules: course.modules, outputs: course.outputs }),
    registry: site.registry,
    clock: site.clock,
    env: site.env,
    secrets: site.secrets(state.root),
    doors,
    site: site.checks(doors, state.root),
    pollEveryMs: site.cloud.pollEveryMs,
    history,
    marks: marksOf(site),
    ...(accept === undefined ? {} : { accept }),
  }
}

function runPorts(performance: Performance, journal: Journal, hold: Hold): RunPorts<Platform> {
  const { site, operator, listeners, resumeCommand, criticalPathMs } = performance
  return {
    ...planPorts(performance, hold),
    journal,
    operator,
    listeners: [...listeners, hold.log.listener],
    signal: hold.signal,
    failed: (step, error) => hold.log.failed(step, error),
    target: {
      async beforeIntent() {
        // On this machine too: the mark in the cloud is read only where the runbook makes groups.
        await hold.lock.heartbeat()
        return hold.target.beforeIntent()
      },
      reached: (group) => hold.target.reached(group),
    },
    survivors: site.survivors,
    resumeCommand,
    ...(criticalPathMs === undefined ? {} : { criticalPathMs: criticalPathMs(journal) }),
  }
}

export function lockKey({ runbook, cloudFacts }: Site): LockKey {
  return { runbook: runbook.name, resourceManager: cloudFacts.resourceManager, subscription: cloudFacts.subscription }
}

