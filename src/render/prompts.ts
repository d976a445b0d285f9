import type { Answer, Change, Operator, Question } from '../contract/index.js'
import type { Asker } from './ask/asker.js'
import type { Card, Choice } from './ask/card.js'
import type { PersonOptions } from './ask/person.js'
import { changeLines } from './change-lines.js'
import { noPaint } from './color.js'
import { askFailure } from './failure.js'
import { oneLine } from './text.js'

type Verdict = 'go' | 'stop'
const goOrStop: readonly Choice<Verdict>[] = [
  { value: 'go', name: 'Go on' },
  { value: 'stop', name: 'Stop here; the run can be resumed' },
]

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

/** In whose name gates and manual steps are passed without being asked: the flag that said so. */
export interface Assumed {
  readonly gate?: string
  readonly manual?: string
}

/**
 * Passes gates and manual steps as far as flags said so, nothing else: the rest goes to `person` where there is one, and stops the
 * run without one.
 */
export function assumingOperator({ gate, manual }: Assumed, person?: Operator): Operator {
  const name = manual ?? gate ?? person?.name ?? 'nobody'
  return {
    name,
    present: person?.present ?? false,
    ask: async (question, signal) => {
      if (question.kind === 'gate' && gate !== undefined) return { choice: 'go', by: gate }
      if (question.kind === 'manual' && manual !== undefined) return { choice: 'done', by: manual }
      return person === undefined ? { choice: 'stop', by: name } : person.ask(question, signal)
    },
  }
}

/**
 * Asks for the runbook's name, typed out, before a run may write; three tries. What it names (subscription, group, cluster,
 * mode) is shown first, so that nobody confirms the wrong place. `left`: nothing was typed; `wrong`: three times something else.
 */
export async function confirmByName(
  asker: Asker,
  name: string,
  context: readonly string[],
  signal: AbortSignal,
): Promise<'typed' | 'wrong' | 'left'> {
  asker.show(context)
  for (let triesLeft = 2; triesLeft >= 0; triesLeft -= 1) {
    const typed = await asker.text({ title: `Type ${name} to go on` }, signal)
    if (typed.trim() === name) {
      asker.show([`Confirmed: ${name}`])
      return 'typed'
    }
    if (typed.trim() === '') return 'left'
    // After the last try the command ends in a line of its own.
    if (triesLeft > 0) asker.show(["That is not the runbook's name. Once more, or nothing to leave it."])
  }
  return 'wrong'
}

async function askPerson(question: Question, options: PersonOptions, signal: AbortSignal): Promise<Answer> {
  const waiting = (): number => options.view?.()?.waiting.length ?? 0
  const card = (title: string): Card => ({ title, waiting })
  switch (question.kind) {
    case 'gate': {
      const choice = await options.asker.select(card(`${question.step}: ${oneLine(question.text)}`), goOrStop, signal)
      return { choice, by: options.name }
    }
    case 'manual':
      return askManual(question, card(`${question.step}: to be done by hand; tick what is done`), options, signal)
    case 'failure':
      return askFailure(question, card(`${question.step} failed: what now?`), options, signal)
    case 'surprise':
      return askSurprise(question, card(`${question.step}: make these changes instead?`), options, signal)
  }
}

type Of<K extends Question['kind']> = Extract<Question, { kind: K }>

/** Every item has to be ticked: a checklist that is half done is not done. */
async function askManual({ step, checklist }: Of<'manual'>, card: Card, options: PersonOptions, signal: AbortSignal): Promise<Answer> {
  const { asker, name } = options
  const items = checklist.map(oneLine)
  for (;;) {
    const ticked = await asker.checklist(card, items, signal)
    if (ticked.length === items.length) return { choice: 'done', by: name }
    const open = items.filter((_item, index) => !ticked.includes(index))
    const about = ['Not done yet:', ...open.map((item) => `- ${item}`)]
    const choice = await asker.select({ ...card, title: `${step}: not all of it is done. What now?`, about }, backOrStop, signal)
    if (choice === 'stop') return { choice, by: name }
  }
}

const backOrStop: readonly Choice<'back' | 'stop'>[] = [
  { value: 'back', name: 'Back to the list' },
  { value: 'stop', name: 'Stop here; the run can be resumed' },
]

/** Both are shown, what had been shown and what is to be done now: the difference is what is agreed to. */
async function askSurprise({ step, shown, now }: Of<'surprise'>, card: Card, options: PersonOptions, signal: AbortSignal): Promise<Answer> {
  const { asker, name, paint = noPaint, columns = 80 } = options
  const list = (changes: readonly Change[]): string[] => {
    return changes.length === 0 ? ['  nothing'] : changeLines(changes, paint, columns)
  }
  asker.show([
    paint('yellow', `${step}: the world has moved on since the plan was shown.`),
    'Shown:',
    ...list(shown),
    'Now needed:',
    ...list(now),
  ])
  const choice = await asker.select(card, goOrStop, signal)
  return { choice, by: name }
}
