import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlannedStep } from '../../src/contract/index.js'
import type * as Engine from '../../src/engine/index.js'
import type * as RunbookRoom from '../../src/runbook/index.js'
import type * as Steps from '../../src/steps/registry.js'
import { root } from '../helpers/cli.js'
import { built } from './built.js'
import { atMost, median, type Benchmark, type Result } from './result.js'
import { seeded } from '../helpers/virtual-time.js'

const { Forecast, History, scheduleOf } = await built<typeof Engine>('engine/index.js')
const { parseRunbook } = await built<typeof RunbookRoom>('runbook/index.js')
const { registry } = await built<typeof Steps>('steps/registry.js')

const rehearsals = 10
const parts = [0, 0.25, 0.5, 0.75] as const

/** How far the durations of one step lie apart (standard deviation of their logarithm), and whole days from each other. */
const spread = { step: 0.2, day: 0.07 } as const

/** Normally distributed, mean 0 and deviation 1 (Box and Muller, 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

type Course = ReadonlyMap<string, number>

/** data100 as its modules estimate it. What the steps really take is theirs alone: half as long as that, or twice. */
function data100(): { steps: PlannedStep[]; usual: Course } {
  const path = join(root, 'runbooks/data100.yaml')
  const { runbook } = parseRunbook(readFileSync(path, 'utf8'), path, registry)
  if (runbook === undefined) throw new Error('runbooks/data100.yaml cannot be read')
  const random = seeded(1)
  const usual = new Map<string, number>()
  const steps = runbook.nodes.map((node): PlannedStep => {
    const isStep = node.kind === 'step'
    const estimateMs = isStep ? 60_000 * (1 + 8 * random()) : 0
    usual.set(node.id, estimateMs * 2 ** (2 * random() - 1))
    const changes = isStep && registry.get(node.uses)?.check !== true ? [{ resource: node.id, action: 'create' as const }] : []
    const uses = isStep ? node.uses : node.kind
    return { id: node.id, uses, needs: node.needs, state: 'absent', changes, irreversible: {}, estimateMs, startMs: 0 }
  })
  return { steps, usual }
}

function courseOf(seed: number, steps: readonly PlannedStep[], usual: Course): Course {
  const random = seeded(seed)
  const day = Math.exp(spread.day * normal(random))
  const drawn = (id: string): number => (usual.get(id) ?? 0) * day * Math.exp(spread.step * normal(random))
  return new Map(steps.map(({ id, changes }) => [id, changes.length === 0 ? 0 : drawn(id)]))
}

/** How far the expected end is off, as a part of the whole, at so much of the way through a course. */
function errorAt(part: number, steps: readonly PlannedStep[], course: Course, history: Engine.History): number {
  const forecast = new Forecast(steps, history)
  const { startMs, totalMs } = scheduleOf(steps, (id) => course.get(id) ?? 0)
  const nowMs = totalMs * part
  for (const { id } of steps) {
    const start = startMs.get(id) ?? 0
    if (start + (course.get(id) ?? 0) <= nowMs) forecast.done(id)
    else if (start <= nowMs) forecast.started(id, start)
  }
  return Math.abs(nowMs + forecast.remaining(nowMs).p50Ms - totalMs) / totalMs
}

/**
 * Error of the expected end in replays of ten seeded rehearsals of data100's graph, each with the other nine for its history, and
 * with none. Their durations are drawn: a world's own are the same each time, and would flatter any forecast.
 */
export const eta: Benchmark = {
  name: 'eta',
  measure(say) {
    const { steps, usual } = data100()
    const courses = Array.from({ length: rehearsals }, (_, index) => courseOf(index + 2, steps, usual))
    const changing = steps.filter(({ changes }) => changes.length > 0)
    const asPast = (course: Course, index: number) => ({
      run: String(index),
      runbook: 'data100',
      steps: new Map(changing.map(({ id, uses }) => [id, { uses, elapsedMs: course.get(id) ?? 0 }])),
    })
    const past = courses.map(asPast)
    const errors = (part: number, of: (index: number) => Engine.History): number[] =>
      courses.map((course, index) => 100 * errorAt(part, steps, course, of(index)))
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
