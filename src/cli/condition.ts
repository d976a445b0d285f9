import { RunLock, type Holder, type RunState, type StateFolder } from '../journal/index.js'
import { clockOf } from '../platform/clock/clock.js'
import { processes } from '../platform/exec/processes.js'
import type { RunCondition } from '../render/index.js'

/** A journal without an end is running only if its lock says that its process lives, or nobody can know that it does not. */
export async function conditionOf(run: string, state: RunState, folder: StateFolder): Promise<RunCondition> {
  if (state.outcome !== undefined) return state.outcome
  const life = (await holderOf(run, state, folder))?.life
  return life !== undefined && life !== 'dead' ? 'running' : 'stopped'
}

/** Who holds the lock of a run, if it is this run's. */
export async function holderOf(run: string, state: RunState, folder: StateFolder): Promise<Holder | undefined> {
  const { resourceManager, subscription } = state.cloud
  const key = { runbook: state.runbook.name, resourceManager, subscription }
  const clock = clockOf({})
  const holder = await RunLock.holder(folder.locks, key, processes, () => clock.realNow())
  return holder?.owner?.run === run ? holder : undefined
}
