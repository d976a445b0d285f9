import { open } from 'node:fs/promises'
import type { RunEvent } from '../contract/index.js'
import { passing } from './run-log.js'

/** What is told only, read from a log as it grows. A log that is not there tells nothing. */
export class LogTail {
  readonly #path: string
  #offset = 0
  #rest = Buffer.alloc(0)

  constructor(path: string) {
    this.#path = path
  }

  async next(): Promise<readonly RunEvent[]> {
    const text = Buffer.concat([this.#rest, await this.#grown()])
    const end = text.lastIndexOf(10) + 1
    this.#rest = text.subarray(end)
    const lines = text.subarray(0, end).toString('utf8').split('\n')
    return lines.flatMap((line) => (line.includes('"kind":"event"') ? eventsIn(line) : []))
  }

  async #grown(): Promise<Buffer> {
    const file = await open(this.#path, 'r').catch(() => undefined)
    if (file === undefined) return Buffer.alloc(0)
    try {
      const length = Math.max(0, (await file.stat()).size - this.#offset)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, this.#offset)
      this.#offset += bytesRead
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
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
