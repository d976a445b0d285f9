import type { LockOwner, Owner, Processes } from '../../src/journal/index.js'

/** Processes of one host, living until they are ended here. */
export class FakeProcesses implements Processes {
  readonly host: string
  readonly #living = new Set<string>()
  #lastPid = 100

  constructor(host = 'laptop') {
    this.host = host
  }

  /** Starts one; also what a lock would hold of it. */
  start(run: string, user = 'ann'): LockOwner {
    this.#lastPid += 1
    const started = `boot-1/${this.#lastPid}`
    this.startAs(this.#lastPid, started)
    return { run, user, host: this.host, pid: this.#lastPid, started }
  }

  startAs(pid: number, started: string): void {
    this.#living.add(`${pid} ${started}`)
  }

  end({ pid, started }: LockOwner): void {
    this.#living.delete(`${pid} ${started}`)
  }

  async machine(): Promise<string> {
    return `machine of ${this.host}`
  }

  async self(): Promise<Owner> {
    return { user: 'ann', host: this.host, pid: 1, started: 'boot-1/1' }
  }

  async alive(pid: number, started: string): Promise<boolean> {
    return this.#living.has(`${pid} ${started}`)
  }
}
