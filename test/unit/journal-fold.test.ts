import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change, ErrorFacts, PlannedStep } from '../../src/contract/index.js'
import { fold, type ChildFacts, type RunState, type StepState } from '../../src/journal/index.js'
import { anyRecords, owner, Records, run, started } from '../helpers/journal-samples.js'

const begun = (): Records => new Records().add('run.started', started)
const change = (resource: string, more: Partial<Change> = {}): Change => ({ resource, action: 'update', ...more })
const error: ErrorFacts = { code: 'azure.conflict', message: 'busy', blame: 'cloud', retryable: false }
const resumed = { owner: { ...owner, pid: 4300 }, realStartedAt: '2019-02-25T13:00:00.000Z', acceptedChanges: false }
const done = { step: 'disks', outputs: { count: 2 }, changes: 1, elapsedMs: 5000 }
const start = (attempt = 1): { step: string; uses: string; attempt: number } => ({ step: 'disks', uses: 'azure/attach-disks', attempt })

function disks(records: Records): StepState {
  const step = fold(records.list).steps.get('disks')
  if (step === undefined) throw new TypeError('no such step')
  return step
}

const finish = (outcome: 'succeeded' | 'declined' | 'failed' | 'interrupted'): RunState =>
  fold(begun().add('run.finished', { outcome, elapsedMs: 9000, wallMs: 300 }).list)

describe('the state of a run', () => {
  it('is running from its first record', () => {
    expect(fold(begun().list)).toMatchObject({
      run,
      status: 'running',
      mode: 'run',
      owner,
      confirmed: 'typed',
      startedAt: '2019-02-25T12:40:03.000Z',
      realStartedAt: '2019-02-25T12:40:03.000Z',
      lastSeq: 1,
      resumes: 0,
    })
  })

  it('is finished once it has succeeded', () => {
    expect(finish('succeeded')).toMatchObject({ status: 'finished', outcome: 'succeeded', finished: { elapsedMs: 9000, wallMs: 300 } })
  })

  it.each(['failed', 'interrupted', 'declined'] as const)('is only stopped, and can be resumed, when it ended as %s', (outcome) => {
    expect(finish(outcome)).toMatchObject({ status: 'stopped', outcome })
  })

  it('runs again after a resume, by its new owner, and forgets how it had ended', () => {
    const records = begun()
      .add('run.interrupted', { signal: 'SIGTERM' })
      .add('run.finished', { outcome: 'interrupted', elapsedMs: 9000, wallMs: 300 })
    expect(fold(records.list).interrupted).toBe('SIGTERM')
    const state = fold(records.add('run.resumed', { ...resumed, runbookText: 'name: data100 # new\n' }).list)
    expect(state).toMatchObject({ status: 'running', owner: { pid: 4300 }, resumes: 1 })
    expect(state.realStartedAt).toBe('2019-02-25T12:40:03.000Z')
    expect(state.realStarts).toEqual(['2019-02-25T12:40:03.000Z', '2019-02-25T13:00:00.000Z'])
    expect(state.runbook).toEqual({ ...started.runbook, text: 'name: data100 # new\n' })
    expect([state.outcome, state.finished, state.interrupted]).toEqual([undefined, undefined, undefined])
  })

  it('needs the record that starts the run, once and first', () => {
    expect(() => fold([])).toThrow(expect.objectContaining({ code: 'journal.empty' }))
    expect(() => fold(new Records().add('step.applied', { step: 'x' }).list)).toThrow(/^line 1 .* does not start the run/)
    expect(() => fold(begun().add('run.started', started).list)).toThrow(/^line 2 .* a second time/)
  })

  it('depends on the records alone and leaves them as they are', () => {
    fc.assert(
      fc.property(anyRecords, (tail) => {
        const records = [...begun().list, ...tail.map((record) => ({ ...record, seq: record.seq + 1 }))]
        const before = structuredClone(records)
        expect(fold(records)).toEqual(fold(structuredClone(records)))
        expect(records).toEqual(before)
        expect(fold(records).lastSeq).toBe(records.length)
      }),
    )
  })

  it('folds a hundred thousand records', () => {
    const records = begun()
    for (let index = 0; records.list.length < 100_000; index += 1) {
      const step = `step-${index % 40}`
      records.add('step.started', { step, uses: 'x', attempt: index }).add('step.intent', { step, changes: [change(step)] })
      records.add('step.checkpoint', { step, what: index }).add('step.verified', { ...done, step })
    }
    expect(fold(records.list).steps.size).toBe(40)
  })
})

