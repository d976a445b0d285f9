import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { formatDuration, LocalTimes } from '../../src/render/times.js'
import { runsLines, statusLines, type StatusInput } from '../../src/render/status-view.js'
import { summaryLines } from '../../src/render/summary.js'
import { widthOf } from '../../src/render/text.js'
import { at, cloud, event, goodRun, plannedRun, started, startedStep, verified, viewAfter } from '../helpers/render-samples.js'

const times = new LocalTimes('UTC')
const incident = [
  { what: 'cluster ready', step: 'cluster', afterMs: 20 * 60_000 },
  { what: 'students can connect', step: 'prod-live', afterMs: 128 * 60_000 },
]
const summary = (events: readonly RunEvent[]): string => summaryLines({ view: viewAfter(events), times, incident }, undefined, 150).join('\n')

const error = { code: 'azure.quota', message: 'no cores left', hint: 'Ask for more cores.', blame: 'user', retryable: false } as const
const failedRun: readonly RunEvent[] = [
  started,
  plannedRun,
  startedStep(0, 'cluster'),
  startedStep(0, 'server'),
  verified(5, 'server', 5),
  event(6, { type: 'step.failed', step: 'cluster', error, elapsedMs: 360_000 }),
  event(6, { type: 'run.finished', outcome: 'failed', elapsedMs: 360_000, wallMs: 12_000, next: 'lifeboat resume r1' }),
]

