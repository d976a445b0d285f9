import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'

interface Reply {
  readonly return?: unknown
  readonly error?: { readonly class: string; readonly desc: string }
  readonly id?: number
  readonly event?: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** QEMU's refusal of a command, in its own words. */
export class QmpError extends Error {}

/** A client of the QEMU Machine Protocol over a pair of streams (`-qmp stdio`): one JSON object a line. */
export class Qmp {
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly #watchers = new Set<(reply: Reply) => void>()
  #count = 0
  #over = false

  constructor(
    output: Readable,
    readonly input: Writable,
  ) {
    input.on('error', () => undefined)
    const lines = createInterface({ input: output })
    lines.on('line', (line) => this.#take(line))
    lines.on('close', () => {
      this.#over = true
      for (const { reject } of this.#waiting.values()) reject(new QmpError('QEMU has ended'))
      this.#waiting.clear()
    })
  }

  #take(line: string): void {
    let reply: Reply
    try {
      reply = JSON.parse(line) as Reply
    } catch {
      return
    }
    for (const watch of [...this.#watchers]) watch(reply)
    const waiting = reply.id === undefined ? undefined : this.#waiting.get(reply.id)
    if (reply.id === undefined || !waiting) return
    this.#waiting.delete(reply.id)
    if (reply.error) waiting.reject(new QmpError(reply.error.desc))
    else waiting.resolve(reply.return)
  }

  /** Rejects with QmpError for what QEMU refuses, and when it ends. */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#over) return Promise.reject(new QmpError('QEMU has ended'))
    this.#count += 1
    const id = this.#count
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.input.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    return answered
  }

  /** Resolves with the next event of that name about that device; listen before what causes it. */
  next(event: string, device: string): Promise<void> {
    return new Promise((resolve) => {
      const watch = (reply: Reply): void => {
        if (reply.event !== event || reply.data?.['device'] !== device) return
        this.#watchers.delete(watch)
        resolve()
      }
      this.#watchers.add(watch)
    })
  }
}
