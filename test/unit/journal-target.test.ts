import { describe, expect, it } from 'vitest'
import type { LifeboatError } from '../../src/contract/index.js'
import type { MarkStore, Owner } from '../../src/journal/index.js'
import { targetTimes } from '../../src/journal/target-options.js'
import { FakeProcesses } from '../helpers/fake-processes.js'
import { all, begin, Groups, player, type Player } from '../helpers/players.js'
import { seeded } from '../../src/virtual/chance.js'
import { VirtualTime } from '../helpers/virtual-time.js'

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'goes on',
    (error: unknown) => (error as LifeboatError).code,
  )

describe('the mark of who is at work', () => {
  it('is written at the first intent, not before, in every group that is there', async () => {
    const [groups, time] = [new Groups('a', 'c'), new VirtualTime()]
    const { lock } = player(groups, time, new FakeProcesses(), 'run-1')
    await time.until(lock.admit())
    expect(groups.writes).toBe(0)
    await time.until(lock.beforeIntent())
    expect(groups.runs()).toEqual(['run-1', 'run-1'])
    expect(groups.tags.get('a')).toMatchObject({ 'lifeboat-owner-person': 'ann', 'lifeboat-owner-host': 'laptop', 'lifeboat-owner-pid': '101' })
    groups.tags.set('b', {})
    await time.until(lock.reached('B'))
    expect(groups.runs()).toEqual(['run-1', 'run-1', 'run-1'])
  })

  it('says when it was only now written: what was seen before that may be old', async () => {
    const time = new VirtualTime()
    const { lock } = player(new Groups('a', 'c'), time, new FakeProcesses(), 'run-1')
    expect([await time.until(lock.beforeIntent()), await time.until(lock.beforeIntent())]).toEqual([true, false])
    const fresh = player(new Groups(), time, new FakeProcesses(), 'run-2')
    expect(await time.until(fresh.lock.beforeIntent())).toBe(false)
  })

  it('says that its run has ended, also in a group whose mark was still on its way then', async () => {
    const [groups, time, ending] = [new Groups(...all), new VirtualTime(), new AbortController()]
    const quick = groups.store(time)
    const store: MarkStore = { ...quick, merge: (group, tags) => time.sleep(2000).then(() => quick.merge(group, tags)) }
    const { lock } = player(groups, time, new FakeProcesses(), 'run-1', { store, signal: ending.signal })
    const claim = lock.beforeIntent().catch(() => undefined)
    // It has looked, and what it writes has not arrived yet.
    await time.until(time.sleep(1000))
    expect(groups.runs()).toEqual(['nobody', 'nobody', 'nobody'])
    ending.abort()
    await time.until(Promise.all([claim, lock.release('interrupted')]))
    expect(groups.states()).toEqual(['ended: interrupted', '', ''])
  })

  it('says so too where it was taken in part only', async () => {
    const [groups, time, ending] = [new Groups(...all), new VirtualTime(), new AbortController()]
    const { lock } = player(groups, time, new FakeProcesses(), 'run-1', { signal: ending.signal })
    const claim = codeOf(lock.beforeIntent())
    await time.until(time.sleep(500))
    ending.abort()
    await time.until(claim)
    await time.until(lock.release('interrupted'))
    expect(groups.states()).toEqual(['ended: interrupted', '', ''])
  })

  it('of another machine refuses a fresh run, in words, whatever its heartbeat', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    await time.until(begin(player(groups, time, new FakeProcesses('desktop'), 'run-1')))
    await time.until(time.sleep(9 * 60_000))
    const second = player(groups, time, new FakeProcesses(), 'run-2')
    const error = await time.until(begin(second).catch((caught: unknown) => caught as LifeboatError))
    expect(error).toMatchObject({ code: 'target.held', message: expect.stringMatching(/run run-1 of ann on desktop \(pid 101, .*last heard of 9 min ago\)/) as string })
    expect(groups.runs()).toEqual(['run-1', 'run-1', 'run-1'])
  })

  it('of a machine of the same name is not judged by the processes of this one', async () => {
    const [groups, time, here] = [new Groups(...all), new VirtualTime(), new FakeProcesses('ubuntu')]
    const there = new (class extends FakeProcesses {
      override machine = async (): Promise<string> => 'another ubuntu'
    })('ubuntu')
    await time.until(begin(player(groups, time, there, 'run-1')))
    expect(await time.until(codeOf(begin(player(groups, time, here, 'run-2'))))).toBe('target.held')
  })

  it('of this machine refuses while that process lives, and lets the next through once it is dead', async () => {
    const [groups, time, processes] = [new Groups(...all), new VirtualTime(), new FakeProcesses()]
    const first = player(groups, time, processes, 'run-1')
    await time.until(begin(first))
    expect(await time.until(codeOf(begin(player(groups, time, processes, 'run-2'))))).toBe('target.held')
    processes.end({ run: 'run-1', ...first.owner })
    const third = player(groups, time, processes, 'run-3')
    expect(await time.until(codeOf(begin(third)))).toBe('goes on')
    expect([groups.runs()[0], third.said.join()]).toEqual(['run-3', expect.stringContaining('that process is gone') as string])
  })

  it('that says how its run ended lets the next through at once, though a move kept one group from being told', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    const first = player(groups, time, new FakeProcesses('desktop'), 'run-1')
    await time.until(begin(first))
    groups.locked.add('b')
    await time.until(first.lock.release('failed'))
    expect([groups.states(), first.said]).toEqual([['ended: failed', 'at work', 'ended: failed'], []])
    const second = player(groups, time, new FakeProcesses(), 'run-2')
    expect(await time.until(codeOf(begin(second)))).toBe('goes on')
    groups.locked.clear()
    await time.until(second.lock.beforeIntent())
    expect(groups.runs()).toEqual(['run-2', 'run-2', 'run-2'])
  })

  it('of a run that leaves something of an earlier one at work says no end, and so only this machine goes on without taking over', async () => {
    const [groups, time, laptop] = [new Groups(...all), new VirtualTime(), new FakeProcesses()]
    const first = player(groups, time, laptop, 'run-1')
    await time.until(begin(first))
    first.lock.leavesAtWork()
    await time.until(first.lock.release('interrupted'))
    expect(groups.states()).toEqual(['at work', 'at work', 'at work'])
    expect(first.said).toEqual([expect.stringContaining('may still be at work')])
    laptop.end({ run: 'run-1', ...first.owner })
    expect(await time.until(codeOf(begin(player(groups, time, new FakeProcesses('desktop'), 'run-2'))))).toBe('target.held')
    expect(await time.until(codeOf(begin(player(groups, time, laptop, 'run-3'))))).toBe('goes on')
  })

  it('of a later run keeps an older one from being undone, until that one is undone itself or the operator agrees', async () => {
    const [groups, time, laptop, desktop] = [new Groups(...all), new VirtualTime(), new FakeProcesses(), new FakeProcesses('desktop')]
    const played = async (of: Player): Promise<string> => {
      const code = await codeOf(time.until(begin(of)))
      if (code === 'goes on') await time.until(of.lock.release('succeeded'))
      return code
    }
    const began = time.now().toISOString()
    const undo = (agreed = false): Player => player(groups, time, laptop, 'undo-1', { undoes: { run: 'run-1', began, agreed } })
    expect(await played(player(groups, time, laptop, 'run-1'))).toBe('goes on')
    await time.until(time.sleep(60_000))
    const later = time.now().toISOString()
    expect(await played(player(groups, time, desktop, 'run-2'))).toBe('goes on')
    expect([await played(undo()), groups.runs()]).toEqual(['undo.later-run', ['run-2', 'run-2', 'run-2']])
    const back = { run: 'run-2', began: later, agreed: false }
    expect(await played(player(groups, time, desktop, 'undo-2', { undoes: back }))).toBe('goes on')
    expect(await played(undo())).toBe('goes on')
    expect(await played(player(groups, time, desktop, 'run-3'))).toBe('goes on')
    expect([await played(undo()), await played(undo(true))]).toEqual(['undo.later-run', 'goes on'])
  })

  it('that cannot be written anywhere is said when the run ends', async () => {
    const [groups, time] = [new Groups('a'), new VirtualTime()]
    const first = player(groups, time, new FakeProcesses(), 'run-1', { groups: ['a'] })
    await time.until(begin(first))
    groups.locked.add('a')
    await time.until(first.lock.release('interrupted'))
    expect(first.said.join()).toContain('needs --take-over')
  })

  it('of the same run is no obstacle to its resume where the journal names that life, and is one where it does not', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    const first = player(groups, time, new FakeProcesses('old-name'), 'run-1')
    await time.until(begin(first))
    const resume = (owner: Owner): Promise<string> =>
      codeOf(begin(player(groups, time, new FakeProcesses('new-name'), 'run-1', { earlier: { run: 'run-1', owner } })))
    expect(await time.until(resume({ ...first.owner, pid: 7 }))).toBe('target.held')
    expect(await time.until(resume(first.owner))).toBe('goes on')
  })

  it('that somebody else’s PUT has dropped is written again', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    const { lock, lost } = player(groups, time, new FakeProcesses(), 'run-1')
    await time.until(begin({ lock } as Player))
    groups.tags.set('b', {})
    await time.until(lock.beforeIntent())
    expect([groups.runs(), lost]).toEqual([['run-1', 'run-1', 'run-1'], []])
  })
})