describe('the summary', () => {
  it('tells the time from decision to the last check, in the clock of the world', () => {
    expect(summary(goodRun)).toContain("Rehearsal of data100 succeeded: 35m from decision to the last check (prod-live), in the world's clock.")
    expect(summary(goodRun)).toContain('It took 1m10s of real time. Nothing real was touched.')
    expect(summary(goodRun)).toContain('The objective of 45m is met with 10m to spare.')
  })

  it('calls the clock of a real failover real time, and never says that nothing real was touched', () => {
    const real = goodRun.map((one) => {
      if (one.type === 'run.finished') return { ...one, wallMs: one.elapsedMs }
      return one.type === 'run.started' ? { ...one, mode: 'run' as const } : one
    })
    expect(summary(real)).toContain('in real time.')
    expect(summary(real)).not.toContain('Nothing real')
  })

  it('does not call a clock real that runs faster than the wall', () => {
    const fast = goodRun.map((one) => (one.type === 'run.started' ? { ...one, mode: 'run' as const } : one))
    expect(summary(fast)).toContain("in the cloud's clock.")
    expect(summary(fast)).toContain('It took 1m10s of real time.')
  })

  it('shows the critical path and the times of that day beside those of the run', () => {
    expect(summary(goodRun)).toContain('Critical path: cluster 20m → prod 14m → prod-live 1m.')
    expect(summary(goodRun)).toContain("The world's own operations along the longest path take 34m.")
    expect(summary(goodRun)).toContain(
      ['  after the decision    that day  rehearsed', '  cluster ready         20m       20m', '  students can connect  2h08m     35m'].join('\n'),
    )
  })

  it('of a run that was gone on with tells the time at work, and names the gap', () => {
    const later = (event: RunEvent): RunEvent => ({ ...event, t: new Date(Date.parse(event.t) + 5 * 3_600_000).toISOString() })
    const resumed = { ...started, resumed: true } as RunEvent
    const [first, rest] = [goodRun.slice(0, -4), goodRun.slice(-4)]
    const over = { ...(rest.at(-1) as RunEvent), elapsedMs: 335 * 60_000 } as RunEvent
    const lives = [...first, ...[resumed, startedStep(20, 'prod', 2), ...rest.slice(0, -1), over].map(later)]
    expect(first.at(-1)).toMatchObject({ type: 'step.started', step: 'prod' })
    expect(summary(lives)).toContain('succeeded: 5h35m from decision to the last check')
    expect(summary(lives)).toContain('4h40m of it lie between its lives, from the last word of one to the start of the next.')
    expect(summary(lives)).toContain('Critical path: cluster 20m → prod 14m → prod-live 1m.')
    expect(summary(goodRun)).not.toContain('its lives')
  })

  it('says what the checks saw: certificates, and that any was taken', () => {
    expect(summary(goodRun)).toContain('  - data100.example shows a certificate of Fake CA, valid for 90 days (tls: any)')
  })

  it('of a failure says what failed, what to do, how far it came and the command that goes on', () => {
    expect(summary(failedRun)).toBe(
      [
        "Rehearsal of data100 failed after 6m, in the world's clock.",
        'It took 12s of real time. Nothing real was touched.',
        '',
        'cluster failed: no cores left [azure.quota]',
        'Ask for more cores.',
        '1 of 5 steps are verified.',
        '',
        'To go on:',
        '  lifeboat resume r1',
      ].join('\n'),
    )
  })

  it('says of a run that succeeded with a skipped step that it was skipped', () => {
    const skipped = event(34, { type: 'step.skipped', step: 'prod-live', reason: 'looked myself', by: 'ada' })
    expect(summary([...goodRun.slice(0, -1), skipped, ...goodRun.slice(-1)])).toContain('prod-live was skipped: looked myself')
  })

  it('of a resume that was stopped at once says what earlier lives have begun', () => {
    const resumed = { ...started, t: at(60), resumed: true } as RunEvent
    const stopped = event(61, { type: 'run.finished', outcome: 'interrupted', elapsedMs: 61 * 60_000, wallMs: 1 })
    const left = [started, plannedRun, startedStep(0, 'cluster'), resumed]
    expect(summary([...left, stopped])).toContain('0 of 5 steps are verified.\nBegun and not finished: cluster.')
  })

  it('of a resume that was stopped names what still works for it, and what of another run', () => {
    const child = { type: 'survivor.found', command: 'helm upgrade', survivor: 'await' } as const
    const stopped = event(61, { type: 'run.finished', outcome: 'interrupted', elapsedMs: 61 * 60_000, wallMs: 1 })
    const waiting = event(1, { type: 'step.waiting', step: 'server', on: ['cluster'] })
    const said = summary([started, plannedRun, waiting, event(60, { ...child, step: 'cluster', pid: 9538 }), event(60, { ...child, pid: 77 }), stopped])
    expect(said).toContain('Begun and not finished: cluster (pid 9538 is still at work).\nOf another run pid 77 is still at work.')
  })

  it('of a run that did not succeed counts what was skipped besides what is verified', () => {
    const skipped = event(5, { type: 'step.skipped', step: 'fence', reason: 'no need', by: 'ada' })
    expect(summary([...failedRun.slice(0, -1), skipped, ...failedRun.slice(-1)])).toContain('1 of 5 steps are verified, 1 skipped.')
  })

  it('gives the command for each other way that a step offers', () => {
    const choices = [{ step: 'cluster', alternative: 'other', offer: 'make it elsewhere', command: 'lifeboat resume r1 --accept cluster=other' }]
    const events = failedRun.map((one) => (one.type === 'run.finished' ? { ...one, choices } : one))
    const lines = summaryLines({ view: viewAfter(events), times })
    expect(lines.slice(-3)).toEqual(['  lifeboat resume r1', 'Or, as cluster offers: make it elsewhere', '  lifeboat resume r1 --accept cluster=other'])
  })

  it('gives the command that puts back, of a run that was declined', () => {
    const back = 'lifeboat undo r1'
    const events = failedRun.map((one) => (one.type === 'run.finished' ? { ...one, outcome: 'declined' as const, back } : one))
    const lines = summaryLines({ view: viewAfter(events), times })
    expect(lines.slice(-4)).toEqual(['To go on:', '  lifeboat resume r1', 'Or to put back what it has changed, as far as that can be:', '  lifeboat undo r1'])
    expect(statusLines({ ...status, condition: 'declined', back }, times).slice(-2)).toEqual(['next    lifeboat resume r1', 'back    lifeboat undo r1'])
  })

  it('never cuts the command that goes on', () => {
    const next = `lifeboat resume r1 --state-dir ${'/long'.repeat(20)}`
    const events = failedRun.map((one) => (one.type === 'run.finished' ? { ...one, next } : one))
    expect(summaryLines({ view: viewAfter(events), times }, undefined, 40)).toContain(`  ${next}`)
  })
})

const status: StatusInput = {
  run: 'r1',
  runbook: 'data100',
  mode: 'run',
  condition: 'failed',
  startedAt: '2019-02-25T20:40:00Z',
  stepsDone: 3,
  stepsTotal: 17,
  cloud,
  elapsedMs: 360_000,
  objectiveMs: 2_700_000,
  owner: { user: 'ada', host: 'laptop', pid: 42 },
  running: [{ id: 'server', elapsedMs: 60_000 }],
  failed: [{ id: 'cluster', error }],
  asking: 'Cut the old server?',
  skipped: ['network'],
  journal: '/state/r1.ndjson',
  next: 'lifeboat resume r1',
}

