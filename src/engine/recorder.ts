import type { Clock, Listener, RunEvent } from '../contract/index.js'
import type { Journal, RecordData, RecordType } from '../journal/index.js'
import { narrate } from './narrate.js'

/** An event before the recorder has put time and run on it. */
export type Draft<E extends RunEvent = RunEvent> = E extends RunEvent ? Omit<E, 't' | 'run'> : never

/**
 * The one way from the engine outwards: a fact is synced to the journal first and told to the renderers then, so that what
 * is on the screen is what the journal says. Passing facts (progress, estimates) are told only.
 */
export class Recorder {
  readonly #journal: Journal
  readonly #listeners: readonly Listener[]
  readonly #clock: Clock

  constructor(journal: Journal, listeners: readonly Listener[], clock: Clock) {
    this.#journal = journal
    this.#listeners = listeners
    this.#clock = clock
  }

  async record<T extends RecordType>(type: T, data: RecordData[T]): Promise<void> {
    const record = await this.#journal.append(type, data)
    const event = narrate(record)
    if (event !== undefined) this.#emit(event)
  }

  tell(event: Draft): void {
    this.#emit({ t: this.#clock.now().toISOString(), run: this.#journal.run, ...event })
  }

  #emit(event: RunEvent): void {
    for (const listen of this.#listeners) listen(event)
  }
}
