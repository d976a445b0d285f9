import { LifeboatError, type Change, type Mode, type Operator } from '../contract/index.js'
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
  type Survivors,
} from '../engine/index.js'
import { fold, type Journal, type Pin, type RecordData, type RunState } from '../journal/index.js'
import type { Platform } from '../platform/platform.js'
import { differenceLines } from '../render/index.js'
import { exitOf } from './exit.js'
import { displaced, standingOf, underLock, type Hold, type Holding } from './hold.js'
import { leavingLines } from './in-flight.js'
import { changedError, afarPins, changedAfar } from './pinned.js'
import { orRefused } from './refusal.js'
import type { Site } from './site.js'
import { marksOf } from './target.js'

/** What a run needs from the command that performs it. */
export interface Performance extends Holding {
  /** An undo's way through the graph; a run goes as the runbook says. */
  readonly course?: Course<Platform>
  readonly operator: Operator
  /** Alternatives that were chosen on the command line. */
  readonly accept?: Accepting
  /** The command that goes on with this run. */
  readonly resumeCommand: string
  /** The one that puts back what it has changed; not of a way back. */
  readonly undoCommand?: string
  /** What earlier runs of this kind took. */
  readonly history: History
  /** Called once, before the first record of this life. */
  readonly begins: () => void
  readonly criticalPathMs?: (journal: Journal) => (changed: ReadonlyMap<string, readonly Change[]>) => Promise<number>
}

export interface FreshRun extends Performance {
  /** An undo's way back, by the journal of its run as it stands now; throws what keeps that run from being put back. */
  readonly wayBack?: () => Promise<Course<Platform>>
  readonly mode: Mode
  readonly sim?: NonNullable<RecordData['run.started']['sim']>
  /** The run that is put back, if this is an undo. */
  readonly undoes?: string
  /** Holds the plan beside one that was shown before, which takes its place; throws what keeps that from being run. */
  readonly agree?: (made: Plan) => Plan
  /**
   * Shows the plan and asks whether to go on, and at whose cost: `displaced` says each run that would be displaced. How it was confirmed,
   * or the exit code with which to end.
   */
  readonly consent: (plan: Plan, displaced: readonly string[], course?: Course<Platform>) => Promise<RecordData['run.started']['confirmed'] | number>
}

/** Lock, plan, consent, journal, run: the whole of a fresh run. Resolves with the exit code. */
export async function performFresh(fresh: FreshRun): Promise<number> {
  const { site, state, run, mode, sim, undoes } = fresh
  return orRefused(fresh, (planned, begins) => underLock(fresh, async (hold) => {
    const performance = await onItsWay(fresh)
    const standing = standingOf(hold)
    for (const message of standing) performance.notice(message)
    // First, since it needs no network: a file or a variable that is missing is told before anything is asked.
    const files = await site.pins()
    const pins = [...files, ...(await pinnedAfar(performance, hold))]
    const made = await planRun({ ...planPorts(performance, hold), signal: hold.signal })
    planned(made)
    const plan = performance.agree?.(made) ?? made
    const confirmed = await performance.consent(plan, standing, performance.course)
    if (typeof confirmed === 'number') return confirmed
    const last = (await displaced(hold, performance)) ? await stillTrue(plan, performance, hold) : performance
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
    return finished(last, journal, startRun(runPorts(last, journal, hold), started, plan))
  }))
}

/** With its way back as its run's journal has it now: until the lock was taken that run may have gone on. */
async function onItsWay(fresh: FreshRun): Promise<FreshRun> {
  return fresh.wayBack === undefined ? fresh : { ...fresh, course: await fresh.wayBack() }
}

/**
 * Whoever was displaced may have written until he stopped: what was agreed to must still be what would run, and what stays as it is must
 * have been shown. With the way back as it is now.
 */
