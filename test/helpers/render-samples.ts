import type { Clock, PlannedStep, RunEvent } from '../../src/contract/index.js'
import { foldEvent, emptyView, type RunView } from '../../src/render/run-view.js'
import { LocalTimes } from '../../src/render/times.js'

export const decidedAt = '2019-02-25T20:40:00.000Z'

/** `minutes` after the decision, RFC 3339. */
export function at(minutes: number): string {
  return new Date(Date.parse(decidedAt) + minutes * 60_000).toISOString()
}

type Without<E> = E extends RunEvent ? Omit<E, 't' | 'run'> : never

/** An event of the sample run, `minutes` after the decision. */
export function event(minutes: number, facts: Without<RunEvent>): RunEvent {
  return { ...facts, t: at(minutes), run: 'r1' }
}

export const cloud = {
  name: 'data100',
  resourceManager: 'https://127.0.0.1:4000',
  subscription: '11111111-2222-3333-4444-555555555555',
}

export const graph = [
  { id: 'cluster', uses: 'azure/aks-cluster', needs: [] },
  { id: 'server', uses: 'azure/nfs-vm', needs: [] },
  { id: 'ready-to-cut', uses: 'gate', needs: ['server'] },
  { id: 'fence', uses: 'nfs/fence', needs: ['ready-to-cut'] },
  { id: 'prod', uses: 'helm/release', needs: ['cluster', 'fence'] },
  { id: 'prod-live', uses: 'http/check', needs: ['prod'] },
] as const

/** A step of a plan: one creation of ten minutes, unless told otherwise. */
export function planned(id: string, facts: Partial<PlannedStep> = {}): PlannedStep {
  const { uses, needs } = graph.find((step) => step.id === id) ?? { uses: 'azure/network', needs: [] }
  return {
    id,
    uses,
    needs,
    state: 'absent',
    changes: [{ resource: id, action: 'create', after: { name: id } }],
    irreversible: {},
    estimateMs: 600_000,
    startMs: 0,
    ...facts,
  }
}

export const started = event(0, {
  type: 'run.started',
  runbook: 'data100',
  mode: 'rehearsal',
  resumed: false,
  cloud,
  objectiveMs: 2_700_000,
  steps: graph,
})

export const plannedRun = event(0, {
  type: 'run.planned',
  firstHarm: 'fence',
  pointOfNoReturn: null,
  criticalPath: ['cluster', 'prod'],
  totalMs: 2_040_000,
  steps: [
    planned('cluster', { estimateMs: 1_200_000 }),
    planned('server'),
    planned('ready-to-cut', { state: 'gate', changes: [], estimateMs: 0 }),
    planned('fence', { changes: [{ resource: 'pool0', action: 'run', harm: 'live notebooks on data100 stop' }] }),
    planned('prod', { state: 'assumed', estimateMs: 840_000 }),
    planned('prod-live', { state: 'check', changes: [], estimateMs: 0 }),
  ],
})

export function verified(minutes: number, step: string, elapsedMinutes: number, changes = 1): RunEvent {
  return event(minutes, { type: 'step.verified', step, outputs: {}, changes, elapsedMs: elapsedMinutes * 60_000 })
}

export function startedStep(minutes: number, step: string, attempt = 1): RunEvent {
  return event(minutes, { type: 'step.started', step, uses: graph.find(({ id }) => id === step)?.uses ?? 'x', attempt })
}

/** The whole sample run, as it should go. */
export const goodRun: readonly RunEvent[] = [
  event(0, { type: 'stream.opened', version: 1, tool: 'lifeboat 0.1.0' }),
  started,
  plannedRun,
  startedStep(0, 'cluster'),
  startedStep(0, 'server'),
  verified(5, 'server', 5),
  event(5, { type: 'question.asked', step: 'ready-to-cut', question: { kind: 'gate', step: 'ready-to-cut', text: 'Cut the old server?' } }),
  event(6, { type: 'question.answered', step: 'ready-to-cut', kind: 'gate', answer: { choice: 'go', by: 'ada' } }),
  startedStep(6, 'fence'),
  verified(7, 'fence', 1),
  verified(20, 'cluster', 20),
  startedStep(20, 'prod'),
  verified(34, 'prod', 14),
  startedStep(34, 'prod-live'),
  verified(35, 'prod-live', 1, 0),
  event(35, {
    type: 'run.finished',
    outcome: 'succeeded',
    elapsedMs: 35 * 60_000,
    wallMs: 70_000,
    criticalPathMs: 34 * 60_000,
    remarks: ['data100.example shows a certificate of Fake CA, valid for 90 days (tls: any)'],
  }),
]

/** Three minutes into the sample run. */
export const layout = { columns: 80, rows: 24, nowMs: Date.parse(at(3)), times: new LocalTimes('America/Los_Angeles') }
export const running: readonly RunEvent[] = [
  started,
  plannedRun,
  startedStep(0, 'cluster'),
  startedStep(0, 'server'),
  event(2, { type: 'step.progress', step: 'cluster', message: 'cluster data100-19s-2 is being created', elapsedMs: 120_000 }),
  event(2, { type: 'eta.updated', remainingMs: 36 * 60_000, atLeastMs: 0, finishAt: at(38) }),
]

export function viewAfter(events: readonly RunEvent[]): RunView {
  return events.reduce(foldEvent, emptyView())
}

/** A clock that stands still until it is moved; sleeps end when it has been moved far enough. Run and real time are one. */
export class HandClock implements Clock {
  #nowMs = Date.parse(decidedAt)
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>()

  now(): Date {
    return new Date(this.#nowMs)
  }

  realNow(): Date {
    return new Date(this.#nowMs)
  }

  toReal(ms: number): number {
    return ms
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason as Error)
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper = { untilMs: this.#nowMs + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  sleepReal(ms: number, signal?: AbortSignal): Promise<void> {
    return this.sleep(ms, signal)
  }

  /** How many are asleep: 0 once everything that ticks has been stopped. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** Moves on, waking sleepers in order, each at its own time. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.untilMs - b.untilMs)[0]
      if (next === undefined || next.untilMs > endMs) break
      this.#nowMs = Math.max(this.#nowMs, next.untilMs)
      this.#sleepers.delete(next)
      next.wake()
      // Lets whoever woke run until it sleeps again.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
    }
    this.#nowMs = endMs
  }
}
