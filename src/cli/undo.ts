import { LifeboatError } from '../contract/index.js'
import { assertUndoable, courseBack, type Course, type History } from '../engine/index.js'
import type { RunState, StateFolder } from '../journal/index.js'
import type { Platform } from '../platform/platform.js'
import { sayWhat, sayWhatAndWhere, sayWhere } from '../render/index.js'
import { begun } from './begun.js'
import { assertHasWorld, leftWorld, worldOf } from './carried-on.js'
import { holderOf } from './condition.js'
import { consentByName, consentToRehearsedUndo, refuseWithoutName } from './consent.js'
import { exit } from './exit.js'
import { guardedStream, usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import { historyOf } from './history.js'
import type { CommonOptions } from './options.js'
import { performFresh } from './perform.js'
import { changedError, changedSince } from './pinned.js'
import { isReady, planData, planOnly } from './plan.js'
import { Screen } from './screen.js'
import { openSite, readRunbook, runbookWrong, type Site } from './site.js'
import { commandLine, stateFolder } from './state.js'
import type { PutsBack } from './target.js'
import { resumable, undoable } from './unfinished.js'

export interface UndoOptions extends CommonOptions {
  readonly acceptChanges?: boolean
  /** Shows what would be put back and ends. */
  readonly dryRun?: boolean
}

/** `lifeboat undo [RUN]`: puts back what a run changed, newest first. A run of its own: planned, confirmed, journaled, resumable. */
export async function undo(args: readonly string[], options: UndoOptions, invocation: Invocation): Promise<number> {
  return guardedStream(options, invocation, async (told) => {
    const screen = new Screen(options, invocation)
    const state = stateFolder(options, invocation)
    const ran = await readRun(state, args[0] ?? (await onlyUndoable(state, options)))
    assertUndoable(ran, commandLine(options, 'run', ran.runbook.path))
    await assertHasWorld(ran, options)
    const before = await state.undoOf(ran)
    if (before !== undefined && (await isUndone(state, before, options))) {
      screen.notice(`Run ${ran.run} has been put back by ${before}; there is nothing to undo.`)
      return exit.done
    }
    const { runbook, diagnostics, registry } = await readRunbook(ran.runbook.path)
    screen.diagnose(diagnostics)
    if (runbook === undefined) throw runbookWrong(diagnostics)
    if ((ran.mode === 'run' || options.confirm !== undefined) && options.dryRun !== true) refuseWithoutName(runbook.name, options, screen)
    const site = await openSite(runbook, registry, ran.cloud.path ?? undefined, invocation)
    await assertUnchanged(ran, site, options)
    const world = worldOf(ran, site)
    const wayBack = async (): Promise<Course<Platform>> => {
      const now = await readRun(state, ran.run)
      const by = await state.undoOf(now)
      if (by !== undefined && (await isUndone(state, by, options))) {
        throw new LifeboatError('run.undone', `run ${ran.run} has been put back meanwhile by ${by}; there is nothing to undo`, { blame: 'user' })
      }
      return courseBack(site, now)
    }
    const past = await historyOf(state, site, { mode: ran.mode, undoes: ran.run, ...(ran.sim === undefined ? {} : { sim: ran.sim }) })
    screen.sayWorldTime(site, world?.sim)
    if (options.dryRun === true) return showUndo({ ran, site, course: courseBack(site, ran), past, state }, options, invocation, screen)
    const id = site.newRunId()
    const renderer = screen.renderer(site, id)
    screen.notice(`${runbook.name}: ${sayWhat(ran.mode, ran.run)} ${sayWhere(ran.mode, site.cloudFacts)}. Reading before anything is changed…`)
    try {
      const code = await performFresh({
        site,
        wayBack,
        undoes: ran.run,
        earlier: { run: ran.run, owner: ran.owner },
        putsBack: putsBack(ran, options),
        state,
        run: id,
        mode: ran.mode,
        ...(ran.sim === undefined ? {} : { sim: ran.sim }),
        operator: screen.operator(options.yes === true),
        listeners: [renderer.listener],
        interrupts: invocation.interrupts,
        takeOver: options.takeOver === true,
        resumeCommand: commandLine(options, 'resume', id),
        notice: (message) => screen.warn(message),
        logging: screen.logging(told),
        begins: () => void (told.begun = true),
        history: past,
        consent: async (made, displaced, course) => {
          const { leftBehind = [], open = [] } = course ?? {}
          if (options.json !== true) screen.showPlan(made, site, ran.mode, 'say', { of: ran.run, leftBehind, open })
          if (!isReady(made)) return exit.notReady
          if (ran.mode === 'rehearsal') return consentToRehearsedUndo(options, invocation, screen, displaced)
          const agreed = { what: sayWhatAndWhere(ran.mode, site.cloudFacts, ran.run), places: made.places, displaced }
          return consentByName(runbook.name, agreed, options, invocation, screen)
        },
      })
      // It has not begun: what it would have put back can still be gone on with.
      if (code === exit.declined || code === exit.notReady) return code
      return await leftWorld(world, screen, code, commandLine(options, 'resume', id))
    } finally {
      renderer.close()
    }
  })
}

async function assertUnchanged(ran: RunState, site: Site, options: UndoOptions): Promise<void> {
  const differences = await changedSince(ran, site)
  if (differences.length === 0 || options.acceptChanges === true) return
  const dry = options.dryRun === true ? ['--dry-run'] : []
  throw changedError(differences, commandLine(options, 'undo', ran.run, ...dry, '--accept-changes'))
}

interface Shown {
  readonly ran: RunState
  readonly site: Site
  readonly course: Course<Platform>
  readonly past: History
  readonly state: StateFolder
}

/** What would be put back, by reading only: also while the run is still at work, which is said. */
async function showUndo(shown: Shown, options: UndoOptions, invocation: Invocation, screen: Screen): Promise<number> {
  const { ran, site, course, past, state } = shown
  screen.notice(`What an ${sayWhat(ran.mode, ran.run)} would put back. Reading ${site.cloudFacts.name}…`)
  const { made, atWork } = await planOnly(site, { root: state.root, history: past, course }, invocation, screen)
  const { leftBehind, open } = course
  if (options.json === true) invocation.output.data(`${JSON.stringify({ ...planData(made, site), undoes: ran.run, leftBehind, open, atWork })}\n`)
  else screen.showPlan(made, site, ran.mode, 'data', { of: ran.run, leftBehind, open })
  const holder = await holderOf(ran.run, ran, state)
  const owner = holder?.life === 'dead' ? undefined : holder?.owner
  if (owner !== undefined) screen.warn(`This run is still at work (${owner.user} on ${owner.host}, pid ${owner.pid}); what it does from now on is not in this.`)
  return isReady(made) ? exit.done : exit.notReady
}

/** Throws `undo.unfinished` where an undo of it has begun: that one knows how far it came. */
async function isUndone(state: StateFolder, by: string, options: UndoOptions): Promise<boolean> {
  if ((await readRun(state, by)).status === 'finished') return true
  throw new LifeboatError('undo.unfinished', `the undo ${by} of this run is not finished`, {
    blame: 'user',
    hint: `Go on with it: ${commandLine(options, 'resume', by)}`,
  })
}

/** The way back that an undo was on, for its resume. */
export async function courseOf(
  undoing: RunState,
  site: Site,
  state: StateFolder,
  options: Pick<UndoOptions, 'acceptChanges'>,
): Promise<{ readonly course: Course<Platform>; readonly putsBack: PutsBack } | undefined> {
  if (undoing.undoes === undefined) return undefined
  const ran = await readRun(state, undoing.undoes)
  return { course: courseBack(site, ran, undoing), putsBack: putsBack(ran, options) }
}

function putsBack({ run, realStartedAt }: RunState, { acceptChanges }: Pick<UndoOptions, 'acceptChanges'>): PutsBack {
  return { run, began: realStartedAt, agreed: acceptChanges === true }
}

async function readRun(state: StateFolder, run: string): Promise<RunState> {
  const { records } = await state.read(run)
  return begun(run, records)
}

/** Without a name only where there is no doubt. */
async function onlyUndoable(state: StateFolder, options: UndoOptions): Promise<string> {
  const runs = await undoable(state)
  const [only] = runs
  if (only === undefined) {
    const [halfWay] = (await resumable(state)).filter((one) => 'state' in one && one.state.undoes !== undefined)
    if (halfWay !== undefined) {
      throw usageError('there is no other run to undo than one whose undo has begun', `Go on with that: ${commandLine(options, 'resume', halfWay.run)}`)
    }
    throw usageError('there is no run to undo', `All of them are listed by: ${commandLine(options, 'runs')}`)
  }
  if (runs.length === 1) return only.run
  throw usageError('there is more than one run that could be undone', `Name one of them: ${runs.map(({ run }) => run).join(', ')}`)
}
