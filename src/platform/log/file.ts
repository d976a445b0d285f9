import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../contract/index.js'
import { mayHoldSecrets, strikeKnown } from './known.js'

/**
 * The log of a run: NDJSON in a file of mode 0600, `t` in the run's clock and `real` beside it. Written at once and not synced:
 * the journal alone must outlive a power cut. Secrets are struck out of every text. Once a line cannot be written no more are:
 * a log never stops a run.
 */
export class LogFile {
  readonly path: string
  readonly #clock: Clock
  #file: number | undefined

  constructor(path: string, clock: Clock) {
    this.path = path
    this.#clock = clock
    this.#file = quietly(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      return openSync(path, 'a', 0o600)
    })
  }

  /** False if there is no log, or none any more. */
  get isKept(): boolean {
    return this.#file !== undefined
  }

  write(entry: object): void {
    const file = this.#file
    if (file === undefined) return
    const line = { t: this.#clock.now().toISOString(), real: this.#clock.realNow().toISOString(), ...entry }
    const whole = JSON.stringify(line)
    const text = mayHoldSecrets(whole) ? JSON.stringify(line, (_name, value: unknown) => (typeof value === 'string' ? strikeKnown(value) : value)) : whole
    if (quietly(() => writeSync(file, `${text}\n`)) === undefined) this.close()
  }

  close(): void {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) quietly(() => closeSync(file))
  }
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
