import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LockHeldError, RunLock, type Holder, type LockOwner, type Processes } from '../../src/journal/index.js'
import { FakeProcesses } from '../helpers/fake-processes.js'
import { tempFolder } from '../helpers/temp-folder.js'

const key = { runbook: 'data100', resourceManager: 'https://management.azure.com/', subscription: 'Sub-1' }
const noon = (seconds = 0) => (): Date => new Date(Date.parse('2019-02-25T12:00:00Z') + seconds * 1000)
const takeOver = { takeOver: true }

/** Who is said to hold the lock that this could not take. */
async function refused(attempt: Promise<RunLock>): Promise<LockHeldError> {
  const error: unknown = await attempt.then(() => undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(LockHeldError)
  return error as LockHeldError
}

/** The file that counts. */
function lockFile(folder: string): string {
  const [lock] = readdirSync(folder)
  const generations = readdirSync(join(folder, lock!)).filter((name) => /^\d+$/.test(name)).sort()
  return join(folder, lock!, generations.at(-1)!)
}

describe('the lock of a runbook on a cloud', () => {
  it('keeps a second run out while the first lives, and says whose it is, where, and since when it is silent', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const first = processes.start('run-1')
    await RunLock.acquire(folder, key, first, processes, noon())
    const error = await refused(RunLock.acquire(folder, key, processes.start('run-2', 'bob'), processes, noon(9)))
    expect(error).toMatchObject({ code: 'lock.held', holder: { life: 'alive', owner: first, silentMs: 9000 } })
    expect(error.message).toBe('data100 in subscription Sub-1 is locked by run run-1 of ann on laptop (pid 101, last heard of 9 s ago)')
    expect(error.hint).toMatch(/--take-over/)
  })

  it('is free again after its release', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const lock = await RunLock.acquire(folder, key, processes.start('run-1'), processes, noon())
    await lock.release()
    expect(await RunLock.holder(folder, key, processes, noon())).toBeUndefined()
    const second = await RunLock.acquire(folder, key, processes.start('run-2'), processes, noon())
    expect(second.takenFrom).toBeUndefined()
  })

  it('is another one for another runbook, endpoint or subscription, and the same however the endpoint is spelt', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const acquire = (over: Partial<typeof key>) =>
      RunLock.acquire(folder, { ...key, ...over }, processes.start('run'), processes, noon())
    await acquire({})
    await acquire({ runbook: 'data8' })
    await acquire({ resourceManager: 'https://127.0.0.1:4711' })
    await acquire({ subscription: 'sub-2' })
    await refused(acquire({ resourceManager: 'HTTPS://Management.Azure.com', subscription: 'SUB-1' }))
  })

  it('keeps its files to the owner', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    await RunLock.acquire(join(folder, 'locks'), key, processes.start('run'), processes, noon())
    expect(statSync(lockFile(join(folder, 'locks'))).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'locks')).mode & 0o777).toBe(0o700)
  })

  it('says where, if its folder cannot be used', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    writeFileSync(join(folder, 'locks'), 'a file')
    const attempt = RunLock.acquire(join(folder, 'locks'), key, processes.start('run'), processes, noon())
    await expect(attempt).rejects.toMatchObject({ code: 'lock.failed' })
  })
})

