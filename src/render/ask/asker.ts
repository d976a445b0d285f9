import type { Paint } from '../color.js'
import type { Keyboard, Keys } from '../keyboard.js'
import type { Output } from '../output.js'
import type { Stage } from '../stage.js'
import type { Card, Choice } from './card.js'

/** The few ways in which the operator can be asked. Each rejects with the signal's reason once that is aborted. */
export interface Asker {
  /** Shows lines above the question. */
  show(lines: readonly string[]): void
  select<T extends string>(card: Card, choices: readonly Choice<T>[], signal: AbortSignal): Promise<T>
  /** Resolves with the items that were ticked, as their indexes. */
  checklist(card: Card, items: readonly string[], signal: AbortSignal): Promise<readonly number[]>
  text(card: Card, signal: AbortSignal): Promise<string>
}

export interface TerminalAsker {
  readonly output: Output
  readonly stage: Stage
  readonly paint: Paint
  readonly keyboard: Keyboard
}

/**
 * Asks at the terminal, on standard error, so that data on standard output stays data. The prompts are inquirer's, with pictures of
 * our own: inquirer's break lines within words, and know nothing of what goes on above them.
 */
export function terminalAsker({ output, stage, paint, keyboard }: TerminalAsker): Asker {
  const prompt = async (question: Record<string, unknown>, signal: AbortSignal): Promise<unknown> => {
    signal.throwIfAborted()
    const keys = keyboard.opens(question['type'] === 'entry' ? 'text' : 'keys', stage)
    try {
      const ask = await promptModule(keys, output, signal)
      return (await ask([{ ...question, stage, paint, keys, name: 'answer' }]))['answer']
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      keys.close()
      stage.closed()
    }
  }
  return {
    show: (lines) => {
      if (lines.length > 0) stage.keep(`${lines.join('\n')}\n`)
    },
    select: async (card, choices, signal) => {
      const answer = await prompt({ type: 'choose', card, choices }, signal)
      // It can only be one of the values that were offered.
      return answer as (typeof choices)[number]['value']
    },
    checklist: async (card, items, signal) => (await prompt({ type: 'tick', card, items }, signal)) as readonly number[],
    text: async (card, signal) => String(await prompt({ type: 'entry', card }, signal)),
  }
}

type Ask = (questions: readonly object[]) => Promise<Record<string, unknown>>

/** Loaded when the first question comes up: most commands never ask one. */
async function promptModule(keys: Keys, output: Output, signal: AbortSignal): Promise<Ask> {
  const { createPromptModule } = await import('inquirer').then((module) => module.default)
  const [{ choose }, { checklist }, { entry }] = await Promise.all([import('./choose.js'), import('./checklist.js'), import('./entry.js')])
  const module = createPromptModule({ input: keys.input, output: output.streams.stderr, signal, clearPromptOnDone: true })
  for (const [name, one] of Object.entries({ choose, tick: checklist, entry })) module.registerPrompt(name, one as never)
  // Its types work out answers from literal questions; here the kind of question comes in as a value.
  return module as unknown as Ask
}
