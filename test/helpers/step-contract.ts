import { isDeepStrictEqual } from 'node:util'
import {
  isIrreversible,
  isKept,
  isPending,
  LifeboatError,
  Pending,
  sayWrite,
  type AnyStep,
  type Change,
  type Clock,
  type Json,
  type Observation,
  type Seen,
  type Write,
} from '../../src/contract/index.js'
import { unshown } from '../../src/engine/compare.js'
import { matched } from '../../src/engine/fidelity.js'
import type { Platform } from '../../src/platform/platform.js'
import { failuresOf, watchedDoors, type Call } from './failing-doors.js'
import { Foretold } from './foretold.js'

/** A module in a world of its own, in which it has something to do. */
export interface Contracted {
  readonly module: AnyStep<Platform>
  /** As a runbook would give them, everything known. */
  readonly inputs: Readonly<Record<string, unknown>>
  readonly doors: Platform
  /** The world's clock: sleeping lets its time pass. */
  readonly clock: Clock
  /** What the world has judged to be writes so far. */
  readonly writes: () => readonly string[]
  /** The same in the words of a module's predictions (`worldWrites`). */
  readonly sent: () => readonly Write[]
  /** Lets the world's time pass while something works that does not sleep. */
  readonly during?: <T>(work: Promise<T>) => Promise<T>
  /** For a check, which brings about nothing: brings about what it waits for. */
  readonly bringAbout?: () => Promise<void>
  /** For what it reads without a door (a file of the site's own): each makes that fail, and answers with how to mend it again. */
  readonly faults?: Readonly<Record<string, () => Promise<() => Promise<void>>>>
  readonly close: () => Promise<void>
}

export interface ContractCase {
  readonly open: () => Promise<Contracted>
  /** Inputs that name what is changed: while one of them is pending, `plan` may refuse with an error for the user. */
  readonly named?: readonly string[]
  /** Calls whose failure the step bears, by how they begin, with the reason: what it cannot tell then is of no matter to it. */
  readonly bears?: Readonly<Record<string, string>>
  /** Inputs without which `preflight` may stop, with the reason: what is pending then says enough. */
  readonly stops?: Readonly<Record<string, string>>
  /** Why its changes are made together, where the first alone is not what comes before the others. */
  readonly together?: string
}

/** The same module with some of its inputs pending. */
interface PendingTrial {
  readonly start: Look
  /** What it plans when everything is known. */
  readonly known: readonly Change[]
  readonly who: string
  readonly mayRefuse: boolean
}

type Inputs = Record<string, unknown>
type Look = Observation<Inputs, unknown>

/**
 * Puts a module through the contract of `src/contract/step.ts` and answers with what it breaks, one sentence each. It needs no
 * test runner, so that a site can put its own modules through it as well.
 */
