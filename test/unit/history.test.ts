import { appendFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { PlannedStep } from '../../src/contract/index.js'
import { Forecast } from '../../src/engine/forecast.js'
import { History, percentile } from '../../src/engine/history.js'
import { pastRuns, StateFolder, type RecordData, type RunKind } from '../../src/journal/index.js'
import { started, ticking } from '../helpers/journal-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

const minute = 60_000
const sim = { pid: 1, started: 'x', control: 'https://127.0.0.1:1/_world', world: 'sha256:aa', speed: 30 }
const rehearsal = { mode: 'rehearsal', sim } as const
const kindOf = (more: Partial<RecordData['run.started']> = {}): RunKind => ({ ...started, ...more })

interface Past {
  readonly start?: Partial<RecordData['run.started']>
  /** Minutes that each step took. */
  readonly steps: Readonly<Record<string, number>>
  readonly outcome?: 'succeeded' | 'failed'
  readonly asked?: string
}

let count = 0

/** Puts a run that is over into a state folder. */
async function ran(state: StateFolder, { start = {}, steps, outcome = 'succeeded', asked }: Past): Promise<string> {
  const run = `20190225-12${String((count += 1)).padStart(4, '0')}-data100-aaaa`
  const journal = await state.create(run, ticking())
  await journal.append('run.started', { ...started, ...start })
  for (const [step, minutes] of Object.entries(steps)) {
    await journal.append('step.started', { step, uses: `test/${step.replace(/\d/g, '')}`, attempt: 1 })
    if (asked === step) await journal.append('question.asked', { step, question: { kind: 'gate', step, text: '?' } })
    await journal.append('step.verified', { step, outputs: {}, changes: 1, elapsedMs: minutes * minute })
  }
  await journal.append('run.finished', { outcome, elapsedMs: 1, wallMs: 1 })
  await journal.close()
  return run
}

const minutesOf = async (state: StateFolder, kind: RunKind): Promise<(number | undefined)[]> =>
  (await pastRuns(state, kind)).map(({ steps }) => (steps.get('cluster')?.elapsedMs ?? NaN) / minute)

describe('what earlier runs took', () => {
  it('is told of runs of the same cloud, newest first, and never by a rehearsal', async () => {
    const state = new StateFolder(tempFolder())
    await ran(state, { steps: { cluster: 8 } })
    await ran(state, { start: rehearsal, steps: { cluster: 1 } })
    await ran(state, { start: { cloud: { ...started.cloud, subscription: 'sub-2' } }, steps: { cluster: 2 } })
    await ran(state, { start: { undoes: 'r' }, steps: { cluster: 3 } })
    await ran(state, { steps: { cluster: 9 } })
    expect(await minutesOf(state, kindOf())).toEqual([9, 8])
    expect(await minutesOf(state, kindOf({ undoes: 'x' }))).toEqual([3])
  })

  it('is told of a rehearsal by those in the same world at the same speed, wherever it was served', async () => {
    const state = new StateFolder(tempFolder())
    await ran(state, { steps: { cluster: 8 } })
    await ran(state, { start: { ...rehearsal, cloud: { ...started.cloud, resourceManager: 'https://127.0.0.1:4711' } }, steps: { cluster: 1 } })
    await ran(state, { start: { mode: 'rehearsal', sim: { ...sim, speed: 300 } }, steps: { cluster: 2 } })
    await ran(state, { start: { mode: 'rehearsal', sim: { ...sim, world: 'sha256:bb' } }, steps: { cluster: 3 } })
    expect(await minutesOf(state, kindOf(rehearsal))).toEqual([1])
  })

  it('leaves out runs that failed, steps that somebody was asked about, and journals that cannot be read', async () => {
    const state = new StateFolder(tempFolder())
    await ran(state, { steps: { cluster: 8 }, outcome: 'failed' })
    await ran(state, { steps: { cluster: 99, nfs: 3 }, asked: 'cluster' })
    const torn = await ran(state, { steps: { cluster: 7 } })
    appendFileSync(state.paths(torn).journal, '{"v":1,"seq":9,"type":"run.finished"')
    writeFileSync(state.paths(await ran(state, { steps: { cluster: 6 } })).journal, 'no journal\n')
    expect(await minutesOf(state, kindOf())).toEqual([7, NaN])
  })

  it('leaves out a step that more than one life was at: the last of them tells of its own part alone', async () => {
    const state = new StateFolder(tempFolder())
    const run = '20190225-130000-data100-aaaa'
    const journal = await state.create(run, ticking())
    const begins = (step: string): Promise<unknown> => journal.append('step.started', { step, uses: `test/${step}`, attempt: 1 })
    const verified = (step: string, minutes: number, changes = 1): Promise<unknown> => {
      return journal.append('step.verified', { step, outputs: {}, changes, elapsedMs: minutes * minute })
    }
    await journal.append('run.started', started)
    await begins('nfs')
    await verified('nfs', 5)
    await begins('cluster')
    await journal.append('run.resumed', { owner: started.owner, realStartedAt: started.realStartedAt, acceptedChanges: false })
    for (const step of ['nfs', 'cluster']) await begins(step)
    await verified('nfs', 0, 0)
    await verified('cluster', 1)
    await journal.append('run.finished', { outcome: 'succeeded', elapsedMs: 1, wallMs: 1 })
    await journal.close()
    const [past] = await pastRuns(state, kindOf())
    expect([...(past?.steps ?? [])].map(([step, { elapsedMs }]) => [step, elapsedMs / minute])).toEqual([['nfs', 5]])
  })

  it('reads no more than the newest twenty, and nothing where there is nothing', async () => {
    const state = new StateFolder(tempFolder())
    expect(await pastRuns(state, kindOf())).toEqual([])
    for (let n = 1; n <= 22; n += 1) await ran(state, { steps: { cluster: n } })
    const minutes = await minutesOf(state, kindOf())
    expect([minutes.length, minutes[0], minutes.at(-1)]).toEqual([20, 22, 3])
  })
})

const past = (steps: Readonly<Record<string, number>>, runbook = 'data100') => ({
  run: 'r',
  runbook,
  steps: new Map(Object.entries(steps).map(([id, minutes]) => [id, { uses: `test/${id}`, elapsedMs: minutes * minute }])),
})
const planned = (id: string, needs: string[], minutes: number): PlannedStep => ({
  ...{ id, uses: `test/${id}`, needs, state: 'absent', irreversible: {}, startMs: 0 },
  changes: [{ resource: id, action: 'create' }],
  estimateMs: minutes * minute,
})

describe('the history of a step', () => {
  it('is that of the same step, else of its module, with median and ninth tenth', () => {
    const history = new History('data100', [past({ cluster: 6 }), past({ cluster: 8 }), past({ cluster: 30 }, 'other')])
    expect(history.usual({ id: 'cluster', uses: 'test/cluster' })).toEqual({ p50Ms: 7 * minute, p90Ms: 7.8 * minute, runs: 2 })
    expect(history.usual({ id: 'second', uses: 'test/cluster' })).toEqual({ p50Ms: 8 * minute, p90Ms: 25.6 * minute, runs: 3 })
    expect(history.usual({ id: 'cluster', uses: 'test/changed' })).toBeUndefined()
  })

  it('has percentiles between the values that there are', () => {
    expect([percentile([5], 0.9), percentile([1, 2, 3, 4], 0.5), percentile([10, 0], 0.9)]).toEqual([5, 3, 9])
  })
})

describe('the expected end', () => {
  const steps = [planned('cluster', [], 20), planned('nfs', [], 5), planned('hub', ['cluster', 'nfs'], 10)]

  it('goes by the estimates of the plan, without a second figure, while nothing is known', () => {
    const forecast = new Forecast(steps, new History('data100', []))
    expect(forecast.remaining(0)).toEqual({ p50: { remainingMs: 30 * minute, atLeastMs: 30 * minute } })
  })

  it('goes by whole courses once they are known: what was slow together is not added up with what was slow apart', () => {
    const forecast = new Forecast(steps, new History('data100', [past({ cluster: 10, nfs: 1, hub: 4 }), past({ cluster: 6, nfs: 1, hub: 8 })]))
    const left = (nowMs: number): (number | undefined)[] => {
      const { p50, p90 } = forecast.remaining(nowMs)
      return [p50.remainingMs, p90?.remainingMs]
    }
    expect(left(0)).toEqual([14 * minute, 14 * minute])
    forecast.started('cluster', 0)
    forecast.done('nfs')
    expect(left(2 * minute)).toEqual([12 * minute, 12 * minute])
    forecast.done('cluster')
    expect(left(8 * minute)).toEqual([6 * minute, 7.6 * minute])
  })

  it('takes the plan for what a course does not know, and nothing for what makes no change', () => {
    const unchanged = { ...planned('nfs', [], 90), changes: [] }
    const forecast = new Forecast([steps[0] as PlannedStep, unchanged, steps[2] as PlannedStep], new History('data100', [past({ cluster: 10, nfs: 50 })]))
    expect(forecast.remaining(0).p50.remainingMs).toBe(20 * minute)
  })

  it('knows what is left at any later moment: all that has not started, and of what runs nothing', () => {
    const forecast = new Forecast(steps, new History('data100', []))
    forecast.started('cluster', 0)
    forecast.started('nfs', 0)
    expect(forecast.remaining(0).p50).toEqual({ remainingMs: 30 * minute, atLeastMs: 10 * minute })
    forecast.done('nfs')
    forecast.done('cluster')
    expect(forecast.remaining(25 * minute).p50).toEqual({ remainingMs: 10 * minute, atLeastMs: 10 * minute })
  })
})
