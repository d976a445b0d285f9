import { errorFacts, LifeboatError } from '../contract/index.js'
import { errorLines, paintFor } from '../render/index.js'
import { exit } from './exit.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'

/**
 * Runs a command's work and turns an expected failure into what, why, what to do, and an exit code. Whatever fails here
 * fails before the first change, or is the journal itself: a step's failure is an outcome of the run, not an error.
 */
export async function guarded(
  options: Pick<CommonOptions, 'debug' | 'color'>,
  { output, env }: Invocation,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work()
  } catch (error) {
    const isTerminal = output.errorIsTerminal
    const paint = paintFor({ env, isTerminal, flag: options.color })
    output.sayLines(errorLines(error, { paint, columns: output.columns, debug: options.debug === true }))
    return codeOf(errorFacts(error).code)
  }
}

function codeOf(code: string): number {
  if (/^(usage|runbook|plan-file|undo)\.|^run\.(unknown|none)$/.test(code)) return exit.usage
  if (/^(lock|target)\.(held|lost)$/.test(code)) return exit.locked
  if (code === 'journal.write-failed' || code === 'tool.bug') return exit.failed
  return exit.notReady
}

export function usageError(message: string, hint: string): LifeboatError {
  return new LifeboatError('usage.wrong', message, { blame: 'user', hint })
}
