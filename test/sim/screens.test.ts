import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { Film } from '../helpers/film.js'
import { served, type Served } from '../helpers/served.js'
import { switched, work, type Switched } from '../helpers/switched.js'
import { hasTerminals, inTerminal, keys, type TerminalOptions, type TerminalSession } from '../helpers/terminal.js'

// The world's clock is real time: nothing here waits for it.
let world: Served & AsyncDisposable
beforeAll(async () => void (world = await served(undefined, 1)))
afterAll(() => world[Symbol.asyncDispose]())

/** A runbook whose steps do as they are told, and a state folder for its runs. */
interface Site extends Switched {
  readonly env: Readonly<Record<string, string>>
  start(command: readonly string[], options?: TerminalOptions): TerminalSession
  run(options?: TerminalOptions): TerminalSession
}

function site(steps = work('rack') + work('disks') + work('hub', ['rack', 'disks'])): Site {
  const small = switched(steps)
  const env = { LIFEBOAT_STATE_DIR: temporaryFolder() }
  const start: Site['start'] = (command, options = {}) => inTerminal(command, { ...options, env: { ...env, ...options.env } })
  return { ...small, env, start, run: (options) => start(['run', small.runbook, '--cloud', world.cloudPath, '--confirm=small'], options) }
}

const choose = async (session: TerminalSession, number: number, name: string): Promise<void> => {
  session.type(String(number))
  await session.waitFor(`❯ ${name}`)
  session.type(keys.enter)
}

