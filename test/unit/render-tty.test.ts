import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { noPaint } from '../../src/render/color.js'
import { rendererKind } from '../../src/render/index.js'
import { doneLines, viewOf } from '../../src/render/live-view.js'
import { Output, type Streams } from '../../src/render/output.js'
import { terminalScreen } from '../../src/render/screen.js'
import { widthOf } from '../../src/render/text.js'
import { LocalTimes } from '../../src/render/times.js'
import { TtyRenderer, type Screen } from '../../src/render/tty.js'
import { at, event, goodRun, HandClock, plannedRun, started, startedStep, verified, viewAfter } from '../helpers/render-samples.js'

const times = new LocalTimes('America/Los_Angeles')
const layout = { columns: 80, rows: 24, nowMs: Date.parse(at(3)), times }
const running: readonly RunEvent[] = [
  started,
  plannedRun,
  startedStep(0, 'cluster'),
  startedStep(0, 'server'),
  event(2, { type: 'step.progress', step: 'cluster', message: 'cluster data100-19s-2 is being created', elapsedMs: 120_000 }),
  event(2, { type: 'eta.updated', remainingMs: 36 * 60_000, finishAt: at(38) }),
]

describe('the live view', () => {
  it('says what runs, what it waits for, what comes next, and when it will be over', () => {
    expect(viewOf(viewAfter(running), layout)).toEqual([
      '● cluster       3m     cluster data100-19s-2 is being created',
      '● server        3m     looking',
      '  ready-to-cut  after server',
      '  fence         after ready-to-cut',
      '  prod          after cluster, fence',
      '  prod-live     after prod',
      '',
      'elapsed 3m  done about 13:18, 35m to go  objective 45m, 7m to spare',
      '0/5 steps  data100 in a simulated world  run r1  Ctrl-C stops at a safe point',
    ])
  })

  it('says when the objective will be missed', () => {
    const late = [...running, event(3, { type: 'eta.updated', remainingMs: 47 * 60_000, finishAt: at(50) })]
    expect(viewOf(viewAfter(late), { ...layout, columns: 200 }).at(-2)).toContain('objective 45m, late by 5m')
  })

  it.each([
    [80, 24],
    [40, 10],
    [20, 6],
    [5, 4],
    [1, 1],
  ])('fits a window of %d × %d', (columns, rows) => {
    const lines = viewOf(viewAfter(running), { ...layout, columns, rows })
    expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1))
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(Math.max(1, columns - 1))
  })

  it('says how many steps it has no room for', () => {
    expect(viewOf(viewAfter(running), { ...layout, rows: 8 })).toContain('  and 3 more steps')
  })

  it('tells a failure whole, however narrow the window', () => {
    const error = { code: 'azure.quota', message: 'no cores left in westus2', hint: 'Ask for more.', blame: 'user', retryable: false } as const
    const failed = viewAfter([started, event(3, { type: 'step.failed', step: 'cluster', error, elapsedMs: 180_000 })])
    const lines = doneLines(failed.steps.get('cluster')!, 24)
    expect(lines.join(' ').replaceAll(/ +/g, ' ')).toBe('✗ cluster failed after 3m: no cores left in westus2 [azure.quota] Ask for more.')
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(23)
  })
})

/** A screen that remembers: what stays, what moves, and every call in order. */
function fakeScreen(): Screen & { kept: string; moving: string; calls: string[] } {
  return {
    kept: '',
    moving: '',
    calls: [],
    columns: 80,
    rows: 24,
    draw(text) {
      this.moving = text
      this.calls.push('draw')
    },
    clear() {
      this.moving = ''
      this.calls.push('clear')
    },
    keep(text) {
      if (this.moving !== '') throw new Error('wrote across the moving part')
      this.kept += text
      this.calls.push('keep')
    },
  }
}

function live(): { screen: ReturnType<typeof fakeScreen>; clock: HandClock; renderer: TtyRenderer } {
  const [screen, clock] = [fakeScreen(), new HandClock()]
  return { screen, clock, renderer: new TtyRenderer({ screen, clock, paint: noPaint, times }) }
}