describe('a run at work', () => {
  it('has a heartbeat of real time, looks no more often than before its intents where these come often, and stops with the run', async () => {
    const [groups, time, over] = [new Groups('a'), new VirtualTime(), new AbortController()]
    const { lock } = player(groups, time, new FakeProcesses(), 'run-1', { groups: ['a'] })
    const beatMs = (): number => Date.parse(groups.tags.get('a')?.['lifeboat-owner-heartbeat'] ?? '')
    await time.until(begin({ lock } as Player))
    const firstMs = beatMs()
    const beats = lock.keepBeating(over.signal)
    await time.until(time.sleep(75_000))
    const secondMs = beatMs()
    expect(secondMs - firstMs).toBeGreaterThanOrEqual(60_000)
    await time.until(lock.beforeIntent())
    const from = groups.reads
    for (let intents = 0; intents < 12; intents += 1) {
      await time.until(time.sleep(targetTimes.lookMs - 1_000))
      await time.until(lock.beforeIntent())
    }
    expect(groups.reads - from).toBe(12)
    expect(beatMs() - secondMs).toBeGreaterThanOrEqual(60_000)
    await time.until(time.sleep(3 * targetTimes.lookMs + 1_000))
    expect(groups.reads - from).toBe(15)
    over.abort()
    await time.until(beats)
  })
})

