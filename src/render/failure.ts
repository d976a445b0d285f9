import type { Alternative, Answer, ErrorFacts, Question } from '../contract/index.js'
import type { Card, Choice } from './ask/card.js'
import type { PersonOptions } from './ask/person.js'
import { noPaint } from './color.js'
import { changeLines } from './change-lines.js'
import type { RunView } from './run-view.js'
import { count, oneLine, wrap } from './text.js'
import { sayError, sayOffer } from './words.js'

type FailureQuestion = Extract<Question, { kind: 'failure' }>
type FailureChoice = 'retry' | 'accept' | 'details' | 'done' | 'skip' | 'stop'

/** What a failed step leaves to the operator, in the order in which it is best thought of. */
function choicesAfter(question: FailureQuestion, view: RunView | undefined): readonly Choice<FailureChoice>[] {
  const { step, error: { code, alternative }, takers = [] } = question
  // Nothing can be looked at while it is not known where.
  const canVerify = code !== 'step.needs-skipped'
  return [
    { value: 'retry', name: 'Try again' },
    ...(alternative === undefined ? [] : [{ value: 'accept', name: `Go the other way (${oneLine(alternative.id)})` } as const]),
    { value: 'details', name: 'Show details' },
    ...(canVerify ? [{ value: 'done', name: 'I have done it by hand: verify it and go on' } as const] : []),
    { value: 'skip', name: `Skip it, with a reason; ${sayWithout(takers, view === undefined || waitingFor(step, view).length > 0)}` },
    { value: 'stop', name: 'Stop here; the run can be resumed' },
  ]
}

/** What becomes of the steps behind one that is skipped. */
function sayWithout(takers: readonly string[], hasDependents: boolean): string {
  const [first, ...more] = takers
  if (first === undefined) return hasDependents ? 'what depends on it goes on without it' : 'nothing depends on it'
  return `${more.length === 0 ? first : `${first} and ${count(more.length, 'more step')}`} cannot go on without it`
}

/** What happened, what to do about it, and what is safe: it stands with the question, and so is not told in the log besides. */
function aboutFailure(error: ErrorFacts): readonly string[] {
  const { code, hint, alternative } = error
  return [
    sayError(error),
    ...(hint === undefined ? [] : [hint]),
    ...(alternative === undefined ? [] : [sayOffer(alternative) + sayBesides(alternative)]),
    // Its own hint says what trying again begins with.
    ...(code === 'step.needs-skipped' ? [] : [sayRetry(error)]),
  ]
}

/** A retry is never a blind one; whether it helps is another matter. */
function sayRetry({ blame, retryable }: ErrorFacts): string {
  const careful = 'it looks first, and makes only what is missing.'
  if (blame === 'user') return `Mend that, then try again: ${careful}`
  if (blame === 'tool') return 'Trying again is safe, but may end in the same way.'
  return retryable ? 'It was tried several times. Trying once more is safe: it looks first.' : `Trying again is safe: ${careful}`
}

function sayBesides({ changes }: Alternative): string {
  return changes.length === 0 ? '' : ` It makes ${count(changes.length, 'change')} besides, which you see first.`
}

export async function askFailure(
  question: FailureQuestion,
  card: Card,
  options: PersonOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const { step, error } = question
  const { asker, name: by, view } = options
  for (;;) {
    const choice = await asker.select({ ...card, about: aboutFailure(error), rest: 'Show details has all of it' }, choicesAfter(question, view?.()), signal)
    switch (choice) {
      case 'details':
        asker.show(detailLines(step, error, view?.(), options))
        break
      case 'accept':
        if (error.alternative !== undefined && (await agrees(step, error.alternative, card, options, signal))) {
          return { choice, by, alternative: error.alternative.id }
        }
        break
      case 'skip':
        return { choice, by, reason: await askReason(step, options, signal) }
      case 'retry':
      case 'done':
      case 'stop':
        return { choice, by }
    }
  }
}

async function askReason(step: string, { asker }: PersonOptions, signal: AbortSignal): Promise<string> {
  for (let about = ['It stands in the journal.']; ; about = ['A skipped step needs a reason: it stands in the journal.']) {
    const reason = (await asker.text({ title: `${step}: why may it be skipped?`, about }, signal)).trim()
    if (reason !== '') return reason
  }
}

/** What is chosen runs without another question, so all of it is seen first: every change, and whom it harms. */
async function agrees(
  step: string,
  { id, changes }: Alternative,
  card: Card,
  options: PersonOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (changes.length === 0) return true
  const { asker, paint = noPaint, columns = 80 } = options
  asker.show([`${step}, ${oneLine(id)}: it would make these changes besides:`, ...changeLines(changes, paint, columns)])
  const choices = [
    { value: 'go', name: 'Make them too' },
    { value: 'back', name: 'Back' },
  ] as const
  return (await asker.select({ ...card, title: `${step}: make these changes too?` }, choices, signal)) === 'go'
}

/** All that is known of a failed step: what it is, what it was about to change, and what waits for it. */
export function detailLines(step: string, error: ErrorFacts, view: RunView | undefined, options: Pick<PersonOptions, 'paint' | 'columns' | 'statusCommand'>): string[] {
  const { paint = noPaint, columns = 80, statusCommand } = options
  const known = view?.steps.get(step)
  const rows: (readonly [string, string])[] = [
    ['error', `${error.code}: ${error.message}`],
    ['whose', `${blames[error.blame]}; ${error.retryable ? 'it was tried again, and stayed' : 'trying again by itself would not have helped'}`],
    ...(error.hint === undefined ? [] : [['to do', error.hint] as const]),
    ...(error.alternative === undefined ? [] : [['or', sayOffer(error.alternative) + sayBesides(error.alternative)] as const]),
  ]
  if (known !== undefined && view !== undefined) {
    const after = waitingFor(step, view)
    rows.unshift(['step', `${known.uses}, attempt ${Math.max(1, known.attempt)}`])
    rows.push(['waiting', after.length === 0 ? 'nothing waits for it' : after.join(', ')])
    if (statusCommand !== undefined) rows.push(['look', statusCommand(view.run)])
  }
  const changes = known?.planned?.changes ?? []
  return [
    paint('bold', `${step} in detail:`),
    ...rows.flatMap(([name, text]) => wrap(text, columns - 12).map((part, index) => `  ${(index === 0 ? name : '').padEnd(8)} ${part}`)),
    ...(changes.length === 0 ? [] : ['  It was to make these changes:', ...changeLines(changes, paint, columns).map((line) => `  ${line}`)]),
  ]
}

function waitingFor(step: string, { steps }: RunView): readonly string[] {
  return [...steps.values()].filter(({ needs }) => needs.includes(step)).map(({ id }) => id)
}

const blames = { user: 'to be mended on our side', cloud: "the cloud's", tool: 'a defect of lifeboat' } as const