describe('the state of a step', () => {
  it('goes from started over intent and applied to verified', () => {
    const records = begun().add('step.started', start())
    expect(disks(records)).toMatchObject({ status: 'started', open: false, attempt: 1 })
    records.add('step.intent', { step: 'disks', changes: [change('a')] })
    expect(disks(records)).toMatchObject({ status: 'intent', open: true, changes: [change('a')] })
    records.add('step.checkpoint', { step: 'disks', what: 'accepted' }).add('step.applied', { step: 'disks' })
    expect(disks(records)).toMatchObject({ status: 'applied', open: true, checkpoints: ['accepted'] })
    expect(disks(records.add('step.verified', done))).toMatchObject({
      status: 'verified',
      open: false,
      outputs: { count: 2 },
      startedAt: '2019-02-25T12:40:04.000Z',
      endedAt: '2019-02-25T12:40:08.000Z',
    })
  })

  it('keeps an open intent through a new start: what was begun is not forgotten', () => {
    const records = begun().add('step.started', start()).add('step.intent', { step: 'disks', changes: [change('a')] })
    records.add('run.resumed', resumed).add('step.started', start(2))
    expect(disks(records)).toMatchObject({ status: 'intent', open: true, attempt: 2 })
  })

  it('has an open intent after a failure too, until it is verified', () => {
    const records = begun().add('step.started', start()).add('step.intent', { step: 'disks', changes: [change('a')] })
    records.add('step.failed', { step: 'disks', error, elapsedMs: 1 })
    expect(disks(records)).toMatchObject({ status: 'failed', open: true, error })
    records.add('step.started', start(2))
    expect(disks(records)).toMatchObject({ status: 'started', open: true })
    expect(disks(records).error).toBeUndefined()
    expect(disks(records).endedAt).toBeUndefined()
  })

  it('keeps for undo what the first intent for each resource saw', () => {
    const first = [change('a', { before: 1 }), change('a', { action: 'run' }), change('b', { before: 2 })]
    const second = [change('b', { before: 'half' }), change('c', { before: 3 })]
    const records = begun().add('step.started', start()).add('step.intent', { step: 'disks', changes: first })
    records.add('step.checkpoint', { step: 'disks', what: 'old' }).add('step.intent', { step: 'disks', changes: second })
    expect(disks(records).firstChanges).toEqual([...first, change('c', { before: 3 })])
    expect(disks(records)).toMatchObject({ changes: second, checkpoints: [] })
  })

  it('keeps outputs and times while what is verified is looked at again', () => {
    const records = begun().add('step.started', start()).add('step.verified', done)
    const { startedAt, endedAt } = disks(records)
    records.add('run.resumed', resumed).add('step.started', start(2))
    expect(disks(records)).toMatchObject({ status: 'started', outputs: { count: 2 }, startedAt, endedAt })
    expect(disks(records.add('step.verified', { ...done, changes: 0 }))).toMatchObject({ status: 'verified', startedAt, endedAt })
  })

  it('ends later if it had to be changed again', () => {
    const records = begun().add('step.started', start()).add('step.verified', done).add('step.started', start(2))
    records.add('step.intent', { step: 'disks', changes: [change('a')] })
    expect(disks(records).endedAt).toBeUndefined()
    expect(disks(records.add('step.verified', done)).endedAt).toBe('2019-02-25T12:40:08.000Z')
  })

  it('says who skipped it and why', () => {
    const records = begun().add('step.skipped', { step: 'disks', reason: 'no hub', by: 'ann' })
    expect(disks(records)).toMatchObject({ status: 'skipped', skipped: { reason: 'no hub', by: 'ann' } })
  })

  it('lists the children that no record says have ended', () => {
    const child = (pid: number): ChildFacts => ({ pid, started: `boot-1/${pid}`, host: 'laptop', command: 'helm', survivor: 'end' })
    const records = begun()
    for (const pid of [7, 8, 9]) records.add('child.started', { step: 'disks', child: child(pid) })
    expect(disks(records)).toMatchObject({ status: 'waiting', attempt: 0 })
    records.add('child.ended', { step: 'disks', pid: 7, exitCode: 0, signal: null })
    records.add('survivor.handled', { step: 'disks', pid: 9, command: 'helm', how: 'ended' })
    expect(disks(records).children).toEqual([child(8)])
    records.add('child.started', { step: 'disks', child: child(10), at: '2019-02-25T12:40:00.000Z' })
    expect(disks(records).programs, 'older journals do not say when').toEqual([{ command: 'helm', at: '2019-02-25T12:40:00.000Z' }])
  })
})

it('makes no step of a child of another run, nor of what older journals say of one', () => {
  const records = begun().add('survivor.handled', { pid: 7, command: 'helm', how: 'ended' }).add('survivor.handled', { step: 'unknown', pid: 8, command: 'helm', how: 'gone' })
  expect([...fold(records.list).steps.keys()]).toEqual([])
})