describe('taking a lock over', () => {
  const taken = async (holder: (folder: string, processes: FakeProcesses) => Promise<LockOwner>, seconds = 0) => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const owner = await holder(folder, processes)
    const acquire = (options = {}) => RunLock.acquire(folder, key, processes.start('run-2'), processes, noon(seconds), options)
    return { folder, processes, owner, acquire }
  }
  const here = async (folder: string, processes: FakeProcesses): Promise<LockOwner> => {
    const owner = processes.start('run-1')
    await RunLock.acquire(folder, key, owner, processes, noon())
    return owner
  }
  const elsewhere = (folder: string): Promise<LockOwner> => here(folder, new FakeProcesses('jumpbox'))

  it('needs no asking if its process is dead on this host, and tells whose it was', async () => {
    const { processes, owner, acquire } = await taken(here)
    processes.end(owner)
    expect((await acquire()).takenFrom).toEqual<Holder>({ life: 'dead', owner, silentMs: 0 })
    expect((await refused(acquire())).holder.owner?.run).toBe('run-2')
  })

  it('is not fooled by another process that was given the same pid', async () => {
    const { processes, owner, acquire } = await taken(here)
    processes.end(owner)
    processes.startAs(owner.pid, 'boot-2/7')
    expect((await acquire()).takenFrom?.life).toBe('dead')
  })

  it('takes another host at its word while its heartbeat is fresh', async () => {
    const { acquire, owner } = await taken(elsewhere, 59)
    expect((await refused(acquire())).holder).toEqual({ life: 'alive', owner, silentMs: 59_000 })
  })

  it('is not done silently for another host that has fallen silent: it may live', async () => {
    const { acquire, owner } = await taken(elsewhere, 61)
    const error = await refused(acquire())
    expect(error.holder).toEqual({ life: 'doubtful', owner, silentMs: 61_000 })
    expect(error.hint).toMatch(/not at work on jumpbox any more, then give --take-over/)
    const lock = await acquire(takeOver)
    expect([lock.takenFrom, await lock.displace(), await lock.isHeld()]).toEqual([error.holder, error.holder, true])
  })

  it.each([
    ['forward', 5 * 3600],
    ['back', -5 * 3600],
  ])('is never done silently because a clock was set %s by hours', async (_, seconds) => {
    // Whoever lives here lives, and whoever is elsewhere may.
    for (const where of [here, elsewhere]) {
      const { acquire } = await taken(where, seconds)
      expect((await refused(acquire())).holder.life).toMatch(/^(alive|doubtful)$/)
    }
  })

  it.each([
    ['torn', (path: string) => truncateSync(path, 20)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['something else', (path: string) => writeFileSync(path, '{"v":1}')],
    ['of a newer format', (path: string) => writeFileSync(path, '{"v":2,"owner":{"user":"a","host":"h","pid":1,"started":"s","run":"r"}}')],
  ])('needs the operator when the lock file is %s', async (_, damage) => {
    const { folder, acquire } = await taken(here)
    damage(lockFile(folder))
    const error = await refused(acquire())
    expect(error.holder).toMatchObject({ life: 'unknown' })
    expect(error.holder.owner).toBeUndefined()
    expect(error.message).toMatch(/cannot be read, so nobody knows by whom/)
    expect(error.hint).toMatch(/--take-over/)
    const lock = await acquire(takeOver)
    expect([lock.takenFrom?.life, await lock.displace(), await lock.isHeld()]).toEqual(['unknown', expect.objectContaining({ life: 'unknown' }), true])
  })

  /** One that lives and has the lock, and one that may take it. */
  const two = async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const owner = processes.start('run-1')
    const first = await RunLock.acquire(folder, key, owner, processes, noon())
    const second = await RunLock.acquire(folder, key, processes.start('run-2'), processes, noon(), takeOver)
    const holder = async (): Promise<string | undefined> => (await RunLock.holder(folder, key, processes, noon()))?.owner?.run
    return { folder, processes, owner, first, second, holder }
  }

  it('takes nothing from a living one before it is displaced: a plan may yet be declined', async () => {
    const { first, second, holder } = await two()
    expect(second.takenFrom).toMatchObject({ life: 'alive', owner: { run: 'run-1' } })
    await second.heartbeat()
    expect([await second.isHeld(), await second.isRunElsewhere()]).toEqual([false, false])
    await second.release()
    await first.heartbeat()
    expect(await holder()).toBe('run-1')
  })

  it('displaces nobody else than the one whom it has told of', async () => {
    const { folder, processes, first, second, holder } = await two()
    await first.release()
    await RunLock.acquire(folder, key, processes.start('run-3'), processes, noon())
    await expect(second.displace()).rejects.toMatchObject({ code: 'lock.held', holder: { owner: { run: 'run-3' } } })
    await second.release()
    expect(await holder()).toBe('run-3')
  })

  it.each([
    ['has ended', async ({ first }: { first: RunLock }) => first.release(), 'ended'],
    ['has died', async ({ processes, owner }: { processes: FakeProcesses; owner: LockOwner }) => processes.end(owner), expect.objectContaining({ life: 'dead' }) as unknown],
  ])('comes by the lock also where the one it has told of %s meanwhile, who may have written', async (_, ends, was) => {
    const all = await two()
    await ends(all)
    expect([await all.second.displace(), await all.holder()]).toEqual([was, 'run-2'])
  })

  it('is done from a living one only if the operator insists, who then loses it at the next heartbeat', async () => {
    const { folder, processes, first, second } = await two()
    await first.heartbeat()
    expect([await second.displace(), await second.displace()]).toEqual([expect.objectContaining({ life: 'alive' }), undefined])
    await expect(first.heartbeat()).rejects.toMatchObject({ code: 'lock.lost' })
    await first.release()
    await second.heartbeat()
    expect((await RunLock.holder(folder, key, processes, noon()))?.owner?.run).toBe('run-2')
  })

  it('tells whether it is the same run that goes on elsewhere', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const take = async (run: string): Promise<RunLock> => {
      const lock = await RunLock.acquire(folder, key, processes.start(run), processes, noon(), takeOver)
      await lock.displace()
      return lock
    }
    const [first, second] = [await take('run-1'), await take('run-1')]
    expect([await first.isRunElsewhere(), await second.isRunElsewhere()]).toEqual([true, false])
    await take('run-2')
    expect(await first.isRunElsewhere()).toBe(false)
  })

  it('is possible wherever a taker or a holder was killed', async () => {
    const { folder, processes, owner, acquire } = await taken(here)
    processes.end(owner)
    // Killed after writing aside, before the name was taken; and in releasing, before the mark was put in place.
    writeFileSync(join(folder, readdirSync(folder)[0]!, 'aside-0001'), '{"v":1,')
    expect((await acquire()).takenFrom?.life).toBe('dead')
  })
})

