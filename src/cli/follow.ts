import type { RunEvent } from '../contract/index.js'
import type { Holder, RunState, StateFolder } from '../journal/index.js'
import type { Renderer } from '../render/index.js'
import { conditionUnder, holderOf, isSilent, shownCondition } from './condition.js'
import { exit, exitOfSignal } from './exit.js'
import { goesOn, undoOf, type Standing } from './goes-on.js'
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
  const reader = new Reader(run, folder, await folder.tail(run), resumeCommand, commandLine(options, 'undo', run))
  const before = await reader.next()
  const clock = await clockIn(reader.state)
  const isWhole = options.json === true
  const tell = async (events: readonly RunEvent[]): Promise<void> => {
    const { next } = reader.isOver ? await standingOf(run, reader.state, folder, options) : { next: resumeCommand }
    for (const event of events) renderer.listener(advising(event, next))
  }
  // What was before counts, and is not told again; a stream of data has all of it.
  const earlier = isWhole ? [] : before.filter(({ type }) => type !== 'run.finished')
  const renderer = screen.renderer({ clock, runbook: {} }, run, earlier, true)
  invocation.interrupts.onFirst = () => undefined
  try {
    await tell(isWhole ? before : standing(before))
    let isStuck = false
    for (;;) {
      if (reader.isOver) return exit.done
      const holder = await holderOf(run, reader.state, folder)
      const condition = conditionUnder(reader.state, holder)
      isStuck = tellSilence(holder, isStuck, renderer)
      // Looked at once more: its end may have been written in between.
      const fresh = await reader.next()
      await tell(fresh)
      if (condition === 'stopped' && fresh.length === 0) {
        renderer.note('warn', sayGone(await standingOf(run, reader.state, folder, options)))
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

type Stands = Standing['row'] & { readonly next?: string }

/** As things stand at this moment: since its end the run may have been put back, or its world may have ended. */
async function standingOf(run: string, state: RunState, folder: StateFolder, options: CommonOptions): Promise<Stands> {
  const row = { run, condition: await shownCondition(run, state, folder), ...(await undoOf(state, folder)) }
  // Another rehearsal goes on with nothing.
  if (row.condition === 'world-ended') return row
  const { next } = goesOn({ row, state, holder: await holderOf(run, state, folder) }, options)
  return { ...row, ...(next === undefined ? {} : { next }) }
}

/** An end with what is to be done next as things stand now. */
function advising(event: RunEvent, next: string | undefined): RunEvent {
  if (event.type !== 'run.finished' || event.next === undefined || event.next === next) return event
  const { next: _next, back: _back, choices: _choices, ...end } = event
  return next === undefined ? end : { ...end, next }
}

function sayGone({ condition, undoneBy, isUndone, next }: Stands): string {
  const gone = 'The process of this run is gone'
  if (condition === 'world-ended') return `${gone}, and its simulated world has ended.`
  if (undoneBy !== undefined) return isUndone === true ? `${gone}; it has been put back by ${undoneBy}.` : `${gone}, and ${undoneBy} is to put it back. To go on with that: ${next ?? ''}`
  return next === undefined ? `${gone}.` : `${gone}. To go on with it: ${next}`
}

/** Says once that nothing is heard of its process, and once that it is heard of again. Returns whether it is silent. */
export function tellSilence(holder: Holder | undefined, wasSilent: boolean, { note }: Pick<Renderer, 'note'>): boolean {
  const silent = holder !== undefined && isSilent(holder)
  if (silent === wasSilent) return silent
  const pid = holder?.owner?.pid
  if (silent) note('warn', `Nothing is heard of the process of this run (pid ${pid ?? 'unknown'}): it is suspended or stuck, and nobody can say when it is done.`)
  else if (holder?.life === 'alive') note('info', `The process of this run (pid ${pid ?? 'unknown'}) is heard of again.`)
  return silent
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