describe('a life that goes on and writes nothing', () => {
  it.each([
    ['leaves the mark as it was, since children of the life before may still be at work', 'interrupted', 'at work'],
    ['says that the run has ended where all was as it should be', 'succeeded', 'ended: succeeded'],
  ])('%s', async (_, outcome, state) => {
    const [groups, time, processes] = [new Groups(...all), new VirtualTime(), new FakeProcesses()]
    const first = player(groups, time, processes, 'run-1')
    await time.until(begin(first))
    const second = player(groups, time, processes, 'run-1', { earlier: { run: 'run-1', owner: first.owner } })
    await time.until(second.lock.admit())
    await time.until(second.lock.release(outcome))
    expect(groups.states()).toEqual([state, state, state])
  })
})

describe('--take-over', () => {
  it('displaces a live run, which finds it at its next look and before its next intent, and waits until it can have', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    const first = player(groups, time, new FakeProcesses('desktop'), 'run-1')
    await time.until(begin(first))
    const over = new AbortController()
    const beats = first.lock.keepBeating(over.signal)
    const second = player(groups, time, new FakeProcesses(), 'run-2', { takeOver: true })
    await time.until(begin(second))
    expect([first.lost.map(({ code }) => code), second.lost]).toEqual([['target.lost'], []])
    expect(await time.until(codeOf(first.lock.beforeIntent()))).toBe('target.lost')
    await time.until(beats)
    await time.until(first.lock.release('interrupted'))
    expect([groups.runs(), groups.states()]).toEqual([['run-2', 'run-2', 'run-2'], ['at work', 'at work', 'at work']])
    expect(second.said.join('\n')).toMatch(/Taking over from run run-1 of ann on desktop[\s\S]*Waiting until/)
  })

  /** A live run that needs `stopsInMs` to come to its end once it knows that it is displaced, and one that displaces it. */
  async function displacing(stopsInMs: number): Promise<{ log: string[]; said: string; waitedMs: number; moved: boolean }> {
    const [groups, time, log] = [new Groups(...all), new VirtualTime(), [] as string[]]
    const first = player(groups, time, new FakeProcesses('desktop'), 'run-1')
    await time.until(begin(first))
    const over = new AbortController()
    const work = (async () => {
      await first.lock.keepBeating(over.signal)
      if (stopsInMs > 0) await time.sleep(stopsInMs)
      log.push('the first has stopped')
      await first.lock.release('interrupted')
    })()
    const second = player(groups, time, new FakeProcesses(), 'run-2', { takeOver: true })
    await time.until(second.lock.admit())
    const fromMs = time.now().getTime()
    const moved = await time.until(second.lock.displace())
    log.push('the second writes')
    const waitedMs = time.now().getTime() - fromMs
    await time.until(work)
    expect(groups.runs()).toEqual(['run-2', 'run-2', 'run-2'])
    return { log, said: second.said.at(-1) ?? '', waitedMs, moved }
  }

  it('writes nothing before the displaced run has said that it has stopped, and not much later', async () => {
    const { log, said, waitedMs, moved } = await displacing(30_000)
    expect([log, said, moved]).toEqual([['the first has stopped', 'the second writes'], 'It has stopped.', true])
    expect(waitedMs).toBeLessThan(30_000 + 2 * targetTimes.lookMs + 5_000)
  })

  it('waits as long as a beat takes for one that says nothing, and tells so', async () => {
    const { log, said, waitedMs } = await displacing(10 * 60_000)
    expect([log, said]).toEqual([['the second writes', 'the first has stopped'], expect.stringContaining('It has not said so') as string])
    expect(waitedMs).toBeGreaterThanOrEqual(targetTimes.beatMs)
  })

  it.each([['forward', 5], ['back', -5]])('waits as long, whoever sets the clock %s by hours meanwhile', async (_where, hours) => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    await time.until(begin(player(groups, time, new FakeProcesses('desktop'), 'run-1')))
    const fromMs = time.now().getTime()
    const aheadMs = (): number => (time.now().getTime() > fromMs + targetTimes.beatMs / 2 ? hours * 3_600_000 : 0)
    const second = player(groups, time, new FakeProcesses(), 'run-2', { takeOver: true, aheadMs })
    await time.until(second.lock.admit())
    await time.until(second.lock.displace())
    expect(Math.floor((time.now().getTime() - fromMs) / targetTimes.beatMs)).toBe(1)
  })

  it('does not wait for one that has not beaten for three intervals, and has displaced it all the same', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    await time.until(begin(player(groups, time, new FakeProcesses('desktop'), 'run-1')))
    await time.until(time.sleep(targetTimes.recentMs))
    const second = player(groups, time, new FakeProcesses(), 'run-2', { takeOver: true })
    await time.until(second.lock.admit())
    expect(await time.until(second.lock.displace())).toBe(true)
    expect(second.said.join()).not.toContain('Waiting')
  })

  it('has displaced nobody where nobody was at work', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    const { lock } = player(groups, time, new FakeProcesses(), 'run-1', { takeOver: true })
    await time.until(lock.admit())
    expect([await time.until(lock.displace()), groups.writes]).toEqual([false, 0])
  })

  it('takes the word of that life only: what an earlier one said long ago does not count', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    groups.tags.set('a', { 'lifeboat-owner-yielded': 'run-0 101 boot:101 desktop' })
    await time.until(begin(player(groups, time, new FakeProcesses('desktop'), 'run-1')))
    const second = player(groups, time, new FakeProcesses(), 'run-2', { takeOver: true })
    await time.until(second.lock.admit())
    await time.until(second.lock.displace())
    expect(second.said.at(-1)).toContain('It has not said so')
  })

  it('is refused where nothing can be written by which the other would notice', async () => {
    const [groups, time] = [new Groups(...all), new VirtualTime()]
    await time.until(begin(player(groups, time, new FakeProcesses('desktop'), 'run-1')))
    for (const group of all) groups.locked.add(group)
    const second = player(groups, time, new FakeProcesses(), 'run-2', { takeOver: true })
    expect(await time.until(codeOf(begin(second)))).toBe('target.held')
  })
})

