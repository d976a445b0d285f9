import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { killedAtStart } from '../helpers/killed.js'
import { sites } from '../helpers/sites.js'

const all = process.env['CRASH'] === 'all'

/** Five points, from the first steps to the last ones; in `npm test` the one in the middle, of the smaller site. */
function pointsOf(runbook: string): number[] {
  const uses = readFileSync(runbook, 'utf8').match(/^ +uses: .*$/gm) ?? []
  const steps = uses.filter((line) => !/: (gate|manual)$/.test(line)).length
  const five = [0.05, 0.3, 0.5, 0.7, 0.95].map((share) => Math.max(1, Math.round(share * steps)))
  return all ? five : five.slice(2, 3)
}

describe.each(all ? [sites.minimal, sites['hubs-many']] : [sites.minimal])('$name, killed with SIGKILL after the n-th step.started', (site) => {
  it.each(pointsOf(site.runbook))('n = %i: resume finishes, and nothing is made twice', async (n) => {
    await killedAtStart(n, site)
  })
})
