import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { onSite } from '../../src/cli/gameday/on-site.js'
import { scenarioSchema, Timeline, type Fault } from '../../src/gameday/index.js'

const minute = 60_000

/** Faults of a scenario as its file would have them; what they do is no matter here. */
function faultsAt(...whens: readonly object[]): readonly Fault[] {
  const faults = whens.map((when, index) => ({ id: `f${index + 1}`, when, do: { laptop: 'dies' } }))
  const file = { apiVersion: 'lifeboat/gameday/v1', name: 'x', reason: 'x', runbook: 'x', hypothesis: 'x', faults, expect: { outcome: 'succeeded' } }
  return scenarioSchema.parse(file).faults
}

function played(...whens: readonly object[]) {
  let nowMs = 0
  const due: { readonly atMs: number; readonly action: () => void }[] = []
  const inflicted: string[] = []
  const timeline = new Timeline(faultsAt(...whens), {
    nowMs: () => nowMs,
    later: (ms, action) => void due.push({ atMs: nowMs + ms, action }),
    inflict: ({ id }, struck) => {
      inflicted.push(`${id} at ${nowMs / minute}m`)
      struck('all')
    },
  })
  const pass = (minutes: number): void => {
    nowMs += minutes * minute
    for (const one of due.filter(({ atMs }) => atMs <= nowMs)) {
      due.splice(due.indexOf(one), 1)
      one.action()
    }
  }
  timeline.begin()
  return { timeline, inflicted, pass }
}

const of = (type: RunEvent['type'], step: string): RunEvent => ({ type, step, t: '2019-02-25T19:34:00.000Z', run: 'r', changes: [] }) as unknown as RunEvent

describe('a timeline', () => {
  it('begins with the first command', () => {
    const { inflicted, pass } = played({ after: '12m' })
    pass(11)
    expect(inflicted).toEqual([])
    pass(1)
    expect(inflicted).toEqual(['f1 at 12m'])
  })

  it('waits for what becomes of a step, and for so long after it', () => {
    const { timeline, inflicted, pass } = played({ step: 'move', is: 'applying' }, { step: 'move', is: 'verified', after: '2m' })
    timeline.event(of('step.intent', 'detach'))
    timeline.event(of('step.intent', 'move'))
    expect(inflicted).toEqual(['f1 at 0m'])
    timeline.event(of('step.verified', 'move'))
    pass(2)
    expect(inflicted).toEqual(['f1 at 0m', 'f2 at 2m'])
  })

  it('takes a part of a step for so much of the time that the plan expects of it', () => {
    const { timeline, inflicted, pass } = played({ step: 'prod', at: '50%' })
    const planned = { type: 'run.planned', steps: [{ id: 'prod', estimateMs: 8 * minute }] }
    timeline.event(planned as unknown as RunEvent)
    timeline.event(of('step.intent', 'prod'))
    pass(3)
    expect(inflicted).toEqual([])
    pass(1)
    expect(inflicted).toEqual(['f1 at 4m'])
  })

  it('counts requests and operations', () => {
    const { timeline, inflicted } = played({ call: 'PUT managedClusters', nth: 2 }, { operation: 'attach' })
    const path = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedclusters/c'
    timeline.request('PUT', path)
    timeline.request('GET', path)
    timeline.operation('detach')
    expect(inflicted).toEqual([])
    timeline.request('PUT', path)
    timeline.operation('attach')
    expect(inflicted).toEqual(['f1 at 0m', 'f2 at 0m'])
  })

  it('lets a fault follow another', () => {
    const { timeline, inflicted, pass } = played({ step: 'fence', is: 'failed' }, { fault: 'f1', after: '5m' })
    pass(5)
    timeline.event(of('step.failed', 'fence'))
    pass(5)
    expect(inflicted).toEqual(['f1 at 5m', 'f2 at 10m'])
  })

  it.each([
    ['at its moment', (): void => { throw new RangeError('no such file') }],
    ['after it', (broke: (error: unknown) => void): void => broke(new RangeError('no such file'))],
  ])('tells of a fault that breaks %s, and goes on with the others: nobody else would catch that', (_when, inflict) => {
    const timeline = new Timeline(faultsAt({ after: '0s' }, { fault: 'f1' }), {
      nowMs: () => 0,
      later: () => undefined,
      inflict: ({ id }, struck, broke) => (id === 'f1' ? inflict(broke) : struck('all')),
    })
    timeline.begin()
    expect(timeline.records.map(({ wrong, struck }) => [wrong, struck.length])).toEqual([['it could not be played: no such file', 0], [undefined, 1]])
  })

  it('is told when what somebody else does at Azure breaks', async () => {
    const manager = { asSomebodyElse: async () => Promise.reject(new RangeError('no such place')) }
    const parts = { world: { spec: { subscription: 's' } }, manager } as unknown as Parameters<typeof onSite>[1]
    const broken = await new Promise((broke) => {
      const does = { kind: 'somebody', with: { does: 'PUT /resourceGroups/g', body: {} } } as const
      onSite(does, parts, new Set(), { struck: () => undefined, elsewhere: () => undefined, orSaid: () => undefined, broke })
    })
    expect(broken).toMatchObject({ message: 'no such place' })
  })

  it('inflicts each fault once, and says of those whose moment never came that it did not', () => {
    const { timeline, inflicted } = played({ step: 'fence', is: 'retrying' }, { step: 'import', is: 'failed' })
    timeline.event(of('step.retrying', 'fence'))
    timeline.event(of('step.retrying', 'fence'))
    expect(inflicted).toEqual(['f1 at 0m'])
    expect(timeline.records.map(({ inflictedMs, struck }) => [inflictedMs, struck.length])).toEqual([[0, 1], [undefined, 0]])
  })
})
