import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { noPaint } from '../../src/render/color.js'
import { jsonListener } from '../../src/render/json.js'
import { PlainRenderer, type PlainOptions } from '../../src/render/plain.js'
import { LocalTimes } from '../../src/render/times.js'
import { at, event, goodRun, HandClock, plannedRun, started, startedStep } from '../helpers/render-samples.js'

function plain(options: Partial<PlainOptions> = {}): { lines: () => string[]; clock: HandClock; renderer: PlainRenderer } {
  const clock = new HandClock()
  let text = ''
  const renderer = new PlainRenderer({
    say: (more) => (text += more),
    clock,
    paint: noPaint,
    times: new LocalTimes('America/Los_Angeles'),
    columns: 100,
    ...options,
  })
  return { lines: () => text.split('\n').filter((one) => one !== ''), clock, renderer }
}

function tell(events: readonly RunEvent[], options: Partial<PlainOptions> = {}): string[] {
  const { lines, renderer } = plain(options)
  events.forEach(renderer.listener)
  renderer.close()
  return lines()
}

const progress = (minutes: number, message: string): RunEvent =>
  event(minutes, { type: 'step.progress', step: 'cluster', message, elapsedMs: minutes * 60_000 })

const failure = event(3, {
  type: 'step.failed',
  step: 'cluster',
  error: { code: 'azure.quota', message: 'no cores left in westus2', hint: 'Ask for more cores.', blame: 'user', retryable: false },
  elapsedMs: 180_000,
})

