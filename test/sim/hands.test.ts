import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { served, type Served } from '../helpers/served.js'
import { switched, work, type Switched } from '../helpers/switched.js'
import { hasTerminals, inTerminal, keys } from '../helpers/terminal.js'

let world: Served & AsyncDisposable
beforeAll(async () => void (world = await served(undefined, 1)))
afterAll(() => world[Symbol.asyncDispose]())

const sites: Switched[] = []
afterEach(() => sites.splice(0).forEach((one) => one.end()))

function site(steps: string): Switched & { readonly run: readonly string[] } {
  const small = switched(steps)
  sites.push(small)
  return { ...small, run: ['run', small.runbook, '--cloud', world.cloudPath, '--state-dir', temporaryFolder(), '--confirm=small'] }
}

describe('a run that is told to end', () => {
  it('by SIGTERM comes to a safe point, says how to go on, and ends with exit code 143', async () => {
    const small = site(work('rack') + work('hub', ['rack']))
    const run = lifeboat([...small.run, '--yes'])
    await small.begun('rack')
    run.child.kill('SIGTERM')
    small.finish('rack')
    const { code, stderr } = await run.ended
    expect(code, stderr).toBe(143)
    expect(stderr).toMatch(/SIGTERM: coming to a safe point[^]*To go on:\n {2}lifeboat resume \S+ --state-dir /)
  })
})

describe.skipIf(!hasTerminals)('at a terminal', () => {
  it('a step that somebody says is done by hand is verified all the same', async () => {
    const small = site(work('rack', [], ', timeout: 1s'))
    const session = inTerminal(small.run)
    await session.waitFor(/● rack .*running/)
    small.fail('rack')
    const sayDone = async (): Promise<void> => {
      await session.waitFor('what now?')
      session.type('3')
      await session.waitFor('❯ I have done it by hand')
      session.type(keys.enter)
    }
    await sayDone()
    // It was not: the word alone is not believed.
    await session.waitFor(/done by hand, said by[^]*what now\?/)
    expect(session.screen().join('\n')).toContain('? rack failed: what now?')
    writeFileSync(join(dirname(small.runbook), 'rack.done'), '')
    await sayDone()
    expect(await session.ended).toBe(0)
    expect(session.screen().join('\n')).toMatch(/✓ rack[^]*small succeeded/)
  })

  it('of 20 columns and 10 rows, a run is asked for, seen and told like any other', async () => {
    const small = site(work('rack'))
    const session = inTerminal(small.run.filter((one) => one !== '--confirm=small'), { columns: 20, rows: 10 })
    await session.waitFor('? Type small')
    session.type('small\r')
    await session.waitFor('● rack')
    small.finish('rack')
    expect(await session.ended).toBe(0)
    expect(session.screen().join(' ').replaceAll(/\s+/g, ' ')).toContain('small succeeded after')
  })
})
