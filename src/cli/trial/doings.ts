import type { JournalRecord } from '../../journal/index.js'
import type { Incarnation } from '../../virtual/incarnation.js'

interface Doing {
  readonly life: Pick<Incarnation, 'name' | 'isOver'>
  /** Steps that it is in the midst of. */
  readonly steps: Set<string>
  /** Those of them that may write now: one that has failed for the time being looks and journals another intent before it writes again. */
  readonly intended: Set<string>
}

/** What the lives of a stage are in the midst of changing, each by what its own journal says. */
export class Doings {
  readonly #lives: Doing[] = []

  /** Begins a life; what it answers is to be told each of that life's records once it is synced. */
  begin(life: Doing['life']): (record: JournalRecord) => void {
    const [steps, intended] = [new Set<string>(), new Set<string>()]
    this.#lives.push({ life, steps, intended })
    return ({ type, data }) => {
      if (type === 'step.intent') {
        steps.add(data.step)
        intended.add(data.step)
      } else if (type === 'step.retrying') intended.delete(data.step)
      else if (type === 'step.verified' || type === 'step.failed' || type === 'step.skipped') {
        steps.delete(data.step)
        intended.delete(data.step)
      }
    }
  }

  /** Steps that a life has an intent of, and no end. What a life was at that is over counts no more: it sends nothing. */
  get openIntents(): number {
    return this.#open().reduce((sum, { steps }) => sum + steps.size, 0)
  }

  /** May it write for that step: this life, or any, where none is given? */
  hasIntent(step: string, life?: string): boolean {
    return this.#open().some((one) => one.intended.has(step) && (life === undefined || one.life.name === life))
  }

  /** Lives that are in the midst of changing something; `but`: something else than this step. */
  atWork(but?: string): number {
    return this.#open().filter(({ steps }) => [...steps].some((step) => step !== but)).length
  }

  #open(): readonly Doing[] {
    return this.#lives.filter(({ life }) => !life.isOver)
  }
}