describe('the heartbeat', () => {
  it('goes on until it is told to stop, every few seconds of real time', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses('jumpbox')]
    let seconds = 0
    const lock = await RunLock.acquire(folder, key, processes.start('run'), processes, () => noon(seconds)())
    const stop = new AbortController()
    const sleepReal = async (ms: number): Promise<void> => {
      seconds += ms / 1000
      if (seconds >= 120) stop.abort()
      stop.signal.throwIfAborted()
    }
    await lock.keepAlive({ sleepReal }, stop.signal)
    expect(await RunLock.holder(folder, key, new FakeProcesses('laptop'), noon(120))).toMatchObject({ life: 'alive', silentMs: 5000 })
  })

  it('ends with an error when the lock was taken over', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const lock = await RunLock.acquire(folder, key, processes.start('run-1'), processes, noon())
    const other = await RunLock.acquire(folder, key, processes.start('run-2'), processes, noon(), takeOver)
    const sleepReal = async (): Promise<void> => void (await other.displace())
    await expect(lock.keepAlive({ sleepReal }, new AbortController().signal)).rejects.toMatchObject({ code: 'lock.lost' })
  })
})

describe('many who want one lock', () => {
  /** Lets all of `count` contenders judge the holder before any of them may act on it. */
  function meeting(processes: FakeProcesses, count: number): Processes {
    let come = 0
    let go = (): void => undefined
    const all = new Promise<void>((resolve) => (go = resolve))
    return {
      host: processes.host,
      machine: () => processes.machine(),
      self: () => processes.self(),
      async alive(pid, started) {
        const alive = await processes.alive(pid, started)
        come += 1
        if (come === count) go()
        if (!alive) await all
        return alive
      },
    }
  }

  it('are one winner and many refused, even if all have seen the dead holder before the first of them acts', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const dead = processes.start('dead')
    await RunLock.acquire(folder, key, dead, processes, noon())
    processes.end(dead)
    const gathered = meeting(processes, 40)
    const attempts = Array.from({ length: 40 }, (_, index) =>
      RunLock.acquire(folder, key, processes.start(`run-${index}`), gathered, noon()).then(
        () => `run-${index}`,
        (error: unknown) => error as LockHeldError,
      ),
    )
    const ends = await Promise.all(attempts)
    const winners = ends.filter((end) => typeof end === 'string')
    expect(winners).toHaveLength(1)
    const losers = ends.filter((end) => typeof end !== 'string')
    expect(losers.map(({ holder }) => holder.owner?.run)).toEqual(Array.from({ length: 39 }, () => winners[0]))
  })

  it('are one winner on a lock that was never held', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const attempts = Array.from({ length: 40 }, (_, index) =>
      RunLock.acquire(folder, key, processes.start(`run-${index}`), processes, noon()),
    )
    expect((await Promise.allSettled(attempts)).filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('cannot displace a later holder when one of them sleeps between judging and taking', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    const dead = processes.start('dead')
    await RunLock.acquire(folder, key, dead, processes, noon())
    processes.end(dead)
    let wake = (): void => undefined
    const asleep = new Promise<void>((resolve) => (wake = resolve))
    const sleepy: Processes = {
      host: processes.host,
      machine: () => processes.machine(),
      self: () => processes.self(),
      alive: async (pid, started) => {
        const alive = await processes.alive(pid, started)
        if (!alive) await asleep
        return alive
      },
    }
    const late = refused(RunLock.acquire(folder, key, processes.start('late'), sleepy, noon()))
    // So many come and go meanwhile that the generation which the sleeper wants has been cleaned away.
    for (let turn = 0; turn < 20; turn += 1) {
      const lock = await RunLock.acquire(folder, key, processes.start('short'), processes, noon())
      await lock.release()
    }
    const holder = await RunLock.acquire(folder, key, processes.start('holder'), processes, noon())
    wake()
    expect((await late).holder.owner?.run).toBe('holder')
    await holder.heartbeat()
    expect(readdirSync(join(folder, readdirSync(folder)[0]!)).length).toBeLessThan(12)
  })

  it('never hold it two at a time, whether they release it or die', async () => {
    const [folder, processes] = [tempFolder(), new FakeProcesses()]
    let holders = 0
    let most = 0
    let held = 0
    const contend = async (seed: number): Promise<void> => {
      for (let turn = 0; turn < 6; ) {
        const owner = processes.start(`run-${seed}-${turn}`)
        const lock = await RunLock.acquire(folder, key, owner, processes, noon()).catch((error: unknown) => {
          if (!(error instanceof LockHeldError)) throw error
        })
        if (lock === undefined) {
          processes.end(owner)
          continue
        }
        turn += 1
        held += 1
        holders += 1
        most = Math.max(most, holders)
        await lock.heartbeat()
        holders -= 1
        if ((seed + turn) % 3 === 0) processes.end(owner)
        else await lock.release()
      }
    }
    await Promise.all(Array.from({ length: 6 }, (_, seed) => contend(seed)))
    expect({ most, held }).toEqual({ most: 1, held: 36 })
  })
})
