import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { viewOf } from '../../src/render/live-view.js'
import { actualCriticalPath, isBegun } from '../../src/render/run-view.js'
import { LocalTimes } from '../../src/render/times.js'
import { at, event, goodRun, graph, started, startedStep, verified, viewAfter } from '../helpers/render-samples.js'

function phaseOf(events: Parameters<typeof viewAfter>[0], step: string): string | undefined {
  return viewAfter(events).steps.get(step)?.phase
}

describe('the view of a run', () => {
  it('follows a step from pending to verified', () => {
    const events = [started, startedStep(1, 'cluster'), verified(20, 'cluster', 19, 3)]
    expect([1, 2, 3].map((many) => phaseOf(events.slice(0, many), 'cluster'))).toEqual(['pending', 'running', 'verified'])
    expect(viewAfter(events).steps.get('cluster')).toMatchObject({ changes: 3, endedMs: Date.parse(at(20)) })
  })

  it('forgets an error once the step is tried again', () => {
    const error = { code: 'azure.conflict', message: 'busy', blame: 'cloud', retryable: true } as const
    const failed = [started, startedStep(1, 'cluster'), event(2, { type: 'step.failed', step: 'cluster', error, elapsedMs: 60_000 })]
    expect(viewAfter(failed).steps.get('cluster')).toMatchObject({ phase: 'failed', error })
    expect(viewAfter([...failed, startedStep(3, 'cluster', 2)]).steps.get('cluster')).not.toHaveProperty('error')
  })

  it('takes a passed gate for done and a declined one for not done', () => {
    const asked = event(5, { type: 'question.asked', step: 'ready-to-cut', question: { kind: 'gate', step: 'ready-to-cut', text: '?' } })
    const answer = (choice: 'go' | 'stop') =>
      event(6, { type: 'question.answered', step: 'ready-to-cut', kind: 'gate', answer: { choice, by: 'ada' } })
    expect(phaseOf([started, asked], 'ready-to-cut')).toBe('asking')
    expect(phaseOf([started, asked, answer('go')], 'ready-to-cut')).toBe('verified')
    expect(phaseOf([started, asked, answer('stop')], 'ready-to-cut')).toBe('pending')
    expect(viewAfter([started, asked, answer('go')])).not.toHaveProperty('question')
  })

  it('keeps the first time of a step that a resume verified again, and claims no changes for the look', () => {
    const resumed = [started, startedStep(1, 'cluster'), verified(20, 'cluster', 19, 2), startedStep(40, 'cluster', 2), verified(41, 'cluster', 1, 0)]
    expect(viewAfter(resumed).steps.get('cluster')).toMatchObject({ endedMs: Date.parse(at(20)), changes: 0 })
  })

  it('counts no time between two lives for a step that the first one left open', () => {
    const resumed = { ...started, t: at(60), resumed: true } as typeof started
    const left = [started, startedStep(1, 'cluster'), resumed]
    expect([phaseOf(left.slice(0, 2), 'cluster'), phaseOf(left, 'cluster')]).toEqual(['running', 'pending'])
    expect(viewAfter([...left, startedStep(61, 'cluster', 2)]).steps.get('cluster')).toMatchObject({ phase: 'running', sinceMs: Date.parse(at(61)) })
    const verifiedBefore = [started, startedStep(1, 'cluster'), verified(20, 'cluster', 19, 2), resumed, startedStep(61, 'cluster', 2)]
    expect(viewAfter(verifiedBefore).steps.get('cluster')).toMatchObject({ sinceMs: Date.parse(at(61)), endedMs: Date.parse(at(20)) })
  })

  it('counts as time at a step what its lives were at it, and knows what lies between them', () => {
    const error = { code: 'azure.conflict', message: 'busy', blame: 'cloud', retryable: true } as const
    const again = (minutes: number): RunEvent => ({ ...started, t: at(minutes), resumed: true }) as RunEvent
    const lives = [
      ...[started, startedStep(1, 'cluster'), startedStep(1, 'server'), startedStep(1, 'fence')],
      event(2, { type: 'step.failed', step: 'fence', error, elapsedMs: 60_000 }),
      verified(4, 'server', 3),
      event(5, { type: 'run.interrupted', signal: 'SIGINT' }),
      ...[again(60), startedStep(61, 'cluster', 2), startedStep(61, 'server', 2), startedStep(61, 'fence', 2), verified(61, 'server', 0, 0)],
      event(62, { type: 'step.checkpoint', step: 'cluster', what: 1 }),
      ...[again(100), startedStep(101, 'cluster', 3), startedStep(101, 'fence', 3), verified(103, 'cluster', 2), verified(104, 'fence', 3)],
    ]
    const view = viewAfter(lives)
    const minutes = (ms = NaN): number => ms / 60_000
    expect(['cluster', 'server', 'fence'].map((id) => minutes(view.steps.get(id)?.workedMs))).toEqual([4 + 1 + 2, 3, 1 + 1 + 3])
    expect(minutes(view.betweenMs)).toBe(55 + 38)
    // Told once more, to somebody who has come late, it is no other gap.
    expect(minutes(viewAfter([...lives, again(100)]).betweenMs)).toBe(55 + 38)
  })

  it('counts as attempts what has failed, and not the lives of the run', () => {
    const error = { code: 'azure.conflict', message: 'busy', blame: 'cloud', retryable: true } as const
    const resumed = { ...started, t: at(60), resumed: true } as typeof started
    const done = [started, startedStep(1, 'cluster'), verified(20, 'cluster', 19, 2), startedStep(1, 'server'), resumed, startedStep(61, 'cluster', 2), startedStep(61, 'server', 2)]
    const failed = event(62, { type: 'step.failed', step: 'server', error, elapsedMs: 60_000 })
    const shown = (events: readonly RunEvent[]): string[] => viewOf(viewAfter(events), { columns: 80, rows: 24, nowMs: Date.parse(at(65)), times: new LocalTimes('UTC') })
    expect(shown(done).slice(0, 2)).toEqual(['● cluster       4m      looking again', '● server        4m      looking again'])
    expect(shown([...done, failed, startedStep(62, 'server', 3)])[1]).toBe('● server        4m      attempt 2, looking')
  })

  it('remembers what earlier lives have begun until this one comes to it', () => {
    const again = (minutes: number): RunEvent => ({ ...started, t: at(minutes), resumed: true }) as RunEvent
    const begun = (...events: readonly RunEvent[]): readonly string[] => [...viewAfter([started, startedStep(1, 'cluster'), ...events]).steps.values()].filter(isBegun).map(({ id }) => id)
    expect(begun(again(60))).toEqual(['cluster'])
    expect(begun(again(60), again(61))).toEqual(['cluster'])
    expect(begun(again(60), startedStep(61, 'cluster', 2), verified(62, 'cluster', 1), again(70))).toEqual([])
    // The course that goes on leaves it out: there is nothing to be come to.
    expect(begun({ ...again(60), steps: graph.slice(1) } as RunEvent)).toEqual([])
    expect(begun(again(60), startedStep(61, 'cluster', 2), event(62, { type: 'step.waiting', step: 'server', on: ['cluster'] }))).toEqual(['cluster'])
  })

  it('takes the end of a step that was skipped, and made after all, from when it was made', () => {
    const skipped = event(5, { type: 'step.skipped', step: 'cluster', reason: 'not ours', by: 'ada' })
    const made = [started, startedStep(1, 'cluster'), skipped, startedStep(9, 'cluster', 2), verified(20, 'cluster', 11, 2)]
    expect(viewAfter(made).steps.get('cluster')).toMatchObject({ phase: 'verified', startedMs: Date.parse(at(1)), endedMs: Date.parse(at(20)) })
  })

  it('says of a step what of an earlier life is waited for, until that is handled', () => {
    const found = event(60, { type: 'survivor.found', step: 'cluster', command: 'helm upgrade', pid: 7, survivor: 'await' })
    const handled = event(61, { type: 'survivor.handled', step: 'cluster', command: 'helm upgrade', pid: 7, how: 'awaited' })
    expect(viewAfter([started, found]).steps.get('cluster')).toMatchObject({ phase: 'waiting', message: 'waits for helm upgrade of an earlier life' })
    expect(phaseOf([started, found, handled], 'cluster')).toBe('pending')
  })

  it('says of several survivors all that are still waited for, of a step and of another run', () => {
    const found = (pid: number, step?: string): RunEvent => {
      const facts = { type: 'survivor.found', command: `helm ${pid}`, pid, survivor: 'await' } as const
      return event(60, step === undefined ? facts : { ...facts, step })
    }
    const handled = (pid: number, step?: string): RunEvent => {
      const facts = { type: 'survivor.handled', command: `helm ${pid}`, pid, how: 'awaited' } as const
      return event(61, step === undefined ? facts : { ...facts, step })
    }
    const said = (...events: RunEvent[]): (string | undefined)[] => {
      const view = viewAfter([started, ...events])
      return [view.awaited.map(({ said: what }) => what).join('; '), view.steps.get('cluster')?.message]
    }
    const all = [found(1), found(2), found(3, 'cluster'), found(4, 'cluster')]
    const life = 'of an earlier life'
    expect(said(...all)).toEqual(['waits for helm 1 of another run; waits for helm 2 of another run', `waits for helm 3 ${life}; waits for helm 4 ${life}`])
    expect(said(...all, handled(1), handled(4, 'cluster'))).toEqual(['waits for helm 2 of another run', `waits for helm 3 ${life}`])
    const over = [...all, handled(1), handled(2), handled(3, 'cluster'), handled(4, 'cluster')]
    expect(said(...over)).toEqual(['', undefined])
    expect(phaseOf([started, ...over], 'cluster')).toBe('pending')
  })

  it('says what of another run is waited for, and makes no step of it', () => {
    const child = { command: 'helm upgrade', pid: 7 }
    const found = event(1, { type: 'survivor.found', ...child, survivor: 'await' })
    const handled = event(2, { type: 'survivor.handled', ...child, how: 'awaited' })
    const old = event(2, { type: 'survivor.handled', step: 'unknown', ...child, how: 'awaited' })
    const view = viewAfter([started, found])
    expect(viewOf(view, { columns: 80, rows: 24, nowMs: Date.parse(at(1)), times: new LocalTimes('UTC') })[0]).toBe('◦ waits for helm upgrade of another run')
    expect(viewAfter([started, found, handled]).awaited).toEqual([])
    expect([...viewAfter([started, found, handled, old]).steps.keys()]).toEqual(graph.map(({ id }) => id))
  })

  it('keeps what a life has done when its beginning is told once more to somebody who has come late', () => {
    const resumed = { ...started, t: at(60), resumed: true } as typeof started
    const life = [started, startedStep(1, 'cluster'), resumed, startedStep(61, 'cluster', 2)]
    expect(phaseOf([...life, resumed], 'cluster')).toBe('running')
  })

  it('leaves no question of an earlier life standing in the next one', () => {
    const asked = event(5, { type: 'question.asked', step: 'ready-to-cut', question: { kind: 'gate', step: 'ready-to-cut', text: '?' } })
    const queued = event(5, { type: 'question.waiting', step: 'server', kind: 'failure' })
    const view = viewAfter([started, asked, queued, { ...started, t: at(60), resumed: true } as typeof started])
    expect([view.question, view.waiting]).toEqual([undefined, []])
  })

  it('takes no question for one that is still to come which stands already', () => {
    const asked = event(5, { type: 'question.asked', step: 'server', question: { kind: 'gate', step: 'server', text: '?' } })
    expect(viewAfter([started, asked, event(5, { type: 'question.waiting', step: 'server', kind: 'failure' })]).waiting).toEqual([])
  })

  it('learns from the end when a resumed run had begun', () => {
    const resumed = event(60, { type: 'run.finished', outcome: 'succeeded', elapsedMs: 50 * 60_000, wallMs: 1 })
    expect(viewAfter([resumed]).startedMs).toBe(Date.parse(at(10)))
  })

  it('does not count the time before the start', () => {
    const notice = event(-3, { type: 'notice', level: 'info', message: 'took over' })
    expect(viewAfter([notice, started]).startedMs).toBe(Date.parse(at(0)))
  })

  it('finds the path that decided when the run was over', () => {
    expect(actualCriticalPath(viewAfter(goodRun))).toEqual(['cluster', 'prod', 'prod-live'])
  })

  it('finds it whole where the course that was gone on with leaves out what is over', () => {
    const rest = graph.slice(3)
    const course = rest.map((step) => ({ ...step, needs: step.needs.filter((need) => rest.some(({ id }) => id === need)) }))
    const resumed = { ...started, t: at(20), resumed: true, steps: course } as RunEvent
    const before = goodRun.findIndex((one) => one.type === 'step.started' && one.step === 'prod')
    const view = viewAfter([...goodRun.slice(0, before), resumed, ...goodRun.slice(before)])
    expect(actualCriticalPath(view)).toEqual(['cluster', 'prod', 'prod-live'])
    // What is not over, and nobody will come to, is not waited for.
    const left = viewAfter([started, startedStep(1, 'cluster'), resumed])
    expect(left.steps.get('prod')?.needs).toEqual(['fence'])
  })
})
