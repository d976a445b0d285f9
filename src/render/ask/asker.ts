import type { Paint } from '../color.js'
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
  /**
   * While it asks, the terminal is in raw mode and Ctrl-C reaches it as a key: this passes it on to whoever owns signals.
   */
  readonly interrupt: () => void
}

/**
 * Asks at the terminal, on standard error, so that data on standard output stays data. The prompts are inquirer's, with pictures of
 * our own: inquirer's break lines within words, and know nothing of what goes on above them.
 */
export function terminalAsker({ output, stage, paint, interrupt }: TerminalAsker): Asker {
  const prompt = async (question: Record<string, unknown>, signal: AbortSignal): Promise<unknown> => {
    signal.throwIfAborted()
    const ask = await promptModule(output, signal)
    try {
      return (await ask([{ ...question, stage, paint, name: 'answer' }]))['answer']
    } catch (error) {
      if (error instanceof Error && error.name === 'ExitPromptError') interrupt()
      signal.throwIfAborted()
      throw error
    } finally {
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
async function promptModule(output: Output, signal: AbortSignal): Promise<Ask> {
  const { createPromptModule } = await import('inquirer').then((module) => module.default)
  const [{ choose }, { checklist }, { entry }] = await Promise.all([import('./choose.js'), import('./checklist.js'), import('./entry.js')])
  const { stdin, stderr } = output.streams
  const module = createPromptModule({ input: stdin, output: stderr, signal, clearPromptOnDone: true })
  for (const [name, one] of Object.entries({ choose, tick: checklist, entry })) module.registerPrompt(name, one as never)
  // Its types work out answers from literal questions; here the kind of question comes in as a value.
  return module as unknown as Ask
}
