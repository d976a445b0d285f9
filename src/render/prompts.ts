import type { Alternative, Answer, Change, ErrorFacts, Operator, Question } from '../contract/index.js'
import type { Asker, Choice } from './asker.js'
import { noPaint, type Paint } from './color.js'
import { oneLine, wrap } from './text.js'
import { detailsOf } from './plan-values.js'
import { sayChange, sayError } from './words.js'

type Verdict = 'go' | 'stop'
const goOrStop: readonly Choice<Verdict>[] = [
  { value: 'go', name: 'Go on' },
  { value: 'stop', name: 'Stop here; the run can be resumed' },
]

type FailureChoice = 'retry' | 'done' | 'skip' | 'stop' | 'accept'
const afterFailure: readonly Choice<FailureChoice>[] = [
  { value: 'retry', name: 'Try again' },
  { value: 'done', name: 'I have done it by hand: verify it and go on' },
  { value: 'skip', name: 'Skip it, with a reason; what depends on it goes on without it' },
  { value: 'stop', name: 'Stop here; the run can be resumed' },
]

export interface PersonOptions {
  /** Login name of the person: it stands in the journal beside every answer. */
  readonly name: string
  readonly asker: Asker
  readonly paint?: Paint
  readonly columns?: number
}

/** The person at the terminal. Questions that come up at once are asked one after the other. */
export function personOperator(options: PersonOptions): Operator {
  let last: Promise<unknown> = Promise.resolve()
  return {
    name: options.name,
    present: true,
    ask: (question, signal) => {
      const answer = last.then(() => {
        signal.throwIfAborted()
        return askPerson(question, options, signal)
      })
      last = answer.catch(() => undefined)
      return answer
    },
  }
}

/**
 * `--yes`: passes gates and manual steps, nothing else. Failures and surprises go to `person` where there is one; without
 * one they stop the run.
 */
export function yesOperator(name = '--yes', person?: Operator): Operator {
  return {
    name,
    present: person?.present ?? false,
    ask: async (question, signal) => {
      if (question.kind === 'gate') return { choice: 'go', by: name }
      if (question.kind === 'manual') return { choice: 'done', by: name }
      return person === undefined ? { choice: 'stop', by: name } : person.ask(question, signal)
    },
  }
}

/**
 * Asks for the runbook's name, typed out, before a run may write; three tries. What it names (subscription, group, cluster,
 * mode) is shown first, so that nobody confirms the wrong place.
 */
export async function confirmByName(
  asker: Asker,
  name: string,
  context: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  asker.show(context)
  for (let triesLeft = 2; triesLeft >= 0; triesLeft -= 1) {
    const typed = await asker.text(`Type ${name} to go on:`, signal)
    if (typed.trim() === name) return true
    if (typed.trim() === '') return false
    const left = triesLeft === 0 ? 'Nothing was changed.' : 'Once more, or nothing to leave it.'
    asker.show([`That is not the runbook's name. ${left}`])
  }
  return false
}

async function askPerson(question: Question, options: PersonOptions, signal: AbortSignal): Promise<Answer> {
  switch (question.kind) {
    case 'gate':
      return askGate(question, options, signal)
    case 'manual':
      return askManual(question, options, signal)
    case 'failure':
      return askFailure(question.step, question.error, options, signal)
    case 'surprise':
      return askSurprise(question, options, signal)
  }
}

type Of<K extends Question['kind']> = Extract<Question, { kind: K }>

async function askGate({ step, text }: Of<'gate'>, { asker, name }: PersonOptions, signal: AbortSignal): Promise<Answer> {
  const choice = await asker.select(`${step}: ${oneLine(text)}`, goOrStop, signal)
  return { choice, by: name }
}

