import type { Output } from './output.js'

export interface Choice<T extends string> {
  readonly value: T
  readonly name: string
}

/** The few ways in which the operator can be asked. Each rejects with the signal's reason once that is aborted. */
export interface Asker {
  /** Shows lines above the question. */
  show(lines: readonly string[]): void
  select<T extends string>(message: string, choices: readonly Choice<T>[], signal: AbortSignal): Promise<T>
  /** Resolves with the items that were ticked, as their indexes. */
  checklist(message: string, items: readonly string[], signal: AbortSignal): Promise<readonly number[]>
  text(message: string, signal: AbortSignal): Promise<string>
}

/**
 * Asks at the terminal, on standard error, so that data on standard output stays data. While it asks, the terminal is in
 * raw mode and Ctrl-C reaches it as a key: `interrupt` passes it on to whoever owns signals.
 */
export function terminalAsker(output: Output, interrupt: () => void): Asker {
  const prompt = async (question: Record<string, unknown>, signal: AbortSignal): Promise<unknown> => {
    signal.throwIfAborted()
    // Loaded when the first question comes up: most commands never ask one.
    const { createPromptModule } = await import('inquirer').then((module) => module.default)
    // Its types work out answers from literal questions; here the kind of question comes in as a value.
    const ask = createPromptModule({
      input: output.streams.stdin,
      output: output.streams.stderr,
      signal,
    }) as unknown as (questions: readonly object[]) => Promise<Record<string, unknown>>
    try {
      return (await ask([{ ...question, name: 'answer' }]))['answer']
    } catch (error) {
      if (error instanceof Error && error.name === 'ExitPromptError') interrupt()
      signal.throwIfAborted()
      throw error
    }
  }
  return {
    show: (lines) => output.sayLines(lines),
    select: async (message, choices, signal) => {
      const answer = await prompt({ type: 'select', message, choices, loop: false }, signal)
      // It can only be one of the values that were offered.
      return answer as (typeof choices)[number]['value']
    },
    checklist: async (message, items, signal) => {
      const choices = items.map((name, value) => ({ name, value }))
      return (await prompt({ type: 'checkbox', message, choices, loop: false }, signal)) as readonly number[]
    },
    text: async (message, signal) => String(await prompt({ type: 'input', message }, signal)),
  }
}
