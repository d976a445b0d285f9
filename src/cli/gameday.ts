import { writeFile } from 'node:fs/promises'
import { LifeboatError } from '../contract/index.js'
import { junitXml, scorecardLines, sumLine, type Scorecard } from '../gameday/index.js'
import { wrap } from '../render/index.js'
import { exit, exitOfSignal } from './exit.js'
import { guarded, usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import { Screen } from './screen.js'
import { loadScenario } from './gameday/scenario-file.js'
import type { Job } from './trial/job.js'
import { doAll } from './trial/workers.js'

export interface GamedayOptions extends CommonOptions {
  /** Instead of the seed that each scenario states. */
  readonly seed?: number
  readonly junit?: string
  /** The program as a process, with the real programs of this machine. */
  readonly real?: boolean
  /** With `real`: instead of the speed that each scenario states. */
  readonly speed?: number
}

/** `lifeboat gameday SCENARIO…`: scripted faults, with a scorecard; 0 only if all expectations of all of them held. */
export async function gameday(args: readonly string[], options: GamedayOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const { output, interrupts } = invocation
    const { real = false } = options
    if (options.speed !== undefined && !real) throw usageError('--speed goes with --real', 'In virtual time there is no speed.')
    if (options.seed !== undefined && real) throw usageError('--seed does not go with --real', 'Latencies are those of this machine there.')
    const read = await Promise.all(args.map((file) => loadScenario(file, real)))
    const diagnostics = read.flatMap((one) => one.diagnostics)
    if (diagnostics.length > 0) {
      new Screen(options, invocation).diagnose(diagnostics)
      return exit.usage
    }
    const jobs = read.flatMap(({ value }): Job[] => {
      if (value === undefined) return []
      const { file, scenario } = value
      return [{ kind: 'gameday', file, seed: options.seed ?? scenario.seed, ...(real ? { realSpeed: options.speed ?? scenario.speed } : {}) }]
    })
    const say = (line: string): void => void (options.quiet !== true && output.say(line))
    if (real) say('Played for real, in worlds of their own on this machine. That takes minutes; nothing else is touched.\n')
    const cards = new Map<Job, Scorecard>()
    await doAll(jobs, invocation, (result, job) => {
      if (result.kind !== 'gameday') return undefined
      cards.set(job, result.card)
      say(`${cards.size} of ${jobs.length} played: ${result.card.name} ${result.card.verdict}\n`)
      return undefined
    })
    const played = jobs.flatMap((job) => cards.get(job) ?? [])
    await show(played, options, output)
    if (interrupts.first !== undefined) return exitOfSignal(interrupts.first)
    return played.every(({ verdict }) => verdict === 'passed') ? exit.done : exit.failed
  })
}

async function show(cards: readonly Scorecard[], { json, junit, verbose }: GamedayOptions, output: Invocation['output']): Promise<void> {
  if (junit !== undefined) {
    await writeFile(junit, junitXml(cards)).catch((cause: unknown) => {
      throw new LifeboatError('usage.unwritable', `${junit} cannot be written`, { blame: 'user', hint: 'The game day itself is over; name another file.', cause })
    })
  }
  if (json === true) return output.data(`${JSON.stringify({ scenarios: cards })}\n`)
  const columns = output.outputIsTerminal ? output.dataColumns - 1 : Infinity
  for (const card of cards) output.data(`${scorecardLines(card, verbose === true).flatMap((line) => hung(line, columns)).join('\n')}\n\n`)
  output.data(`${sumLine(cards)}\n`)
}

/** Broken between words for a window, the rest a little further in. */
function hung(line: string, columns: number): readonly string[] {
  if (line.length <= columns) return [line]
  const indent = /^ */.exec(line)?.[0] ?? ''
  const [first = '', ...rest] = wrap(line.trim(), columns - indent.length - 4)
  return [`${indent}${first}`, ...rest.map((one) => `${indent}    ${one}`)]
}
