import type { WorldClock } from '../sim/world/clock.js'
import type { Program, ProgramEnd, Surroundings } from './programs/program.js'

export interface ProcessEnd {
  /** Absent: a signal ended it. */
  readonly exitCode?: number
  readonly signal?: 'SIGTERM' | 'SIGKILL'
  readonly stdout: string
  readonly stderr: string
}

export interface ProcessFacts {
  readonly pid: number
  /** When it was started, as its machine tells it. */
  readonly started: string
  readonly command: string
  /** The mark of whose child it is; absent for one that does not outlive its parent's interest in it. */
  readonly mark?: { readonly site: string; readonly survivor: 'end' | 'await' }
  /** Pid of the process that started it. */
  readonly parent?: number
  /** The step for which it was started. */
  readonly by?: string
}

/** What a program has of whoever starts it. */
type Given = Pick<Surroundings, 'env' | 'cwd' | 'stdin'>

/** One process of a modelled machine. It is held until it is let go, and has ended for good when it has. */
export class VirtualProcess {
  readonly ended: Promise<ProcessEnd>
  #state: 'held' | 'running' | 'ended' = 'held'
  #wasLetGo = false
  #terminate: (() => void) | undefined
  #stdout = ''
  #stderr = ''
  #settle: (end: ProcessEnd) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  constructor(
    readonly facts: ProcessFacts,
    readonly clock: WorldClock,
    /** Its machine's own clock. */
    readonly now: () => Date,
    readonly gone: () => void,
  ) {
    this.ended = new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#reject = reject
    })
    // Whoever waits for it hears of it; a process of a killed life has nobody who waits.
    this.ended.catch(() => undefined)
  }

  /** Has it begun to work, whether it still does or not? */
  get wasLetGo(): boolean {
    return this.#wasLetGo
  }

  get state(): 'held' | 'running' | 'ended' {
    return this.#state
  }

  /** All that it has said so far. */
  get said(): { readonly stdout: string; readonly stderr: string } {
    return { stdout: this.#stdout, stderr: this.#stderr }
  }

  /** Lets it work. What a program throws is a fault of its model, and reaches whoever waits for its end. */
  letGo(program: Program, args: readonly string[], given: Given): void {
    if (this.#state !== 'held') return
    this.#state = 'running'
    this.#wasLetGo = true
    program(args, { ...given, ...this.#surroundings() }).then(
      (end) => this.#end(end),
      (error: unknown) => {
        if (this.#leave()) this.#reject(error)
      },
    )
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (signal === 'SIGTERM' && this.#state === 'running' && this.#terminate !== undefined) this.#terminate()
    else if (this.#leave()) this.#settle({ signal, ...this.said })
  }

  /** Ends it as a program ends whose connection breaks; what it has begun elsewhere goes on. */
  breakOff(end: ProgramEnd): void {
    if (this.#state === 'running') this.#end(end)
  }

  #end({ exitCode, stdout, stderr }: ProgramEnd): void {
    if (!this.#leave()) return
    this.#stdout += stdout
    this.#stderr += stderr
    this.#settle({ exitCode, ...this.said })
  }

  /** False if it has left already. */
  #leave(): boolean {
    if (this.#state === 'ended') return false
    this.#state = 'ended'
    this.gone()
    return true
  }

  #surroundings(): Omit<Surroundings, keyof Given> {
    const heard = <T>(promise: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        promise.then(
          (value) => this.#state === 'running' && resolve(value),
          (error: unknown) => this.#state === 'running' && reject(error as Error),
        )
      })
    const after = (ms: number, act: () => void): (() => void) => this.clock.schedule(ms, () => {
      if (this.#state === 'running') act()
    })
    const { by = 'site', started } = this.facts
    return {
      sender: { by, program: started },
      heard,
      after,
      now: this.now,
      sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
      alive: () => this.#state === 'running',
      onTerminate: (act) => (this.#terminate = act),
      say: (output, text) => {
        if (this.#state !== 'running') return
        if (output === 'stdout') this.#stdout += text
        else this.#stderr += text
      },
    }
  }
}