describe('plain lines', () => {
  it('say the date and the zone once, then local time and run minute on each line', () => {
    const lines = tell(goodRun)
    expect(lines[0]).toBe('2019-02-25, times are GMT-8')
    expect(lines).toContain('12:45:00 +05:00 server        verified, 1 change made (5m)')
    expect(lines.filter((one) => one.includes('times are'))).toHaveLength(1)
  })

  it('name world and mode before anything is done', () => {
    expect(tell([started])[1]).toContain('rehearsal of the failover, run r1, in the simulated world data100; nothing real is touched')
  })

  it('are whole in a log, and broken between words in a window, but for a command that is to be copied', () => {
    const long = event(1, { type: 'notice', level: 'warn', message: 'the lock was taken over '.repeat(4) })
    const advice = event(1, { type: 'notice', level: 'warn', message: `${'to go on with it '.repeat(3)}: lifeboat resume r1 --state-dir /var/lib/lifeboat/state` })
    expect(tell([long])).toHaveLength(2)
    const [, ...lines] = tell([long, advice], { wraps: true, columns: 70 })
    expect(lines.slice(0, -1)).toEqual([
      '12:41:00 +00:00 warning: the lock was taken over the lock was taken',
      '                over the lock was taken over the lock was taken over',
    ])
    expect(lines.at(-1)).toMatch(/lifeboat resume r1 --state-dir \/var\/lib\/lifeboat\/state$/)
  })

  it('never say of a real run that nothing real is touched', () => {
    const real = { ...started, mode: 'run' } as RunEvent
    const [, line] = tell([real])
    expect(line).toContain('subscription 11111111-2222-3333-4444-555555555555')
    expect(line).not.toContain('nothing real')
  })

  it('say that a check has passed, not that it changed something', () => {
    expect(tell(goodRun).some((one) => one.includes('prod-live     checked, as it should be (1m)'))).toBe(true)
  })

  it('tell progress of a step at most every ten seconds, and no message twice', async () => {
    const { lines, clock, renderer } = plain()
    ;[started, plannedRun, startedStep(0, 'cluster'), progress(1, 'creating'), progress(1, 'creating 2'), progress(1, 'creating 3')].forEach(renderer.listener)
    expect(lines().filter((one) => one.includes('creating'))).toHaveLength(1)
    await clock.pass(10_000)
    renderer.listener(progress(2, 'creating 4'))
    renderer.close()
    expect(lines().at(-1)).toMatch(/cluster +creating 4 \(2m\)$/)
  })

  it('say what is running when nothing else was said for ten seconds', async () => {
    const { lines, clock, renderer } = plain()
    ;[started, plannedRun, startedStep(0, 'cluster'), progress(0, 'being created')].forEach(renderer.listener)
    const before = lines().length
    await clock.pass(8_000)
    expect(lines()).toHaveLength(before)
    await clock.pass(2_000)
    renderer.close()
    expect(lines().slice(before)).toEqual(['12:40:09 +00:09 running: cluster 9s (being created)'])
  })

  it('call a step of an earlier life started again, and no attempt of it what has not failed', () => {
    const resumed = { ...started, t: at(60), resumed: true } as RunEvent
    const lines = tell([started, startedStep(0, 'cluster'), resumed, startedStep(61, 'cluster', 2), failure, startedStep(62, 'cluster', 3)])
    expect(lines.filter((one) => one.includes('started')).map((one) => one.replace(/^.*cluster +/, ''))).toEqual([
      'started (azure/aks-cluster)',
      'started again',
      'started again, attempt 2',
    ])
  })

  it('expect no end of a run that comes to a safe point', () => {
    const eta = event(2, { type: 'eta.updated', remainingMs: 600_000, atLeastMs: 0, finishAt: at(12) })
    const stopping = event(1, { type: 'run.stopping', signal: 'SIGINT' })
    expect(tell([started, eta]).at(-1)).toContain('expected to be done')
    expect(tell([started, stopping, eta]).join()).not.toContain('expected to be done')
  })

  it('are silent while a question is open, and after the end', async () => {
    const { lines, clock, renderer } = plain()
    const asked = event(0, { type: 'question.asked', step: 'ready-to-cut', question: { kind: 'gate', step: 'ready-to-cut', text: 'Cut?' } })
    ;[started, startedStep(0, 'cluster'), asked].forEach(renderer.listener)
    const before = lines().length
    await clock.pass(60_000)
    expect(lines()).toHaveLength(before)
    renderer.listener(event(1, { type: 'run.finished', outcome: 'interrupted', elapsedMs: 60_000, wallMs: 1 }))
    expect(clock.sleeping).toBe(0)
  })

  it('tell a failure with its code and its hint', () => {
    const lines = tell([started, failure])
    expect(lines.at(-2)).toMatch(/cluster +failed after 3m: no cores left in westus2 \[azure\.quota\]$/)
    expect(lines.at(-1)).toMatch(/Ask for more cores\.$/)
  })

  it('say harm right before it is done', () => {
    const changes = [{ resource: 'pool0', action: 'run', harm: 'live notebooks stop' }] as const
    const lines = tell([started, event(6, { type: 'step.intent', step: 'fence', changes })])
    expect(lines.at(-1)).toContain('harm: live notebooks stop')
  })

  it('say the expected end again only when it has moved', () => {
    const eta = (minutes: number, remaining: number): RunEvent =>
      event(minutes, { type: 'eta.updated', remainingMs: remaining * 60_000, atLeastMs: 0, finishAt: new Date(Date.parse(started.t) + (minutes + remaining) * 60_000).toISOString() })
    const lines = tell([started, eta(1, 40), eta(5, 36), eta(8, 36), eta(9, 50)]).filter((one) => one.includes('expected to be done'))
    expect(lines).toHaveLength(3)
    expect(lines[0]).toContain('13:21')
    expect(lines[2]).toContain('later than the objective of 45m')
    const known = event(1, { type: 'eta.updated', remainingMs: 1, atLeastMs: 0, finishAt: at(38), p90: { remainingMs: 2, atLeastMs: 0, finishAt: at(46) } })
    expect(tell([started, known]).join()).toContain('expected to be done at 13:18 (nine in ten by 13:26)')
    const late = event(22, { type: 'eta.updated', remainingMs: 300_000, atLeastMs: 300_000, finishAt: at(27) })
    expect(tell([started, plannedRun, startedStep(0, 'cluster'), late]).join()).toContain('expected to be done at 13:07 at the earliest, at least 5m to go')
  })

  it('say a skip and an end once, and of what', () => {
    const by = 'ada'
    const answered = event(1, { type: 'question.answered', step: 'cluster', kind: 'failure', answer: { choice: 'skip', by, reason: 'fine' } })
    const skipped = event(1, { type: 'step.skipped', step: 'cluster', by, reason: 'fine' })
    expect(tell([started, answered, skipped]).filter((one) => one.includes('skipped by ada: fine'))).toHaveLength(1)
    const undo = { ...started, mode: 'run', undoes: 'r0' } as RunEvent
    const ended = tell([undo, event(5, { type: 'run.finished', outcome: 'interrupted', elapsedMs: 300_000, wallMs: 300_000 })])
    expect(ended.filter((one) => one.includes('was interrupted'))).toEqual([expect.stringContaining('Undo of r0 was interrupted after 5m')])
  })

  it('leave details to --verbose', () => {
    const checkpoint = event(1, { type: 'step.checkpoint', step: 'cluster', what: { accepted: true } })
    expect(tell([started, checkpoint]).join('\n')).not.toContain('accepted')
    expect(tell([started, checkpoint], { verbose: true }).at(-1)).toContain('accepted: {"accepted":true}')
  })

  it('show what a command of the site has said', () => {
    const checkpoint = event(1, { type: 'step.checkpoint', step: 'cluster', what: { said: ['it went\u001b[2J to a', 'it goes to b'] } })
    expect(tell([started, checkpoint]).slice(-2).map((one) => one.slice(16))).toEqual(['cluster       said: it went to a', 'cluster       said: it goes to b'])
  })

  it('give each thing that is to be done by hand a line', () => {
    const question = { kind: 'manual', step: 'ready-to-cut', checklist: ['Call the dean.', 'Write the mail.'] } as const
    const lines = tell([started, event(1, { type: 'question.asked', step: 'ready-to-cut', question })], { quiet: true })
    expect(lines.slice(1).map((one) => one.slice(30))).toEqual(['to be done by hand:', '  - Call the dean.', '  - Write the mail.'])
  })

  it('say with --quiet only what must be said', () => {
    const lines = tell([...goodRun.slice(0, -1), failure, ...goodRun.slice(-1)], { quiet: true })
    expect(lines.map((one) => one.slice(16))).toEqual([
      's are GMT-8',
      'ready-to-cut  asks: Cut the old server?',
      'cluster       failed after 3m: no cores left in westus2 [azure.quota]',
      'cluster       Ask for more cores.',
      "Rehearsal of data100 succeeded: 35m from decision to the last check (prod-live), in the world's clock.",
    ])
  })

  it('let no control sequence of a message reach the terminal', () => {
    expect(tell([started, progress(1, 'a\u001b[2Jb\nc')]).at(-1)).toMatch(/ab c \(1m\)$/)
  })
})

describe('the event stream', () => {
  it('is one event a line, unchanged, the end last', () => {
    let text = ''
    const listener = jsonListener((more) => (text += more))
    goodRun.forEach(listener)
    const lines = text.trimEnd().split('\n')
    expect(lines.map((one) => JSON.parse(one) as unknown)).toEqual(goodRun)
    expect(lines.every((one) => one.startsWith('{"type":'))).toBe(true)
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ type: 'run.finished', outcome: 'succeeded' })
  })
})
