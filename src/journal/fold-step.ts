import type { Change, Json } from '../contract/index.js'
import type { ChildFacts, JournalRecord } from './records.js'
import type { StepState } from './state.js'

type StepRecord = Extract<JournalRecord, { data: { readonly step?: string } }>
/** Questions change the run's state, not the step's. */
type OwnRecord = Exclude<StepRecord, { type: 'question.asked' | 'question.answered' }>

/** One step's part of the fold. */
export class StepFold {
  readonly #step: { -readonly [K in keyof Omit<StepState, 'firstChanges' | 'checkpoints' | 'children' | 'programs'>]: StepState[K] }
  readonly #firstChanges: Change[] = []
  #checkpoints: Json[] = []
  #children: readonly ChildFacts[] = []
  readonly #programs: StepState['programs'][number][] = []

  constructor(t: string) {
    this.#step = { status: 'waiting', open: false, attempt: 0, changes: [], startedAt: t }
  }

  state(): StepState {
    return {
      ...this.#step,
      firstChanges: [...this.#firstChanges],
      checkpoints: [...this.#checkpoints],
      children: this.#children,
      programs: [...this.#programs],
    }
  }

  add({ type, t, data }: OwnRecord): void {
    const step = this.#step
    switch (type) {
      case 'step.started':
        this.#started(data.attempt, t)
        return
      case 'step.intent':
        this.#intent(data.changes, t)
        return
      case 'step.checkpoint':
        this.#checkpoints.push(data.what)
        return
      case 'step.applied':
        step.status = 'applied'
        return
      case 'step.verified':
        step.status = 'verified'
        step.open = false
        step.outputs = data.outputs
        step.endedAt ??= t
        return
      case 'step.failed':
        step.status = 'failed'
        step.error = data.error
        step.endedAt = t
        return
      case 'step.skipped':
        step.status = 'skipped'
        step.skipped = { reason: data.reason, by: data.by }
        step.endedAt = t
        return
      case 'step.retrying':
        return
      case 'child.started':
        this.#children = [...this.#children, data.child]
        if (data.at !== undefined) this.#programs.push({ command: data.child.command, at: data.at })
        return
      case 'child.ended':
      case 'survivor.handled':
        this.#children = this.#children.filter(({ pid }) => pid !== data.pid)
    }
  }

  #started(attempt: number, t: string): void {
    const step = this.#step
    if (step.attempt === 0) step.startedAt = t
    step.attempt = attempt
    if (step.status === 'failed' || step.status === 'skipped') delete step.endedAt
    if (step.status !== 'intent' && step.status !== 'applied') step.status = 'started'
    delete step.error
    delete step.skipped
  }

  #intent(changes: readonly Change[], t: string): void {
    const named = new Set(this.#firstChanges.map(({ resource }) => resource))
    this.#firstChanges.push(...changes.filter(({ resource }) => !named.has(resource)))
    this.#checkpoints = []
    this.#step.status = 'intent'
    this.#step.open = true
    this.#step.changes = changes
    this.#step.intentAt = t
    delete this.#step.endedAt
  }
}
