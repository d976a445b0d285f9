import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { noPaint, type Paint } from '../../src/render/color.js'
import { rendererKind } from '../../src/render/index.js'
import { doneLines, viewOf } from '../../src/render/live-view.js'
import { Output, type Streams } from '../../src/render/output.js'
import { Stage, type Drawing, type Room } from '../../src/render/stage.js'
import { widthOf } from '../../src/render/text.js'
import { LocalTimes } from '../../src/render/times.js'
import { TtyRenderer, type Screen } from '../../src/render/tty.js'
import { at, event, goodRun, HandClock, layout, planned, plannedRun, running, started, startedStep, verified, viewAfter } from '../helpers/render-samples.js'

const times = new LocalTimes('America/Los_Angeles')

describe('the live view', () => {
  it('says what runs, what it waits for, what comes next, and when it will be over', () => {
    expect(viewOf(viewAfter(running), layout)).toEqual([
      '● cluster       3m      cluster data100-19s-2 is being created',
      '● server        3m      looking',
      '  ready-to-cut  after server',
      '  fence         after ready-to-cut',
      '  prod          after cluster, fence',
      '  prod-live     after prod',
      '',
      'elapsed 3m  done about 13:18 GMT-8, 35m to go  objective 45m, 7m to spare',
      '0/5 steps  run r1 simulated  Ctrl-C: safe stop',
    ])
  })

  it('says what Ctrl-C does now, in a window of 80 columns too', () => {
    const run = '20190225-204000-data100-abcd'
    const real = [{ ...started, run, mode: 'run' } as RunEvent, plannedRun]
    const footer = (events: readonly RunEvent[], looksOn = false): string | undefined => {
      return viewOf(viewAfter(events), { ...layout, looksOn }).at(-1)
    }
    expect(footer(real)).toMatch(/run 20190225-204000-data100-abcd on [0-9a-f]{8}…  Ctrl-C: safe stop$/)
    const stopping = event(3, { type: 'run.stopping', signal: 'SIGINT' })
    expect(footer([...real, stopping])).toMatch(/Ctrl-C: end now$/)
    expect(footer([...real, stopping, { ...started, run, resumed: true } as RunEvent])).toMatch(/Ctrl-C: safe stop$/)
    expect(footer(real, true)).toMatch(/Ctrl-C: look away$/)
  })

  it('says of a step whose question waits behind another one that it comes next, also while it runs', () => {
    const waits = [...running, event(3, { type: 'question.waiting', step: 'server', kind: 'surprise' })]
    expect(viewOf(viewAfter(waits), layout)[1]).toBe('? server        its question comes next')
  })

  it('names what is made while it is made', () => {
    const change = { resource: 'managedCluster hubs-2', action: 'create', after: {} } as const
    const intent = (...changes: (typeof change)[]): RunEvent => event(1, { type: 'step.intent', step: 'cluster', changes })
    expect(viewAfter([started, startedStep(0, 'cluster'), intent(change)]).steps.get('cluster')?.message).toBe('creating managedCluster hubs-2')
    expect(viewAfter([started, intent(change, change, change)]).steps.get('cluster')?.message).toBe('creating managedCluster hubs-2 and 2 more')
  })

  it('says what of an earlier life it waits for, and what became of it', () => {
    const { screen, renderer } = live()
    const child = { step: 'prod', command: 'helm upgrade', pid: 77 }
    renderer.listener(started)
    renderer.listener(event(1, { type: 'survivor.found', ...child, survivor: 'await' }))
    renderer.listener(event(2, { type: 'survivor.handled', ...child, how: 'awaited' }))
    renderer.close()
    const kept = screen.kept.replaceAll(/\s+/g, ' ')
    expect(kept).toContain('helm upgrade of an earlier life of this run is still at work; waiting until it is done before anything is written (pid 77)')
    expect(kept).toContain('helm upgrade of an earlier life of this run: awaited until it was done (pid 77)')
  })

  it('shows a question to one who looks on: what is asked, and that it waits for an answer though it stood behind another one', () => {
    const { screen, renderer } = live(false, true)
    const step = 'ready-to-cut'
    for (const one of [started, event(1, { type: 'question.waiting', step, kind: 'gate' })]) renderer.listener(one)
    screen.redraw()
    expect(screen.moving).toMatch(/ready-to-cut +its question comes next/)
    const question = { kind: 'gate', step, text: 'Cut it?' } as const
    renderer.listener(event(2, { type: 'question.asked', step, question }))
    screen.redraw()
    expect(screen.moving).toMatch(/● ready-to-cut .*waits for an answer/)
    expect(screen.kept).toContain('ready-to-cut asks its operator: Cut it?')
    renderer.close()
  })

  it('says that a step takes longer than usual, and for how long nothing was heard of it', () => {
    const first = (minutes: number, ...more: RunEvent[]): string | undefined =>
      viewOf(viewAfter([...running, ...more]), { ...layout, nowMs: Date.parse(at(minutes)) })[0]
    expect(first(29)).toBe('● cluster       29m     cluster data100-19s-2 is being created')
    expect(first(31)).toBe('● cluster       31m     estimated 20m; no news from Azure for 29m; cluster dat…')
    const told = event(30, { type: 'step.progress', step: 'cluster', message: 'still creating', elapsedMs: 1 })
    expect(first(31, told)).toBe('● cluster       31m     estimated 20m; still creating')
    const before = planned('cluster', { estimateMs: 1_200_000, estimatedFrom: { runs: 3, p90Ms: 1_300_000 } })
    const known = { ...plannedRun, steps: [before] } as RunEvent
    expect(first(31, known, told)).toBe('● cluster       31m     usually 20m; still creating')
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

/** A screen that remembers: what stays, what moves, and how often it was drawn. */
class FakeScreen implements Screen {
  readonly columns = 80
  kept = ''
  moving = ''
  draws = 0
  #view: Drawing | undefined

  show(view: Drawing): void {
    this.#view = view
  }
  hide(): void {
    this.#view = undefined
    this.moving = ''
  }
  redraw(): void {
    this.draws += 1
    this.moving = this.#view?.({ columns: 80, rows: 24 }).join('\n') ?? ''
  }
  keep(text: string): void {
    this.kept += text
  }
}

function live(asks = false, looksOn = false): { screen: FakeScreen; clock: HandClock; renderer: TtyRenderer } {
  const [screen, clock] = [new FakeScreen(), new HandClock()]
  return { screen, clock, renderer: new TtyRenderer({ screen, clock, paint: noPaint, times, asks, looksOn }) }
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
    expect(screen.draws).toBe(4)
  })

  it('collapses what is done to a line that stays', async () => {
    const { screen, clock, renderer } = live()
    ;[...running, verified(5, 'server', 5, 2)].forEach(renderer.listener)
    await clock.pass(250)
    expect(screen.kept).toContain('✓ server  5m  verified, 2 changes made\n')
    expect(screen.moving).not.toContain('● server')
    renderer.close()
  })

  it('goes on while a question is asked, and tells at once what happens meanwhile', async () => {
    const { screen, clock, renderer } = live()
    const question = { kind: 'gate', step: 'ready-to-cut', text: 'Cut?' } as const
    ;[...running, verified(5, 'server', 5), event(5, { type: 'question.asked', step: 'ready-to-cut', question })].forEach(renderer.listener)
    await clock.pass(250)
    expect(screen.moving).toContain('● ready-to-cut  0s      waits for an answer')
    renderer.listener(verified(6, 'cluster', 6))
    await clock.pass(250)
    expect(screen.kept).toMatch(/✓ cluster {2}6m.*\n$/)
    renderer.listener(event(7, { type: 'question.answered', step: 'ready-to-cut', kind: 'gate', answer: { choice: 'go', by: 'ada' } }))
    await clock.pass(250)
    expect(screen.kept).toMatch(/✓ ready-to-cut {2}passed by ada\n$/)
    renderer.close()
  })

  it('tells a failure in a line where a question tells the rest, and says whose question waits', async () => {
    const { screen, clock, renderer } = live(true)
    const error = { code: 'azure.quota', message: 'no cores left in westus2', hint: 'Ask for more.', blame: 'user', retryable: false } as const
    const failed = (step: string): RunEvent => event(3, { type: 'step.failed', step, error, elapsedMs: 180_000 })
    const question = { kind: 'failure', step: 'cluster', error } as const
    ;[...running, failed('cluster'), event(3, { type: 'question.asked', step: 'cluster', question }), failed('server')].forEach(renderer.listener)
    renderer.listener(event(3, { type: 'question.waiting', step: 'server', kind: 'failure' }))
    await clock.pass(250)
    expect(screen.kept).not.toContain('Ask for more.')
    expect(screen.kept).toContain('✗ server  failed after 3m: no cores left in westus2 [azure.quota]\n')
    expect(screen.moving).toContain('? server        failed; its question comes next')
    renderer.close()
  })

  it('says of what a run finds as wanted whether an earlier life of it has made that so', () => {
    const { screen, renderer } = live()
    const change = { resource: 'x', action: 'create' } as const
    const intent = (step: string): RunEvent => event(1, { type: 'step.intent', step, changes: [change] })
    const resumed = { ...started, t: at(60), resumed: true } as RunEvent
    ;[started, plannedRun, ...['cluster', 'server'].map((step) => startedStep(0, step)), intent('cluster'), intent('server')].forEach(renderer.listener)
    renderer.listener(event(2, { type: 'step.applied', step: 'cluster' }))
    for (const one of [resumed, resumed]) renderer.listener(one)
    for (const step of ['cluster', 'server', 'fence']) [startedStep(61, step, 2), verified(62, step, 1, 0)].forEach(renderer.listener)
    renderer.close()
    expect(screen.kept.split('\n').filter((text) => text.startsWith('✓'))).toEqual([
      '✓ cluster  1m  done in an earlier life',
      '✓ server  1m  as wanted now, begun in an earlier life',
      '✓ fence  1m  as wanted already, nothing changed',
    ])
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

describe('a view of five hundred steps', () => {
  const steps = Array.from({ length: 500 }, (_, index) => ({ id: `step-${index}`, uses: 'exec', needs: index < 250 ? [] : [`step-${index - 250}`] }))
  const many = viewAfter([{ ...started, steps } as RunEvent, ...steps.slice(0, 250).map(({ id }) => startedStep(1, id))])

  it('is drawn line by line for what fits, and for nothing else', () => {
    let painted = 0
    const counting: Paint = (_style, text) => {
      painted += 1
      return text
    }
    const lines = viewOf(many, { ...layout, paint: counting })
    expect(lines).toHaveLength(23)
    expect(lines.at(-4)).toBe('  and 481 more steps')
    expect(painted).toBeLessThan(4 * 23)
  })

  it('is written only where it differs from what stands there', () => {
    const { output, text } = terminal()
    const stage = new Stage(output)
    let footer = 0
    stage.show((room) => [...viewOf(many, { ...layout, ...room }).slice(0, -1), `footer ${footer}`])
    stage.redraw()
    const before = text().length
    stage.redraw()
    expect(text()).toHaveLength(before)
    footer = 1
    stage.redraw()
    expect(text().slice(before)).toBe('\u001b[?2026h\u001b[1A\r\u001b[2K\u001b[1B\u001b[1Afooter 1\n\u001b[?2026l')
  })
})

function terminal(): { output: Output; stderr: PassThrough & { columns: number; rows: number }; text: () => string } {
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: true, columns: 40, rows: 10 })]
  let text = ''
  stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const streams = { stdin: new PassThrough(), stdout, stderr } as unknown as Streams
  return { output: new Output(streams), stderr, text: () => text }
}

describe('the terminal', () => {
  it('gets what stays above what moves', () => {
    const { output, text } = terminal()
    const stage = new Stage(output)
    stage.show(() => ['a', 'footer'])
    stage.redraw()
    const before = text().length
    stage.keep('done\n')
    expect(text().slice(before)).toBe('\u001b[?2026h\u001b[2A\r\u001b[2K\u001b[1B\u001b[2K\u001b[1B\u001b[2Adone\na\nfooter\n\u001b[?2026l')
  })

  it('is filled again when its size has changed, with as many of the last lines as fit', () => {
    const { output, stderr, text } = terminal()
    const stage = new Stage(output)
    stage.keep(`${Array.from({ length: 20 }, (_, index) => `line ${index}`).join('\n')}\n`)
    stage.show(() => ['footer'])
    stage.redraw()
    const before = text().length
    stderr.rows = 5
    stage.redraw()
    expect(text().slice(before)).toContain(`\u001b[H\r${'\u001b[2K\u001b[1B'.repeat(5)}\u001b[5A\u001b[Hline 17\nline 18\nline 19\nfooter\n`)
  })

  it('is filled no further than leaves room for the question that stands: nothing scrolls away a second time', () => {
    const { output, stderr, text } = terminal()
    const stage = new Stage(output)
    stage.keep(`${Array.from({ length: 50 }, (_, index) => `line ${index}`).join('\n')}\n`)
    stage.show(() => ['footer'])
    stage.opens()
    const question = (): string => stage.frame(() => ['what now?', 'go', 'stop'])
    output.say(question())
    stage.stands({ hide: () => undefined, show: () => output.say(question()) })
    for (const rows of [24, 30, 8, 3]) {
      const before = text().length
      stderr.rows = rows
      stage.redraw()
      const drawn = text().slice(before).split('\u001b[H').at(-1) ?? ''
      const lines = drawn.replace('\u001b[?2026l', '').split('\n')
      expect(lines.slice(-2), `${rows}`).toEqual(rows === 3 ? ['what now?', 'go'] : ['go', 'stop'])
      expect(lines).toHaveLength(rows)
    }
  })

  it('keeps the last lines of what moves above a question that fills it, from 20 rows on', () => {
    const { output, stderr } = terminal()
    const stage = new Stage(output)
    stage.show(({ rows }) => ['step', '', 'elapsed', 'keys'].slice(-Math.max(1, rows - 1)))
    const long = ({ rows }: Room): string[] => Array.from({ length: rows - 1 }, (_, index) => `question ${index}`)
    const linesIn = (rows: number): string[] => {
      stderr.rows = rows
      return stage.frame(long).split('\n')
    }
    expect(linesIn(20).slice(0, 4)).toEqual(['', 'elapsed', 'keys', 'question 0'])
    expect(linesIn(20)).toHaveLength(19)
    expect(linesIn(19)[0]).toBe('question 0')
  })

  it('that has gone away is no reason to fail', async () => {
    const { output, stderr } = terminal()
    stderr.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }))
    output.say('nobody reads this\n')
    output.data('data\n')
    await expect(output.flushed()).resolves.toBeUndefined()
  })
})
