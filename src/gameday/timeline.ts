import { LifeboatError, type RunEvent } from '../contract/index.js'
import type { Fault, When } from './faults.js'
import { callMatcher } from './selector.js'

/** What a timeline is played on. */
export interface Theatre {
  /** Milliseconds of the world since the first command. */
  nowMs(): number
  /** Does something after so many milliseconds of the world. */
  later(ms: number, action: () => void): void
  /**
   * Inflicts a fault. `struck` is to be called whenever somebody or something meets it, with what that was; `broke`, if it turns out later
   * that it could not be inflicted.
   */
  inflict(fault: Fault, struck: (what: string) => void, broke: (error: unknown) => void): void
}

/** A fault that has met something. */
export interface Struck {
  readonly atMs: number
  readonly what: string
}

/** What has become of one fault. */
export interface FaultRecord {
  readonly id: string
  readonly fault: Fault
  /** When it was inflicted, or could not be (`wrong`); undefined: its moment never came. */
  readonly inflictedMs?: number
  readonly struck: readonly Struck[]
  /** Why it could not be inflicted when its moment came. */
  readonly wrong?: string
}

interface Pending {
  readonly fault: Fault
  readonly struck: Struck[]
  inflictedMs?: number
  wrong?: string
  /** Calls or operations that fit, so far. */
  seen: number
}

/** Waits for the moment of each fault, and inflicts it then, once. */
export class Timeline {
  readonly #theatre: Theatre
  readonly #pending: readonly Pending[]
  readonly #estimates = new Map<string, number>()

  constructor(faults: readonly Fault[], theatre: Theatre) {
    this.#theatre = theatre
    this.#pending = faults.map((fault) => ({ fault, struck: [], seen: 0 }))
  }

  get records(): readonly FaultRecord[] {
    return this.#pending.map(({ fault, struck, inflictedMs, wrong }) => ({
      id: fault.id,
      fault,
      struck,
      ...(inflictedMs === undefined ? {} : { inflictedMs }),
      ...(wrong === undefined ? {} : { wrong }),
    }))
  }

  /** The first command is about to be typed. */
  begin(): void {
    for (const one of this.#pending) {
      const { step, call, operation, fault, after = 0 } = one.fault.when
      if ([step, call, operation, fault].every((key) => key === undefined)) this.#after(after, one)
    }
  }

  /** To be told every event of the runs, as it happens. */
  event(event: RunEvent): void {
    if (event.type === 'run.planned') for (const { id, estimateMs } of event.steps) this.#estimates.set(id, estimateMs)
    if (!('step' in event)) return
    for (const one of this.#pending) {
      const { step, is, at } = one.fault.when
      if (step !== event.step) continue
      if (is !== undefined && momentOf[is] === event.type) this.#come(one)
      else if (at !== undefined && event.type === 'step.intent') this.#come(one, (Number.parseInt(at, 10) / 100) * (this.#estimates.get(step) ?? 0))
    }
  }

  /** To be told every request when it is sent: those of Azure before they are looked at. */
  request(method: string, path: string): void {
    for (const one of this.#pending) {
      const { call } = one.fault.when
      if (call !== undefined && callMatcher(call)(method, path)) this.#count(one)
    }
  }

  /** To be told every operation of the world when it begins. `resources`: what it changes. */
  operation(name: string): void {
    for (const one of this.#pending) if (one.fault.when.operation === name) this.#count(one)
  }

  #count(one: Pending): void {
    one.seen += 1
    if (one.seen === (one.fault.when.nth ?? 1)) this.#come(one)
  }

  /** Its moment has come, but for what `after` says, and for `extraMs`. */
  #come(one: Pending, extraMs = 0): void {
    this.#after((one.fault.when.after ?? 0) + extraMs, one)
  }

  /** What waits for a request strikes that very one: nothing may come in between. */
  #after(delayMs: number, one: Pending): void {
    if (delayMs === 0) this.#inflict(one)
    else this.#theatre.later(delayMs, () => this.#inflict(one))
  }

  #inflict(one: Pending): void {
    if (one.inflictedMs !== undefined) return
    one.inflictedMs = this.#theatre.nowMs()
    const broke = (error: unknown): void => void (one.wrong = wrongOf(error))
    // A moment comes out of a timer or a request, where nobody would catch it: the whole process would go, with all that it plays.
    try {
      this.#theatre.inflict(one.fault, (what) => one.struck.push({ atMs: this.#theatre.nowMs(), what }), broke)
    } catch (error) {
      broke(error)
    }
    for (const other of this.#pending) if (other.fault.when.fault === one.fault.id) this.#come(other)
  }
}

function wrongOf(error: unknown): string {
  if (error instanceof LifeboatError) return error.message
  return `it could not be played: ${error instanceof Error ? error.message : String(error)}`
}

const momentOf: Readonly<Record<NonNullable<When['is']>, RunEvent['type']>> = {
  started: 'step.started',
  applying: 'step.intent',
  applied: 'step.applied',
  verified: 'step.verified',
  retrying: 'step.retrying',
  failed: 'step.failed',
  asked: 'question.asked',
}
