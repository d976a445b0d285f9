import type { Change, Listener } from '../contract/index.js'
import type { Accepting } from '../engine/index.js'
import { fold, type Journal, type StateFolder } from '../journal/index.js'
import { acceptingOf } from './accepting.js'
import { hasLostWorld } from './condition.js'
import { exit } from './exit.js'
import { guardedStream, usageError, type Told } from './guard.js'
import { historyOf } from './history.js'
import type { CommonOptions, WorldOptions } from './options.js'
import { performFresh } from './perform.js'
import { isReady } from './plan.js'
import type { Invocation } from './invocation.js'
import { Screen } from './screen.js'
import { openSite, readRunbook, runbookWrong, type Site } from './site.js'
import { commandLine, worldFolder, writableStateFolder } from './state.js'
import { hasBegunIn, unfinishedBefore } from './unfinished.js'
import type { WorldControl } from './world-control.js'
import { worldCriticalPathMs } from './world-path.js'
import { startWorld, type RunningWorld } from './world-process.js'

type Options = CommonOptions & WorldOptions

/** `lifeboat rehearse RUNBOOK`: the whole failover in a world of its own. */
export async function rehearse(args: readonly string[], options: Options, invocation: Invocation): Promise<number> {
  return guardedStream(options, invocation, async (told) => {
    const screen = new Screen(options, invocation)
    const { runbook, diagnostics, registry } = await readRunbook(args[0] ?? '')
    screen.diagnose(diagnostics)
    if (runbook === undefined) throw runbookWrong(diagnostics)
    const accept = acceptingOf(options.accept, runbook)
    const worldFile = options.world ?? runbook.rehearsal?.world
    if (worldFile === undefined) {
      throw usageError(`${runbook.name} names no world to rehearse in`, 'Add `rehearsal: { world: FILE }` to it, or give --world FILE.')
    }
    const state = await writableStateFolder(options, invocation)
    const earlier = await unfinishedBefore(state, { mode: 'rehearsal', runbook, cloud: nowhere })
    if (earlier !== undefined && !(await hasLostWorld(earlier.state))) {
      const resuming = commandLine(options, 'resume', earlier.run)
      screen.notice(`An earlier rehearsal of ${runbook.name} is not finished, and its world is still there. To go on with that one: ${resuming}`)
    }
    screen.notice(`Rehearsal of ${runbook.name} in a simulated world. Nothing real is touched.`)
    const { interrupts, self, env } = invocation
    interrupts.signal.throwIfAborted()
    const folder = await worldFolder(state.root)
    const world = await startWorld({ worldFile, speed: options.speed, folder, self, env, signal: interrupts.signal })
    const begun: { run?: string } = {}
    try {
      const site = await openSite(runbook, registry, world.cloudPath, invocation)
      screen.sayWorldTime(site, world.sim)
      const run = (begun.run = site.newRunId())
      const resumeCommand = commandLine(options, 'resume', run)
      const code = await rehearseIn({ world, site, run, resumeCommand, accept, told, state }, options, invocation, screen)
      return await leave(world, screen, code, resumeCommand)
    } catch (error) {
      // Of a run that ended before it began nothing is left to resume, and nobody would know of its world.
      if (begun.run === undefined || !(await hasBegunIn(state, begun.run))) await world.discard()
      throw error
    }
  })
}

/** Rehearsals are told apart by their worlds alone. */
const nowhere = { name: '', resourceManager: '', subscription: '', path: null }

interface Wanted {
  readonly world: RunningWorld
  readonly site: Site
  readonly state: StateFolder
  readonly run: string
  readonly resumeCommand: string
  readonly accept: Accepting
  readonly told: Told
}

async function rehearseIn(
  { world, site, state, run, resumeCommand, accept, told }: Wanted,
  options: Options,
  invocation: Invocation,
  screen: Screen,
): Promise<number> {
  const renderer = screen.renderer(site, run)
  try {
    return await performFresh({
      site,
      state,
      run,
      mode: 'rehearsal',
      sim: world.sim,
      // A rehearsal needs nobody's consent; without a terminal there is nobody to ask either.
      operator: screen.operator(options.yes === true),
      listeners: [renderer.listener, keeping(world)],
      interrupts: invocation.interrupts,
      takeOver: options.takeOver === true,
      accept,
      resumeCommand,
      undoCommand: commandLine(options, 'undo', run),
      notice: (message) => screen.warn(message),
      logging: screen.logging(told),
      begins: () => void (told.begun = true),
      history: await historyOf(state, site, { mode: 'rehearsal', sim: world.sim }),
      criticalPathMs: criticalPathIn(world.control),
      consent: async (made) => {
        if (!isReady(made)) {
          screen.showPlan(made, site, 'rehearsal', 'say')
          return exit.notReady
        }
        screen.showReadiness(made)
        return 'rehearsal'
      },
    })
  } finally {
    renderer.close()
  }
}

/** From the moment that its journal holds a plan, a run can be gone on with: before, nobody would come back to its world. */
function keeping(world: RunningWorld): Listener {
  return ({ type }) => {
    if (type === 'run.planned') world.keep()
  }
}

/** The critical path in the world's own durations, worked out from its operations and the journal when the run is over. */
export function criticalPathIn(control: WorldControl) {
  return (journal: Journal) =>
    async (changed: ReadonlyMap<string, readonly Change[]>): Promise<number> => {
      const { operations } = await control.state()
      const { planned, steps } = fold(journal.records)
      const spans = (planned?.steps ?? []).map(({ id, needs }) => {
        const step = steps.get(id)
        return {
          id,
          needs,
          changes: changed.get(id) ?? [],
          ...(step === undefined ? {} : { startedAt: step.startedAt }),
          ...(step?.endedAt === undefined ? {} : { endedAt: step.endedAt }),
        }
      })
      return worldCriticalPathMs(spans, operations)
    }
}

/** The world is left where there is something to resume, a declined gate too; without a request for half an hour it ends by itself. */
export async function leave(world: Pick<RunningWorld, 'control' | 'sim'>, screen: Screen, code: number, resumeCommand: string): Promise<number> {
  if (code !== exit.done && code !== exit.notReady) {
    screen.notice(`The world goes on (pid ${world.sim.pid}) for: ${resumeCommand}`)
  } else {
    await world.control.stop()
  }
  return code
}