export async function breachesOf(one: ContractCase): Promise<readonly string[]> {
  const contracted = await one.open()
  const trial = new Trial(one, contracted)
  try {
    await trial.all()
  } catch (error) {
    trial.breach(`${trial.doing}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    await contracted.close()
  }
  return trial.breaches
}

class Trial {
  readonly breaches: string[] = []
  doing = 'inputs'
  readonly #case: ContractCase
  readonly #at: Contracted
  readonly #inputs: Inputs
  readonly #foretold: Foretold

  constructor(one: ContractCase, at: Contracted) {
    this.#case = one
    this.#at = at
    this.#foretold = new Foretold(at)
    this.#inputs = at.module.inputs.parse(at.inputs)
  }

  breach(what: string): void {
    this.breaches.push(what)
  }

  async all(): Promise<void> {
    const { module } = this.#at
    const before = this.#at.writes().length
    const start = await this.#look()
    await this.#pending(start)
    if (module.check === true) await this.#checks(start)
    else await this.#changes(start, before)
  }

  /** A check has nothing to change, and says when what it waits for has come about. */
  async #checks(start: Look): Promise<void> {
    const before = this.#at.writes().length
    const { module, bringAbout } = this.#at
    if (start.state === 'converged' && module.stands !== true) this.breach('it holds before what it waits for is there')
    if (module.plan(this.#inputs, { state: 'absent' }).length > 0) this.breach('a check plans changes')
    await this.#failingReads('before it holds', [])
    this.#unwritten(before, 'a check')
    await bringAbout?.()
    const after = this.#at.writes().length
    await this.#untilConverged()
    await this.#failingReads('while it holds', [])
    this.#unwritten(after, 'a check')
  }

  async #changes(start: Look, before: number): Promise<void> {
    const { module } = this.#at
    if (start.state !== 'absent' && start.state !== 'drifted') return this.breach(`it has nothing to do at first: ${say(start)}`)
    this.doing = 'plan'
    const changes = this.#plan(start)
    if (changes.length === 0) return this.breach(`it is ${start.state} and plans nothing`)
    for (const said of await module.preflight(changes, this.#inputs, this.#ctx())) {
      if ('level' in said && said.level === 'stop') this.breach(`preflight stops where nothing is in the way: ${said.what}`)
    }
    await this.#failingReads('at first', changes)
    this.#unwritten(before, 'observe, plan or preflight')

    await this.#inPart(changes)
    await this.#bringAbout(changes)
    const outputs = await this.#untilConverged()
    if (!isDeepStrictEqual(outputs, asJson(outputs))) this.breach(`outputs do not survive JSON: ${JSON.stringify(outputs)}`)
    const made = this.#at.writes().length
    this.doing = 'observe again'
    const again = await this.#look()
    if (again.state !== 'converged') this.breach(`a second look at what is as wanted says ${say(again)}`)
    await this.#failingReads('when all is as wanted', [])
    this.#unwritten(made, 'observe')
    await this.#wayBack(changes, start)
  }

  /** Changes as `plan` gives them: the same each time, and as JSON. */
  #plan(seen: Seen<unknown>): readonly Change[] {
    const { module } = this.#at
    const frozen = structuredClone(this.#inputs)
    const changes = module.plan(this.#inputs, seen)
    if (!isDeepStrictEqual(changes, module.plan(this.#inputs, seen))) this.breach('plan gives something else the second time')
    if (!isDeepStrictEqual(frozen, this.#inputs)) this.breach('plan changes its inputs')
    if (!isDeepStrictEqual(asJson(changes), compact(changes))) this.breach(`changes do not survive JSON: ${JSON.stringify(changes)}`)
    this.#inverse(changes)
    return asJson(changes) as readonly Change[]
  }

  #inverse(changes: readonly Change[]): void {
    const { module } = this.#at
    const back = module.invert(changes)
    if (!isDeepStrictEqual(asJson(back), asJson(module.invert(asJson(changes) as readonly Change[])))) this.breach('invert depends on what JSON does not keep')
    const [names, inverses] = [changes.map(({ resource }) => resource), back.map(({ resource }) => resource)]
    // What is named by what it does (a command of the site's) may say that it goes back; it is one answer for each change, in turn.
    const isNamed = (name: string, at: number): boolean => inverses[at] === name || inverses[at] === `put back: ${name}`
    if (names.length !== inverses.length || !names.every(isNamed)) this.breach(`invert answers for ${String(inverses)}, not for ${String(names)}`)
    for (const one of back) {
      if (isIrreversible(one) && one.irreversible.trim() === '') this.breach(`${one.resource} is irreversible without a reason`)
      if (isKept(one) && one.kept.trim() === '') this.breach(`${one.resource} is kept without a reason`)
    }
  }

  /** While inputs are pending: nothing throws, nothing stops, and what will run is shown under the same names. */
  async #pending(start: Look): Promise<void> {
    const keys = Object.keys(this.#at.module.inputs.shape).filter((key) => this.#inputs[key] !== undefined)
    const named = this.#case.named ?? []
    const known = start.state === 'absent' || start.state === 'drifted' ? this.#plan(start) : []
    const sets = [...keys.map((key) => [key]), keys.filter((key) => !named.includes(key))]
    for (const set of sets) {
      const who = `while ${set.length === 1 ? String(set[0]) : 'all that may be'} is pending`
      this.doing = who
      const inputs = { ...this.#inputs, ...Object.fromEntries(set.map((key) => [key, new Pending(['earlier'])])) }
      await this.#pendingPlan(inputs, { start, known, who, mayRefuse: set.some((key) => named.includes(key)) })
    }
  }

  async #pendingPlan(inputs: Inputs, { start, known, who, mayRefuse }: PendingTrial): Promise<void> {
    const { module } = this.#at
    const claims = module.claims(inputs)
    if (!isDeepStrictEqual(claims, module.claims(inputs)) || claims.some(({ resource }) => resource === '')) this.breach(`${who}, its claims are not to be relied upon`)
    const estimate = module.estimateMs(inputs)
    if (!Number.isFinite(estimate) || estimate < 0) this.breach(`${who}, it expects to take ${estimate} ms`)
    const canLook = module.identity.every((key) => !isPending(inputs[key]))
    const seen = canLook ? await this.#lookWith(inputs) : ({ state: 'absent' } as const)
    if (seen.state !== 'absent' && seen.state !== 'drifted') {
      if (known.length > 0) this.breach(`${who}, it looks to be ${say(seen)}, although there is something to do`)
      return
    }
    let changes: readonly Change[]
    try {
      changes = module.plan(inputs, seen)
    } catch (error) {
      if (!mayRefuse || !(error instanceof LifeboatError) || error.blame !== 'user') this.breach(`${who}, plan fails: ${String(error)}`)
      return
    }
    this.#inverse(changes)
    // What could not be looked at is assumed to be absent, and says so in the plan: creating it was shown, mending it was not.
    const comparable = canLook || start.state === 'absent' ? known : []
    const [open, closed] = [this.#foretold.predictionOf(changes, inputs), this.#foretold.predictionOf(comparable, this.#inputs)]
    const sure = comparable.length === 0 ? [] : closed.map((write) => ({ write }))
    for (const { write } of matched(open, sure).unpredicted) this.breach(`${who}, it does not predict ${sayWrite(write)}`)
    for (const one of unshown(changes, comparable)) this.breach(`${who}, it does not show that it will ${one.action} ${one.resource}`)
    for (const said of await module.preflight(changes, inputs, this.#ctx())) {
      const mayStop = Object.keys(this.#case.stops ?? {}).some((key) => isPending(inputs[key]))
      if ('level' in said && said.level === 'stop' && !mayStop) this.breach(`${who}, preflight stops: ${said.what}`)
    }
  }

  /** Every read of `observe` and of `preflight` made to fail in turn: what cannot be told is never told, and never passed. */
  async #failingReads(when: string, changes: readonly Change[]): Promise<void> {
    this.doing = `failing reads ${when}`
    const { module } = this.#at
    await this.#eachFailing(async (doors) => {
      const seen = await module.observe(this.#inputs, this.#ctx(doors))
      return ['unknown', 'in-flight'].includes(seen.state) ? undefined : `observe says ${say(seen)} ${when}`
    })
    await this.#eachFault(when)
    if (changes.length === 0) return
    const usual = new Set((await module.preflight(changes, this.#inputs, this.#ctx())).map((one) => JSON.stringify(one)))
    await this.#eachFailing(async (doors) => {
      const said = await module.preflight(changes, this.#inputs, this.#ctx(doors))
      // A warning tells it too: what a login may not ask need not keep a failover from starting.
      return said.some((one) => 'level' in one && !usual.has(JSON.stringify(one))) ? undefined : 'preflight finds nothing in the way'
    })
  }

  async #eachFailing(look: (doors: Platform) => Promise<string | undefined>): Promise<void> {
    const all = watchedDoors(this.#at.doors)
    await look(all.doors).catch(() => undefined)
    for (const call of all.calls) {
      for (const failure of this.#isBorne(call) ? [] : failuresOf(call)) {
        const { doors, calls } = watchedDoors(this.#at.doors, { call, failure })
        // What it throws is unknown to the engine; what it answers all the same is told here.
        const told = await look(doors).catch(() => undefined)
        if (told !== undefined && calls.has(call)) this.breach(`${told}, although ${short(call)} failed (${failure.what})`)
      }
    }
  }

  async #eachFault(when: string): Promise<void> {
    for (const [what, plant] of Object.entries(this.#at.faults ?? {})) {
      const mend = await plant()
      const seen = await this.#look().catch((error: unknown): Look => ({ state: 'unknown', why: String(error) }))
      await mend()
      if (!['unknown', 'in-flight', 'conflict'].includes(seen.state)) this.breach(`observe says ${say(seen)} ${when}, although ${what}`)
    }
  }

  #isBorne(call: Call): boolean {
    return Object.keys(this.#case.bears ?? {}).some((begin) => call.startsWith(begin))
  }

  /** Exactly the changes that are given: after the first alone, the others are still to be made. */
  async #inPart(changes: readonly Change[]): Promise<void> {
    const [first, ...others] = changes
    if (first === undefined || others.length === 0 || this.#case.together !== undefined) return
    this.doing = `apply of ${first.resource} alone`
    await this.#apply([first])
    const seen = await this.#settled()
    if (seen.state !== 'drifted' && seen.state !== 'absent') return this.breach(`after ${first.action} ${first.resource} alone it is ${say(seen)}`)
    const left = this.#plan(seen)
    const lost = others.filter((one) => unshown(left, [one]).length > 0)
    if (lost.length > 0) this.breach(`apply of ${first.resource} alone has also done ${lost.map(({ resource }) => resource).join(', ')}`)
    if (unshown(changes, left).length > 0) this.breach(`after the first change, more is planned than was shown: ${JSON.stringify(unshown(changes, left))}`)
  }

  /** What is still missing of what was planned, as the engine does it: a failure that may pass is observed first. */
  async #bringAbout(changes: readonly Change[]): Promise<void> {
    this.doing = 'apply'
    for (let attempt = 1; ; attempt += 1) {
      const seen = await this.#settled()
      if (seen.state === 'converged') return
      if (seen.state !== 'absent' && seen.state !== 'drifted') return this.breach(`before apply it is ${say(seen)}`)
      try {
        return await this.#apply(changes.length === 1 ? changes : this.#plan(seen))
      } catch (error) {
        if (attempt > 8 || !(error instanceof LifeboatError) || error.retry === undefined) throw error
        await this.#at.clock.sleep(30_000)
      }
    }
  }

  async #wayBack(changes: readonly Change[], start: Look): Promise<void> {
    const { module } = this.#at
    this.doing = 'the way back'
    const back = module.invert(changes)
    if (back.some((one) => isIrreversible(one) || isKept(one))) return
    await this.#apply((asJson(back) as readonly Change[]).toReversed())
    const seen = await this.#settled(start.state)
    if (seen.state !== start.state) return this.breach(`after the way back it is ${say(seen)}, and was ${say(start)} at first`)
    const again = seen.state === 'absent' || seen.state === 'drifted' ? this.#plan(seen) : []
    const { isBack } = module
    const isSame = (then: Change): boolean => isBack?.(then, again.find((now) => now.resource === then.resource), again) === true
    if (isBack !== undefined && changes.every(isSame)) return
    if (unshown(changes, again).length + unshown(again, changes).length > 0) {
      this.breach(`after the way back it plans ${JSON.stringify(again)}, and planned ${JSON.stringify(changes)} at first`)
    }
  }

  async #apply(changes: readonly Change[]): Promise<void> {
    const checkpoint = async (what: Json): Promise<void> => {
      if (!isDeepStrictEqual(what, asJson(what))) this.breach(`a checkpoint does not survive JSON: ${JSON.stringify(what)}`)
    }
    const { module } = this.#at
    const apply = async (): Promise<void> => {
      const work = module.apply(changes, this.#inputs, { ...this.#ctx(), checkpoint })
      await (this.#at.during?.(work) ?? work)
    }
    await this.#foretold.during(changes, this.#inputs, apply, (what) => this.breach(`${this.doing} ${what}`))
  }

  async #untilConverged(): Promise<Inputs> {
    this.doing = 'verify'
    const seen = await this.#settled('converged')
    if (seen.state === 'converged') return this.#at.module.outputs.parse(seen.outputs)
    this.breach(`after apply it is ${say(seen)} for good`)
    return {}
  }

  /** Observes as verify does, until it is in this state, or nothing is under way; at most as long as the step says. */
  async #settled(until?: Look['state']): Promise<Look> {
    const { everyMs, withinMs } = this.#at.module.verification(this.#inputs)
    const deadline = this.#at.clock.now().getTime() + withinMs
    for (;;) {
      const seen = await this.#look().catch((error: unknown): Look => ({ state: 'unknown', why: String(error) }))
      const isOver = until === undefined ? !['in-flight', 'unknown'].includes(seen.state) : seen.state === until
      if (isOver || this.#at.clock.now().getTime() >= deadline) return seen
      await this.#at.clock.sleep(everyMs)
    }
  }

  #look(): Promise<Look> {
    return this.#lookWith(this.#inputs)
  }

  #lookWith(inputs: Inputs): Promise<Look> {
    return this.#at.module.observe(inputs, this.#ctx())
  }

  #ctx(doors: Platform = this.#at.doors): Parameters<AnyStep<Platform>['preflight']>[2] {
    const secret = (): Promise<never> => Promise.reject(new LifeboatError('cloud.reference', 'a trial of the contract has no secrets'))
    const { signal } = new AbortController()
    const nothing = { progress: () => undefined, planned: () => [], overPrograms: () => [], accepted: new Set<string>() }
    return { ...nothing, doors, clock: this.#at.clock, signal, secret }
  }

  #unwritten(before: number, who: string): void {
    for (const write of this.#at.writes().slice(before)) this.breach(`${who} has written: ${write}`)
  }
}

function say(seen: Look): string {
  switch (seen.state) {
    case 'conflict':
    case 'unknown':
      return `${seen.state} (${seen.why})`
    case 'in-flight':
      return `in flight (${seen.what})`
    case 'drifted':
      return `drifted (${JSON.stringify(seen.seen)})`
    default:
      return seen.state
  }
}

function short(call: Call): string {
  return call.length > 160 ? `${call.slice(0, 160)}…` : call
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}

/** As JSON leaves it: without undefined, and with pending values in their own form. */
function compact(value: unknown): unknown {
  if (isPending(value)) return value.toJSON()
  if (Array.isArray(value)) return value.map(compact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, part]) => (part === undefined ? [] : [[key, compact(part)]])))
}
