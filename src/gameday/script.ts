import type { Answer, Operator, Question } from '../contract/index.js'
import type { ScriptedAnswer } from './operator.js'

/** A question that came to the operator, and what was answered. */
export interface Asked {
  readonly atMs: number
  readonly step: string
  readonly asks: Question['kind']
  /** What was put to them, as a text. */
  readonly text: string
  readonly answer: Answer['choice']
}

/** The time that a script is played in. */
interface Time {
  nowMs(): number
  wait(ms: number): Promise<void>
}

const by = 'game day'

/** Answers as a scenario has it, through the port by which a person answers. */
export class ScriptedOperator implements Operator {
  readonly name = by
  readonly present = true
  readonly asked: Asked[] = []
  readonly #answers: readonly { readonly scripted: ScriptedAnswer; left: number }[]
  readonly #time: Time
  #last: Promise<unknown> = Promise.resolve()

  constructor(answers: readonly ScriptedAnswer[], time: Time) {
    this.#answers = answers.map((scripted) => ({ scripted, left: scripted.times }))
    this.#time = time
  }

  /** Answers that were never called for. */
  get unused(): readonly ScriptedAnswer[] {
    return this.#answers.flatMap(({ scripted, left }) => (left === scripted.times ? [scripted] : []))
  }

  /** Questions that come up at once are answered one after the other, as by a person. */
  ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const answer = this.#last.then(() => {
      signal.throwIfAborted()
      return this.#answer(question)
    })
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #answer(question: Question): Promise<Answer> {
    const { step, kind: asks } = question
    const found = this.#answers.find(({ scripted, left }) => left > 0 && scripted.step === step && scripted.asks === asks)
    if (found !== undefined) found.left -= 1
    const answer = found === undefined ? unscripted[asks] : given(found.scripted, question)
    const atMs = this.#time.nowMs()
    if (found?.scripted.after !== undefined) await this.#time.wait(found.scripted.after)
    this.asked.push({ atMs, step, asks, text: textOf(question), answer: answer.choice })
    return answer
  }
}

/** What is answered where the scenario says nothing. */
const unscripted: Readonly<Record<Question['kind'], Answer>> = {
  gate: { choice: 'go', by },
  manual: { choice: 'done', by },
  failure: { choice: 'stop', by },
  surprise: { choice: 'stop', by },
}

function given({ answer, reason }: ScriptedAnswer, question: Question): Answer {
  if (answer === 'skip') return { choice: 'skip', by, reason }
  if (answer !== 'accept') return { choice: answer, by }
  const alternative = question.kind === 'failure' ? question.error.alternative?.id : undefined
  // What is not offered cannot be taken.
  return alternative === undefined ? { choice: 'stop', by } : { choice: 'accept', by, alternative }
}

/** What a person would read in this question. */
export function textOf(question: Question): string {
  switch (question.kind) {
    case 'gate':
      return question.text
    case 'manual':
      return question.checklist.join('\n')
    case 'failure': {
      const { message, hint, alternative } = question.error
      return [message, hint, alternative?.offer].filter((one) => one !== undefined).join('\n')
    }
    case 'surprise':
      return [`shown: ${linesOf(question.shown)}`, `now needed: ${linesOf(question.now)}`].join('\n')
  }
}

function linesOf(changes: Extract<Question, { kind: 'surprise' }>['now']): string {
  return changes.map(({ action, resource }) => `${action} ${resource}`).join(', ') || 'nothing'
}
