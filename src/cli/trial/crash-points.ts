import { LifeboatError } from '../../contract/index.js'
import { otherThan } from '../../gameday/oracle/end-state.js'
import { defectsIn } from '../../gameday/defects.js'
import type { CallPoint } from '../../virtual/incarnation.js'
import type { Watch } from '../../gameday/oracle/watch.js'
import { crashAt, endsOf, isSignal, type CrashPoint, type How } from './crash.js'
import { Stage, type Dies, type StageOptions } from './stage.js'
import type { Lived } from './typed.js'
import { watched } from './watched.js'

/** Which command meets its crash: a failover, or the way back from one that came to its end. */
export type Way = 'run' | 'undo'

/** How an undisturbed run of the site goes: what it comes to, and where it can be killed. */
export interface Undisturbed {
  readonly points: readonly CrashPoint[]
  readonly state: Stage['state']
}

export interface Crash {
  readonly way: Way
  readonly how: How
  readonly point: CrashPoint
  /** A point of the life after it at which that one is killed too, if it comes so far. */
  readonly then?: Pick<CrashPoint, 'number' | 'when'>
}

export interface CrashResult extends Crash {
  /** How many lives were ended. */
  readonly crashes: number
  /** What is other than after an undisturbed run; empty if all is well. */
  readonly wrong: readonly string[]
}

/** Commands that are typed until a run is through; more of them would mean that it never ends. */
const mostLives = 5

/** Throws `trial.failed` if even an undisturbed run of this site does not succeed. */
export async function undisturbed(options: StageOptions, way: Way): Promise<Undisturbed> {
  const points: CrashPoint[] = []
  const { stage } = await opened(options, way)
  try {
    assertSucceeded(await first(stage, way, (point) => {
      points.push(crashPointOf(point))
      return false
    }))
    return { points, state: stage.state }
  } finally {
    await stage.close()
  }
}

function crashPointOf({ number, when, call: { door, what, bytes } }: CallPoint): CrashPoint {
  return { number, when, what: `${door} ${what}`, ...(bytes === undefined ? {} : { bytes }) }
}

/** A stage on which this way can be begun; the oracle has seen all that led there. */
async function opened(options: StageOptions, way: Way): Promise<{ readonly stage: Stage; readonly watch: Watch }> {
  const stage = await Stage.open(options)
  const watch = watched(stage.scene.within, stage)
  if (way === 'run') return { stage, watch }
  try {
    assertSucceeded(await stage.run())
    return { stage, watch }
  } catch (error) {
    await stage.close()
    throw error
  }
}

function first(stage: Stage, way: Way, dies: Dies): Promise<Lived> {
  return way === 'run' ? stage.run(dies) : stage.undo(dies)
}

function assertSucceeded(lived: Lived): void {
  if (lived.code === 0) return
  const said = lastWords(lived).map((line) => `  ${line}`)
  throw new LifeboatError('trial.failed', `even undisturbed this does not succeed in its world (exit code ${lived.code}):\n${said.join('\n')}`, {
    blame: 'user',
    hint: 'Rehearse it first: what is tried here is the runbook that a rehearsal brings to its end.',
  })
}

/** Lets a command meet a crash, goes on until it is through, and holds what came of it against an undisturbed one. */
export async function crashed(crash: Crash, expected: Undisturbed, options: StageOptions): Promise<CrashResult> {
  const { way, how, point, then } = crash
  let crashes = 0
  const defects: string[] = []
  const heard = (one: Lived): Lived => {
    defects.push(...defectsIn(one.stderr))
    return one
  }
  const ended = (wrong: readonly string[]): CrashResult => ({ ...crash, crashes, wrong: [...defects, ...wrong] })
  const { stage, watch } = await opened(options, way)
  try {
    let met = 'nothing'
    let intentsAfter = 0
    const befalls = crashAt(how, point)
    let lived = heard(await first(stage, way, (at, hands) => {
      if (at.number === point.number && at.when === point.when) met = crashPointOf(at).what
      if (at.number > point.number && at.when === 'before' && at.call.what.includes('step.intent')) intentsAfter += 1
      return befalls(at, hands)
    }))
    if (met !== point.what) return ended([`it met ${met} there, and not ${point.what}: this run goes otherwise than the undisturbed one`])
    if (!endsOf(how).includes(lived.code)) return ended([`it did not end there as it should: exit code ${lived.code}`, ...lastWords(lived)])
    // Whoever is told to stop begins nothing more: what goes through all the same had nothing left to begin.
    if (isSignal(how) && lived.code === 0 && intentsAfter > 0) return ended([`it was told to stop, and began ${intentsAfter} more`])
    if (lived.code !== 0) crashes += 1
    if (then !== undefined) {
      lived = heard(await stage.goOn(crashAt('kill', then)))
      if (lived.code === 'killed') crashes += 1
    }
    for (let lives = 1; lives < mostLives && lived.code !== 0; lives += 1) lived = heard(await stage.goOn())
    if (lived.code !== 0) return ended([`it does not come to its end: exit code ${lived.code}`, ...lastWords(lived)])
    return ended([...watch.violations, ...otherThan(expected.state, stage.state)])
  } catch (error) {
    return ended([error instanceof Error ? (error.stack ?? error.message) : String(error)])
  } finally {
    await stage.close()
  }
}

function lastWords({ stderr }: Lived): readonly string[] {
  return stderr.trim().split('\n').slice(-12)
}
