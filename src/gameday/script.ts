import type { Answer, Operator, Question } from '../contract/index.js'
import type { ScriptedAnswer } from './operator.js'

/** A question that came to the operator, and what was answered. */
export interface Asked {
  readonly atMs: number
  readonly step: string
  readonly asks: Question['kind']
  /** What was put to them, as a text. */
  readonly text: string
  /** Null: whoever asked has died before they were answered, or did not want to know any more. */
  readonly answer: Answer['choice'] | null
}

/** One whose answer is still to come. */
type Noted = { -readonly [K in keyof Asked]: Asked[K] }

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
  readonly #asked: Noted[] = []
  readonly #answers: readonly { readonly scripted: ScriptedAnswer; left: number }[]
  readonly #time: Time
  #last: Promise<unknown> = Promise.resolve()

  constructor(answers: readonly ScriptedAnswer[], time: Time) {
    this.#answers = answers.map((scripted) => ({ scripted, left: scripted.times }))
    this.#time = time
  }

  get asked(): readonly Asked[] {
    return this.#asked
  }

  /** Answers that nobody got: that were never called for, or came too late for whoever had asked. */
  get unused(): readonly ScriptedAnswer[] {
    return this.#answers.flatMap(({ scripted, left }) => (left === scripted.times ? [scripted] : []))
  }

  /** The same operator for one life, whose end the signal tells: what has died hears of no answer any more, and uses none up. */
  forLife(over: AbortSignal): Operator {
    const ask = (question: Question, signal: AbortSignal): Promise<Answer> =>
      this.ask(question, AbortSignal.any([signal, over])).catch((error: unknown) => {
        if (!over.aborted) throw error
        return new Promise<never>(() => undefined)
      })
    return { name: this.name, present: this.present, ask }
  }

  /** Questions that come up at once are answered one after the other, as by a person. */
  ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const answer = this.#last.then(() => {
      signal.throwIfAborted()
      return this.#answer(question, signal)
    })
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #answer(question: Question, signal: AbortSignal): Promise<Answer> {
    const { step, kind: asks } = question
    const found = this.#answers.find(({ scripted, left }) => left > 0 && scripted.step === step && scripted.asks === asks)
    const answer = found === undefined ? unscripted[asks] : given(found.scripted, question)
    const asked: Noted = { atMs: this.#time.nowMs(), step, asks, text: textOf(question), answer: null }
    this.#asked.push(asked)
    if (found?.scripted.after !== undefined) await unlessAborted(this.#time.wait(found.scripted.after), signal)
    signal.throwIfAborted()
    if (found !== undefined) found.left -= 1
    asked.answer = answer.choice
    return answer
  }
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([work, aborted])
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
