import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { data100 } from '../helpers/cli.js'
import { killedAtStart } from '../helpers/killed.js'

const uses = readFileSync(data100, 'utf8').match(/^ +uses: .*$/gm) ?? []
const startedSteps = uses.filter((line) => !line.endsWith('gate')).length

/** In CI twenty-five of them. */
const isTried = (point: number): boolean => process.env['CRASH'] === 'exhaustive' || point % 9 !== 0
const points = Array.from({ length: startedSteps }, (_, index) => index + 1).filter(isTried)

describe('killed with SIGKILL after the n-th step.started', () => {
  it.each(points)('n = %i: resume finishes, and nothing is made twice', async (n) => {
    await killedAtStart(n)
  })
})