describe('status', () => {
  it('says where a run stands', () => {
    expect(statusLines(status, times)).toEqual([
      'data100  run r1  failed; it can be resumed',
      'failover on data100, subscription 11111111-2222-3333-4444-555555555555 (https://127.0.0.1:4000)',
      "started 2019-02-25 20:40:00 UTC, 6m of the run's clock, objective 45m",
      'steps   3 of 17 done, skipped: network',
      'by      ada on laptop',
      'open    server',
      'asks    Cut the old server?',
      'failed  cluster: no cores left [azure.quota]',
      'journal /state/r1.ndjson',
      'next    lifeboat resume r1',
    ])
  })

  it('says of one that nobody is at work on how far it came, and how much of the objective is gone by now', () => {
    const stopped = { ...status, condition: 'stopped', elapsedMs: 95_000, byNowMs: 126_000, objectiveMs: 180_000 } as const
    expect(statusLines(stopped, times)[2]).toBe("started 2019-02-25 20:40:00 UTC, last word at 1m35s of the run's clock, 2m06s by now, objective 3m")
    expect(statusLines(stopped, times, undefined, { columns: 80 })[2]).toBe('begun 2019-02-25 20:40 UTC, last word at 1m35s, 2m06s by now, objective 3m')
  })

  it('loses no word where there is room, and breaks nothing that is to be copied', () => {
    const long = { ...error, message: `the quota of cores is used up ${'and so on '.repeat(15)}` }
    const [journal, next] = [`/state${'/deep'.repeat(20)}`, `lifeboat resume r1 --state-dir /state${'/deep'.repeat(20)}`]
    const asking = 'is the old server really down, and has nobody started it again since you have looked at it for the last time?'
    const lines = statusLines({ ...status, failed: [{ id: 'cluster', error: long }], asking, journal, next }, times, undefined, { columns: 80, rows: 24 })
    const prose = lines.slice(0, -2)
    expect(Math.max(...prose.map(widthOf))).toBeLessThanOrEqual(80)
    expect(prose.join(' ').replaceAll(/\s+/g, ' ')).toContain(long.message.trim())
    expect(prose.join(' ').replaceAll(/\s+/g, ' ')).toContain(asking)
    expect(lines.slice(-2)).toEqual([`journal ${journal}`, `next    ${next}`])
    // In few rows a failure gives way to what must be seen.
    const small = statusLines({ ...status, failed: [{ id: 'cluster', error: long }], asking, journal, next }, times, undefined, { columns: 80, rows: 15 })
    expect(small.find((text) => text.startsWith('failed'))).toMatch(/^failed {2}cluster: .*…$/)
  })

  it('says what takes too long, when the end is expected, and which run is newer', () => {
    const live = { ...status, condition: 'running', running: [{ id: 'server', elapsedMs: 840_000, stall: 'usually 6m' }], finishAt: '2019-02-25T21:10:00Z', leftMs: 1_440_000, newer: 'r2' } as const
    const lines = statusLines(live, times)
    expect(lines).toContain('now     server 14m (usually 6m)')
    expect(lines).toContain("started 2019-02-25 20:40:00 UTC, 6m of the run's clock, 24m to go (done about 21:10 of it), objective 45m")
    expect(statusLines({ ...live, isLeast: true }, times)[2]).toContain(', at least 24m to go (not before 21:10 of it), objective 45m')
    expect(lines).toContain('newer   r2 has begun since; a resume without a name means that one')
  })

  it('says of a step at work what it waits for, as far as a line goes', () => {
    const message = 'cluster data100-19s-2 is being created by Azure, as it has been for a while'
    const [server, cluster] = [{ id: 'server', elapsedMs: 28_000 }, { id: 'cluster', elapsedMs: 60_000, message }] as const
    const now = (columns: number, ...running: StatusInput['running']): readonly string[] =>
      statusLines({ ...status, condition: 'running', running }, times, undefined, { columns }).filter((text) => /^now /.test(text))
    expect(now(160, server, cluster)).toEqual([`now     server 28s; cluster 1m: ${message}`])
    expect(now(80, cluster)).toEqual(['now     cluster 1m: cluster data100-19s-2 is being created by Azure, as it has …'])
    expect(now(30, server, cluster)).toEqual(['now     server 28s; cluster 1m'])
    const children = [{ pid: 77, host: 'laptop', life: 'alive' }] as const
    expect(now(80, { ...server, message: 'running sh', children })).toEqual(['now     server 28s: running sh (pid 77)'])
    const waits = ['waits for helm upgrade of another run']
    expect(statusLines({ ...status, condition: 'running', running: [], waits }, times)).toContain('now     waits for helm upgrade of another run')
  })

  it('says who is at work, who is not any more, and what goes on without them', () => {
    const owner = (life: NonNullable<StatusInput['owner']>['life'], condition: StatusInput['condition'] = 'stopped'): string | undefined => {
      const given = { user: 'ada', host: 'laptop', pid: 42, silentMs: 120_000, ...(life === undefined ? {} : { life }) }
      return statusLines({ ...status, condition, owner: given }, times).find((text) => /^(owner|by) /.test(text))
    }
    expect(owner('alive', 'running')).toBe('owner   ada on laptop, pid 42')
    expect(owner('doubtful', 'running')).toBe('owner   ada on laptop, pid 42; not heard of for 2m')
    expect(owner('silent', 'running')).toBe('owner   ada on laptop, pid 42; silent for 2m: its process is suspended or stuck')
    expect(owner('dead')).toBe('owner   ada on laptop, pid 42; that process is gone')
    expect(owner('unlocked')).toBe('owner   ada on laptop, pid 42; it holds the lock of this run no more')
    expect(owner(undefined, 'failed')).toBe('by      ada on laptop')
    const children = [{ pid: 77, host: 'laptop', life: 'alive' }, { pid: 78, host: 'vm', life: 'unknown' }] as const
    const left = statusLines({ ...status, condition: 'stopped', running: [{ id: 'rack', elapsedMs: 1, children }] }, times)
    expect(left).toContain('open    rack (pid 77 on laptop is still at work, pid 78 on vm may be still at work)')
  })

  it('keeps to ten rows of 80 columns where nothing that is to be copied is longer', () => {
    const run = '20190225-204000-data100-abcd'
    const long = { run, condition: 'running', finishAt: '2019-02-25T21:10:00Z', leftMs: 1_440_000, newer: 'r2', owner: { user: 'ada', host: 'laptop', pid: 42, life: 'alive' } } as const
    const running = [{ id: 'server', elapsedMs: 840_000, stall: 'usually 6m', message: 'a long message that would not fit a line of this window at all' }]
    const { next: _next, ...rest } = status
    const lines = statusLines({ ...rest, ...long, running }, times, undefined, { columns: 80, rows: 24 })
    expect(lines).toHaveLength(10)
    expect(lines.slice(0, 3)).toEqual([
      `data100  run ${run}  running`,
      'failover on data100, subscription 11111111-2222-3333-4444-555555555555',
      'begun 2019-02-25 20:40 UTC, 6m of its clock, 24m to go, objective 45m',
    ])
    const longest = { ...rest, runbook: 'data100-attach-first', run: '20190225-204000-data100-attach-first-abcd', condition: 'declined' } as const
    expect(statusLines(longest, times, undefined, { columns: 80 })[0]).toBe('run 20190225-204000-data100-attach-first-abcd  declined by the operator')
  })

  it.each([2, 5, 30])('takes ten lines at most with %d failed steps', (many) => {
    const failed = Array.from({ length: many }, (_, index) => ({ id: `step${index}`, error }))
    const lines = statusLines({ ...status, failed }, times)
    expect(lines.length).toBeLessThanOrEqual(10)
    expect(lines.join('\n')).toMatch(new RegExp(`failed {2}step0 \\(and ${many - 1} more steps?\\): `))
    expect(lines.at(-1)).toBe('next    lifeboat resume r1')
  })
})

