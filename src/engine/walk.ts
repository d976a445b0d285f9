import {
  errorFacts,
  LifeboatError,
  type Answer,
  type Change,
  type ErrorFacts,
  type Expected,
  type JsonObject,
  type PlannedStep,
  type Question,
} from '../contract/index.js'
import { fold, withAgreed, type RunState } from '../journal/index.js'
import { dependents, needsOf, type Node, type StepNode } from '../runbook/index.js'
import { withoutTaken } from './alternatives.js'
import { ClaimTable } from './claims.js'
import { Forecast, type Left } from './forecast.js'
import { inputsOf, allKnown, outputsIn } from './inputs.js'
import { bringAbout, verifyOnly, type StepWork } from './lifecycle.js'
import { lookBeforeHarm, type Known } from './last-look.js'
import { firstFor } from './lead.js'
import { readContext } from './look.js'
import { moduleOf } from './planner.js'
import { begunBy, overPrograms } from './over-programs.js'
import type { RunPorts, StepScope } from './ports.js'
import { Questions } from './questions.js'
import type { Recorder } from './recorder.js'
import { failedByItself } from './retry.js'
import { guardsOf, missingIn, NeedsSkipped, takersIf } from './skipped.js'

/** How a node ended, for those that need it: only after `done` may they start. */
type Ending = 'done' | 'stopped'

/** A step has its claims, and the run has begun to stop while it waited for them: nothing new is begun. */
class TooLate extends Error {}

/**
 * One walk through the graph: every node waits for its needs, takes its claims, and is handed to the step lifecycle. After a
 * failure nothing new is started, while what runs comes to its end.
 */
export class Walk<D> {
  readonly #ports: RunPorts<D>
  readonly #state: RunState
  readonly #recorder: Recorder
  readonly #questions: Questions
  readonly #claims = new ClaimTable()
  readonly #outputs: Map<string, JsonObject>
  /** Steps that this life of the run has seen to be as wanted. */
  readonly #verified = new Set<string>()
  /** Guards that a person has skipped: what is behind them does not begin. */
  readonly #unguarded = new Set<string>()
  readonly #endings = new Map<string, Promise<Ending>>()
  readonly #settle = new Map<string, (ending: Ending) => void>()
  readonly #again = new Map<string, Promise<Ending>>()
  readonly #reclaimed = new Map<string, () => void>()
  readonly #steps: readonly PlannedStep[]
  readonly #eta: Forecast
  readonly #shown: Map<string, readonly Change[]>
  readonly #accepted: Map<string, ReadonlySet<string>>
  /** The operator's wish to stop, or a journal that cannot be written: nothing that waits may go on waiting then. */
  readonly #signal: AbortSignal
  readonly #broken = new AbortController()
  readonly #first: (node: Node) => string | undefined
  #stopping = false
  /** The one failure that ends everything: the journal cannot be written. */
  fatal: Error | undefined

