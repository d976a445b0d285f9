import type { RunEvent } from '../contract/index.js'
import type { StateFolder } from '../journal/index.js'
import { conditionOf } from './condition.js'
import { exit, exitOfSignal } from './exit.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import { clockIn, Reader } from './reader.js'
import { Screen } from './screen.js'
import { commandLine } from './state.js'

/** Real milliseconds between two looks at the journal. */
const lookEveryMs = 500

/**
 * The same run live, from another terminal or another person's: its journal told again as it grows, and from its log what is told only
 * (progress, expected end). Reads only, and asks nothing. Ends with the run, or where its process is found dead.
 */
export async function follow(run: string, folder: StateFolder, options: CommonOptions, invocation: Invocation): Promise<number> {
  const { signal } = invocation.interrupts
  const screen = new Screen({ ...options, input: false }, invocation)
  const resumeCommand = commandLine(options, 'resume', run)
  const reader = new Reader(run, folder, await folder.tail(run), resumeCommand)
  const before = await reader.next()
  const clock = await clockIn(reader.state)
  const isWhole = options.json === true
  // What was before counts, and is not told again; a stream of data has all of it.
  const earlier = isWhole ? [] : before.filter(({ type }) => type !== 'run.finished')
  const renderer = screen.renderer({ clock, runbook: {} }, run, earlier, true)
  invocation.interrupts.onFirst = () => undefined
  try {
    for (const event of isWhole ? before : standing(before)) renderer.listener(event)
    for (;;) {
      if (reader.isOver) return exit.done
      const condition = await conditionOf(run, reader.state, folder)
      // Looked at once more: its end may have been written in between.
      const fresh = await reader.next()
      for (const event of fresh) renderer.listener(event)
      if (condition === 'stopped' && fresh.length === 0) {
        renderer.note('warn', `The process of this run is gone. To go on with it: ${resumeCommand}`)
        return exit.done
      }
      if (fresh.length === 0) await clock.sleepReal(lookEveryMs, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    renderer.note('info', 'No longer followed; the run goes on.')
    return exitOfSignal(invocation.interrupts.first ?? 'SIGINT')
  } finally {
    renderer.close()
  }
}

/** What still holds of the last life: how it began, when it is to be over, the question that stands, its end if it has one. */
function standing(before: readonly RunEvent[]): readonly RunEvent[] {
  const life = before.slice(Math.max(0, before.findLastIndex(({ type }) => type === 'run.started')))
  const last = (wanted: RunEvent['type']): RunEvent | undefined => life.findLast(({ type }) => type === wanted)
  const all = [life.find(({ type }) => type === 'run.started'), last('eta.updated'), questionIn(life), last('run.stopping'), last('run.finished')]
  return all.filter((event) => event !== undefined)
}

function questionIn(life: readonly RunEvent[]): RunEvent | undefined {
  const open = new Map<string, RunEvent>()
  for (const event of life) {
    if (event.type === 'question.asked') open.set(event.step, event)
    if (event.type === 'question.answered') open.delete(event.step)
  }
  return [...open.values()].at(-1)
}
