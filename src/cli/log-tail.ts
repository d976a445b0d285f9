import type { RunEvent } from '../contract/index.js'
import { grownFrom } from '../journal/index.js'
import { passing } from './run-log.js'

/** What is told only, read from a log as it grows. A log that is not there tells nothing. */
export class LogTail {
  readonly #path: string
  #bytes = 0

  constructor(path: string) {
    this.#path = path
  }

  /** What is no whole line yet is read again the next time. */
  async next(): Promise<readonly RunEvent[]> {
    const grown = await grownFrom(this.#path, this.#bytes).catch(() => Buffer.alloc(0))
    const end = grown.lastIndexOf(10) + 1
    this.#bytes += end
    const lines = grown.subarray(0, end).toString('utf8').split('\n')
    return lines.flatMap((line) => (line.includes('"kind":"event"') ? eventsIn(line) : []))
  }
}

function eventsIn(line: string): readonly RunEvent[] {
  try {
    const { event } = JSON.parse(line) as { event?: RunEvent }
    return event !== undefined && passing.has(event.type) && 'run' in event ? [event] : []
  } catch {
    return []
  }
}
