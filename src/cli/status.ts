import { LifeboatError } from '../contract/index.js'
import { openChoices } from '../engine/index.js'
import { fold, RunLock, type RunState, type StateFolder } from '../journal/index.js'
import { clockOf } from '../platform/clock/clock.js'
import { processes } from '../platform/exec/processes.js'
import { LocalTimes, paintFor, runsLines, statusLines, type RunCondition, type RunRow, type StatusInput } from '../render/index.js'
import { exit } from './exit.js'
import { guarded } from './guard.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { stateFolder } from './state.js'

/** `lifeboat status [RUN]`: where a run stands, in at most ten lines; without RUN the latest. Reads only. */
export async function status(args: readonly string[], options: CommonOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const folder = stateFolder(options, invocation)
    const run = args[0] ?? (await folder.runs())[0]?.run
    if (run === undefined) throw new LifeboatError('run.none', 'there are no runs here yet', { blame: 'user' })
    const { records } = await folder.read(run)
    if (records.length === 0) throw new LifeboatError('run.empty', `run ${run} ended before its first record; it changed nothing`)
    const input = await statusOf(run, fold(records), folder, records.at(-1)?.t ?? '')
    const { output, env } = invocation
    if (options.json === true) {
      output.data(`${JSON.stringify(input)}\n`)
    } else {
      const paint = paintFor({ env, isTerminal: output.outputIsTerminal, flag: options.color })
      output.data(`${statusLines(input, new LocalTimes(), paint, output.columns).join('\n')}\n`)
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
      output.data(`${runsLines(rows, new LocalTimes(), paint, output.columns).join('\n')}\n`)
      for (const run of damaged) output.say(`${run}: its journal is damaged; \`lifeboat status ${run}\` says where\n`)
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
    ...(state.undoneBy === undefined ? {} : { undoneBy: state.undoneBy }),
    condition: await conditionOf(run, state, folder),
    startedAt: state.realStartedAt,
    stepsDone: done.length,
    stepsTotal: steps.length,
  }
}

/** A journal without an end is running only if its lock says that its process lives. */
async function conditionOf(run: string, state: RunState, folder: StateFolder): Promise<RunCondition> {
  if (state.outcome !== undefined) return state.outcome
  const { resourceManager, subscription } = state.cloud
  const key = { runbook: state.runbook.name, resourceManager, subscription }
  const clock = clockOf({})
  const holder = await RunLock.holder(folder.locks, key, processes, () => clock.realNow())
  return holder?.owner?.run === run && holder.life !== 'dead' ? 'running' : 'stopped'
}

async function statusOf(run: string, state: RunState, folder: StateFolder, lastAt: string): Promise<StatusInput> {
  const row = await rowOf(run, state, folder)
  const last = Date.parse(lastAt)
  const steps = [...state.steps]
  return {
    ...row,
    cloud: state.cloud,
    elapsedMs: last - Date.parse(state.startedAt),
    owner: state.owner,
    running: steps
      .filter(([, step]) => ['started', 'intent', 'applied'].includes(step.status))
      .map(([id, step]) => ({ id, elapsedMs: last - Date.parse(step.startedAt) })),
    failed: steps.flatMap(([id, { error }]) => (error === undefined ? [] : [{ id, error }])),
    skipped: steps.filter(([, step]) => step.status === 'skipped').map(([id]) => id),
    journal: folder.paths(run).journal,
    ...(state.status === 'finished' || row.condition === 'running' ? {} : nextOf(state, `lifeboat resume ${state.undoneBy ?? run}`)),
  }
}

function nextOf(state: RunState, next: string): Pick<StatusInput, 'next' | 'choices'> {
  const choices = openChoices(state, next).map(({ command }) => command)
  return { next, ...(choices.length === 0 ? {} : { choices }) }
}
