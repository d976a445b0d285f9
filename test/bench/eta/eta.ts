import type { Change, PlannedStep } from '../../../src/contract/index.js'
import type * as Engine from '../../../src/engine/index.js'
import { built } from '../built.js'
import { atMost, median, type Benchmark, type Result } from '../result.js'
import { recorded, type Recording } from './recording.js'

const { Forecast, History } = await built<typeof Engine>('engine/index.js')

const parts = [0, 0.25, 0.5, 0.75] as const

/** The plan as far as a forecast reads it. */
function plannedIn({ steps }: Recording): readonly PlannedStep[] {
  return steps.map(({ id, uses, needs, estimateMs, changes }) => {
    const change: Change = { resource: id, action: 'create', after: {} }
    return { id, uses, needs, state: 'absent', changes: changes === 0 ? [] : [change], irreversible: {}, estimateMs, startMs: 0 }
  })
}

/** How far the expected end is off, as a part of the whole, at so much of the way through a rehearsal. */
function errorAt(part: number, rehearsal: Recording, history: Engine.History): number {
  const forecast = new Forecast(plannedIn(rehearsal), history)
  const { totalMs, steps } = rehearsal
  const nowMs = totalMs * part
  for (const { id, startedMs, endedMs } of steps) {
    if (startedMs <= nowMs) forecast.started(id, startedMs)
    if (endedMs <= nowMs) forecast.done(id)
  }
  return Math.abs(nowMs + forecast.remaining(nowMs).p50.remainingMs - totalMs) / totalMs
}

/**
 * Error of the expected end in replays of ten rehearsals of data100 (`record.ts`), each with the other nine for its history, and with
 * none.
 */
export const eta: Benchmark = {
  name: 'eta',
  measure(say) {
    const rehearsals = recorded()
    const past = rehearsals.map(({ seed, steps }) => {
      const changing = steps.filter(({ changes }) => changes > 0)
      return { run: String(seed), runbook: 'data100', steps: new Map(changing.map(({ id, uses, elapsedMs }) => [id, { uses, elapsedMs }])) }
    })
    say(`${rehearsals.length} rehearsals`)
    const errors = (part: number, of: (index: number) => Engine.History): number[] =>
      rehearsals.map((rehearsal, index) => 100 * errorAt(part, rehearsal, of(index)))
    const results = parts.map((part): Result => {
      const known = errors(part, (index) => new History('data100', past.filter((_, other) => other !== index)))
      const unknown = errors(part, () => new History('data100', []))
      const at = `${100 * part}%`
      say(`at ${at}: off by ${median(known).toFixed(1)} % (at worst ${Math.max(...known).toFixed(1)} %), by estimates alone ${median(unknown).toFixed(1)} %`)
      // Half-way is what is promised; the beginning has more to be wrong about.
      return atMost(`eta.${at}`, median(known), part < 0.5 ? 25 : 10, '% of the whole')
    })
    return Promise.resolve(results)
  },
}