describe.skipIf(!hasTerminals)('on a screen of 80 × 24', () => {
  it('a clean run', async () => {
    const small = site()
    const film = new Film('clean-run')
    const session = small.start(['run', small.runbook, '--cloud', world.cloudPath])
    await session.waitFor('Type small')
    await film.frame('the plan, and the name to be typed', session)
    session.type('large\r')
    await session.waitFor(/Once more[^]*❯/)
    session.type('small\r')
    await film.frame('two steps at work', session)
    small.finish('rack')
    await session.waitFor('✓ rack')
    await film.frame('one is done', session)
    small.finish('disks')
    await session.waitFor(/● hub .*running/)
    small.finish('hub')
    expect(await session.ended).toBe(0)
    await film.frame('the end', session, 'small: ')
    film.end()
  })

  it('a failed step retried, after a look at the details', async () => {
    const small = site()
    const film = new Film('failed-and-retried')
    const session = small.run()
    await session.waitFor(/● rack .*running/)
    small.fail('rack')
    await session.waitFor('what now?')
    await film.frame('the question, and the other step that goes on', session)
    small.finish('disks')
    await session.waitFor('✓ disks')
    await film.frame('the other step is done meanwhile', session)
    await choose(session, 2, 'Show details')
    await session.waitFor('❯ Try again')
    await film.frame('details', session)
    small.finish('rack')
    small.finish('hub')
    session.type(keys.enter)
    expect(await session.ended).toBe(0)
    await film.frame('the end', session, '· rack')
    film.end()
  })

  it('a failed step skipped, with a reason', async () => {
    const small = site()
    const film = new Film('failed-and-skipped')
    const session = small.run()
    await session.waitFor(/● rack .*running/)
    small.finish('disks')
    await session.waitFor('✓ disks')
    small.fail('rack')
    await session.waitFor('what now?')
    await choose(session, 4, 'Skip it')
    await session.waitFor('why may it be skipped?')
    session.type('\r')
    await session.waitFor('A skipped step needs a reason')
    session.type('the disks need none')
    await film.frame('the reason', session)
    small.finish('hub')
    session.type('\r')
    expect(await session.ended).toBe(0)
    await film.frame('the end', session, 'small: ')
    film.end()
  })

  it('a failed step skipped that another one needs, and tried after all', async () => {
    const small = site(work('rack') + work('hub', ['rack'], ', env: { RACK: "${{ steps.rack.outputs.name }}" }'))
    const film = new Film('skipped-and-needed')
    const session = small.run()
    await session.waitFor(/● rack .*running/)
    small.fail('rack')
    await session.waitFor('what now?')
    await film.frame('what a skip would mean', session)
    await choose(session, 4, 'Skip it')
    await session.waitFor('why may it be skipped?')
    session.type('it is not ours\r')
    await session.waitFor('hub failed')
    await film.frame('what cannot go on', session)
    small.finish('rack')
    small.finish('hub')
    session.type(keys.enter)
    expect(await session.ended).toBe(0)
    await film.frame('the end', session, 'small: ')
    film.end()
  })

  it('two steps failing at once', async () => {
    const small = site()
    const film = new Film('two-failures')
    const session = small.run()
    await session.waitFor(/● disks .*running/)
    small.fail('rack')
    await session.waitFor('rack failed: what now?')
    small.fail('disks')
    await session.waitFor('(question 1 of 2)')
    await film.frame('the first question', session)
    session.type(keys.enter)
    await session.waitFor('disks failed: what now?')
    await film.frame('the second question', session)
    await choose(session, 5, 'Stop here')
    await session.waitFor('stopped by')
    small.finish('rack')
    expect(await session.ended).toBe(1)
    await film.frame('the end', session, 'small: ')
    film.end()
  })

  it('Ctrl-C, then resume', async () => {
    const small = site(work('rack') + work('hub', ['rack']))
    const film = new Film('interrupted-and-resumed')
    const session = small.run()
    await session.waitFor(/● rack .*running/)
    await small.begun('rack')
    session.type(keys.ctrlC)
    await session.waitFor('coming to a safe point')
    // A command of the site's own is waited for: only then is it known what it did.
    small.finish('rack')
    expect(await session.ended).toBe(130)
    await film.frame('stopped at a safe point', session)
    const second = small.start(['resume'])
    await second.waitFor(/● hub .*running/)
    await film.frame('resumed', second)
    small.finish('hub')
    expect(await second.ended).toBe(0)
    await film.frame('the end', second, 'small: ')
    film.end()
  })

  it('a second Ctrl-C', async () => {
    const small = site(work('rack'))
    const film = new Film('interrupted-twice')
    const session = small.run()
    await session.waitFor(/● rack .*running/)
    await small.begun('rack')
    session.type(keys.ctrlC)
    await session.waitFor('coming to a safe point')
    await film.frame('after the first', session)
    session.type(keys.ctrlC)
    expect(await session.ended).toBe(130)
    await film.frame('after the second', session)
    small.finish('rack')
    film.end()
  })

  it('a second Ctrl-C in a narrow window: what is left is told without a break in a word', async () => {
    const small = site(work('rack'))
    const session = small.run({ columns: 40 })
    await session.waitFor(/● rack .*running/)
    await small.begun('rack')
    session.type(keys.ctrlC)
    await session.waitFor('safe point')
    session.type(keys.ctrlC)
    expect(await session.ended).toBe(130)
    const lines = session.scrolled()
    const told = lines.slice(lines.findIndex((line) => line.startsWith('Ended at once')), lines.findIndex((line) => line.startsWith('Log of')))
    expect(told.length).toBeGreaterThan(1)
    // The terminal itself would fill each line.
    expect(Math.max(...told.filter((line) => !line.startsWith('  ')).map((line) => line.length))).toBeLessThan(40)
    small.finish('rack')
  })

  it('SIGKILL, then take-over by resume', async () => {
    const small = site(work('rack') + work('hub', ['rack']))
    const film = new Film('killed-and-taken-over')
    const session = small.run()
    await session.waitFor(/● rack .*running/)
    await small.begun('rack')
    process.kill(session.pid(), 'SIGKILL')
    expect(await session.ended).toBe(137)
    const second = small.start(['resume'])
    await second.waitFor('elapsed')
    await film.frame('taken over; what outlived the first is waited for', second)
    small.finish('rack')
    await second.waitFor(/● hub .*running/)
    await film.frame('gone on with', second)
    small.finish('hub')
    expect(await second.ended).toBe(0)
    await film.frame('the end', second, 'small: ')
    film.end()
  })

  it('an undo half way, stopped and gone on with', async () => {
    const small = site(work('rack') + work('hub', ['rack']))
    const film = new Film('undo-half-way')
    small.finish('rack')
    small.finish('hub')
    expect(await small.run().ended).toBe(0)
    const session = small.start(['undo'])
    await session.waitFor('Type small')
    await film.frame('what would be put back', session)
    session.type('small\r')
    await session.waitFor(/● hub .*running/)
    small.back('hub')
    await session.waitFor(/✓ hub[^]*● rack .*running/)
    await film.frame('half way', session)
    await small.undoing('rack')
    session.type(keys.ctrlC)
    await session.waitFor('coming to a safe point')
    small.back('rack')
    expect(await session.ended).toBe(130)
    await film.frame('stopped', session)
    const second = small.start(['resume'])
    expect(await second.ended).toBe(0)
    await film.frame('gone on with', second, 'small: ')
    film.end()
  })

  it('declined at the confirmation, in one line', async () => {
    const small = site(work('rack'))
    const film = new Film('declined')
    const session = small.start(['run', small.runbook, '--cloud', world.cloudPath])
    await session.waitFor('Type small')
    session.type('\r')
    expect(await session.ended).toBe(3)
    await film.frame('the end', session)
    film.end()
  })

  it('three wrong names at the confirmation', async () => {
    const small = site(work('rack'))
    const film = new Film('three-wrong-names')
    const session = small.start(['run', small.runbook, '--cloud', world.cloudPath])
    await session.waitFor('Type small')
    session.type('large\r')
    await session.waitFor(/Once more[^]*❯/)
    await film.frame('asked again', session)
    session.type('medium\r')
    await session.waitFor(/Once more[^]*Once more[^]*❯/)
    session.type('tiny\r')
    expect(await session.ended).toBe(3)
    await film.frame('the end, in one line', session, "That is not the runbook's name")
    film.end()
    expect(readdirSync(join(small.env['LIFEBOAT_STATE_DIR'] ?? '', 'runs'))).toEqual([])
  })

  it('Ctrl-C at the confirmation: nothing has begun, so nothing is to be resumed', async () => {
    const small = site(work('rack'))
    const session = small.start(['run', small.runbook, '--cloud', world.cloudPath])
    await session.waitFor('Type small')
    session.type(keys.ctrlC)
    expect(await session.ended).toBe(130)
    const screen = session.screen().join('\n')
    expect(screen).toContain('Stopped by SIGINT before anything was begun; nothing was changed.')
    expect(screen).not.toContain('lifeboat resume')
    expect(readdirSync(join(small.env['LIFEBOAT_STATE_DIR'] ?? '', 'runs'))).toEqual([])
  })

  it('a gate, and a step to be done by hand', async () => {
    const gate = "  - { id: go, uses: gate, needs: [rack], with: { ask: 'The rack is up: go on to the hub?' } }\n"
    const manual = '  - { id: call, uses: manual, needs: [go], with: { checklist: [call the dean, write the mail] } }\n'
    const small = site(work('rack') + gate + manual + work('hub', ['call']))
    const film = new Film('gate-and-manual')
    small.finish('rack')
    small.finish('hub')
    const session = small.start(['run', small.runbook, '--cloud', world.cloudPath, '--confirm=small', '--gate', 'ask'])
    await session.waitFor('Stop here')
    await film.frame('the gate', session)
    session.type(keys.enter)
    await session.waitFor('tick what is done')
    session.type(keys.space)
    await session.waitFor('◉ call the dean')
    await film.frame('the checklist', session)
    session.type(keys.down)
    await session.waitFor('❯ ◯ write the mail')
    session.type(keys.space)
    await session.waitFor('◉ write the mail')
    session.type(keys.enter)
    expect(await session.ended).toBe(0)
    await film.frame('the end', session, 'small: ')
    film.end()
  })

  it('with NO_COLOR: lines with their time, questions that are answered by a line, and no codes at all', async () => {
    const small = site(work('rack'))
    const film = new Film('no-color')
    const session = small.start(['run', small.runbook, '--cloud', world.cloudPath], { env: { NO_COLOR: '1' }, rows: 48 })
    await session.waitFor('Type small')
    session.type('small\r')
    await session.waitFor('running sh')
    small.fail('rack')
    await session.waitFor('Type a number')
    await film.frame('a question', session, 'Confirmed')
    small.finish('rack')
    session.type('1\r')
    expect(await session.ended).toBe(0)
    expect(session.raw()).not.toContain('\u001b')
    // How far the screen has gone up by then depends on lines that a slow machine says and a quick one does not.
    await film.frame('the end', session, '? rack failed')
    film.end()
  })

  it('a window that becomes smaller while a question stands, and larger again', async () => {
    const small = site()
    const film = new Film('window-changes')
    const session = small.run()
    await session.waitFor(/● disks .*running/)
    small.fail('rack')
    await session.waitFor('what now?')
    session.resize(60, 20)
    await film.frame('60 × 20', session, 'elapsed')
    session.resize(20, 10)
    await film.frame('20 × 10', session, '? rack failed')
    await choose(session, 5, 'Stop here')
    // What stays is broken for the window that there was when it was said.
    await session.waitFor('stopped by')
    session.resize(100, 30)
    await film.frame('100 × 30', session)
    small.finish('disks')
    expect(await session.ended).toBe(1)
    film.end()
  })
})

