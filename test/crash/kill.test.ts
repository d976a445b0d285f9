import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { killedAt, undisturbedRun, type Undisturbed } from '../helpers/killed.js'
import { drawn, kindsOf, momentText, type Moment } from '../helpers/moments.js'

/** `CRASH_SEED=N` draws others. */
const seed = Number(process.env['CRASH_SEED'] ?? 7)
/** In CI twenty-five. All of them are crash-test's, which takes less time for each. */
const count = process.env['CRASH'] === 'exhaustive' ? 100 : 25
const numbers = Array.from({ length: count }, (_, index) => index + 1)

const say = (line: string): void => void process.stderr.write(`${line.slice(0, 180)}\n`)

describe('a real SIGKILL of the real CLI, at a journal record, a request or a child', () => {
  let undisturbed: Undisturbed
  let points: readonly Moment[]
  const tried: Moment[] = []
  beforeAll(async () => {
    undisturbed = await undisturbedRun()
    points = drawn(undisturbed.moments, count, seed)
    for (const [index, point] of points.entries()) say(`point ${index + 1} of CRASH_SEED=${seed}: ${momentText(point)}`)
  })
  afterAll(() => say(`data100: the real CLI killed at ${tried.length} of ${undisturbed.moments.length} moments (CRASH_SEED=${seed}): ${kindsOf(tried)}`))

  it.each(numbers)('point %i of the seed: it comes to the end that it comes to undisturbed', async (number) => {
    const point = points[number - 1]
    if (point === undefined) throw new Error(`there are only ${points.length} moments`)
    tried.push(point)
    expect(await killedAt(point, undisturbed), `killed ${momentText(point)}`).toEqual([])
  })
})
