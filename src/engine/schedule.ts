import type { PlanFacts, PlannedStep } from '../contract/index.js'

interface Weighted {
  readonly id: string
  readonly needs: readonly string[]
}

export interface Schedule {
  readonly startMs: ReadonlyMap<string, number>
  /** Ids along the longest path, first to last. */
  readonly criticalPath: readonly string[]
  readonly totalMs: number
}

/** The longest path through a graph in topological order, each node weighing `weightMs`. */
export function scheduleOf(nodes: readonly Weighted[], weightMs: (id: string) => number): Schedule {
  const startMs = new Map<string, number>()
  const endMs = new Map<string, number>()
  const before = new Map<string, string>()
  for (const { id, needs } of nodes) {
    const last = latest(needs, endMs)
    if (last !== undefined) before.set(id, last)
    const start = last === undefined ? 0 : (endMs.get(last) ?? 0)
    startMs.set(id, start)
    endMs.set(id, start + weightMs(id))
  }
  const end = latest([...endMs.keys()], endMs)
  const criticalPath: string[] = []
  for (let at = end; at !== undefined; at = before.get(at)) criticalPath.unshift(at)
  return { startMs, criticalPath, totalMs: end === undefined ? 0 : (endMs.get(end) ?? 0) }
}

function latest(ids: readonly string[], endMs: ReadonlyMap<string, number>): string | undefined {
  let found: string | undefined
  for (const id of ids) {
    if (found === undefined || (endMs.get(id) ?? 0) > (endMs.get(found) ?? 0)) found = id
  }
  return found
}

/** Fills in expected starts and says where the plan would hurt (design §1: first harm, point of no return). */
export function factsOf(steps: readonly Omit<PlannedStep, 'startMs'>[]): { steps: PlannedStep[]; facts: PlanFacts } {
  const weights = new Map(steps.map((step) => [step.id, step.changes.length === 0 ? 0 : step.estimateMs]))
  const { startMs, criticalPath, totalMs } = scheduleOf(steps, (id) => weights.get(id) ?? 0)
  const placed = steps.map((step) => ({ ...step, startMs: startMs.get(step.id) ?? 0 }))
  const byStart = [...placed].sort((a, b) => a.startMs - b.startMs)
  return {
    steps: placed,
    facts: {
      firstHarm: byStart.find((step) => step.changes.some((change) => change.harm !== undefined))?.id ?? null,
      pointOfNoReturn: byStart.find((step) => Object.keys(step.irreversible).length > 0)?.id ?? null,
      criticalPath,
      totalMs,
    },
  }
}