describe('a machine whose clock is set back by hours while its run is at work', () => {
  it('says that it lives as before: whoever displaces the run waits for it', async () => {
    const [groups, time, over] = [new Groups(...all), new VirtualTime(), new AbortController()]
    const fromMs = time.now().getTime()
    const aheadMs = (): number => (time.now().getTime() > fromMs + 30_000 ? -5 * 3_600_000 : 0)
    const first = player(groups, time, new FakeProcesses('desktop'), 'run-1', { aheadMs })
    await time.until(begin(first))
    const beating = first.lock.keepBeating(over.signal)
    await time.until(time.sleep(2 * targetTimes.recentMs))
    const second = player(groups, time, new FakeProcesses(), 'run-2', { takeOver: true })
    await time.until(second.lock.admit())
    await time.until(Promise.all([second.lock.displace(), beating.then(() => first.lock.release('interrupted'))]))
    expect(second.said.at(-1)).toBe('It has stopped.')
  })
})

describe('two that begin in the same second', () => {
  const seeds = Array.from({ length: 300 }, (_, seed) => seed)

  /** Both start within half a second; each of their requests takes up to 0.2 s. Answers who went on. */
  async function race(seed: number, there: readonly string[]): Promise<{ going: string[]; runs: string[] }> {
    const [groups, time, random] = [new Groups(...there), new VirtualTime(), seeded(seed)]
    const store = groups.store(time, random, 100)
    const both = ['desktop', 'laptop'].map((host) => player(groups, time, new FakeProcesses(host), `run of ${host}`, { store }))
    const play = async ({ lock }: Player): Promise<string> => {
      await lock.admit()
      await time.sleep(random() * 500)
      const made = all.filter((group) => !there.includes(group))
      return codeOf(
        lock.beforeIntent().then(async () => {
          // Each makes the groups that are not there; one that is there is left as it is.
          await Promise.all(
            made.map(async (group) => {
              if ((await store.read(group)) === undefined) groups.tags.set(group, {})
              await lock.reached(group)
            }),
          )
          await lock.beforeIntent()
        }),
      )
    }
    const ends = await time.until(Promise.all(both.map(play)))
    return { going: ends.filter((end) => end === 'goes on'), runs: groups.runs() }
  }

  it('on groups that are there: exactly one goes on, and has them all', async () => {
    for (const seed of seeds) {
      const { going, runs } = await race(seed, all)
      expect([going.length, new Set(runs).size], `seed ${seed}`).toEqual([1, 1])
    }
  })

  it('on groups that both make: never two go on', async () => {
    let none = 0
    for (const seed of seeds) {
      const { going } = await race(seed, [])
      expect(going.length, `seed ${seed}`).toBeLessThanOrEqual(1)
      if (going.length === 0) none += 1
    }
    expect(none, 'both back off now and then at most').toBeLessThan(seeds.length / 10)
  })
})
