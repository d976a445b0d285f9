import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { parse } from 'yaml'
import { registry } from '../../src/steps/registry.js'
import { data100 } from '../helpers/cli.js'
import { killedAndResumed } from '../helpers/killed.js'

const { steps } = parse(readFileSync(data100, 'utf8')) as { steps: { id: string; uses: string }[] }
const changing = steps.filter(({ uses }) => registry.has(uses) && registry.get(uses)?.check !== true).map(({ id }) => id)

describe('killed with SIGKILL when the intent stood in the journal', () => {
  it.each(changing)('of %s: resume finishes, and nothing is made twice', async (id) => {
    await killedAndResumed((event) => event.type === 'step.intent' && event.step === id)
  })
})
