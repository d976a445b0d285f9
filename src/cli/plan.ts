import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { planRun, type Accepting, type Course, type History, type Plan } from '../engine/index.js'
import type { Platform } from '../platform/platform.js'
import { acceptingOf } from './accepting.js'
import type { Mark } from '../journal/index.js'
import { exit } from './exit.js'
import { guarded } from './guard.js'
import { historyOf } from './history.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { assertWritable, planFileOf, writePlanFile } from './plan-file.js'
import { asShown, openShown, sayShown } from './plan-shown.js'
import { Screen } from './screen.js'
import { noStep, openSite, readRunbook, type Site } from './site.js'
import { stateFolder, stateRoot } from './state.js'
import { marksOf, whoIsAtWork } from './target.js'

export interface PlanOptions extends CommonOptions {
  readonly detailedExitcode?: boolean
  /** Where to write the plan, for `run --plan`. */
  readonly out?: string
  /** Of `run --dry-run`: a plan that was shown before, to be compared with. */
  readonly plan?: string
}

/** `lifeboat plan RUNBOOK`: what a failover would change, by reading only. */
export async function plan(args: readonly string[], options: PlanOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const screen = new Screen(options, invocation)
    const { runbook, diagnostics, registry } = await readRunbook(args[0] ?? '')
    screen.diagnose(diagnostics)
    if (runbook === undefined) return exit.usage
    const accept = acceptingOf(options.accept, runbook)
    if (options.out !== undefined) await assertWritable(options.out)
    const site = await openSite(runbook, registry, options.cloud, invocation)
    const shown = await openShown(options.plan, site)
    screen.notice(`Reading ${site.cloudFacts.name}, subscription ${site.cloudFacts.subscription}…`)
    const { made, atWork } = await planOnly(site, { root: stateRoot(options, invocation), accept, history: await historyOf(stateFolder(options, invocation), site, { mode: 'run' }) }, invocation, screen)
    if (options.json === true) invocation.output.data(`${JSON.stringify({ ...planData(made, site), atWork })}\n`)
    else screen.showPlan(made, site, 'run', 'data')
    if (options.out !== undefined) await keep(made, options.out, site, screen)
    if (shown !== undefined && made.failures.length === 0) {
      asShown(shown, made)
      screen.notice(sayShown(shown, made, site.clock.realNow()))
    }
    if (!isReady(made)) return exit.notReady
    return options.detailedExitcode === true && countChanges(made) > 0 ? exit.changes : exit.done
  })
}

interface PlanWish {
  /** State folder: the one in which a run would keep its journal. */
  readonly root: string
  readonly accept?: Accepting
  readonly history: History
  /** An undo's way through the graph. */
  readonly course?: Course<Platform>
}

/** A step that cannot be planned has no changes in the plan: run from a file, it would be refused at once. */
async function keep(made: Plan, path: string, site: Site, screen: Screen): Promise<void> {
  if (made.failures.length > 0) {
    screen.notice(`${path} was not written: a step cannot be planned, so the plan is not whole.`)
    return
  }
  await writePlanFile(path, await planFileOf(made, site))
  screen.notice(`Written to ${path}. To run what it shows: lifeboat run RUNBOOK --plan ${path}`)
}

interface Looked {
  readonly made: Plan
  readonly atWork: readonly Mark[]
}

/** Plans by reading only, under no lock: a run may be at work meanwhile, and is then named. */
export async function planOnly(site: Site, wish: PlanWish, invocation: Invocation, screen: Screen): Promise<Looked> {
  const { root, accept, history, course } = wish
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-plan-'))
  const progress = (step: string, message: string): void => screen.notice(`${step}: ${message}`)
  const doors = site.doors(folder, 'plan', screen.echo)
  try {
    const atWork = await whoIsAtWork(site, doors(noStep).azure, (message) => screen.notice(message))
    const made = await planRun({
      runbook: course?.runbook ?? site.runbook,
      ...(course === undefined ? {} : { modules: course.modules, outputs: course.outputs }),
      registry: site.registry,
      clock: site.clock,
      env: site.env,
      secrets: site.secrets(resolve(root)),
      doors,
      site: site.checks(doors, resolve(root)),
      signal: invocation.interrupts.signal,
      pollEveryMs: site.cloud.pollEveryMs,
      progress,
      ...(accept === undefined ? {} : { accept }),
      history,
      marks: marksOf(site),
    })
    return { made, atWork }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** `plan --json`: the plan as data; `dryRun` says that nothing was changed. */
export function planData(made: Plan, { runbook, cloudFacts }: Site): object {
  const { steps, facts, findings, failures, places } = made
  return { type: 'plan', version: 1, dryRun: true, runbook: runbook.name, cloud: cloudFacts, places, ...facts, steps, findings, failures }
}

export function countChanges({ steps }: Plan): number {
  return steps.reduce((sum, step) => sum + step.changes.length, 0)
}

/** No step that cannot be planned, and no finding that must be mended first. */
export function isReady({ findings, failures }: Plan): boolean {
  return failures.length === 0 && findings.every((finding) => finding.level !== 'stop')
}
