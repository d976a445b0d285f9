import { LifeboatError } from '../contract/index.js'
import { hasYielded, isOwner, lifeOf, livesIn, tagsOfMark, yieldOf, type Life, type Mark, type Tags } from './mark.js'
import { readMarks, standingOf, type Standing } from './mark-store.js'
import { cannotDisplace, laterRun, sayLife, stillAtWork, targetHeld, targetLost } from './target-errors.js'
import { targetTimes, type TargetOptions } from './target-options.js'

/**
 * Who may write to a target, across machines. The mark of a run stands in the tags of its resource groups; Azure knows no
 * etag for them, so of two writers the last one stands. Hence: look, write, wait longer than a rival can be between its look
 * and its write, look again; whoever finds another there backs off. Before every intent it is looked at once more.
 */
export class TargetLock {
  readonly #options: TargetOptions
  readonly #groups: Set<string>
  /** Groups that bear this run's mark, or will once they are not locked any more. */
  readonly #held = new Set<string>()
  /** Lives that need not be heeded: ended, dead, or displaced by `--take-over`. */
  readonly #overcome = new Set<string>()
  /** Marks that are on their way. */
  readonly #sending = new Set<Promise<boolean>>()
  #displaced: Life[] = []
  #mine: Promise<Mark> | undefined
  #claim: Promise<void> | undefined
  #leadTaken: Promise<void> | undefined
  #lost: LifeboatError | undefined
  #isOurs = false
  #isTaken = false
  #hasWritten = false
  #leftAtWork = false
  #beatAt = 0
  /** When the last look at all that is held was begun that has found it so. */
  #lookedMs = 0
  /** The machine's clock and the run's, when this began. */
  readonly #began: { readonly realMs: number; readonly runMs: number }

  constructor(options: TargetOptions) {
    this.#options = options
    this.#groups = new Set(options.groups.map((group) => group.toLowerCase()))
    const { clock } = options
    this.#began = { realMs: clock.realNow().getTime(), runMs: clock.now().getTime() }
  }