describe('the live renderer', () => {
  it('draws at most four times a second, however many events come', async () => {
    const { screen, clock, renderer } = live()
    running.forEach(renderer.listener)
    for (let round = 0; round < 100; round += 1) {
      renderer.listener(event(2, { type: 'step.progress', step: 'cluster', message: `look ${round}`, elapsedMs: 1 }))
      await clock.pass(10)
    }
    renderer.close()
    expect(screen.calls.filter((call) => call === 'draw')).toHaveLength(4)
  })

  it('collapses what is done to a line that stays', async () => {
    const { screen, clock, renderer } = live()
    ;[...running, verified(5, 'server', 5, 2)].forEach(renderer.listener)
    await clock.pass(250)
    expect(screen.kept).toContain('✓ server  5m  verified, 2 changes made\n')
    expect(screen.moving).not.toContain('● server')
    renderer.close()
  })

  it('stands aside while a question is asked, and tells afterwards what happened meanwhile', async () => {
    const { screen, clock, renderer } = live()
    const question = { kind: 'gate', step: 'ready-to-cut', text: 'Cut?' } as const
    ;[...running, verified(5, 'server', 5), event(5, { type: 'question.asked', step: 'ready-to-cut', question })].forEach(renderer.listener)
    expect(screen.moving).toBe('')
    const calls = screen.calls.length
    renderer.listener(verified(6, 'cluster', 6))
    await clock.pass(10_000)
    expect(screen.calls).toHaveLength(calls)
    renderer.listener(event(7, { type: 'question.answered', step: 'ready-to-cut', kind: 'gate', answer: { choice: 'go', by: 'ada' } }))
    await clock.pass(250)
    expect(screen.kept).toMatch(/✓ cluster {2}6m.*\n✓ ready-to-cut {2}2m {2}passed\n$/)
    expect(screen.moving).toContain('fence')
    renderer.close()
  })

  it('ends with the summary, with nothing left moving and no timer running', () => {
    const { screen, clock, renderer } = live()
    goodRun.forEach(renderer.listener)
    renderer.close()
    expect(screen.moving).toBe('')
    expect(screen.kept).toContain('35m from decision to the last check')
    expect(clock.sleeping).toBe(0)
  })

  it('leaves the screen in order when it is closed in mid-run', async () => {
    const { screen, clock, renderer } = live()
    running.forEach(renderer.listener)
    await clock.pass(250)
    expect(screen.moving).not.toBe('')
    renderer.close()
    expect(screen.moving).toBe('')
    expect(clock.sleeping).toBe(0)
  })
})

describe('which renderer', () => {
  it('is the live one at a terminal, plain lines elsewhere', () => {
    expect(rendererKind({ env: {}, isTerminal: true })).toBe('tty')
    expect(rendererKind({ env: {}, isTerminal: false })).toBe('plain')
  })

  it.each([{ env: { NO_COLOR: '1' } }, { env: { TERM: 'dumb' } }, { env: {}, flag: false }])('is plain at a terminal with %o', (wishes) => {
    expect(rendererKind({ isTerminal: true, ...wishes })).toBe('plain')
  })

  it('is as asked for with --json and --quiet', () => {
    expect(rendererKind({ env: {}, isTerminal: true, json: true, quiet: true })).toBe('json')
    expect(rendererKind({ env: {}, isTerminal: true, quiet: true })).toBe('quiet')
  })
})

describe('the terminal', () => {
  function terminal(): { output: Output; stderr: PassThrough; text: () => string } {
    const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: true, columns: 40, rows: 10 })]
    let text = ''
    stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const streams = { stdin: new PassThrough(), stdout, stderr } as unknown as Streams
    return { output: new Output(streams), stderr, text: () => text }
  }

  it('gets a whole new picture when a line has gone away', () => {
    const { output, text } = terminal()
    const screen = terminalScreen(output)
    screen.draw('a\nb\nfooter')
    const before = text().length
    screen.draw('a\nfooter')
    expect(text().slice(before)).toContain('a\nfooter\n')
  })

  it('that has gone away is no reason to fail', async () => {
    const { output, stderr } = terminal()
    stderr.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }))
    output.say('nobody reads this\n')
    output.data('data\n')
    await expect(output.flushed()).resolves.toBeUndefined()
  })
})
