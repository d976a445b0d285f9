import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, temporaryFolder } from '../helpers/cli.js'
import { served, type Served } from '../helpers/served.js'
import { switched, work, type Switched } from '../helpers/switched.js'
import { hasTerminals, inTerminal, keys, type TerminalSession } from '../helpers/terminal.js'

let world: Served & AsyncDisposable
beforeAll(async () => void (world = await served(undefined, 1)))
afterAll(() => world[Symbol.asyncDispose]())

interface Site extends Switched {
  readonly state: string
  /** The run, started by a shell in a terminal of its own: `shell` calls it as `"$@"`. */
  run(shell: readonly string[], args?: readonly string[]): TerminalSession
}

function site(steps: string): Site {
  const small = switched(steps)
  const state = temporaryFolder()
  const lifeboat = [process.execPath, join(root, 'dist/main.js')]
  return {
    ...small,
    state,
    run: (shell, args = []) => inTerminal(['run', small.runbook, '--cloud', world.cloudPath, '--state-dir', state, ...args], { program: [...shell, 'shell', ...lifeboat] }),
  }
}

const gate = "  - { id: go, uses: gate, needs: [rack], with: { ask: 'go on to the hub?' } }\n"

describe.skipIf(!hasTerminals)('a window that is closed', () => {
  const cases = [
    ['while a question stands', work('rack') + gate + work('disks') + work('hub', ['go']), /● disks .*running[^]*❯ Go on/],
    ['while none stands', work('disks'), /● disks .*running/],
  ] as const

  it.each(cases)('%s ends the run at a safe point, as SIGHUP does: what is at work is awaited, and the shell is told 129', async (_when, steps, seen) => {
    const small = site(steps)
    const code = join(small.state, 'code')
    // A shell that outlives its terminal, to tell how the run has ended.
    const session = small.run(['sh', '-c', `trap : HUP; "$@"; echo $? > ${code}`], ['--confirm=small', '--gate', 'ask'])
    small.finish('rack')
    await session.waitFor(seen)
    await small.begun('disks')
    session.hangUp()
    small.finish('disks')
    await expect.poll(() => readdirSync(small.state), { timeout: 30_000 }).toContain('code')
    expect(readFileSync(code, 'utf8').trim()).toBe('129')
    const run = join(small.state, 'runs', readdirSync(join(small.state, 'runs'))[0] ?? '')
    const journal = readFileSync(join(run, 'journal.ndjson'), 'utf8')
    const told = journal.trim().split('\n').map((line) => (JSON.parse(line) as { readonly type: string }).type)
    expect(told).toEqual(expect.arrayContaining(['step.applied', 'run.interrupted']))
    expect(told.at(-1)).toBe('run.finished')
    expect(readdirSync(join(small.state, 'private'))).toEqual([])
  })
})

describe.skipIf(!hasTerminals)('Ctrl-Z', () => {
  it('stops the run with the terminal as it was; after fg the question and the live view are drawn again', async () => {
    const small = site(work('rack'))
    const meanwhile = 'echo "the shell has it: "$(stty -a | grep -o -e "-\\?icanon" -e "-\\?echo "); read -r line; fg'
    const shell = `"$@"; ${meanwhile}; ${meanwhile}`
    const session = small.run(['bash', '-mc', shell])
    const stopAndGoOn = async (times: RegExp): Promise<void> => {
      session.press('\u001a')
      await session.waitFor(times)
      session.press(keys.enter)
    }
    await session.waitFor(/\? Type small[^]*❯/)
    await stopAndGoOn(/the shell has it: icanon echo/)
    await session.waitFor(/the shell has it[^]*\? Type small[^]*❯/)
    session.press('small\r')
    await session.waitFor(/● rack .*running/)
    await stopAndGoOn(/Confirmed[^]*the shell has it: icanon echo/)
    await session.waitFor(/Confirmed[^]*the shell has it[^]*● rack .*running/)
    small.finish('rack')
    await session.waitFor('small succeeded after')
    expect(await session.ended).toBe(0)
  })
})
