import { LifeboatError, type Clock } from '../contract/index.js'
import { errnoOf } from './errno.js'
import {
  beat,
  lockFolder,
  readLock,
  releaseGeneration,
  takeGeneration,
  type LockKey,
  type LockOwner,
  type LockState,
} from './lock-file.js'
import type { Owner } from './records.js'

/** What the lock must know of processes; implemented by `platform/exec`. */
export interface Processes {
  readonly host: string
  /** What tells this host apart from another of the same name. */
  machine(): Promise<string>
  /** This process, as it would stand in a lock. */
  self(): Promise<Owner>
  /** Does the process with this pid on this host live, and is it the one that started then? */
  alive(pid: number, started: string): Promise<boolean>
}

/** How often a holder says that it lives, and after how long a silence on another host its life is in doubt; real time. */
export const heartbeat = { everyMs: 5_000, doubtMs: 60_000 } as const

/** Who holds a lock: `doubtful` is another host's silence, `unknown` a lock file that cannot be read. */
export interface Holder {
  readonly life: 'alive' | 'dead' | 'doubtful' | 'unknown'
  /** Unset if the lock file cannot be read. */
  readonly owner?: LockOwner
  /** Real milliseconds since it was last heard of. */
  readonly silentMs: number
}

/** `lock.held`: exit code 5. */
export class LockHeldError extends LifeboatError {
  readonly holder: Holder

  constructor(key: LockKey, holder: Holder) {
    super('lock.held', heldMessage(key, holder), { blame: 'user', hint: heldHint(holder) })
    this.holder = holder
  }
}

export interface LockOptions {
  /** `--take-over`: whoever holds it, living or not, may be displaced; `displace` does so. */
  readonly takeOver?: boolean
}

/** What a lock works with; `now` is real time. */
interface Held {
  readonly folder: string
  readonly key: LockKey
  readonly owner: LockOwner
  readonly processes: Processes
  readonly now: () => Date
}

/**
 * One run at a time for a runbook on a cloud. Taken over without asking only from a process that is known to be dead: one
 * of this host. All times are real.
 */
export class RunLock {
  /** Whose lock it was or, before `displace`, still is, if it is taken from somebody: dead, or displaced by `takeOver`. */
  readonly takenFrom: Holder | undefined
  readonly #held: Held
  /** Unset until whoever holds it is displaced. */
  #generation: number | undefined

  private constructor(held: Held, generation: number | undefined, from: Holder | undefined) {
    this.#held = held
    this.#generation = generation
    this.takenFrom = from
  }

  /**
   * Rejects with `LockHeldError` (`lock.held`) if somebody holds the lock or may hold it, and with `lock.failed` if the
   * folder cannot be used. With `takeOver` somebody keeps it until `displace`: a plan may be declined, and then nobody is to have lost
   * anything. `now` is real time.
   */
  static async acquire(
    folder: string,
    key: LockKey,
    owner: LockOwner,
    processes: Processes,
    now: () => Date,
    options: LockOptions = {},
  ): Promise<RunLock> {
    const held = { folder: lockFolder(folder, key), key, owner, processes, now }
    const taken = await take(held, ({ life }) => life === 'dead')
    if ('generation' in taken) return new RunLock(held, taken.generation, taken.from)
    if (options.takeOver !== true) throw new LockHeldError(key, taken.from)
    return new RunLock(held, undefined, taken.from)
  }