/** `step=hub`, and of what is no word or number only that it is there. */
const sayField = ([name, value]: [string, unknown]): string => (/^(type|step|version|outcome|changes)$/.test(name) && typeof value !== 'object' ? `${name}=${String(value)}` : name)

describe('without a terminal', () => {
  const args = (small: Site): string[] => ['run', small.runbook, '--cloud', world.cloudPath, '--confirm=small', '--yes']

  it('--gate ask has nobody to ask, and says so before anything is read', async () => {
    const small = site(work('rack'))
    const { code, stderr } = await lifeboat([...args(small), '--gate', 'ask'], small.env).ended
    expect([code, stderr]).toEqual([2, expect.stringContaining('--gate ask: nobody is there to be asked')])
  })

  it('a run tells lines with their time', async () => {
    const small = site(work('rack') + work('hub', ['rack']))
    small.finish('rack')
    small.finish('hub')
    const film = new Film('no-terminal')
    const { code, stderr, stdout } = await lifeboat(args(small), small.env).ended
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).not.toContain('\u001b')
    const steady = stderr.split('\n').filter((line) => !/running|expected to be done/.test(line))
    film.text('standard error', steady.join('\n'))
    film.end()
  })

  it('--json tells events, the version first', async () => {
    const small = site(work('rack') + work('hub', ['rack']))
    small.finish('rack')
    small.finish('hub')
    const film = new Film('json')
    const { code, stdout } = await lifeboat([...args(small), '--json'], small.env).ended
    expect(code).toBe(0)
    // Types and fields are contract, wording is not. How often it is told what is looked at depends on how long that took.
    const events = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as RunEvent)
    const told = events.filter(({ type }) => type !== 'step.progress' && type !== 'eta.updated')
    film.text('standard output: types and fields', told.map((event) => Object.entries(event).map(sayField).join(' ')).join('\n'))
    film.end()
  })
})
