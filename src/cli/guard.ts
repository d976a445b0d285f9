import { errorFacts, LifeboatError, type ErrorFacts } from '../contract/index.js'
import { errorLines, paintFor } from '../render/index.js'
import { exit, exitOfSignal } from './exit.js'
import { interruption } from './interrupts.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { refuseUnopened } from './refusal.js'

type GuardOptions = Pick<CommonOptions, 'debug' | 'color'>

/** What is wrong has been said to people in more words than this; a program that reads events gets these. */
export class AlreadySaid extends LifeboatError {}

/** What a command's work has come to know, for what is said at its end. */
export interface Told {
  /** Path of the run's log. */
  log?: string
  /** A run has begun, or gone on: whatever ends it from now on, something may have been changed. */
  begun?: boolean
}

/**
 * Runs a command's work and turns an expected failure into what, why, what to do, and an exit code. A step's failure is an outcome of the
 * run, not an error.
 */
export async function guarded(
  options: GuardOptions,
  { output, env, interrupts }: Invocation,
  work: (told: Told) => Promise<number>,
  refused: (code: number, error?: ErrorFacts) => void = () => undefined,
): Promise<number> {
  const told: Told = {}
  try {
    const code = await work(told)
    sayLog(told, code, output)
    refused(code)
    return code
  } catch (error) {
    const signal = interruption(error)
    if (signal !== undefined) {
      // A run that has begun comes to its safe point and tells of it itself.
      output.say(`Stopped by ${signal} ${interrupts.unbegun}\n`)
      refused(exitOfSignal(signal), errorFacts(error))
      return exitOfSignal(signal)
    }
    const isTerminal = output.errorIsTerminal
    const paint = paintFor({ env, isTerminal, flag: options.color })
    const columns = isTerminal ? output.columns : Infinity
    if (!(error instanceof AlreadySaid)) output.sayLines(errorLines(error, { paint, columns, debug: options.debug === true }))
    const facts = errorFacts(error)
    const code = codeOf(facts.code, told)
    sayLog(told, code, output)
    refused(code, facts)
    return code
  }
}

/**
 * The same for a command that begins a run, and tells events (`--json`): they end with why nothing begins, also where none were told
 * before. A run that has begun says itself what it leaves at a second Ctrl-C.
 */
export function guardedStream(options: GuardOptions & Pick<CommonOptions, 'json' | 'dryRun'>, invocation: Invocation, work: (told: Told) => Promise<number>): Promise<number> {
  const { interrupts } = invocation
  interrupts.leaving = () => [`Ended at once, ${interrupts.unbegun}`]
  return guarded(options, invocation, work, (code, error) => refuseUnopened(invocation.output, options, code, error))
}

/** Where to look further, after everything that did not end as it was meant to. */
function sayLog({ log }: Told, code: number, output: Invocation['output']): void {
  const asMeant: readonly number[] = [exit.done, exit.declined, exit.usage]
  if (log !== undefined && !asMeant.includes(code)) output.say(`Log of this run: ${log}\n`)
}

function codeOf(code: string, { begun = false }: Told): number {
  if (/^(usage|runbook|scenario|plan-file|undo)\.|^run\.(unknown|none)$/.test(code)) return exit.usage
  if (/^(lock|target)\.(held|lost)$|^journal\.displaced$/.test(code)) return exit.locked
  // "Not ready" promises that nothing was changed.
  return begun || code === 'tool.bug' ? exit.failed : exit.notReady
}

export function usageError(message: string, hint: string): LifeboatError {
  return new LifeboatError('usage.wrong', message, { blame: 'user', hint })
}