  /**
   * Takes the lock from whoever kept it since `acquire`, and may have written until now: as he is now, `ended` where he has given it back
   * himself. Undefined where nobody had it. Rejects with `lock.held` if by now it is somebody else's, whom nobody has spoken of.
   */
  async displace(): Promise<Holder | 'ended' | undefined> {
    if (this.#generation !== undefined) return undefined
    const meant = this.takenFrom?.owner
    const taken = await take(this.#held, ({ life, owner }) => life === 'dead' || isSame(owner, meant))
    if (!('generation' in taken)) throw new LockHeldError(this.#held.key, taken.from)
    this.#generation = taken.generation
    return taken.from ?? 'ended'
  }

  /** Who holds the lock now, or undefined: for `status`. Writes nothing. */
  static async holder(folder: string, key: LockKey, processes: Processes, now: () => Date): Promise<Holder | undefined> {
    const place = lockFolder(folder, key)
    return judge(await ofDisk(place, () => readLock(place)), processes, now())
  }

  /**
   * Says that this process lives; to be called every `heartbeat.everyMs`. Rejects with `lock.lost` if another run has taken
   * the lock over: then this one must stop writing.
   */
  async heartbeat(): Promise<void> {
    if (this.#generation === undefined || (await this.isHeld())) return
    const lock = await this.#read()
    throw lockLost(this.#held.owner.run, lock.state === 'held' ? lock.owner : undefined)
  }

  /** Is it this process's? Says at once that it lives. */
  async isHeld(): Promise<boolean> {
    const [{ folder, now }, generation] = [this.#held, this.#generation]
    return generation !== undefined && ofDisk(folder, () => beat(folder, generation, now()))
  }

  /** Has another process this lock, to go on with the same run? */
  async isRunElsewhere(): Promise<boolean> {
    if (await this.isHeld()) return false
    const lock = await this.#read()
    return lock.state === 'held' && lock.owner.run === this.#held.owner.run
  }

  /**
   * Beats until the signal is aborted. Rejects with `lock.lost`; a beat that the disk refuses is left out, for the next may
   * pass.
   */
  async keepAlive(clock: Pick<Clock, 'sleepReal'>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.heartbeat().catch((error: unknown) => {
        if (isLost(error)) throw error
      })
      await clock.sleepReal(heartbeat.everyMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
  }

  /** Gives the lock back. Does nothing if another has it. */
  async release(): Promise<void> {
    const [{ folder, owner, now }, generation] = [this.#held, this.#generation]
    if (generation !== undefined) await ofDisk(folder, () => releaseGeneration(folder, generation, owner, now()))
  }

  #read(): Promise<LockState> {
    const { folder } = this.#held
    return ofDisk(folder, () => readLock(folder))
  }
}

/** Takes the lock where nobody holds it, or one from whom it may be taken; else says who that is. */
async function take(
  { folder, owner, processes, now }: Held,
  mayDisplace: (holder: Holder) => boolean,
): Promise<{ readonly generation: number; readonly from: Holder | undefined } | { readonly from: Holder }> {
  for (;;) {
    const lock = await ofDisk(folder, () => readLock(folder))
    const from = await judge(lock, processes, now())
    if (from !== undefined && !mayDisplace(from)) return { from }
    // Another was faster: look again at who it is. Each turn that is lost is one that somebody else has won.
    if (await ofDisk(folder, () => takeGeneration(folder, lock.generation, owner, now()))) return { generation: lock.generation + 1, from }
  }
}

/** The same process at work on the same run; two files that cannot be read are held for one. */
function isSame(one: LockOwner | undefined, other: LockOwner | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one.run === other.run && one.host === other.host && one.pid === other.pid && one.started === other.started
}

/** Has another run taken the lock over? */
export function isLost(error: unknown): boolean {
  return error instanceof LifeboatError && error.code === 'lock.lost'
}

function lockLost(run: string, by: LockOwner | undefined): LifeboatError {
  const who = by === undefined ? 'somebody else' : `${by.user} on ${by.host} (pid ${by.pid})`
  const what = by === undefined || by.run === run ? `goes on with run ${run}` : `has taken over from run ${run}, for run ${by.run}`
  return new LifeboatError('lock.lost', `${who} ${what}`, { blame: 'user', hint: 'This one stops where it is and begins nothing more.' })
}

async function judge(lock: LockState, processes: Processes, now: Date): Promise<Holder | undefined> {
  if (lock.state === 'free') return undefined
  const silentMs = Math.max(0, now.getTime() - lock.heartbeatAt.getTime())
  if (lock.state === 'unreadable') return { life: 'unknown', silentMs }
  const { owner } = lock
  if (owner.host !== processes.host) return { life: silentMs < heartbeat.doubtMs ? 'alive' : 'doubtful', owner, silentMs }
  return { life: (await processes.alive(owner.pid, owner.started)) ? 'alive' : 'dead', owner, silentMs }
}

function heldMessage({ runbook, subscription }: LockKey, { owner, life, silentMs }: Holder): string {
  const what = `${runbook} in subscription ${subscription} is locked`
  const heard = `last heard of ${Math.round(silentMs / 1000)} s ago`
  if (owner === undefined) return `${what}, but its lock file cannot be read, so nobody knows by whom (${heard})`
  const who = `${owner.user} on ${owner.host} (pid ${owner.pid}, ${heard})`
  return `${what} by run ${owner.run} of ${who}${life === 'doubtful' ? '; whether it still runs cannot be told from here' : ''}`
}

function heldHint({ life, owner }: Holder): string {
  if (life === 'alive') return 'Wait for it, or stop it there with Ctrl-C. --take-over displaces it: two runs at once can lose data.'
  const where = owner === undefined ? 'no other run is at work' : `it is not at work on ${owner.host} any more`
  return `Make sure that ${where}, then give --take-over.`
}

async function ofDisk<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new LifeboatError('lock.failed', `the lock in ${folder} cannot be used (${errnoOf(cause) ?? 'unknown error'})`, {
      blame: 'user',
      cause,
      hint: 'Make that place writable, or choose another with --state-dir.',
    })
  }
}