  constructor(ports: RunPorts<D>, state: RunState, recorder: Recorder) {
    this.#ports = ports
    this.#outputs = new Map(ports.outputs)
    this.#state = state
    this.#recorder = recorder
    this.#signal = AbortSignal.any([ports.signal, this.#broken.signal])
    this.#questions = new Questions(ports, recorder, this.#signal)
    this.#steps = state.planned?.steps ?? []
    this.#eta = new Forecast(this.#steps, ports.history)
    // An undo that is resumed leaves out what is back and cannot be looked at any more: it needs no time.
    for (const { id } of this.#steps) if (!ports.runbook.nodes.some((node) => node.id === id)) this.#eta.done(id)
    this.#shown = new Map(state.shown)
    this.#first = firstFor(ports, state, this.#shown)
    this.#accepted = new Map(state.accepted)
    for (const { id } of ports.runbook.nodes) {
      this.#endings.set(id, new Promise((resolve) => this.#settle.set(id, resolve)))
    }
  }

  /** Takes back the claims of open intents before anything else may take them. */
  reclaim(): void {
    const journaled = new Map([...outputsIn(this.#state), ...this.#outputs])
    for (const node of this.#ports.runbook.nodes) {
      if (node.kind !== 'step' || this.#state.steps.get(node.id)?.open !== true) continue
      const module = moduleOf(this.#ports, node)
      const claims = module.claims(inputsOf(node, module, this.#ports, journaled))
      this.#reclaimed.set(node.id, this.#claims.reserve(node.id, claims, needsOf(this.#ports.runbook, node.id)))
    }
  }

  async visit(node: Node): Promise<void> {
    const needs = await this.#needed(node)
    let ending: Ending = 'stopped'
    try {
      if (needs.every((need) => need === 'done') && !this.#stopping) ending = await this.#visitReady(node)
    } catch (error) {
      // An abort is no failure of the step: its open intent stands in the journal and is observed by the resume.
      if (!this.#signal.aborted) this.fatal = error as Error
      this.#stopping = true
      if (this.fatal !== undefined) this.#broken.abort(this.fatal)
    } finally {
      this.#reclaimed.get(node.id)?.()
      this.#settle.get(node.id)?.(ending)
    }
    if (ending === 'done') this.#eta.done(node.id)
    if (ending === 'done' && this.fatal === undefined) this.tellEta()
  }

  async #needed(node: Node): Promise<readonly Ending[]> {
    const of = (id: string): Promise<Ending> => this.#endings.get(id) as Promise<Ending>
    const needs = await Promise.all(node.needs.map(of))
    const first = this.#first(node)
    if (first === undefined || this.#verified.has(first) || needs.includes('stopped')) return needs
    this.#recorder.tell({ type: 'step.waiting', step: node.id, on: [first], forMark: true })
    return [...needs, await of(first)]
  }

  async #visitReady(node: Node): Promise<Ending> {
    this.#signal.throwIfAborted()
    return node.kind === 'step' ? this.#visitStep(node) : this.#visitQuestion(node)
  }

  /** Gates and manual steps: asked once a run, and only if something downstream has changes. */
  async #visitQuestion(node: Exclude<Node, StepNode>): Promise<Ending> {
    const step = node.id
    if (passes(this.#state.answers.get(step)) || !this.#hasChangesAfter(step)) return 'done'
    const answer = await this.#questions.ask(
      node.kind === 'gate' ? { kind: 'gate', step, text: node.ask } : { kind: 'manual', step, checklist: node.checklist },
    )
    if (passes(answer)) return 'done'
    this.#stopping = true
    return 'stopped'
  }

  #hasChangesAfter(id: string): boolean {
    const after = dependents(this.#ports.runbook, id)
    return this.#steps.some((step) => after.has(step.id) && step.changes.length > 0)
  }

  async #visitStep(node: StepNode): Promise<Ending> {
    const stands = this.#standing(node)
    if (stands !== undefined) {
      this.#give(node.id, stands)
      return 'done'
    }
    if (this.#staysSkipped(node.id)) return 'done'
    return this.#bringTo(node, this.#state)
  }

  /** Tries until it is done, or the operator has had enough. `before` tells how often it was tried. */
  async #bringTo(node: StepNode, before: RunState): Promise<Ending> {
    const startedMs = this.#ports.clock.now().getTime()
    for (let attempt = (before.steps.get(node.id)?.attempt ?? 0) + 1; ; attempt += 1) {
      try {
        this.#give(node.id, await this.#attempt(node, attempt, startedMs, bringAbout))
        return 'done'
      } catch (error) {
        if (error instanceof TooLate) return 'stopped'
        const ending = await this.#afterFailure(node, error, attempt, startedMs)
        if (ending !== 'retry') return this.#ended(node.id, ending)
        if (error instanceof NeedsSkipped && !(await this.#tryAgain(error.steps))) return 'stopped'
      }
    }
  }

  /** Nobody waits for it any more: what it claims is free. */
  #ended(step: string, ending: Ending): Ending {
    this.#reclaimed.get(step)?.()
    this.#reclaimed.delete(step)
    return ending
  }

  /** Steps that were skipped, and are needed after all. Two that take what the same one gives wait for the same try of it. */
  async #tryAgain(steps: readonly string[]): Promise<boolean> {
    for (const step of steps) {
      const again = this.#again.get(step) ?? this.#once(step).finally(() => this.#again.delete(step))
      this.#again.set(step, again)
      if ((await again) === 'stopped') return false
    }
    return true
  }

  async #once(step: string): Promise<Ending> {
    if (this.#outputs.has(step) && !this.#unguarded.has(step)) return 'done'
    return this.#bringTo(this.#ports.runbook.nodes.find(({ id }) => id === step) as StepNode, fold(this.#ports.journal.records))
  }

  /**
   * A person has said why: a resume does not do it behind their back, unless its other way is named by `--accept`. What lifeboat itself
   * has left is looked at again.
   */
  #staysSkipped(step: string): boolean {
    const { status, skipped } = this.#state.steps.get(step) ?? {}
    if (status !== 'skipped' || skipped === undefined || skipped.by === 'lifeboat' || this.#ports.accept?.has(step) === true) return false
    this.#leave(step)
    this.#recorder.tell({ type: 'notice', level: 'info', message: `${step} stays skipped, by ${skipped.by}: ${skipped.reason}` })
    return true
  }

  /** A person has skipped it. */
  #leave(step: string): void {
    if (this.#isGuard(step)) this.#unguarded.add(step)
  }

  #isGuard(step: string): boolean {
    const node = this.#ports.runbook.nodes.find(({ id }) => id === step)
    return node?.kind === 'step' && moduleOf(this.#ports, node).guards === true
  }

  /** What an earlier life has verified, of a step that is not looked at again. */
  #standing(node: StepNode): JsonObject | undefined {
    const { status, outputs } = this.#state.steps.get(node.id) ?? {}
    return moduleOf(this.#ports, node).stands === true && status === 'verified' ? outputs : undefined
  }

  async #attempt(
    node: StepNode,
    attempt: number,
    startedMs: number,
    go: (work: StepWork<D>) => Promise<JsonObject>,
  ): Promise<JsonObject> {
    const module = moduleOf(this.#ports, node)
    const inputs = inputsOf(node, module, this.#ports, this.#outputs)
    const guards = guardsOf(node.id, this.#unguarded, this.#ports.runbook)
    if (guards.length > 0) throw new NeedsSkipped(guards, 'made sure of')
    if (!allKnown(inputs)) throw new NeedsSkipped(missingIn(inputs), 'given')
    const release = await this.#claim(node.id, module.claims(inputs))
    let isOver = true
    try {
      this.#eta.started(node.id, this.#atItSinceMs(node.id, attempt) ?? this.#ports.clock.now().getTime())
      await this.#recorder.record('step.started', { step: node.id, uses: node.uses, attempt })
      if ((this.#shown.get(node.id) ?? []).length > 0) this.tellEta()
      const outputs = await go({
        step: node.id,
        module,
        inputs,
        ctx: this.#contextOf(node.id, startedMs),
        recorder: this.#recorder,
        shown: () => this.#shown.get(node.id) ?? [],
        begun: () => fold(this.#ports.journal.records).steps.get(node.id)?.firstChanges ?? [],
        startedMs,
        ask: (question) => this.#ask(question),
        beforeHarm: () => lookBeforeHarm(node.id, this.#known()),
        beforeIntent: async () => (await this.#ports.target?.beforeIntent()) === true,
      })
      const group = module.group?.(inputs)
      if (typeof group === 'string') await this.#ports.target?.reached(group)
      this.#verified.add(node.id)
      this.#unguarded.delete(node.id)
      return outputs
    } catch (error) {
      // What it has begun may still be going on, and has in hand what it claims: nobody else has that before it is said what becomes of it.
      isOver = fold(this.#ports.journal.records).steps.get(node.id)?.open !== true
      throw error
    } finally {
      if (isOver) release()
      else this.#reclaimed.set(node.id, release)
      this.#eta.ended(node.id)
    }
  }

  /** When an earlier life began what may still be going on; only where this life has not yet tried it itself. */
  #atItSinceMs(step: string, attempt: number): number | undefined {
    const before = this.#state.steps.get(step)
    return before?.open === true && before.status !== 'failed' && attempt === before.attempt + 1 ? Date.parse(before.startedAt) : undefined
  }

  async #claim(step: string, claims: Parameters<ClaimTable['take']>[1]): Promise<() => void> {
    const reclaimed = this.#reclaimed.get(step)
    if (reclaimed !== undefined) {
      this.#reclaimed.delete(step)
      return reclaimed
    }
    const inTheWay: string[] = []
    const release = await this.#claims.take(step, claims, this.#signal, (on) => {
      inTheWay.push(...on)
      this.#recorder.tell({ type: 'step.waiting', step, on })
    })
    if (inTheWay.length === 0 || !this.#stopping) return release
    release()
    throw new TooLate()
  }

  async #afterFailure(node: StepNode, error: unknown, attempt: number, startedMs: number): Promise<Ending | 'retry'> {
    if (!failedByItself(error, this.#signal)) this.#signal.throwIfAborted()
    if (error instanceof LifeboatError && error.code.startsWith('journal.')) throw error
    const step = node.id
    if (error instanceof LifeboatError && error.leaves) {
      await this.#recorder.record('step.skipped', { step, reason: error.message, by: 'lifeboat' })
      return 'done'
    }
    this.#ports.failed?.(step, error)
    const elapsedMs = this.#ports.clock.now().getTime() - startedMs
    const facts = withoutTaken(errorFacts(error), this.#acceptedOf(step))
    await this.#recorder.record('step.failed', { step, error: facts, elapsedMs })
    // Whoever has asked for a safe point is told of it, and asked no more.
    this.#signal.throwIfAborted()
    this.tellEta()
    const answer = await this.#questions.ask({ kind: 'failure', step, error: facts, ...takersIf(step, this.#ports.runbook, this.#ports.outputs, this.#isGuard(step)) })
    if (answer.choice === 'accept') this.#accept(step, answer.alternative, facts)
    return this.#carryOut(answer, node, attempt, startedMs)
  }

  async #carryOut(answer: Answer, node: StepNode, attempt: number, startedMs: number): Promise<Ending | 'retry'> {
    switch (answer.choice) {
      case 'retry':
      case 'go':
      case 'accept':
        return 'retry'
      case 'done':
        try {
          this.#give(node.id, await this.#attempt(node, attempt + 1, startedMs, verifyOnly))
          return 'done'
        } catch (error) {
          return error instanceof TooLate ? 'stopped' : this.#afterFailure(node, error, attempt + 1, startedMs)
        }
      case 'skip':
        this.#leave(node.id)
        await this.#recorder.record('step.skipped', { step: node.id, reason: answer.reason, by: answer.by })
        return 'done'
      case 'stop':
        this.#stopping = true
        return 'stopped'
    }
  }

  /** From here on the step goes the way that it offered, and what it makes then counts as shown. */
  #accept(step: string, id: string, { alternative }: ErrorFacts): void {
    this.#accepted.set(step, new Set([...this.#acceptedOf(step), id]))
    this.#shown.set(step, [...(this.#shown.get(step) ?? []), ...(alternative?.changes ?? [])])
  }

  #acceptedOf(step: string): ReadonlySet<string> {
    return this.#accepted.get(step) ?? new Set()
  }

  /** On the way back a step gives nothing: what the run had of it stays what others refer to. */
  #give(step: string, outputs: JsonObject): void {
    if (this.#ports.outputs?.has(step) !== true) this.#outputs.set(step, outputs)
  }

  #known(): Known<D> {
    return {
      ports: this.#ports,
      outputs: this.#outputs,
      shown: this.#shown,
      verified: this.#verified,
      contextOf: (step) => this.#contextOf(step, this.#ports.clock.now().getTime()),
    }
  }

  /** What was agreed to counts as shown from then on, so that a retry does not ask again. */
  async #ask(question: Question): Promise<Answer> {
    const answer = await this.#questions.ask(question)
    if (question.kind === 'surprise' && answer.choice === 'go') this.#shown.set(question.step, withAgreed(question.shown, question.now))
    return answer
  }

  #contextOf(step: string, startedMs: number): StepWork<D>['ctx'] {
    const { clock, doors, secrets } = this.#ports
    const progress = (message: string): void => {
      const elapsedMs = clock.now().getTime() - startedMs
      this.#recorder.tell({ type: 'step.progress', step, message, elapsedMs })
    }
    const over = (): ReturnType<StepWork<D>['ctx']['overPrograms']> => overPrograms(step, this.#ports)
    const begunAt = (): Date | undefined => begunBy(step, this.#ports.journal.records)
    return { ...readContext(doors(this.#scopeOf(step)), clock, this.#signal, progress, this.#acceptedOf(step), secrets, over), begunAt }
  }

  #scopeOf(step: string): StepScope {
    const recorder = this.#recorder
    const { clock } = this.#ports
    return {
      step,
      children: {
        started: (child) => recorder.record('child.started', { step, child, at: clock.realNow().toISOString() }),
        ended: (child, { exitCode, signal }) =>
          recorder.record('child.ended', { step, pid: child.pid, exitCode, signal }),
      },
    }
  }

  /** When it is expected to be over, from here. */
  tellEta(): void {
    const nowMs = this.#ports.clock.now().getTime()
    const { p50, p90 } = this.#eta.remaining(nowMs)
    const expected = (left: Left): Expected => ({ ...left, finishAt: new Date(nowMs + left.remainingMs).toISOString() })
    this.#recorder.tell({ type: 'eta.updated', ...expected(p50), ...(p90 === undefined ? {} : { p90: expected(p90) }) })
  }
}

function passes(answer: Answer | undefined): boolean {
  return answer?.choice === 'go' || answer?.choice === 'done'
}
