import { exit, exitOfSignal } from './exit.js'
import { guarded } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import { commandLine } from './state.js'
import type { Job } from './trial/job.js'
import type { Simulated } from './trial/simulation.js'
import { trialSite } from './trial/trial-site.js'
import { doAll } from './trial/workers.js'

export interface SimulateOptions extends CommonOptions {
  readonly seeds: number
  readonly from: number
  readonly failFast?: boolean
}

/** After how many seeds it is said how it stands: one takes some seconds. */
const sayEvery = 10

/**
 * `lifeboat simulate [RUNBOOK…]`: failovers in bad weather, each out of a seed. While it lasts nothing may be lost; afterwards all must
 * come right. Without a runbook each seed draws its site, too.
 */
export async function simulateSeeds(args: readonly string[], options: SimulateOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const { output, interrupts } = invocation
    const sites = await Promise.all(args.map((path) => trialSite(path, undefined)))
    const jobs = Array.from({ length: options.seeds }, (_, index): Job => {
      const seed = options.from + index
      const site = sites[seed % sites.length]
      return { kind: 'seed', seed, ...(site && { site }) }
    })
    const sums = { seeds: 0, lives: 0, kills: 0 }
    const wrong: (Simulated & { readonly runbook: string })[] = []
    await doAll(jobs, invocation, (result, job) => {
      if (result.kind !== 'seed') return undefined
      const { simulated } = result
      sums.seeds += 1
      sums.lives += simulated.lives
      sums.kills += simulated.kills
      if (simulated.wrong.length > 0) {
        wrong.push({ ...simulated, runbook: nameOf(job) })
        output.sayLines(wrongLines(simulated, nameOf(job), args))
      }
      if (sums.seeds % sayEvery === 0) output.say(`${sums.seeds} seeds, ${wrong.length} went wrong\n`)
      return options.failFast === true && wrong.length > 0 ? 'enough' : undefined
    })
    if (options.json === true) output.data(`${JSON.stringify({ ...sums, wrong })}\n`)
    else output.data(`${sums.seeds} seeds: ${sums.lives} lives, ${sums.kills} of them killed; ${wrong.length} seeds went wrong\n`)
    if (interrupts.first !== undefined) return exitOfSignal(interrupts.first)
    return wrong.length === 0 ? exit.done : exit.failed
  })
}

function nameOf(job: Job): string {
  const site = 'site' in job ? job.site : undefined
  return site?.runbook.path ?? 'a site that it has drawn'
}

function wrongLines({ seed, wrong, story }: Simulated, path: string, args: readonly string[]): readonly string[] {
  return [
    `seed ${seed} (${path}) went wrong:`,
    ...wrong.map((line) => `  ${line}`),
    ...story.map((line) => `  ${line}`),
    `To play it again: ${commandLine({}, 'simulate', ...args, '--seeds', '1', '--from', String(seed))}`,
  ]
}
