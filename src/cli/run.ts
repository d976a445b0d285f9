import type { RecordData } from '../journal/index.js'
import type { Plan } from '../engine/index.js'
import { confirmByName, sayWhere } from '../render/index.js'
import { exit } from './exit.js'
import { guarded, usageError } from './guard.js'
import type { CommonOptions } from './options.js'
import { performFresh } from './perform.js'
import { countChanges, isReady, plan } from './plan.js'
import { asShown, openShown, sayShown, type ShownPlan } from './plan-shown.js'
import type { Invocation } from './invocation.js'
import { Screen } from './screen.js'
import { openSite, readRunbook, type Site } from './site.js'
import { stateFlag, stateFolder } from './state.js'

export interface RunOptions extends CommonOptions {
  readonly dryRun?: boolean
  /** A plan that was shown before (`plan --out`): what it shows is what runs. */
  readonly plan?: string
}

/** `lifeboat run RUNBOOK`: the failover. */
export async function run(args: readonly string[], options: RunOptions, invocation: Invocation): Promise<number> {
  if (options.dryRun === true) return plan(args, options, invocation)
  return guarded(options, invocation, async () => {
    const screen = new Screen(options, invocation)
    const { runbook, diagnostics, registry } = await readRunbook(args[0] ?? '')
    screen.diagnose(diagnostics)
    if (runbook === undefined) return exit.usage
    refuseWithoutAnybody(runbook.name, options, screen)
    const site = await openSite(runbook, registry, options.cloud, invocation.env)
    const shown = await openShown(options.plan, site)
    const id = site.newRunId()
    const renderer = await screen.renderer(site, id)
    screen.notice(`${runbook.name}: a failover ${sayWhere('run', site.cloudFacts)}. Reading before anything is changed…`)
    try {
      return await performFresh({
        site,
        state: stateFolder(options, invocation),
        run: id,
        mode: 'run',
        operator: screen.operator(options.yes === true),
        listeners: [renderer.listener],
        interrupts: invocation.interrupts,
        takeOver: options.takeOver === true,
        stateFlag: stateFlag(options),
        notice: (message) => screen.notice(message),
        ...(shown === undefined ? {} : { agree: (made: Plan) => agree(made, shown, site, screen) }),
        consent: (made) => consent(made, site, options, invocation, screen),
      })
    } finally {
      renderer.close()
    }
  })
}

/** Said before anything is read: what a run without a terminal would be asked and nobody could answer. */
function refuseWithoutAnybody(name: string, options: RunOptions, screen: Screen): void {
  if (screen.canAsk) return
  if (options.confirm === undefined) {
    throw usageError('nobody is there to confirm this run', `Without a terminal, add --confirm=${name} (and --yes where there are gates).`)
  }
}

/** What cannot be planned is told with the plan, before anything is compared. */
function agree(made: Plan, shown: ShownPlan, site: Site, screen: Screen): Plan {
  if (made.failures.length > 0) return made
  const agreed = asShown(shown, made)
  screen.notice(sayShown(shown, made, site.clock.realNow()))
  return agreed
}

async function consent(
  made: Plan,
  site: Site,
  options: RunOptions,
  invocation: Invocation,
  screen: Screen,
): Promise<RecordData['run.started']['confirmed'] | number> {
  if (options.json !== true) screen.showPlan(made, site, 'run', 'say')
  if (!isReady(made)) return exit.notReady
  const { name, nodes } = site.runbook
  const asks = nodes.some((node) => node.kind !== 'step') && countChanges(made) > 0
  if (asks && !screen.canAsk && options.yes !== true) {
    throw usageError(`${name} has gates, and nobody is there to pass them`, 'Without a terminal, add --yes to pass gates and manual steps.')
  }
  if (options.confirm !== undefined) {
    if (options.confirm === name) return 'flag'
    throw usageError(`--confirm=${options.confirm} is not the name of this runbook`, `It is ${name}.`)
  }
  const confirmed = await confirmByName(screen.asker, name, [], invocation.interrupts.signal)
  if (confirmed) return 'typed'
  screen.notice('Declined; nothing was changed.')
  return exit.declined
}
