import { heartbeat, RunLock, type Holder, type RunState, type StateFolder } from '../journal/index.js'
import { clockOf } from '../platform/clock/clock.js'
import { processes } from '../platform/exec/processes.js'
import type { RunCondition } from '../render/index.js'

/** A journal without an end is running only if its lock says that its process lives, or nobody can know that it does not. */
export async function conditionOf(run: string, state: RunState, folder: StateFolder): Promise<RunCondition> {
  return conditionUnder(state, await holderOf(run, state, folder))
}

/** The same where it is known who holds its lock. */
export function conditionUnder({ outcome }: RunState, holder: Holder | undefined): RunCondition {
  return outcome ?? (holder !== undefined && holder.life !== 'dead' ? 'running' : 'stopped')
}

/** So many beats may be late on a busy machine. */
const beatsMissed = 3

/** Does it live on this host, and is not heard of? It is suspended (Ctrl-Z, SIGSTOP) or stuck, and nobody can tell when it goes on. */
export function isSilent({ life, owner, silentMs }: Holder): boolean {
  return life === 'alive' && owner?.host === processes.host && silentMs > beatsMissed * heartbeat.everyMs
}

/** The same for people: a rehearsal that was to go on, and whose world is not there any more, is over. */
export async function shownCondition(run: string, state: RunState, folder: StateFolder): Promise<RunCondition> {
  const condition = await conditionOf(run, state, folder)
  if (condition === 'running' || condition === 'succeeded' || !(await hasLostWorld(state))) return condition
  return 'world-ended'
}

/** A rehearsal's world ends by itself when nobody has asked anything of it for half an hour. */
export async function hasLostWorld({ sim }: RunState): Promise<boolean> {
  return sim !== undefined && !(await processes.alive(sim.pid, sim.started))
}

/** Who holds the lock of a run, if it is this run's. */
export async function holderOf(run: string, state: RunState, folder: StateFolder): Promise<Holder | undefined> {
  const { resourceManager, subscription } = state.cloud
  const key = { runbook: state.runbook.name, resourceManager, subscription }
  const clock = clockOf({})
  const holder = await RunLock.holder(folder.locks, key, processes, () => clock.realNow())
  return holder?.owner?.run === run ? holder : undefined
}
