import type { RunEvent } from '../contract/index.js'
import type { StateFolder } from '../journal/index.js'
import { conditionOf } from './condition.js'
import { exit, exitOfSignal } from './exit.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import { clockIn, Reader } from './reader.js'
import { Screen } from './screen.js'
import { commandLine } from './state.js'
import { sayAsked } from '../render/index.js'

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
  const beginning = before.find(({ type }) => type === 'run.started')
  const isWhole = options.json === true
  // What was before counts, and is not told again; a stream of data has all of it.
  const earlier = isWhole ? [] : before.filter(({ type }) => type !== 'run.finished')
  const renderer = screen.renderer({ clock, runbook: {} }, run, earlier, true)
  invocation.interrupts.onFirst = () => undefined
  try {
    for (const event of isWhole ? before : [beginning, lastOf(before, 'eta.updated'), lastOf(before, 'run.finished')]) {
      if (event !== undefined) renderer.listener(forReader(event))
    }
    for (;;) {
      if (reader.isOver) return exit.done
      const condition = await conditionOf(run, reader.state, folder)
      // Looked at once more: its end may have been written in between.
      const fresh = await reader.next()
      for (const event of fresh) renderer.listener(forReader(event))
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

function lastOf(events: readonly RunEvent[], type: RunEvent['type']): RunEvent | undefined {
  return events.findLast((event) => event.type === type)
}

/** A question is asked at the run's own terminal; here it is only told. */
function forReader(event: RunEvent): RunEvent {
  if (event.type !== 'question.asked') return event
  const { t, run, step, question } = event
  return { type: 'notice', t, run, level: 'warn', message: `${step} asks its operator: ${sayAsked(question)}` }
}
