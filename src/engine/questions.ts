import type { Answer, Operator, Question } from '../contract/index.js'
import { chosenInAdvance, recordTaken, type Accepting } from './alternatives.js'
import type { Target } from './ports.js'
import type { Recorder } from './recorder.js'

export interface QuestionPorts {
  readonly operator: Operator
  readonly accept?: Accepting
  readonly target?: Pick<Target, 'stillOurs'>
}

/** One question at a time, in the order in which they came up, each journaled with its answer. */
export class Questions {
  readonly #operator: Operator
  readonly #recorder: Recorder
  readonly #signal: AbortSignal
  readonly #accept: Accepting | undefined
  readonly #target: Pick<Target, 'stillOurs'> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #open = 0

  constructor({ operator, accept, target }: QuestionPorts, recorder: Recorder, signal: AbortSignal) {
    this.#operator = operator
    this.#recorder = recorder
    this.#signal = signal
    this.#accept = accept
    this.#target = target
  }

  ask(question: Question): Promise<Answer> {
    const { step, kind } = question
    if (this.#open > 0 && this.#operator.present) this.#recorder.tell({ type: 'question.waiting', step, kind })
    this.#open += 1
    const answer = this.#last.then(() => this.#askNow(question)).finally(() => (this.#open -= 1))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #askNow(question: Question): Promise<Answer> {
    const { step, kind } = question
    this.#signal.throwIfAborted()
    const chosen = question.kind === 'failure' ? chosenInAdvance(this.#accept, step, question.error) : undefined
    if (chosen !== undefined) return recordTaken(this.#recorder, chosen)
    // Failures and surprises need a person; `--yes` alone does not answer them.
    if (!this.#operator.present && (kind === 'failure' || kind === 'surprise')) {
      return { choice: 'stop', by: this.#operator.name }
    }
    await this.#recorder.record('question.asked', { step, question })
    const answer = await this.#operator.ask(question, this.#signal)
    // Whoever answers must not read that it counted where another run has taken over meanwhile.
    await this.#target?.stillOurs()
    await this.#recorder.record('question.answered', { step, kind, answer })
    return answer
  }
}
