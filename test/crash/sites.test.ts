import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { killedAtStart } from '../helpers/killed.js'
import { sites } from '../helpers/sites.js'

/** Five points, from the first steps to the last ones. */
function pointsOf(runbook: string): number[] {
  const uses = readFileSync(runbook, 'utf8').match(/^ +uses: .*$/gm) ?? []
  const steps = uses.filter((line) => !/: (gate|manual)$/.test(line)).length
  return [0.05, 0.3, 0.5, 0.7, 0.95].map((share) => Math.max(1, Math.round(share * steps)))
}

describe.each([sites.minimal, sites['hubs-many']])('$name, killed with SIGKILL after the n-th step.started', (site) => {
  it.each(pointsOf(site.runbook))('n = %i: resume finishes, and nothing is made twice', async (n) => {
    await killedAtStart(n, site)
  })
})
