import { LifeboatError } from '../contract/index.js'
import type { RunState, RunSummary, StateFolder } from '../journal/index.js'
import type { Runbook } from '../runbook/index.js'
import { acceptingOf } from './accepting.js'
import { begun } from './begun.js'
import { assertHasWorld, leftWorld, worldOf } from './carried-on.js'
import { holderOf } from './condition.js'
import { needsSomebody } from './consent.js'
import { exit } from './exit.js'
import { guardedStream, usageError } from './guard.js'
import { historyOf } from './history.js'
import type { CommonOptions } from './options.js'
import { performResume } from './perform.js'
import { changedError, changedSince } from './pinned.js'
import type { Invocation } from './invocation.js'
import { earlierOf } from './reader.js'
import { criticalPathIn } from './rehearse.js'
import { Screen } from './screen.js'
import { openSite, readRunbook, runbookWrong } from './site.js'
import { commandLine, stateFolder } from './state.js'
import { courseOf } from './undo.js'
import { newerThan, resumable } from './unfinished.js'

export interface ResumeOptions extends CommonOptions {
  readonly acceptChanges?: boolean
}

/** `lifeboat resume [RUN]`: goes on with a run where its journal ends. */
export async function resume(args: readonly string[], options: ResumeOptions, invocation: Invocation): Promise<number> {
  return guardedStream(options, invocation, async (told) => {
    const screen = new Screen(options, invocation)
    const state = stateFolder(options, invocation)
    const run = args[0] ?? (await onlyUnfinished(state, options))
    const { records } = await state.read(run)
    const before = begun(run, records)
    if (before.status === 'finished') {
      await state.sweepOver()
      screen.notice(`Run ${run} is finished (${before.outcome ?? 'done'}); there is nothing to resume.`)
      return exit.done
    }
    await assertNotUndone(before, state, options)
    const newer = await newerThan(run, before, state)
    if (newer !== undefined) screen.warn(`A newer run of ${before.runbook.name} has begun since: ${newer}. This goes on with the older one.`)
    await assertHasWorld(before, options)
    const { runbook, diagnostics, registry } = await readRunbook(before.runbook.path)
    screen.diagnose(diagnostics)
    if (runbook === undefined) throw runbookWrong(diagnostics)
    const accept = acceptingOf(options.accept, runbook)
    // The way back has no gates.
    if (before.undoes === undefined) refuseWithoutAnybody(before, runbook.nodes, options, screen)
    const site = await openSite(runbook, registry, before.cloud.path ?? undefined, invocation, records.at(-1)?.t)
    const differences = await changedSince(before, site)
    const acceptCommand = commandLine(options, 'resume', run, '--accept-changes')
    if (differences.length > 0 && options.acceptChanges !== true) throw changedError(differences, acceptCommand)
    const world = worldOf(before, site)
    screen.sayWorldTime(site, world?.sim)
    const back = await courseOf(before, site, state, options)
    const resumeCommand = commandLine(options, 'resume', run)
    const renderer = screen.renderer(site, run, earlierOf(records, before, resumeCommand))
    try {
      const code = await performResume({
        site,
        ...back,
        state,
        run,
        acceptChanges: options.acceptChanges === true,
        acceptCommand,
        acceptedChanges: differences.length > 0,
        standing: async (now) => {
          await assertNotUndone(now, state, options)
          return (await courseOf(now, site, state, options))?.course
        },
        pinned: before.pins,
        earlier: { run, owner: before.owner },
        operator: screen.operator(options.yes === true || (before.mode === 'rehearsal' && !screen.canAsk)),
        listeners: [renderer.listener],
        interrupts: invocation.interrupts,
        takeOver: options.takeOver === true,
        accept,
        resumeCommand,
        undoCommand: commandLine(options, 'undo', run),
        notice: (message) => screen.warn(message),
        logging: screen.logging(told),
        begins: () => void (told.begun = true),
        history: await historyOf(state, site, before),
        ...(world === undefined || back !== undefined ? {} : { criticalPathMs: criticalPathIn(world.control) }),
      })
      return await leftWorld(world, screen, code, resumeCommand)
    } finally {
      renderer.close()
    }
  })
}

/** Rehearsals whose world has ended are in nobody's way, nor are runs after which a newer one of the same runbook has begun. */
async function onlyUnfinished(state: StateFolder, options: ResumeOptions): Promise<string> {
  const unfinished = await resumable(state)
  const over = await Promise.all(unfinished.map(async (one) => 'state' in one && (await newerThan(one.run, one.state, state)) !== undefined))
  const runs = unfinished.filter((_, index) => over[index] === false)
  const [only] = runs
  if (only === undefined) throw usageError('there is no unfinished run', `All of them are listed by: ${commandLine(options, 'runs')}`)
  if (runs.length > 1) throw await whichOne(runs, state)
  if (only.status === 'damaged') throw only.problem
  return only.run
}

/** What is at work is said to be, and by whom: it goes on by itself. */
async function whichOne(runs: readonly RunSummary[], state: StateFolder): Promise<LifeboatError> {
  const said = await Promise.all(runs.map(async (one) => {
    const holder = 'state' in one ? await holderOf(one.run, one.state, state) : undefined
    const owner = holder?.life === 'dead' ? undefined : holder?.owner
    return owner === undefined ? one.run : `${one.run} (at work, by ${owner.user} on ${owner.host}, pid ${owner.pid})`
  }))
  return usageError('more than one run is unfinished', `Name one of them, the latest is first: ${said.join(', ')}`)
}

async function assertNotUndone(ran: RunState, state: StateFolder, options: ResumeOptions): Promise<void> {
  const by = await state.undoOf(ran)
  if (by === undefined) return
  throw new LifeboatError('run.undone', `this run is being put back, or has been, by the undo ${by}`, {
    blame: 'user',
    hint: `Go on with that one, or start a fresh run once it is over: ${commandLine(options, 'resume', by)}`,
  })
}

/** A confirmed run stays confirmed; but gates that are still to come need somebody, or a flag that passes them. */
function refuseWithoutAnybody({ mode, answers }: RunState, nodes: Runbook['nodes'], options: ResumeOptions, screen: Screen): void {
  if (screen.canAsk || mode === 'rehearsal') return
  const isPassed = (id: string): boolean => ['go', 'done'].includes(answers.get(id)?.choice ?? 'stop')
  if (!needsSomebody(nodes.filter(({ id }) => !isPassed(id)), options)) return
  throw usageError('nobody is there to pass the gates that this run has before it', 'Without a terminal, add --yes to pass gates and manual steps.')
}
