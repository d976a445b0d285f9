import { exit, exitOfSignal } from './exit.js'
import { guarded, usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import { trialSite, type Job, type TrialSite } from './trial/job.js'
import type { Simulated } from './trial/simulation.js'
import { doAll } from './trial/workers.js'

export interface SimulateOptions extends CommonOptions {
  readonly seeds: number
  readonly from: number
}

/**
 * `lifeboat simulate RUNBOOK…`: failovers in bad weather, each out of a seed. While it lasts nothing may be lost; afterwards all must
 * come right.
 */
export async function simulateSeeds(args: readonly string[], options: SimulateOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const { output, interrupts } = invocation
    const sites = await Promise.all(args.map(siteOf))
    const jobs = Array.from({ length: options.seeds }, (_, index): Job => {
      const seed = options.from + index
      return { kind: 'seed', seed, site: sites[seed % sites.length] as TrialSite }
    })
    const sums = { seeds: 0, lives: 0, kills: 0 }
    const wrong: (Simulated & { readonly runbook: string })[] = []
    await doAll(jobs, invocation, (result, job) => {
      if (result.kind !== 'seed') return
      const { simulated } = result
      sums.seeds += 1
      sums.lives += simulated.lives
      sums.kills += simulated.kills
      if (simulated.wrong.length > 0) {
        wrong.push({ ...simulated, runbook: job.site.runbook.name })
        output.sayLines(wrongLines(simulated, job.site.runbook.path, args))
      }
      if (sums.seeds % 50 === 0) output.say(`${sums.seeds} seeds, ${wrong.length} went wrong\n`)
    })
    if (options.json === true) output.data(`${JSON.stringify({ ...sums, wrong })}\n`)
    else output.data(`${sums.seeds} seeds: ${sums.lives} lives, ${sums.kills} of them killed; ${wrong.length} seeds went wrong\n`)
    if (interrupts.first !== undefined) return exitOfSignal(interrupts.first)
    return wrong.length === 0 ? exit.done : exit.failed
  })
}

async function siteOf(path: string): Promise<TrialSite> {
  const site = await trialSite(path, undefined)
  if (site !== undefined) return site
  throw usageError(`${path} cannot be tried`, '`lifeboat validate` says whether it is right; it needs a rehearsal world.')
}

function wrongLines({ seed, wrong, story }: Simulated, path: string, args: readonly string[]): readonly string[] {
  return [
    `seed ${seed} (${path}) went wrong:`,
    ...wrong.map((line) => `  ${line}`),
    ...story.map((line) => `  ${line}`),
    `To play it again: lifeboat simulate ${args.join(' ')} --seeds 1 --from ${seed}`,
  ]
}
