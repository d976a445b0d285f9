import { createInterface } from 'node:readline'
import type { Keyboard, Keys } from '../keyboard.js'
import type { Output } from '../output.js'
import type { Stage } from '../stage.js'
import { oneLine, wrap } from '../text.js'
import type { Asker } from './asker.js'
import { sayWaiting, type Card } from './card.js'

export interface PlainAskerOptions {
  readonly output: Pick<Output, 'columns'>
  readonly stage: Pick<Stage, 'keep'>
  readonly keyboard: Keyboard
}

/**
 * Asks where no cursor may be moved (NO_COLOR, `--no-color`, TERM=dumb): the question in lines, the answers by number, and one line
 * typed in reply. What one may type is said when it is taken: lines that were typed before answer nothing.
 */
export function plainAsker({ output, stage, keyboard }: PlainAskerOptions): Asker {
  const broken = (text: string, indent: string): string[] => {
    return wrap(text, Math.max(10, output.columns - 1 - indent.length)).map((part) => indent + part)
  }
  // What is indented stays so.
  const show = (lines: readonly string[]): void => {
    if (lines.length > 0) stage.keep(`${lines.flatMap((one) => broken(one, /^ */.exec(one)?.[0] ?? '')).join('\n')}\n`)
  }
  const ask = (card: Card, answers: readonly string[]): void => {
    const title = broken(`? ${card.title}${sayWaiting(card.waiting?.() ?? 0)}`, '')
    const below = [...(card.about ?? []).map(oneLine), ...answers].flatMap((one) => broken(one, '  '))
    stage.keep(`\n${[...title, ...below].join('\n')}\n`)
  }
  const reply = (card: Card, answers: readonly string[], how: string, signal: AbortSignal): Promise<string> => {
    const say = (): void => show([how])
    // Whoever comes back from another program sees what is asked, not only how to answer.
    const again = (): void => {
      ask(card, answers)
      say()
    }
    return typedLine(keyboard.opens('lines', { leaves: () => undefined, returns: again }), say, signal)
  }
  return {
    show,
    async select(card, choices, signal) {
      const answers = choices.map(({ name }, index) => `${index + 1}) ${name}`)
      ask(card, answers)
      for (let how = 'Type a number and Enter:'; ;) {
        const typed = (await reply(card, answers, how, signal)).trim()
        const choice = /^\d+$/.test(typed) ? choices[Number(typed) - 1] : undefined
        if (choice !== undefined) return choice.value
        how = `${typed === '' ? 'Nothing typed' : `There is no ${oneLine(typed)}`}: a number from 1 to ${choices.length}, please:`
      }
    },
    async checklist(card, items, signal) {
      const answers = items.map((item, index) => `${index + 1}) ${item}`)
      ask(card, answers)
      for (let how = 'Type the numbers of what is done, with spaces between, and Enter:'; ;) {
        const typed = (await reply(card, answers, how, signal)).split(/[\s,]+/).filter((one) => one !== '')
        const wrong = typed.find((one) => !/^\d+$/.test(one) || items[Number(one) - 1] === undefined)
        if (wrong === undefined) return [...new Set(typed.map((one) => Number(one) - 1))].sort((a, b) => a - b)
        how = `There is no ${oneLine(wrong)}: numbers from 1 to ${items.length}, please:`
      }
    },
    text(card, signal) {
      ask(card, [])
      return reply(card, [], 'Type it, and Enter:', signal)
    },
  }
}

/** Rejects with the signal's reason once that is aborted. */
async function typedLine(keys: Keys, taken: () => void, signal: AbortSignal): Promise<string> {
  // As a terminal, readline would move the cursor; the terminal itself lets a line be edited.
  const lines = createInterface({ input: keys.input, terminal: false })
  const settled = new AbortController()
  try {
    signal.throwIfAborted()
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: settled.signal })
      lines.once('line', resolve)
      keys.drawn(taken)
    })
  } finally {
    settled.abort()
    lines.close()
    keys.close()
  }
}
