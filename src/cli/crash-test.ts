import { exit, exitOfSignal } from './exit.js'
import { guarded } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import type { CrashPoint, CrashResult } from './trial/crash-points.js'
import { trialSite, type Job, type TrialSite } from './trial/job.js'
import { doAll } from './trial/workers.js'

export interface CrashTestOptions extends CommonOptions {
  readonly world?: string
  /** Of the points, each one of so many. */
  readonly every: number
}

/** After how many points it is said how it stands: one takes a second or so. */
const sayEvery = 25

/** `lifeboat crash-test RUNBOOK`: kills a failover at every journal record and every remote call, and goes on from there. */
export async function crashTest(args: readonly string[], options: CrashTestOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const { output, interrupts } = invocation
    const site = await trialSite(args[0] ?? '', options.world)
    const points = await pointsOf(site, invocation)
    const tried = points.filter((_, index) => index % options.every === 0)
    output.say(`${site.runbook.name}: ${points.length} points at which it can be killed; ${tried.length} are tried.\n`)
    const wrong: CrashResult[] = []
    let done = 0
    await doAll(tried.map((point) => ({ kind: 'crash', site, point })), invocation, (result) => {
      if (result.kind !== 'crash') return undefined
      done += 1
      if (result.crash.wrong.length > 0) wrong.push(result.crash)
      if (result.crash.wrong.length > 0) output.sayLines(wrongLines(result.crash))
      if (done % sayEvery === 0) output.say(`${done} tried, ${wrong.length} went wrong\n`)
      return undefined
    })
    if (options.json === true) output.data(`${JSON.stringify({ runbook: site.runbook.name, points: points.length, tried: done, wrong })}\n`)
    else output.data(`${site.runbook.name}: killed at ${done} of ${points.length} points; ${done - wrong.length} came to the same end, ${wrong.length} did not\n`)
    if (interrupts.first !== undefined) return exitOfSignal(interrupts.first)
    return wrong.length === 0 ? exit.done : exit.failed
  })
}

async function pointsOf(site: TrialSite, invocation: Invocation): Promise<readonly CrashPoint[]> {
  const found: CrashPoint[] = []
  const jobs: readonly Job[] = [{ kind: 'points', site }]
  await doAll(jobs, invocation, (result) => {
    if (result.kind === 'points') found.push(...result.points)
    return undefined
  })
  return found
}

function wrongLines({ number, when, what, wrong }: CrashResult): readonly string[] {
  return [`killed ${when} call ${number} (${what}):`, ...wrong.map((line) => `  ${line}`)]
}
