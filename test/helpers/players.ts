import type { LifeboatError } from '../../src/contract/index.js'
import { TargetLock, type MarkStore, type Owner } from '../../src/journal/index.js'
import type { FakeProcesses } from './fake-processes.js'
import type { VirtualTime } from './virtual-time.js'

/** Resource groups with tags and nothing else. */
export class Groups {
  readonly tags = new Map<string, Record<string, string>>()
  readonly locked = new Set<string>()
  writes = 0
  reads = 0

  constructor(...names: string[]) {
    for (const name of names) this.tags.set(name, {})
  }

  /** Each question and each write takes up to `slowMs`, and lands somewhere in between. */
  store(time: VirtualTime, random: () => number = () => 0, slowMs = 0): MarkStore {
    const pass = (): Promise<void> => (slowMs === 0 ? Promise.resolve() : time.sleep(random() * slowMs))
    return {
      read: async (group) => {
        await pass()
        this.reads += 1
        const tags = this.tags.get(group)
        const told = tags === undefined ? undefined : { ...tags }
        await pass()
        return told
      },
      merge: async (group, tags) => {
        await pass()
        const isLocked = this.locked.has(group)
        if (!isLocked) this.tags.set(group, { ...this.tags.get(group), ...tags })
        if (!isLocked) this.writes += 1
        await pass()
        return !isLocked
      },
    }
  }

  runs(): string[] {
    return [...this.tags.values()].map((tags) => tags['lifeboat-owner-run'] ?? 'nobody')
  }

  states(): string[] {
    return [...this.tags.values()].map((tags) => tags['lifeboat-owner-state'] ?? '')
  }
}

export interface Player {
  readonly lock: TargetLock
  readonly said: string[]
  readonly lost: LifeboatError[]
  readonly owner: Owner
}

export interface Wishes {
  readonly takeOver?: boolean
  readonly earlier?: { run: string; owner: Owner }
  readonly undoes?: { run: string; began: string; agreed: boolean }
  readonly store?: MarkStore
  readonly groups?: readonly string[]
  readonly signal?: AbortSignal
  /** By how much this machine's clock is ahead, now. */
  readonly aheadMs?: () => number
}

export const all = ['a', 'b', 'c']

/** A run of one process on that host. */
export function player(groups: Groups, time: VirtualTime, processes: FakeProcesses, run: string, wishes: Wishes = {}): Player {
  const owner = processes.start(run)
  const own = {
    host: processes.host,
    machine: () => processes.machine(),
    alive: (pid: number, started: string) => processes.alive(pid, started),
    self: async () => owner,
  }
  const [said, lost]: [string[], LifeboatError[]] = [[], []]
  const realNow = (): Date => new Date(time.now().getTime() + (wishes.aheadMs?.() ?? 0))
  const lock = new TargetLock({
    store: wishes.store ?? groups.store(time),
    processes: own,
    clock: { now: time.now, realNow, sleepReal: time.sleep, toReal: (ms) => ms },
    run,
    runbook: 'data100',
    groups: wishes.groups ?? all,
    lead: (wishes.groups ?? all)[0] ?? '',
    takeOver: wishes.takeOver === true,
    notice: (message) => said.push(message),
    signal: wishes.signal ?? new AbortController().signal,
    lost: (error) => lost.push(error),
    ...(wishes.earlier === undefined ? {} : { earlier: wishes.earlier }),
    ...(wishes.undoes === undefined ? {} : { undoes: wishes.undoes }),
  })
  return { lock, said, lost, owner }
}

export const begin = async ({ lock }: Player): Promise<void> => {
  await lock.admit()
  await lock.beforeIntent()
}
