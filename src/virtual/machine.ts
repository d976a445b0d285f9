import type { Clock } from '../contract/index.js'
import type { ProcessTable } from '../platform/exec/starter.js'
import { handleSurvivor } from '../platform/exec/survivors.js'
import type { Child } from '../platform/scope.js'
import type { VirtualClock } from '../sim/world/clock.js'
import { VirtualProcess, type ProcessFacts } from './process.js'
import { realMs } from './time.js'

/** The process of one life of a run. */
export interface Life {
  readonly pid: number
  readonly started: string
  /** Ends it as SIGKILL does: what it has let go lives on, what it still held ends without having done anything. */
  kill(): void
}

/** A machine on which somebody runs the tool: a process table in the world's time. */
export class Machine implements ProcessTable {
  readonly host: string
  /** Milliseconds by which this machine's clock is ahead of the right time. */
  clockAheadMs = 0
  readonly #clock: VirtualClock
  readonly #user: string
  readonly #processes = new Map<number, VirtualProcess>()
  #lastPid = 1000

  constructor(clock: VirtualClock, { host = 'bastion', user = 'operator' }: { readonly host?: string; readonly user?: string } = {}) {
    this.#clock = clock
    this.host = host
    this.#user = user
  }

  readonly #now = (): Date => new Date(realMs(this.#clock) + this.clockAheadMs)

  /** Begins a life of a run. */
  begin(command = 'lifeboat'): Life {
    const { pid, started } = this.start({ command }).facts
    return { pid, started, kill: () => this.#kill(pid) }
  }

  /** Starts a process, which is held until it is let go. */
  start(facts: Omit<ProcessFacts, 'pid' | 'started'>): VirtualProcess {
    const pid = (this.#lastPid += 1)
    const started = `${this.host}:${pid}`
    const process = new VirtualProcess({ ...facts, pid, started }, this.#clock, this.#now, () => this.#processes.delete(pid))
    this.#processes.set(pid, process)
    // Of a life that has been killed, what little it still does must come to nothing.
    if (facts.parent !== undefined && !this.has(facts.parent)) process.signal('SIGKILL')
    return process
  }

  has(pid: number): boolean {
    return this.#processes.has(pid)
  }

  readonly startOf = async (pid: number): Promise<string | undefined> => this.#processes.get(pid)?.facts.started

  readonly signalGroup = (pid: number, signal: NodeJS.Signals): void => {
    this.#processes.get(pid)?.signal(signal === 'SIGKILL' ? 'SIGKILL' : 'SIGTERM')
  }

  /** Who this is, for locks and marks: what `platform/exec/processes` says of a real machine, seen by this life. */
  processesOf({ pid, started }: Pick<Life, 'pid' | 'started'>) {
    const { host } = this
    return {
      host,
      machine: async (): Promise<string> => `machine ${host}`,
      self: async () => ({ user: this.#user, host, pid, started }),
      alive: async (of: number, since: string): Promise<boolean> => (await this.startOf(of)) === since,
    }
  }

  /** What a run does with children of its earlier lives, in its own time. */
  survivorsOf(site: string, clock: Clock) {
    return {
      handle: (child: Child, found: () => void, signal: AbortSignal) => handleSurvivor(child, { clock, found, signal, on: this }),
      marked: async (): Promise<readonly Child[]> => this.marked(site),
    }
  }

  /** Children of any life that bear this mark and still run. */
  marked(site: string): readonly Child[] {
    return [...this.#processes.values()].flatMap(({ facts: { pid, started, command, mark } }) =>
      mark?.site === site ? [{ pid, started, host: this.host, command, survivor: mark.survivor }] : [],
    )
  }

  /** Ends every running process of a program, by the name of its file, as SIGKILL does; how many there were. */
  killAll(program: string): number {
    const running = [...this.#processes.values()].filter(({ facts, state }) => state !== 'held' && facts.command.split(' ')[0] === program)
    for (const process of running) process.signal('SIGKILL')
    return running.length
  }

  #kill(pid: number): void {
    this.signalGroup(pid, 'SIGKILL')
    // A held child waits for a word of its parent, and ends when none can come any more.
    for (const process of [...this.#processes.values()]) {
      if (process.facts.parent === pid && process.state === 'held') process.signal('SIGKILL')
    }
  }
}