async function stillTrue({ steps }: Plan, shown: FreshRun, hold: Hold): Promise<FreshRun> {
  const { state, site, undoes } = shown
  // Its journal is made a new file: a process that still has the old one begins nothing more.
  if (undoes !== undefined) await (await state.open(undoes, () => site.clock.now())).journal.close()
  const performance = await onItsWay(shown)
  const now = await planRun({ ...planPorts(performance, hold), signal: hold.signal })
  const wasLeft = new Set(shown.course?.leftBehind.map(({ resource }) => resource))
  const left = (performance.course?.leftBehind ?? []).filter(({ resource }) => !wasLeft.has(resource))
  const differences = [
    ...differenceLines(differencesOf(steps, now.steps)),
    ...left.map(({ step, resource, why }) => `${step}: ${resource} stays as it is: ${why}`),
  ]
  if (differences.length === 0) return performance
  const lines = differences.map((line) => `  ${line}`)
  throw new LifeboatError('plan.moved-on', `the run that was at work has gone on meanwhile; this was not shown:\n${lines.join('\n')}`, {
    blame: 'user',
    hint: 'This one has changed nothing, and that one begins nothing more. Give the same command again: it plans from what is there now.',
  })
}

/** What the way back needs is in the cluster: it must not wait for a place that charts are pulled from. */
async function pinnedAfar(performance: Performance, hold: Hold): Promise<readonly Pin[]> {
  if (performance.course !== undefined) return []
  return afarPins(await pinsFromAfar({ ...planPorts(performance, hold), signal: hold.signal }))
}

/**
 * Once its plan stands in its journal, too, it is the undo that is resumed, never the run: one of them half done must not be driven both
 * ways. The run is told first, for an undo that had begun without its knowing could be overtaken by it.
 */
async function markUndone({ state, site, run }: Performance, undoes: string): Promise<void> {
  const { journal } = await state.open(undoes, () => site.clock.now())
  try {
    await journal.append('run.undoing', { by: run })
  } finally {
    await journal.close()
  }
}

export interface ResumedRun extends Performance {
  /** Throws what keeps the run from being gone on with as its journal stands now; the way back that it is on, if it is an undo. */
  readonly standing: (now: RunState) => Promise<Course<Platform> | undefined>
  /** The operator goes on with whatever is other than what the run was started with. */
  readonly acceptChanges: boolean
  /** The command that says so. */
  readonly acceptCommand: string
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
    if (differences.length > 0 && !acceptChanges) throw changedError(differences, performance.acceptCommand)
    const acceptedChanges = performance.acceptedChanges || differences.length > 0
    await displaced(hold, performance)
    const { journal, cut } = await state.open(run, () => site.clock.now())
    const course = await performance.standing(fold(journal.records)).catch(async (error: unknown) => {
      await journal.close()
      throw error
    })
    if (cut !== undefined) performance.notice(cut)
    const setBack = sayClockSetBack(site)
    if (setBack !== undefined) performance.notice(setBack)
    const resumed: RecordData['run.resumed'] = {
      owner: await site.processes.self(),
      realStartedAt: site.clock.realNow().toISOString(),
      acceptedChanges,
      ...(acceptedChanges ? { runbookText: site.runbook.text, pins: [...(await site.pins()), ...afar] } : {}),
    }
    begins()
    const last = course === undefined ? performance : { ...performance, course }
    return finished(last, journal, resumeRun(runPorts(last, journal, hold), resumed))
  }))
}

/** A minute is what two looks at a clock may differ by without anybody's having set it. */
const noticedMs = 60_000

function sayClockSetBack({ setBackMs: behindMs }: Site): string | undefined {
  if (behindMs < noticedMs) return undefined
  const minutes = Math.round(behindMs / 60_000)
  return `The clock is ${minutes} min behind the journal's last record: it was set back. Set it right; until then this run goes by the journal's time.`
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
    ...(course === undefined ? {} : { modules: course.modules, outputs: course.outputs, undone: course.undone }),
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

/** The same, and `isOpen` is told where it stays open whether something of an earlier life is still at work. */
export function toldOf(survivors: Survivors, isOpen: () => void): Survivors {
  const orOpen = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => {
    isOpen()
    throw error
  })
  return { handle: (...given) => orOpen(survivors.handle(...given)), marked: () => orOpen(survivors.marked()) }
}

function runPorts(performance: Performance, journal: Journal, hold: Hold): RunPorts<Platform> {
  const { site, operator, listeners, resumeCommand, undoCommand, criticalPathMs } = performance
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
        await hold.stillOurs()
        return hold.target.beforeIntent()
      },
      stillOurs: hold.stillOurs,
      reached: (group) => hold.target.reached(group),
    },
    survivors: toldOf(site.survivors, () => hold.target.leavesAtWork()),
    resumeCommand,
    ...(undoCommand === undefined ? {} : { undoCommand }),
    ...(criticalPathMs === undefined ? {} : { criticalPathMs: criticalPathMs(journal) }),
  }
}