  /** Looks who is at work, before anything is planned; writes nothing. Rejects with `target.held`. */
  async admit(): Promise<void> {
    for (const life of livesIn(await this.#read(this.#groups))) {
      const standing = await this.#standingOf(life.mark)
      if (life.mark.run === this.#options.run) this.#isOurs = true
      if (standing === 'free') this.#sayFree(life.mark)
      else await this.#refuse(life, standing)
      if (this.#isLater(life.mark)) throw laterRun(this.#options.undoes?.run ?? '', life.mark, life.groups, this.#now())
      this.#overcome.add(lifeOf(life.mark))
    }
  }

  /** Has another run worked here since the one that is to be put back? One that has been put back itself has not. */
  #isLater(mark: Mark): boolean {
    const { undoes, run } = this.#options
    if (undoes === undefined || undoes.agreed || [run, undoes.run].includes(mark.run)) return false
    if (mark.undoes === undoes.run || (mark.undoes !== '' && mark.state === 'ended: succeeded')) return false
    return Date.parse(mark.since) > Date.parse(undoes.began)
  }

  /** Whose runs `displace` would displace. */
  get displacing(): readonly Mark[] {
    return this.#displaced.map(({ mark }) => mark)
  }

  /** Has a mark of this run been sent? From then on whoever was at work may have lost his. */
  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /**
   * Takes the target now if somebody is to be displaced: he must have stopped before children of his are ended. True if there
   * was somebody, who may have written until now: what was planned before is to be looked at again.
   */
  async displace(): Promise<boolean> {
    if (this.#displaced.length === 0) return false
    await this.beforeIntent()
    return true
  }

  /**
   * To be called before every intent. Takes the target at the first; rejects once it is another's. True if groups were taken only now: that
   * takes seconds, and what an earlier life had sent may have arrived meanwhile, so that what was seen before is to be looked at again.
   */
  async beforeIntent(): Promise<boolean> {
    const wasTaken = this.#isTaken
    this.#claim ??= this.#takeAll()
    try {
      await this.#claim
    } catch (error) {
      this.#claim = undefined
      throw error
    }
    this.#isTaken = true
    const beganMs = this.#now().getTime()
    await this.#look()
    this.#lookedMs = Math.max(this.#lookedMs, beganMs)
    return !wasTaken && this.#held.size > 0
  }

  /** A group of the target is there. Resolves when it bears this run's mark, if this run has begun to write. */
  async reached(name: string): Promise<void> {
    const group = name.toLowerCase()
    this.#groups.add(group)
    if (this.#claim === undefined || this.#held.has(group)) return
    await this.#take([group]).catch((error: unknown) => {
      // What cannot be read or written now is looked at again before the next intent.
      if (!isPassing(error)) throw error
      this.#held.add(group)
    })
  }

  /**
   * Looks, where nobody has looked before an intent for so long, and beats, until the signal is aborted; what fails on the way is left out,
   * for the next may pass.
   */
  async keepBeating(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    let triedMs = this.#now().getTime()
    for (;;) {
      const nextMs = Math.max(triedMs, this.#lookedMs) + targetTimes.lookMs
      await clock.sleepReal(Math.max(1, nextMs - this.#now().getTime()), signal).catch(() => undefined)
      if (signal.aborted || this.#lost !== undefined) return
      const isFresh = this.#now().getTime() - this.#lookedMs < targetTimes.lookMs
      const looked = isFresh ? Promise.resolve() : this.#look(this.#held, false, signal)
      await looked.then(() => this.#beat()).catch(() => undefined)
      // One that takes long is no reason to ask without a pause.
      if (!isFresh) triedMs = this.#now().getTime()
    }
  }

  /** What an earlier life had started may still be at work when this run is over. */
  leavesAtWork(): void {
    this.#leftAtWork = true
  }

  /** Says in every mark of this run how it ended; never rejects, for the run is over. */
  async release(outcome: string): Promise<void> {
    // Also where taking has failed half way. A life that has written nothing cannot vouch for the ones before it, whose children may still
    // be at work: unless it found all as it should be, their mark stays as it was.
    if (!this.#hasWritten && !(this.#isOurs && outcome === 'succeeded')) return
    // One that arrived after the word of the end would say for good that this run is at work.
    await Promise.allSettled(this.#sending)
    // Whoever reads that a run has ended looks for nothing of it. The next run of this machine sees that this process is gone, and looks.
    if (this.#leftAtWork) return this.#options.notice(stillAtWork)
    if (this.#lost !== undefined) await this.#yield()
    const state: Mark['state'] = `ended: ${outcome}`
    const told = await Promise.all([...this.#groups].map((group) => this.#end(group, state).catch(() => false)))
    if (told.every((one) => one === undefined) || told.includes(true)) return
    this.#options.notice(
      'The tags of the resource groups could not be told that this run has ended: they are locked by a move, or cannot be reached. ' +
        'On this machine the next run goes on all the same; on another it needs --take-over.',
    )
  }

  /** Nothing of this run is at work any more. Whoever has displaced it waits for this word, and needs no more than one of its groups. */
  async #yield(): Promise<void> {
    const tags = yieldOf(await this.#mark())
    await Promise.all([...this.#held].map((group) => this.#options.store.merge(group, tags).catch(() => false)))
  }

  /** True once it is told, false if it cannot be, undefined where it is not this run's. */
  async #end(group: string, state: Mark['state']): Promise<boolean | undefined> {
    const mark = (await this.#read([group])).get(group)
    if (mark === undefined || mark.run !== this.#options.run) return undefined
    const standing = await this.#standingOf(mark)
    if (standing !== 'ours' && standing !== 'free') return undefined
    return this.#options.store.merge(group, tagsOfMark({ state, heartbeat: this.#now().toISOString() }))
  }

  async #takeAll(): Promise<void> {
    const there = [...(await this.#read(this.#groups)).keys()].sort()
    const lead = this.#lead()
    // The lead first, alone: of two that begin at once one has it, and the other has touched nothing else.
    if (there.includes(lead)) await this.#take([lead])
    await this.#take(there.filter((group) => group !== lead))
    await this.#awaitDisplaced()
  }

  /** Look, write, wait, look. */
  #take(groups: readonly string[]): Promise<void> {
    const taking = this.#takeThem(groups)
    if (groups.includes(this.#lead())) {
      this.#leadTaken = taking
      // One that could not be taken now is looked at again before the next intent.
      taking.catch(() => {
        if (this.#leadTaken === taking) this.#leadTaken = undefined
      })
    }
    return taking
  }

  async #takeThem(wanted: readonly string[]): Promise<void> {
    const there = await this.#read(wanted)
    // Undo says that it has reached a group when that is gone.
    const groups = [...there.keys()]
    if (groups.length === 0) return
    for (const life of livesIn(there)) await this.#heed(life)
    const { clock, signal } = this.#options
    const tags = await this.#fresh()
    signal.throwIfAborted()
    await Promise.all(groups.map((group) => this.#merge(group, tags)))
    await clock.sleepReal(targetTimes.settleMs, signal)
    for (const group of groups) this.#held.add(group)
    await this.#look(groups, true)
  }

  /**
   * Are all of these still this run's? What lost its mark gets it back, and is looked at again when whoever made that group anew, and with
   * it took the mark away, has had time to say so. Rejects with `target.lost` and says so.
   */
  async #look(groups: Iterable<string> = this.#held, isTaking = false, signal = this.#options.signal): Promise<void> {
    // Where somebody takes all tags away time and again there is nothing to wait for.
    for (let round = 1; round <= 3; round += 1) {
      if (this.#lost !== undefined) throw this.#lost
      const marks = await this.#read(groups)
      const isMarked = await Promise.all([...marks].map(([group, mark]) => this.#lookAt(group, mark, isTaking)))
      if (!isMarked.includes(true)) return
      await this.#options.clock.sleepReal(targetTimes.settleMs, signal)
    }
  }

  /** True if the group has been marked again. */
  async #lookAt(group: string, mark: Mark | undefined, isTaking: boolean): Promise<boolean> {
    if (mark !== undefined) {
      if (mark.state === 'at work' && (await this.#standingOf(mark)) === 'ours') return false
      const heeds = !(await this.#mayIgnore(mark)) && !(isTaking && (await this.#leads(mark, group)))
      if (heeds) throw this.#lose(targetLost(this.#options.run, mark, group, this.#now()))
    }
    return this.#merge(group, await this.#fresh())
  }

  /** This run's mark, with the heartbeat of now. */
  async #fresh(): Promise<Tags> {
    return tagsOfMark({ ...(await this.#mark()), heartbeat: this.#now().toISOString() })
  }

  async #mayIgnore(mark: Mark): Promise<boolean> {
    return this.#overcome.has(lifeOf(mark)) || ['ours', 'free'].includes(await this.#standingOf(mark))
  }

  /** A rival that began at the same moment on the same target: whoever has the lead group has all of it. */
  async #leads(mark: Mark, group: string): Promise<boolean> {
    if (mark.lead !== this.#lead() || group === mark.lead || this.#leadTaken === undefined) return false
    await this.#leadTaken
    return true
  }

  #lose(error: LifeboatError): LifeboatError {
    if (this.#lost === undefined) {
      this.#lost = error
      this.#options.lost(error)
    }
    return this.#lost
  }

  /** A life found when it is time to write; it may have begun since `admit`. */
  async #heed(life: Life): Promise<void> {
    if (await this.#mayIgnore(life.mark)) return
    if (!life.groups.includes(life.mark.lead) && (await this.#leads(life.mark, ''))) return
    await this.#refuse(life, await this.#standingOf(life.mark)).catch((error: unknown) => {
      throw error instanceof LifeboatError ? this.#lose(error) : error
    })
    this.#overcome.add(lifeOf(life.mark))
  }

  async #refuse(life: Life, standing: Standing | 'ours'): Promise<void> {
    if (!this.#options.takeOver) throw targetHeld(life.mark, life.groups, standing === 'here', this.#now())
    this.#displaced.push(life)
  }

  /**
   * The displaced must have something to notice it by, and must have said that they have stopped, or have had as long as a beat
   * takes: six looks. One that has not beaten for that long (`recentMs`) does not notice anything any more.
   */
  async #awaitDisplaced(): Promise<void> {
    if (this.#displaced.length === 0) return
    const marks = await this.#read(this.#held)
    const now = this.#now()
    for (const { mark, groups } of this.#displaced) {
      this.#options.notice(`Taking over from ${sayLife(mark, now)}: make sure that it has stopped.`)
      const told = groups.some((group) => marks.get(group)?.run === this.#options.run)
      if (!told) throw this.#lose(cannotDisplace(mark, groups, now))
    }
    const recent = this.#displaced.filter(({ mark }) => now.getTime() - Date.parse(mark.heartbeat) < targetTimes.recentMs)
    this.#displaced = []
    if (recent.length > 0) await this.#awaitStopped(recent)
  }

  async #awaitStopped(lives: readonly Life[]): Promise<void> {
    const { clock, notice, signal } = this.#options
    notice(`Waiting until the displaced run says that it has stopped, ${targetTimes.beatMs / 1000} s at most.`)
    const untilMs = this.#now().getTime() + targetTimes.beatMs
    let left = lives
    while (left.length > 0 && this.#now().getTime() < untilMs) {
      await clock.sleepReal(targetTimes.askMs, signal)
      left = await this.#notYielded(left)
    }
    if (left.length === 0) return notice('It has stopped.')
    notice(`It has not said so. It has had its mark taken for ${targetTimes.beatMs / 1000} s: if it can look at all it begins nothing more, but what it had begun may still end.`)
  }

  /** A read that fails tells nothing: it is asked again. */
  async #notYielded(lives: readonly Life[]): Promise<readonly Life[]> {
    const { store } = this.#options
    const said = await Promise.all([...this.#held].map((group) => store.read(group).catch(() => undefined)))
    return lives.filter(({ mark }) => !said.some((tags) => hasYielded(tags, mark)))
  }

  #sayFree(mark: Mark): void {
    if (mark.state !== 'at work' || mark.run === this.#options.run) return
    this.#options.notice(`${sayLife(mark, this.#now())} was at work here; that process is gone, so this run goes on from what is there.`)
  }

  async #beat(): Promise<void> {
    const now = this.#now()
    if (now.getTime() - this.#beatAt < targetTimes.beatMs) return
    this.#beatAt = now.getTime()
    const tags = tagsOfMark({ heartbeat: now.toISOString() })
    await Promise.all([...this.#held].map((group) => this.#merge(group, tags)))
  }

  #merge(group: string, tags: Tags): Promise<boolean> {
    this.#hasWritten = true
    const sending = this.#options.store.merge(group, tags)
    this.#sending.add(sending)
    const isOver = (): void => void this.#sending.delete(sending)
    sending.then(isOver, isOver)
    return sending
  }

  /** Only groups that exist are in the answer. */
  async #read(groups: Iterable<string>): Promise<ReadonlyMap<string, Mark | undefined>> {
    return readMarks(this.#options.store, groups)
  }

  async #standingOf(mark: Mark): Promise<Standing | 'ours'> {
    const { processes, earlier } = this.#options
    if (this.#mine !== undefined && lifeOf(mark) === lifeOf(await this.#mine)) return 'ours'
    if (earlier !== undefined && mark.run === earlier.run && isOwner(mark, earlier.owner)) return 'free'
    return standingOf(mark, processes)
  }

  #mark(): Promise<Mark> {
    this.#mine ??= this.#makeMark()
    return this.#mine
  }

  async #makeMark(): Promise<Mark> {
    const { processes, run, runbook } = this.#options
    const [{ user, host, pid, started }, machine] = await Promise.all([processes.self(), processes.machine()])
    const now = this.#now()
    this.#beatAt = now.getTime()
    const at = now.toISOString()
    return { run, runbook, person: user, host, machine, pid, process: started, since: at, heartbeat: at, lead: this.#lead(), undoes: this.#options.undoes?.run ?? '', state: 'at work' }
  }

  /** Lower-cased, as all names of groups here. */
  #lead(): string {
    return this.#options.lead?.toLowerCase() ?? ''
  }

  /**
   * Real time, whatever is done to the machine's clock meanwhile: set back by hours, this run would not beat for hours, and set forward,
   * whoever is displaced would have had no time to stop.
   */
  #now(): Date {
    const { clock } = this.#options
    const { realMs, runMs } = this.#began
    return new Date(realMs + clock.toReal(clock.now().getTime() - runMs))
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof LifeboatError && error.retry !== undefined
}
