import { LifeboatError } from '../../contract/index.js'
import { differencesBetween, doneTwice, endOf } from '../../gameday/oracle/end-state.js'
import type { CallPoint } from '../../virtual/incarnation.js'
import { Stage, type StageOptions } from './stage.js'
import type { Lived } from './typed.js'

/** A moment of an undisturbed run at which the program can be killed. */
export interface CrashPoint {
  readonly number: number
  readonly when: CallPoint['when']
  /** `arm PUT …`, `journal step.intent`. */
  readonly what: string
}

/** How an undisturbed run of the site goes: what it comes to, and where it can be killed. */
export interface Undisturbed {
  readonly points: readonly CrashPoint[]
  readonly state: Stage['state']
}

export interface CrashResult extends CrashPoint {
  /** What is other than after an undisturbed run; empty if all is well. */
  readonly wrong: readonly string[]
}

/** Commands that are typed until a run is through; more of them would mean that it never ends. */
const mostLives = 4

/** Throws `trial.failed` if even an undisturbed run of this site does not succeed. */
export async function undisturbed(options: StageOptions): Promise<Undisturbed> {
  const points: CrashPoint[] = []
  const stage = await Stage.open(options)
  try {
    const lived = await stage.run((point) => {
      const { number, when, call } = point
      points.push({ number, when, what: `${call.door} ${call.what}` })
      return false
    })
    if (lived.code !== 0) {
      const said = lastWords(lived).map((line) => `  ${line}`)
      throw new LifeboatError('trial.failed', `even undisturbed this failover does not succeed in its world (exit code ${lived.code}):\n${said.join('\n')}`, {
        blame: 'user',
        hint: 'Rehearse it first: what is tried here is the runbook that a rehearsal brings to its end.',
      })
    }
    return { points, state: stage.state }
  } finally {
    await stage.close()
  }
}

/** Kills a run at one point, goes on until it is through, and holds what came of it against an undisturbed run. */
export async function killedAt(point: CrashPoint, expected: Undisturbed, options: StageOptions): Promise<CrashResult> {
  const stage = await Stage.open(options)
  try {
    const first = await stage.run(({ number, when }) => number === point.number && when === point.when)
    if (first.code !== 'killed') return { ...point, wrong: [`it was not killed there: exit code ${first.code}`, ...lastWords(first)] }
    let lived = first
    for (let lives = 1; lives < mostLives && lived.code !== 0; lives += 1) lived = await stage.goOn()
    if (lived.code !== 0) return { ...point, wrong: [`it does not come to its end: exit code ${lived.code}`, ...lastWords(lived)] }
    return { ...point, wrong: wrongIn(expected.state, stage.state) }
  } catch (error) {
    return { ...point, wrong: [error instanceof Error ? (error.stack ?? error.message) : String(error)] }
  } finally {
    await stage.close()
  }
}

function wrongIn(expected: Stage['state'], found: Stage['state']): readonly string[] {
  return [...differencesBetween(endOf(expected), endOf(found)), ...doneTwice(expected, found)]
}

function lastWords({ stderr }: Lived): readonly string[] {
  return stderr.trim().split('\n').slice(-12)
}
