import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readWorldSpec } from '../../sim/world/load.js'
import type { WorldSpec } from '../../sim/world/spec.js'
import { LifeboatError } from '../../contract/index.js'
import { renderDiagnostic } from '../../runbook/index.js'
import { brokenCard, type Scorecard } from '../../gameday/index.js'
import { play, type PlayOptions } from '../gameday/play.js'
import { loadScenario, type LoadedScenario } from '../gameday/scenario-file.js'
import { seeded } from '../../virtual/chance.js'
import { drawSite } from './drawn-site.js'
import type { CrashPoint } from './crash.js'
import { crashed, undisturbed, type Crash, type CrashResult, type Undisturbed, type Way } from './crash-points.js'
import { simulate, type Simulated } from './simulation.js'
import type { StageOptions } from './stage.js'
import type { TrialSite } from './trial-site.js'

/** One thing that a worker is asked to do. */
export type Job =
  | { readonly kind: 'points'; readonly site: TrialSite; readonly way: Way }
  | { readonly kind: 'crash'; readonly site: TrialSite; readonly crash: Crash }
  /** Without a site, the seed draws one. */
  | { readonly kind: 'seed'; readonly site?: TrialSite; readonly seed: number }
  | GamedayJob

export interface GamedayJob {
  readonly kind: 'gameday'
  readonly seed: number
  readonly file: string
  /** As of `PlayOptions`. */
  readonly realSpeed?: number
}

export type Result =
  | { readonly kind: 'points'; readonly points: readonly CrashPoint[] }
  | { readonly kind: 'crash'; readonly crash: CrashResult }
  | { readonly kind: 'seed'; readonly simulated: Simulated }
  | { readonly kind: 'gameday'; readonly card: Scorecard }

/** Crash points are those of this one; other seeds differ in latencies only. */
const crashSeed = 7
/** As fast as a rehearsal: what goes by the machine's own time is as rare as there. */
const speed = 30

/** What a worker is itself given. */
export type JobsOptions = Pick<PlayOptions, 'env' | 'program' | 'self' | 'signal'>

/** Does jobs one after another; what several need is worked out once. */
export class Jobs {
  readonly #given: JobsOptions
  readonly #specs = new Map<string, WorldSpec>()
  readonly #undisturbed = new Map<string, Undisturbed>()

  constructor(given: JobsOptions) {
    this.#given = given
  }

  async do(job: Job): Promise<Result> {
    switch (job.kind) {
      case 'points':
        return { kind: 'points', points: (await this.#expected(job.site, job.way)).points }
      case 'crash':
        return { kind: 'crash', crash: await this.#crashed(job) }
      case 'seed':
        return { kind: 'seed', simulated: await this.#simulate(job) }
      case 'gameday':
        return { kind: 'gameday', card: await this.#play(job) }
    }
  }

  async #crashed({ site, crash }: Extract<Job, { kind: 'crash' }>): Promise<CrashResult> {
    return crashed(crash, await this.#expected(site, crash.way), await this.#options(site, crashSeed))
  }

  async #play(job: GamedayJob): Promise<Scorecard> {
    const { file, ...how } = job
    const { value, diagnostics } = await loadScenario(file)
    // It was in order a moment ago.
    if (value === undefined) throw new LifeboatError('scenario.invalid', diagnostics.map(renderDiagnostic).join('\n'), { blame: 'user' })
    try {
      return await play(value, { ...this.#given, speed, ...how })
    } catch (error) {
      if (this.#given.signal.aborted) throw error
      // Others have been played, and are told all the same.
      return lostCard(value, job, error)
    }
  }

  async #simulate({ site, seed }: Extract<Job, { kind: 'seed' }>): Promise<Simulated> {
    if (site !== undefined) return simulate(await this.#options(site, seed))
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-site-'))
    try {
      const drawn = await drawSite(`drawn-${seed}`, folder, seeded(seed ^ 0x517e))
      return await simulate(this.#optionsFor(drawn, await readWorldSpec(drawn.world), seed))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  async #expected(site: TrialSite, way: Way): Promise<Undisturbed> {
    const key = [way, site.runbook.path, site.world].join(' ')
    const known = this.#undisturbed.get(key)
    if (known !== undefined) return known
    const expected = await undisturbed(await this.#options(site, crashSeed), way)
    this.#undisturbed.set(key, expected)
    return expected
  }

  async #options(site: TrialSite, seed: number): Promise<StageOptions> {
    const spec = this.#specs.get(site.world) ?? (await readWorldSpec(site.world))
    this.#specs.set(site.world, spec)
    return this.#optionsFor(site, spec, seed)
  }

  #optionsFor({ runbook }: TrialSite, spec: WorldSpec, seed: number): StageOptions {
    return { ...this.#given, runbook, spec, seed, speed }
  }
}

/** The scorecard of a game day whose playing broke, or whose worker has died. */
export function lostCard({ scenario, runbook }: LoadedScenario, { file, seed, realSpeed }: GamedayJob, error: unknown): Scorecard {
  const beside = { file, seed, objectiveMs: runbook.objectiveMs, digest: '' }
  return brokenCard(scenario, beside, { why: error instanceof Error ? error.message : String(error), realSpeed: realSpeed ?? null })
}
