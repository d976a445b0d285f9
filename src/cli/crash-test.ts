import { seeded } from '../virtual/chance.js'
import { exit, exitOfSignal } from './exit.js'
import { guarded, usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import { commandLine } from './state.js'
import { placeOf, placesFor, placeText, type CrashPoint, type How } from './trial/crash.js'
import type { Crash, CrashResult } from './trial/crash-points.js'
import type { Job } from './trial/job.js'
import { trialSite, type TrialSite } from './trial/trial-site.js'
import { doAll } from './trial/workers.js'

export interface CrashTestOptions extends CommonOptions {
  readonly world?: string
  /** Of the points, each one of so many. */
  readonly every: number
  /** Which of so many; counted from 1. */
  readonly from: number
  readonly undo?: boolean
  readonly by: How
  readonly twice?: boolean
  /** One point alone, and where the life after it is killed. */
  readonly point?: string
  readonly then?: string
}

/** After how many points it is said how it stands: one takes a second or so. */
const sayEvery = 25

/** What is told of how a life ended: `killed at 812-before`. */
const befell = {
  kill: 'killed',
  sigterm: 'stopped by SIGTERM',
  sigint: 'stopped by SIGINT',
  'full-disk': 'out of room for its journal',
  torn: 'ended in the midst of a record',
} as const

/** `lifeboat crash-test RUNBOOK`: ends a failover at every journal record and every remote call, and goes on from there. */
export async function crashTest(args: readonly string[], options: CrashTestOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const { output, interrupts } = invocation
    const only = onlyOf(options)
    const site = await trialSite(args[0] ?? '', options.world)
    const { name } = site.runbook
    const way = options.undo === true ? 'undo' : 'run'
    let points: readonly CrashPoint[] = []
    const wrong: CrashResult[] = []
    const sums = { tried: 0, crashes: 0 }
    const crashesAt = (all: readonly CrashPoint[]): readonly Job[] => {
      points = placesFor(options.by, all)
      const tried = triedOf(points, only, options)
      output.say(`${name}: ${points.length} points at which its ${way} can be ${befell[options.by]}; ${tried.length} are tried.\n`)
      const crashes = tried.map((point): Crash => ({ way, how: options.by, point, ...thenOf(point, all, only, options) }))
      return crashes.map((crash) => ({ kind: 'crash', site, crash }))
    }
    await doAll([{ kind: 'points', site, way }], invocation, (result) => {
      if (result.kind === 'points') return crashesAt(result.points)
      if (result.kind !== 'crash') return undefined
      sums.tried += 1
      sums.crashes += result.crash.crashes
      if (result.crash.wrong.length > 0) wrong.push(result.crash)
      if (result.crash.wrong.length > 0) output.sayLines(wrongLines(result.crash, site, options))
      if (sums.tried % sayEvery === 0) output.say(`${sums.tried} tried, ${wrong.length} went wrong\n`)
      return undefined
    })
    if (options.json === true) output.data(`${JSON.stringify({ runbook: name, way, by: options.by, points: points.length, ...sums, wrong })}\n`)
    else output.data(`${name}, ${way}: ${befell[options.by]} at ${sums.tried} of ${points.length} points, ${sums.crashes} lives were ended; ${sums.tried - wrong.length} came to the same end, ${wrong.length} did not\n`)
    if (interrupts.first !== undefined) return exitOfSignal(interrupts.first)
    return wrong.length === 0 ? exit.done : exit.failed
  })
}

interface Only {
  readonly point: NonNullable<ReturnType<typeof placeOf>>
  readonly then?: NonNullable<ReturnType<typeof placeOf>>
}

/** The one point that is asked for, if one is. */
function onlyOf({ point, then }: CrashTestOptions): Only | undefined {
  const [at, after] = [point, then].map((text) => {
    const place = text === undefined ? undefined : placeOf(text)
    if (text !== undefined && place === undefined) throw usageError(`${JSON.stringify(text)} is no point`, 'It is told as 812-before or 812-after, of a record that is not written whole as 812-before-17.')
    return place
  })
  if (at === undefined && after !== undefined) throw usageError('--then needs a --point', 'It is the second of two points.')
  return at === undefined ? undefined : { point: at, ...(after === undefined ? {} : { then: after }) }
}

function triedOf(points: readonly CrashPoint[], only: Only | undefined, { every, from }: CrashTestOptions): readonly CrashPoint[] {
  if (only === undefined) {
    const tried = points.filter((_, index) => index % every === (from - 1) % every)
    if (tried.length === 0) throw usageError(`of ${points.length} points none is the one that --every ${every} --from ${from} names`, 'Name a smaller --every.')
    return tried
  }
  const wanted = placeText(only.point)
  const found = points.filter((point) => placeText(point) === wanted)
  if (found.length === 0) throw usageError(`there is no point ${wanted} here`, 'Points are counted anew for each --by, with and without --undo.')
  return found
}

/** Where the life that goes on is killed: drawn out of the point itself, so that it is the same one each time. */
function thenOf(point: CrashPoint, all: readonly CrashPoint[], only: Only | undefined, { twice }: CrashTestOptions): Pick<Crash, 'then'> {
  if (only?.then !== undefined) return { then: only.then }
  if (twice !== true) return {}
  const random = seeded(((point.bytes ?? 0) << 16) + point.number * 2 + (point.when === 'after' ? 1 : 0))
  // A life that goes on looks at everything once more, and has less to do the later the first one ended.
  const calls = all.length / 2
  const left = Math.max(calls / 4, calls - point.number)
  return { then: { number: 1 + Math.floor(random() * left), when: random() < 0.5 ? 'before' : 'after' } }
}

function wrongLines({ how, way, point, then, wrong }: CrashResult, { runbook }: TrialSite, { world }: CrashTestOptions): readonly string[] {
  const flags = [
    ...(way === 'undo' ? ['--undo'] : []),
    ...(how === 'kill' ? [] : ['--by', how]),
    ...['--point', placeText(point)],
    ...(then === undefined ? [] : ['--then', placeText(then)]),
    ...(world === undefined ? [] : ['--world', world]),
  ]
  const after = then === undefined ? '' : `, and killed at ${placeText(then)} of what followed`
  return [
    `${befell[how]} at ${placeText(point)} (${point.what})${after}:`,
    ...wrong.map((line) => `  ${line}`),
    `To try it again: ${commandLine({}, 'crash-test', runbook.path, ...flags)}`,
  ]
}