describe('the list of runs', () => {
  it('has one line a run, in columns', () => {
    const rows = [status, { ...status, run: 'r-longer', condition: 'succeeded', mode: 'rehearsal' } as const]
    const lines = runsLines(rows, times)
    expect(lines).toEqual([
      'run       state      steps  mode       started (UTC)     runbook',
      'r1        failed     3/17   run        2019-02-25 20:40  data100',
      'r-longer  succeeded  3/17   rehearsal  2019-02-25 20:40  data100',
    ])
    expect(runsLines(rows, times, undefined, 30)[1]).toBe('r1        failed     3/17')
    expect(Math.max(...runsLines(rows, times, undefined, 12).map(widthOf))).toBe(12)
  })

  it('shows in 80 columns how each run stands, an undo and what it undoes among them', () => {
    const [run, undo] = ['20190225-204000-data100-abcd', '20190225-224000-data100-efgh']
    const undone = { ...status, run, condition: 'interrupted', undoneBy: undo, isUndone: true } as const
    const rows = [{ ...status, run: undo, undoes: run, condition: 'succeeded', mode: 'rehearsal' }, undone] as const
    expect(runsLines(rows, times, undefined, 80)).toEqual([
      'run                           state                steps  mode',
      `${undo}  succeeded            3/17   undo (rehearsal)`,
      `${run}  interrupted, undone  3/17   run`,
    ])
    expect(runsLines([{ ...undone, isUndone: false }], times, undefined, 80)[1]).toContain('interrupted, undo begun')
    expect(runsLines(rows, times, undefined, 160)[1]).toMatch(/20:40 +data100 +20190225-204000-data100-abcd$/)
  })

  it('says what to do when there is none', () => {
  })
})

it('durations of the incident stay exact from an hour on', () => {
  expect(formatDuration(128 * 60_000)).toBe('2h08m')
})
