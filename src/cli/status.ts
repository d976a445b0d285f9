import type { JournalRecord, RunState, StateFolder } from '../journal/index.js'
import { LocalTimes, paintFor, runsLines, sayAsked, statusLines, type RunRow, type StatusInput } from '../render/index.js'
import { liveOf, openAt, ownerOf, sinceStart } from './at-work.js'
import { begun } from './begun.js'
import { holderOf, shownCondition } from './condition.js'
import { exit } from './exit.js'
import { goesOn, undoOf } from './goes-on.js'
import { guarded } from './guard.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { commandLine, noRuns, stateFolder } from './state.js'
import { newerThan } from './unfinished.js'

export interface StatusOptions extends CommonOptions {
  readonly follow?: boolean
}

/** `lifeboat status [RUN]`: where a run stands, in at most ten lines, or as it goes on; without RUN the latest. Reads only. */
export async function status(args: readonly string[], options: StatusOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const folder = stateFolder(options, invocation)
    const run = args[0] ?? (await folder.runs())[0]?.run
    if (run === undefined) throw noRuns(options)
    const { records } = await folder.read(run)
    const before = begun(run, records)
    // What a look needs not is loaded only by whoever stays.
    if (options.follow === true) return (await import('./follow.js')).follow(run, folder, options, invocation)
    const input = await statusOf(run, { state: before, folder, records }, options)
    const { output, env } = invocation
    if (options.json === true) {
      output.data(`${JSON.stringify(input)}\n`)
    } else {
      const paint = paintFor({ env, isTerminal: output.outputIsTerminal, flag: options.color })
      // Whole lines for a file or a pipe.
      const room = output.outputIsTerminal ? { columns: output.dataColumns, rows: output.rows } : {}
      output.data(`${statusLines(input, new LocalTimes(), paint, room).join('\n')}\n`)
    }
    return exit.done
  })
}

/** `lifeboat runs`: all runs, latest first. */
export async function runs(_args: readonly string[], options: CommonOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const folder = stateFolder(options, invocation)
    const all = await folder.runs()
    const rows = await Promise.all(
      all.flatMap((one) => ('state' in one ? [rowOf(one.run, one.state, folder)] : [])),
    )
    const { output, env } = invocation
    const damaged = all.filter(({ status: condition }) => condition === 'damaged').map(({ run }) => run)
    if (options.json === true) {
      output.data(`${JSON.stringify({ runs: rows, damaged })}\n`)
    } else {
      const paint = paintFor({ env, isTerminal: output.outputIsTerminal, flag: options.color })
      const none = [`No runs yet. Start with: ${commandLine(options, 'rehearse', 'RUNBOOK')}`]
      const lines = rows.length === 0 ? none : runsLines(rows, new LocalTimes(), paint, output.dataColumns)
      // Of those that are damaged nobody knows what they did: they are no reason to begin with a rehearsal.
      if (rows.length > 0 || damaged.length === 0) output.data(`${lines.join('\n')}\n`)
      for (const run of damaged) output.say(`${run}: its journal is damaged; \`${commandLine(options, 'status', run)}\` says where\n`)
    }
    return exit.done
  })
}

async function rowOf(run: string, state: RunState, folder: StateFolder): Promise<RunRow> {
  const steps = (state.planned?.steps ?? []).filter((step) => step.state !== 'gate')
  const done = steps.filter(({ id }) => ['verified', 'skipped'].includes(state.steps.get(id)?.status ?? ''))
  return {
    run,
    runbook: state.runbook.name,
    mode: state.mode,
    ...(state.undoes === undefined ? {} : { undoes: state.undoes }),
    ...(await undoOf(state, folder)),
    condition: await shownCondition(run, state, folder),
    startedAt: state.realStartedAt,
    stepsDone: done.length,
    stepsTotal: steps.length,
  }
}

interface Read {
  readonly state: RunState
  readonly folder: StateFolder
  readonly records: readonly JournalRecord[]
}

async function statusOf(run: string, { state, folder, records }: Read, options: StatusOptions): Promise<StatusInput> {
  const row = await rowOf(run, state, folder)
  const isLive = row.condition === 'running'
  // That it is put back is no part of its own time.
  const last = Date.parse(records.findLast(({ type }) => type !== 'run.undoing')?.t ?? '')
  const asking = isLive ? openQuestion(records) : undefined
  const holder = await holderOf(run, state, folder)
  const steps = [...state.steps]
  const newer = state.status === 'finished' || row.undoneBy !== undefined ? undefined : await newerThan(run, state, folder)
  const owner = await ownerOf(state, holder, row.condition)
  const { end = {}, ...work } = isLive ? await liveOf(run, state, folder) : await openAt(run, last, state, folder)
  // Nobody can say when one is done of whom nothing is heard.
  const isHeard = owner.life !== 'silent' && owner.life !== 'doubtful'
  const byNowMs = countsOn(state, row) ? await sinceStart(state) : undefined
  return {
    ...row,
    cloud: state.cloud,
    ...(state.objectiveMs === undefined ? {} : { objectiveMs: state.objectiveMs }),
    ...(asking === undefined ? {} : { asking }),
    ...(newer === undefined ? {} : { newer }),
    owner,
    ...work,
    ...(byNowMs === undefined ? {} : { byNowMs }),
    ...(isHeard ? end : {}),
    failed: steps.flatMap(([id, { status: how, error }]) => (error === undefined || how === 'skipped' ? [] : [{ id, error }])),
    skipped: steps.filter(([, step]) => step.status === 'skipped').map(([id]) => id),
    journal: folder.paths(run).journal,
    ...goesOn({ row, state, holder }, options),
  }
}

/** Of one that is to be gone on with the objective counts while nobody is at work, too. */
function countsOn({ objectiveMs }: RunState, { undoneBy, condition }: RunRow): boolean {
  return objectiveMs !== undefined && undoneBy === undefined && !['running', 'succeeded', 'world-ended'].includes(condition)
}

/** In a few words, what the run asks at this moment at its own terminal. */
function openQuestion(records: readonly JournalRecord[]): string | undefined {
  const open = new Map<string, string>()
  for (const { type, data } of records) {
    if (type === 'run.resumed') open.clear()
    if (type === 'question.asked') open.set(data.step, `${data.step}: ${sayAsked(data.question)}`)
    if (type === 'question.answered') open.delete(data.step)
  }
  return [...open.values()][0]
}
