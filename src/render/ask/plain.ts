import { createInterface } from 'node:readline'
import type { Output } from '../output.js'
import type { Stage } from '../stage.js'
import { oneLine, wrap } from '../text.js'
import type { Asker } from './asker.js'
import { sayWaiting, type Card } from './card.js'

export interface PlainAskerOptions {
  readonly output: Pick<Output, 'streams' | 'columns'>
  readonly stage: Pick<Stage, 'keep'>
  /** The terminal was closed, or Ctrl-D typed: nobody can answer any more. */
  readonly interrupt: () => void
}

/**
 * Asks where no cursor may be moved (NO_COLOR, `--no-color`, TERM=dumb): the question in lines, the answers by number, and one line
 * typed in reply. Ctrl-C stays a signal, since the terminal is left as it is.
 */
export function plainAsker({ output, stage, interrupt }: PlainAskerOptions): Asker {
  const broken = (text: string, indent: string): string[] => {
    return wrap(text, Math.max(10, output.columns - 1 - indent.length)).map((part) => indent + part)
  }
  const show = (lines: readonly string[]): void => {
    if (lines.length > 0) stage.keep(`${lines.flatMap((one) => broken(one, '')).join('\n')}\n`)
  }
  const ask = (card: Card, answers: readonly string[], how: readonly string[] = []): void => {
    const title = broken(`? ${card.title}${sayWaiting(card.waiting?.() ?? 0)}`, '')
    const below = [...(card.about ?? []).map(oneLine), ...answers].flatMap((one) => broken(one, '  '))
    stage.keep(`\n${[...title, ...below, ...how].join('\n')}\n`)
  }
  const reply = (signal: AbortSignal): Promise<string> => typedLine(output.streams.stdin, signal, interrupt)
  return {
    show,
    async select(card, choices, signal) {
      ask(card, choices.map(({ name }, index) => `${index + 1}) ${name}`), ['Type a number and Enter:'])
      for (;;) {
        const typed = (await reply(signal)).trim()
        const choice = /^\d+$/.test(typed) ? choices[Number(typed) - 1] : undefined
        if (choice !== undefined) return choice.value
        show([`${typed === '' ? 'Nothing typed' : `There is no ${oneLine(typed)}`}: a number from 1 to ${choices.length}, please:`])
      }
    },
    async checklist(card, items, signal) {
      ask(card, items.map((item, index) => `${index + 1}) ${item}`), ['Type the numbers of what is done, with spaces between, and Enter:'])
      for (;;) {
        const typed = (await reply(signal)).split(/[\s,]+/).filter((one) => one !== '')
        const wrong = typed.find((one) => !/^\d+$/.test(one) || items[Number(one) - 1] === undefined)
        if (wrong === undefined) return [...new Set(typed.map((one) => Number(one) - 1))].sort((a, b) => a - b)
        show([`There is no ${oneLine(wrong)}: numbers from 1 to ${items.length}, please:`])
      }
    },
    text(card, signal) {
      ask(card, [])
      return reply(signal)
    },
  }
}

/** Rejects with the signal's reason once that is aborted. */
function typedLine(input: NodeJS.ReadableStream, signal: AbortSignal, interrupt: () => void): Promise<string> {
  signal.throwIfAborted()
  // As a terminal, readline would move the cursor; the terminal itself lets a line be edited.
  const lines = createInterface({ input, terminal: false })
  const settled = new AbortController()
  return new Promise<string>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { signal: settled.signal })
    lines.once('line', resolve)
    lines.once('close', () => {
      if (settled.signal.aborted) return
      interrupt()
      stop()
    })
  }).finally(() => {
    settled.abort()
    lines.close()
  })
}
