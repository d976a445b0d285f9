import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { served, type Served } from '../helpers/served.js'
import { switched, work, type Switched } from '../helpers/switched.js'
import { hasTerminals, inTerminal, keys } from '../helpers/terminal.js'

let world: Served & AsyncDisposable
beforeAll(async () => void (world = await served(undefined, 1)))
afterAll(() => world[Symbol.asyncDispose]())

function site(steps: string): Switched & { readonly run: readonly string[], readonly state: readonly string[] } {
  const small = switched(steps)
  const state = ['--state-dir', temporaryFolder()]
  return { ...small, state, run: ['run', small.runbook, '--cloud', world.cloudPath, ...state, '--confirm=small'] }
}

describe('a run that is told to end', () => {
  it('by SIGTERM comes to a safe point, says how to go on, and ends with exit code 143', async () => {
    const small = site(work('rack') + work('hub', ['rack']))
    const run = lifeboat([...small.run, '--yes'])
    await small.begun('rack')
    run.child.kill('SIGTERM')
    // From another terminal it is seen as well.
    const look = async (): Promise<string> => (await lifeboatHere(['status', ...small.state])).stdout
    await expect.poll(look, { timeout: 60_000 }).toContain('stopping: what is under way comes to a safe point')
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

  describe('keys that come too early', () => {
    const gate = "  - { id: go, uses: gate, needs: [rack], with: { ask: 'go on to the hub?' } }\n"

    it('pass no gate, and are not echoed into what moves, nor by who only looks on', async () => {
      const small = site(work('rack') + gate + work('hub', ['go']))
      const session = inTerminal([...small.run, '--gate', 'ask'])
      await session.waitFor(/● rack .*running/)
      const onlooker = inTerminal(['status', '--follow', ...small.state])
      await onlooker.waitFor('Ctrl-C: look away')
      onlooker.press('zebra\r')
      session.press('zebra\r\r')
      small.finish('rack')
      small.finish('hub')
      await session.waitFor(/\? go: go on to the hub\?[^]*❯ Go on/)
      session.type(keys.enter)
      expect(await session.ended).toBe(0)
      expect(await onlooker.ended).toBe(0)
      expect(session.raw() + onlooker.raw()).not.toContain('zebra')
    })

    it('answer no question that is asked in lines', async () => {
      const small = site(work('rack') + gate + work('hub', ['go']))
      small.finish('hub')
      const session = inTerminal([...small.run, '--gate', 'ask'], { env: { NO_COLOR: '1' } })
      await session.waitFor('running sh')
      session.press('2\r2')
      small.finish('rack')
      await session.waitFor('Type a number and Enter:')
      session.type('1\r')
      expect(await session.ended).toBe(0)
    })

    it('are not taken for the answer to the next question: of two Enters, one counts', async () => {
      const small = site(work('rack') + work('disks'))
      const session = inTerminal(small.run)
      await session.waitFor(/● disks .*running/)
      small.fail('rack')
      await session.waitFor('❯ Try again')
      small.fail('disks')
      await session.waitFor('(question 1 of 2)')
      session.press(keys.enter)
      session.press(keys.enter)
      await session.waitFor(/disks failed: what now\?[^]*❯ Try again/)
      small.finish('rack')
      small.finish('disks')
      session.type(keys.enter)
      expect(await session.ended).toBe(0)
    })
  })
})
