import { missingFrom } from '../../gameday/oracle/converged.js'
import { Watch } from '../../gameday/oracle/watch.js'
import { seeded } from '../../virtual/chance.js'
import { follow } from './advice.js'
import { Stage, type Dies, type StageOptions } from './stage.js'
import { drawWeather, Storm } from './weather.js'

/** What came of one seed. */
export interface Simulated {
  readonly seed: number
  /** How often the program was started, and how often it was killed. */
  readonly lives: number
  readonly kills: number
  /** What must never happen, and did; or what is missing in the end. Empty if all is well. */
  readonly wrong: readonly string[]
  readonly story: readonly string[]
}

/** Lives while there is trouble, and after it. */
const mostLives = { inTrouble: 5, afterwards: 4 } as const

/** Plays one seed: while trouble lasts nothing may be lost, and when it stops the failover must come to its end. */
export async function simulate(options: Omit<StageOptions, 'trouble'>): Promise<Simulated> {
  const { seed } = options
  const random = seeded(seed ^ 0x5eed)
  const storm = new Storm(drawWeather(random), random)
  const stage = await Stage.open({ ...options, trouble: storm })
  const story: string[] = []
  const lives = { all: 0, killed: 0 }
  try {
    const { world } = stage.scene.within
    const start = stage.state
    const watch = watched(stage)
    storm.over(world)
    const live = async (dies?: Dies): Promise<number | 'killed'> => {
      const { code, stderr } = await stage.goOn(dies)
      const done = code === 0 ? [] : await follow(stderr, stage.scene)
      lives.all += 1
      if (code === 'killed') lives.killed += 1
      story.push(`life ${lives.all} at ${new Date(stage.scene.clock.nowMs()).toISOString()}: ${code}`, ...lastWords(stderr, code), ...done.map((one) => `    as advised: ${one}`))
      // What was asked for takes its time.
      if (done.length > 0) await stage.wait(30 * 60_000)
      return code
    }
    let code: number | 'killed' = 1
    for (let tries = 0; tries < mostLives.inTrouble && code !== 0; tries += 1) {
      code = await live(dieSometimes(random))
      await stage.wait(random() < 0.5 ? random() * 20_000 : random() * 10 * 60_000)
    }
    storm.end()
    // Whatever goes on by itself comes to its end: long operations, locks of moves.
    await stage.wait(6 * 3_600_000)
    for (let tries = 0; tries < mostLives.afterwards && code !== 0; tries += 1) code = await live()
    const missing = code === 0 ? missingFrom(start, stage.state) : [`it does not come to its end: exit code ${code}`]
    return { seed, lives: lives.all, kills: lives.killed, wrong: [...watch.violations, ...missing], story }
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { seed, lives: lives.all, kills: lives.killed, wrong: [said], story }
  } finally {
    await stage.close()
  }
}

/** The oracle, watching all that happens on a stage. */
export function watched(stage: Stage): Watch {
  const watch = new Watch(stage.glance, { hubs: () => stage.scene.within.hubs.states(), openIntents: () => stage.openIntents })
  const { world } = stage.scene.within
  world.onChange.add(() => watch.look(stage.glance))
  world.onRequest.add((entry) => watch.hear(entry))
  return watch
}

/** In two lives of five it dies: at one of its first calls, or in the midst of something. */
function dieSometimes(random: () => number): Dies | undefined {
  if (random() > 0.4) return undefined
  if (random() < 0.5) return random() * 45 * 60_000
  const at = 1 + Math.floor(random() ** 2 * 900)
  const when = random() < 0.5 ? 'before' : 'after'
  return (point) => point.number === at && point.when === when
}

function lastWords(stderr: string, code: number | 'killed'): readonly string[] {
  return code === 0 ? [] : stderr.trim().split('\n').slice(-14).map((line) => `    ${line}`)
}
