import { open, rm, stat, writeFile } from 'node:fs/promises'
import { LifeboatError } from '../contract/index.js'
import { junitXml, scorecardLines, sumLine, type Scorecard } from '../gameday/index.js'
import { wrap } from '../render/index.js'
import { exit, exitOfSignal } from './exit.js'
import { guarded, usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import { Screen } from './screen.js'
import { loadScenario } from './gameday/scenario-file.js'
import { lostCard, type GamedayJob, type Job, type Result } from './trial/job.js'
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
    const given = read.flatMap(({ value }) => {
      if (value === undefined) return []
      const { file, scenario } = value
      const job: GamedayJob = { kind: 'gameday', file, seed: options.seed ?? scenario.seed, ...(real ? { realSpeed: options.speed ?? scenario.speed } : {}) }
      return [{ job, loaded: value }]
    })
    const jobs = given.map(({ job }) => job)
    if (options.junit !== undefined) await assertWritable(options.junit)
    const say = (line: string): void => void (options.quiet !== true && output.say(line))
    if (real) say('Played for real, in worlds of their own on this machine. That takes minutes; nothing else is touched.\n')
    const cards = new Map<Job, Scorecard>()
    const note = (job: Job, card: Scorecard): undefined => {
      cards.set(job, card)
      say(`${cards.size} of ${jobs.length} played: ${card.name} ${card.verdict}\n`)
    }
    const told = (result: Result, job: Job): undefined => (result.kind === 'gameday' ? note(job, result.card) : undefined)
    await doAll(jobs, invocation, told, (job, error) => {
      // A worker that dies takes only this one along: the others are played and told all the same.
      for (const one of given) if (one.job === job) note(job, lostCard(one.loaded, one.job, error))
    })
    const played = jobs.flatMap((job) => cards.get(job) ?? [])
    show(played, options, output)
    // What was played is told already, should the disk be full by now.
    if (options.junit !== undefined) await report(options.junit, played)
    if (interrupts.first !== undefined) return exitOfSignal(interrupts.first)
    return played.every(({ verdict }) => verdict === 'passed') ? exit.done : exit.failed
  })
}

/** A game day takes minutes: that its report can be written is tried before. What stands there stays until then. */
async function assertWritable(path: string): Promise<void> {
  const isThere = await stat(path).then(() => true, () => false)
  try {
    await (await open(path, 'a')).close()
    if (!isThere) await rm(path)
  } catch (cause) {
    throw unwritable(path, 'Nothing has been played; name another file.', cause)
  }
}

async function report(path: string, cards: readonly Scorecard[]): Promise<void> {
  await writeFile(path, junitXml(cards)).catch((cause: unknown) => {
    throw unwritable(path, 'The game day itself is over, and what came of it was told.', cause)
  })
}

function unwritable(path: string, hint: string, cause: unknown): LifeboatError {
  const { code = '' } = cause as NodeJS.ErrnoException
  return new LifeboatError('usage.unwritable', `${path} cannot be written (${code})`, { blame: 'user', hint, cause })
}

function show(cards: readonly Scorecard[], { json, verbose }: GamedayOptions, output: Invocation['output']): void {
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