/** Every item has to be ticked: a checklist that is half done is not done. */
async function askManual({ step, checklist }: Of<'manual'>, options: PersonOptions, signal: AbortSignal): Promise<Answer> {
  const { asker, name } = options
  const items = checklist.map(oneLine)
  for (;;) {
    const ticked = await asker.checklist(`${step}: to be done by hand; tick what is done`, items, signal)
    if (ticked.length === items.length) return { choice: 'done', by: name }
    const open = items.filter((_item, index) => !ticked.includes(index))
    asker.show(['Not done yet:', ...open.map((item) => `  - ${item}`)])
    if ((await asker.select(`${step}: go back to the list?`, backOrStop, signal)) === 'stop') return { choice: 'stop', by: name }
  }
}

const backOrStop: readonly Choice<'back' | 'stop'>[] = [
  { value: 'back', name: 'Back to the list' },
  { value: 'stop', name: 'Stop here; the run can be resumed' },
]

async function askFailure(step: string, error: ErrorFacts, options: PersonOptions, signal: AbortSignal): Promise<Answer> {
  const { asker, name, paint = noPaint, columns = 80 } = options
  asker.show([
    ...wrap(`${step} failed: ${sayError(error)}`, columns - 1).map((text) => paint('red', text)),
    ...(error.hint === undefined ? [] : wrap(error.hint, columns - 1)),
    ...(error.alternative === undefined ? [] : offerLines(error.alternative, paint, columns)),
  ])
  const other = error.alternative === undefined ? [] : [otherWay(error.alternative)]
  const choices = [...afterFailure.slice(0, 1), ...other, ...afterFailure.slice(1)]
  const choice = await asker.select(`${step}: what now?`, choices, signal)
  if (choice === 'accept') return acceptance(error, name)
  if (choice !== 'skip') return { choice, by: name }
  for (;;) {
    const reason = (await asker.text('Why may it be skipped? (it stands in the journal)', signal)).trim()
    if (reason !== '') return { choice, by: name, reason }
    asker.show(['A skipped step needs a reason.'])
  }
}

/** What is offered, with every change of it and whom it harms: what is chosen here runs without another question. */
function offerLines(alternative: Alternative, paint: Paint, columns: number): string[] {
  const { changes } = alternative
  const also = changes.length === 0 ? [] : ['It would make these changes besides:', ...changeLines(changes, paint, columns)]
  return [...wrap(`There is another way (${oneLine(alternative.id)}): ${oneLine(alternative.offer)}`, columns - 1).map((text) => paint('bold', text)), ...also]
}

function otherWay({ id }: Alternative): Choice<FailureChoice> {
  return { value: 'accept', name: `Go the other way that is told above (${oneLine(id)})` }
}

function acceptance({ alternative }: ErrorFacts, by: string): Answer {
  return alternative === undefined ? { choice: 'stop', by } : { choice: 'accept', by, alternative: alternative.id }
}

function changeLines(changes: readonly Change[], paint: Paint, columns: number): string[] {
  return changes.flatMap((change) => [
    `  ${sayChange(change)}`,
    ...detailsOf(change).map(({ path, before, after }) => `      ${path}  ${[before, after].filter((value) => value !== undefined).join(' → ')}`),
    ...(change.harm === undefined ? [] : wrap(`harm: ${change.harm}`, columns - 8).map((text) => `      ${paint('red', text)}`)),
  ])
}

/** Both are shown, what had been shown and what is to be done now: the difference is what is agreed to. */
async function askSurprise({ step, shown, now }: Of<'surprise'>, options: PersonOptions, signal: AbortSignal): Promise<Answer> {
  const { asker, name, paint = noPaint, columns = 80 } = options
  const list = (changes: Of<'surprise'>['now']): string[] => {
    return changes.length === 0 ? ['  nothing'] : changeLines(changes, paint, columns)
  }
  asker.show([
    paint('yellow', `${step}: the world has moved on since the plan was shown.`),
    'Shown:',
    ...list(shown),
    'Now needed:',
    ...list(now),
  ])
  const choice = await asker.select(`${step}: make these changes instead?`, goOrStop, signal)
  return { choice, by: name }
}
