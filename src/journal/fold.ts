import { LifeboatError, type Answer, type Change, type Question } from '../contract/index.js'
import { damaged } from './codec.js'
import { StepFold } from './fold-step.js'
import type { JournalRecord } from './records.js'
import type { RunState, StepState } from './state.js'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type RecordOf<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>

/**
 * Where the run stands after these records: pure, and the only way to know it. Throws `journal.empty` without records, and
 * `journal.damaged` if the first does not start the run or a later one starts it again.
 */
export function fold(records: readonly JournalRecord[]): RunState {
  const [first] = records
  if (first === undefined) {
    throw new LifeboatError('journal.empty', 'the journal has no record: the run ended before it began', {
      blame: 'user',
      hint: 'It changed nothing. Start a fresh `lifeboat run`.',
    })
  }
  const folding = new Folding()
  folding.add(records)
  return folding.state()
}

/** The same for a journal that grows: each record is folded once. States that were given stay as they were. */
export class Folding {
  #run: RunFold | undefined

  /** Throws `journal.damaged` if the first of all does not start the run or a later one starts it again. */
  add(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (this.#run !== undefined) this.#run.add(record)
      else if (record.type === 'run.started') this.#run = new RunFold(record)
      else throw damaged(1, 'it does not start the run', { run: record.run })
    }
  }

  /** Throws `journal.empty` before the first record. */
  state(): RunState {
    return this.#run?.state() ?? fold([])
  }
}

class RunFold {
  readonly #run: Mutable<RunState>
  readonly #steps = new Map<string, StepFold>()
  readonly #shown = new Map<string, readonly Change[]>()
  readonly #accepted = new Map<string, Set<string>>()
  readonly #answers = new Map<string, Answer>()
  /** The question that each step waits for; one at a time for a step. */
  readonly #asked = new Map<string, Question>()
  readonly #realStarts: string[]

  constructor({ run, seq, t, data }: RecordOf<'run.started'>) {
    const { runbook, mode, cloud, owner, pins, confirmed, realStartedAt, sim, undoes, objectiveMs } = data
    this.#realStarts = [realStartedAt]
    this.#run = {
      run,
      runbook,
      mode,
      cloud,
      owner,
      confirmed,
      pins,
      status: 'running',
      startedAt: t,
      realStartedAt,
      realStarts: this.#realStarts,
      shown: this.#shown,
      steps: new Map(),
      accepted: this.#accepted,
      answers: this.#answers,
      ...(sim === undefined ? {} : { sim }),
      ...(objectiveMs === undefined ? {} : { objectiveMs }),
      ...(undoes === undefined ? {} : { undoes }),
      lastSeq: seq,
      resumes: 0,
    }
  }

  add(record: JournalRecord): void {
    this.#run.lastSeq = record.seq
    switch (record.type) {
      case 'run.started':
        throw damaged(record.seq, 'it starts the run a second time', { run: record.run })
      case 'run.resumed':
        this.#resumed(record)
        return
      case 'run.undoing':
        this.#run.undoings = [...(this.#run.undoings ?? []), record.data.by]
        return
      case 'run.planned':
        this.#planned(record)
        return
      case 'run.interrupted':
        this.#run.interrupted = record.data.signal
        return
      case 'run.finished':
        this.#finished(record)
        return
      case 'question.asked':
        this.#asked.set(record.data.step, record.data.question)
        return
      case 'question.answered':
        this.#answered(record)
        return
      case 'survivor.handled':
        // A step that nothing else names is none: older journals called another run's child one of the step `unknown`.
        if (record.data.step !== undefined) this.#steps.get(record.data.step)?.add(record)
        return
      default:
        this.#stepOf(record.data.step, record.t).add(record)
    }
  }

  state(): RunState {
    const steps = new Map<string, StepState>()
    for (const [id, step] of this.#steps) steps.set(id, step.state())
    const [shown, accepted, answers] = [new Map(this.#shown), new Map(this.#accepted), new Map(this.#answers)]
    return { ...this.#run, steps, shown, accepted, answers, realStarts: [...this.#realStarts] }
  }

  #stepOf(id: string, t: string): StepFold {
    let step = this.#steps.get(id)
    if (step === undefined) this.#steps.set(id, (step = new StepFold(t)))
    return step
  }

  #resumed({ data }: RecordOf<'run.resumed'>): void {
    const { owner, realStartedAt, runbookText, pins } = data
    this.#realStarts.push(realStartedAt)
    this.#run.status = 'running'
    this.#run.owner = owner
    this.#run.resumes += 1
    if (runbookText !== undefined) this.#run.runbook = { ...this.#run.runbook, text: runbookText }
    if (pins !== undefined) this.#run.pins = pins
    delete this.#run.outcome
    delete this.#run.finished
    delete this.#run.interrupted
    // A gate that was not passed is asked again: until then nobody has declined anything of this life.
    for (const [step, { choice }] of this.#answers) if (choice === 'stop') this.#answers.delete(step)
    // The process that asked is gone, and its question with it.
    this.#asked.clear()
  }

  #planned({ data }: RecordOf<'run.planned'>): void {
    this.#run.planned = data
    this.#shown.clear()
    for (const { id, changes } of data.steps) this.#shown.set(id, changes)
  }

  #answered({ data: { step, kind, answer } }: RecordOf<'question.answered'>): void {
    const question = this.#asked.get(step)
    this.#asked.delete(step)
    if (kind === 'gate' || kind === 'manual') this.#answers.set(step, answer)
    if (question?.kind === 'surprise' && kind === 'surprise' && answer.choice === 'go') {
      this.#shown.set(step, withAgreed(this.#shown.get(step) ?? [], question.now))
    }
    if (question?.kind === 'failure' && kind === 'failure' && answer.choice === 'accept') this.#accept(step, answer.alternative, question)
  }

  /** Its changes stand beside what was shown before: the step may still be able to do with those. */
  #accept(step: string, id: string, { error: { alternative } }: Extract<Question, { kind: 'failure' }>): void {
    this.#accepted.set(step, new Set([...(this.#accepted.get(step) ?? []), id]))
    if (alternative?.id === id) this.#shown.set(step, [...(this.#shown.get(step) ?? []), ...alternative.changes])
  }

  #finished({ data: { outcome, elapsedMs, wallMs } }: RecordOf<'run.finished'>): void {
    this.#run.status = outcome === 'succeeded' ? 'finished' : 'stopped'
    this.#run.outcome = outcome
    this.#run.finished = { elapsedMs, wallMs }
  }
}

/** What was agreed to takes the place of what was shown for the same resource and action before. */
export function withAgreed(shown: readonly Change[], agreed: readonly Change[]): readonly Change[] {
  const replaced = (old: Change): boolean =>
    agreed.some(({ resource, action }) => resource === old.resource && action === old.action)
  return [...shown.filter((change) => !replaced(change)), ...agreed]
}