describe('what the operator was shown', () => {
  const planned = (changes: readonly Change[]): PlannedStep => ({
    id: 'disks', uses: 'x', needs: [], state: 'absent', changes, irreversible: {}, estimateMs: 0, startMs: 0,
  })
  const plan = (changes: readonly Change[]) =>
    ({ firstHarm: null, pointOfNoReturn: null, criticalPath: [], totalMs: 0, steps: [planned(changes)] }) as const
  const shown = (records: Records): unknown => fold(records.list).shown.get('disks')
  const surprise = { kind: 'surprise', step: 'disks', shown: [change('a')], now: [change('a', { after: 2 }), change('b')] } as const

  it('is the last plan', () => {
    const records = begun().add('run.planned', plan([change('a')])).add('run.planned', plan([change('b')]))
    expect(shown(records)).toEqual([change('b')])
    expect(fold(records.list).planned).toEqual(plan([change('b')]))
  })

  it('is also a surprise that was agreed to, in place of what it differs from', () => {
    const records = begun().add('run.planned', plan([change('a', { after: 1 }), change('z')]))
    records.add('question.asked', { step: 'disks', question: surprise })
    expect(shown(records)).toEqual([change('a', { after: 1 }), change('z')])
    records.add('question.answered', { step: 'disks', kind: 'surprise', answer: { choice: 'go', by: 'ann' } })
    expect(shown(records)).toEqual([change('z'), ...surprise.now])
  })

  it('is no surprise that was refused, or that the crash left unanswered', () => {
    const records = begun().add('run.planned', plan([change('a')])).add('question.asked', { step: 'disks', question: surprise })
    records.add('run.resumed', resumed)
    records.add('question.answered', { step: 'disks', kind: 'surprise', answer: { choice: 'go', by: 'ann' } })
    records.add('question.asked', { step: 'disks', question: surprise })
    records.add('question.answered', { step: 'disks', kind: 'surprise', answer: { choice: 'stop', by: 'ann' } })
    expect(shown(records)).toEqual([change('a')])
  })
})

describe('answers', () => {
  it('are kept for gates and manual steps, through a resume, the last one counting', () => {
    const records = begun().add('question.answered', { step: 'go-live', kind: 'gate', answer: { choice: 'stop', by: 'ann' } })
    records.add('question.answered', { step: 'go-live', kind: 'gate', answer: { choice: 'go', by: '--yes' } })
    records.add('question.answered', { step: 'tell', kind: 'manual', answer: { choice: 'done', by: 'ann' } })
    records.add('question.answered', { step: 'disks', kind: 'failure', answer: { choice: 'retry', by: 'ann' } })
    expect([...fold(records.add('run.resumed', resumed).list).answers]).toEqual([
      ['go-live', { choice: 'go', by: '--yes' }],
      ['tell', { choice: 'done', by: 'ann' }],
    ])
  })
})

describe('an alternative that was chosen', () => {
  const alternative = { id: 'across', offer: 'they stay', changes: [change('disk c')] }
  const failure = { kind: 'failure', step: 'disks', error: { ...error, alternative } } as const
  const offered = (): Records =>
    begun()
      .add('run.planned', {
        firstHarm: null,
        pointOfNoReturn: null,
        criticalPath: [],
        totalMs: 0,
        steps: [{ id: 'disks', uses: 'u', needs: [], state: 'absent', changes: [change('disk a')], irreversible: {}, estimateMs: 0, startMs: 0 }],
      })
      .add('step.started', start())
      .add('step.failed', { step: 'disks', error: failure.error, elapsedMs: 1 })
      .add('question.asked', { step: 'disks', question: failure })

  it('is known from then on, its changes beside those that had been shown', () => {
    const answer = { choice: 'accept', by: 'ann', alternative: 'across' } as const
    const state = fold(offered().add('question.answered', { step: 'disks', kind: 'failure', answer }).add('run.resumed', resumed).list)
    expect([...(state.accepted.get('disks') ?? [])]).toEqual(['across'])
    expect(state.shown.get('disks')?.map(({ resource }) => resource)).toEqual(['disk a', 'disk c'])
  })

  it('is none where the operator answered otherwise, or the one who asked is gone', () => {
    const stop = { choice: 'stop', by: 'ann' } as const
    expect(fold(offered().add('question.answered', { step: 'disks', kind: 'failure', answer: stop }).list).accepted.size).toBe(0)
    expect(fold(offered().add('run.resumed', resumed).list).accepted.size).toBe(0)
  })
})
