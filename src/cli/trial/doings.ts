import type { JournalRecord } from '../../journal/index.js'

/** What the lives of a stage are in the midst of changing, each by what its own journal says. */
export class Doings {
  readonly #lives: { readonly life: { readonly isOver: boolean }; readonly steps: Set<string> }[] = []

  /** Begins a life; what it answers is to be told each of that life's records once it is synced. */
  begin(life: { readonly isOver: boolean }): (record: JournalRecord) => void {
    const steps = new Set<string>()
    this.#lives.push({ life, steps })
    return ({ type, data }) => {
      if (type === 'step.intent') steps.add(data.step)
      // One that has failed looks and journals another intent before it writes again.
      else if (type === 'step.verified' || type === 'step.failed' || type === 'step.skipped') steps.delete(data.step)
    }
  }

  /** Steps that a life has an intent of, and no end. What a life was at that is over counts no more: it sends nothing. */
  get openIntents(): number {
    return this.#open().reduce((sum, steps) => sum + steps.size, 0)
  }

  hasIntent(step: string): boolean {
    return this.#open().some((steps) => steps.has(step))
  }

  /** Lives that are in the midst of changing something; `but`: something else than this step. */
  atWork(but?: string): number {
    return this.#open().filter((steps) => [...steps].some((step) => step !== but)).length
  }

  #open(): readonly ReadonlySet<string>[] {
    return this.#lives.filter(({ life }) => !life.isOver).map(({ steps }) => steps)
  }
}
