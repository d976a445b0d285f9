import type { RecordData } from '../journal/index.js'
import type { Plan } from '../engine/index.js'
import { sayWhatAndWhere, sayWhere } from '../render/index.js'
import { acceptingOf } from './accepting.js'
import { consentByName, refuseWithoutAnybody, refuseWithoutName } from './consent.js'
import { exit } from './exit.js'
import { guardedStream } from './guard.js'
import { historyOf } from './history.js'
import { performFresh } from './perform.js'
import { isReady, plan } from './plan.js'
import { asShown, openShown, sayShown, type ShownPlan } from './plan-shown.js'
import type { Invocation } from './invocation.js'
import { resume } from './resume.js'
import { Screen } from './screen.js'
import { openSite, readRunbook, runbookWrong, type Site } from './site.js'
import { commandLine, writableStateFolder } from './state.js'
import { fateOf, refuseUnread, unfinishedBefore, type FreshWish } from './unfinished.js'

export interface RunOptions extends FreshWish {
  readonly dryRun?: boolean
  /** A plan that was shown before (`plan --out`): what it shows is what runs. */
  readonly plan?: string
}

/** `lifeboat run RUNBOOK`: the failover. */
export async function run(args: readonly string[], options: RunOptions, invocation: Invocation): Promise<number> {
  if (options.dryRun === true) return plan(args, options, invocation)
  return guardedStream(options, invocation, async (told) => {
    const screen = new Screen(options, invocation)
    const { runbook, diagnostics, registry } = await readRunbook(args[0] ?? '')
    screen.diagnose(diagnostics)
    if (runbook === undefined) throw runbookWrong(diagnostics)
    const accept = acceptingOf(options.accept, runbook)
    refuseWithoutName(runbook.name, options, screen)
    refuseWithoutAnybody(runbook, options, screen)
    const state = await writableStateFolder(options, invocation)
    const site = await openSite(runbook, registry, options.cloud, invocation)
    const shown = await openShown(options.plan, site)
    const earlier = await unfinishedBefore(state, { mode: 'run', runbook, cloud: site.cloudFacts }, refuseUnread(options))
    if (earlier !== undefined) {
      const fate = await fateOf(earlier, options, invocation, screen, site.clock.realNow())
      if (typeof fate === 'number') return fate
      if (fate === 'resume') return resumeInstead(earlier.run, options, invocation, screen)
    }
    const id = site.newRunId()
    const renderer = screen.renderer(site, id)
    screen.notice(`${runbook.name}: a failover ${sayWhere('run', site.cloudFacts)}. Reading before anything is changed…`)
    try {
      return await performFresh({
        site,
        state,
        run: id,
        mode: 'run',
        operator: screen.operator(options.yes === true),
        listeners: [renderer.listener],
        interrupts: invocation.interrupts,
        takeOver: options.takeOver === true,
        accept,
        resumeCommand: commandLine(options, 'resume', id),
        undoCommand: commandLine(options, 'undo', id),
        notice: (message) => screen.warn(message),
        logging: screen.logging(told),
        begins: () => void (told.begun = true),
        history: await historyOf(state, site, { mode: 'run' }),
        ...(shown === undefined ? {} : { agree: (made: Plan) => agree(made, shown, site, screen) }),
        consent: (made, displaced) => consent({ made, displaced }, site, options, invocation, screen),
      })
    } finally {
      renderer.close()
    }
  })
}

/** The same command again after a failure: the run that is there goes on, with what its own journal says. */
function resumeInstead(earlier: string, options: RunOptions, invocation: Invocation, screen: Screen): Promise<number> {
  if (options.plan !== undefined) screen.notice(`${options.plan} is not used: a run that is resumed has its own plan.`)
  return resume([earlier], options, invocation)
}

/** What cannot be planned is told with the plan, before anything is compared. */
function agree(made: Plan, shown: ShownPlan, site: Site, screen: Screen): Plan {
  if (made.failures.length > 0) return made
  const agreed = asShown(shown, made)
  screen.notice(sayShown(shown, made, site.clock.realNow()))
  return agreed
}

async function consent(
  { made, displaced }: { readonly made: Plan; readonly displaced: readonly string[] },
  site: Site,
  options: RunOptions,
  invocation: Invocation,
  screen: Screen,
): Promise<RecordData['run.started']['confirmed'] | number> {
  if (options.json === true) screen.showReadiness(made)
  else screen.showPlan(made, site, 'run', 'say')
  if (!isReady(made)) return exit.notReady
  const agreed = { what: sayWhatAndWhere('run', site.cloudFacts), places: made.places, displaced }
  return consentByName(site.runbook.name, agreed, options, invocation, screen)
}
