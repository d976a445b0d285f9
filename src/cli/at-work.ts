import type { ChildFacts, Holder, RunState, StateFolder, StepState } from '../journal/index.js'
import { processes } from '../platform/exec/processes.js'
import { atItMs, endOf, sayStall, type ChildAtWork, type OwnerShown, type RunCondition, type StatusInput } from '../render/index.js'
import { isSilent } from './condition.js'

interface AtWork extends Pick<StatusInput, 'elapsedMs' | 'running' | 'waits'> {
  readonly end?: Pick<StatusInput, 'finishAt' | 'leftMs' | 'isLeast'>
}

/** Up to the last record of a run that nobody is at work on: what was begun, and what of it may go on without us. */
export async function openAt(run: string, lastMs: number, { startedAt, steps }: RunState, folder: StateFolder): Promise<AtWork> {
  const all = await Promise.all([...steps].map(async ([id, step]) => ({ id, step, children: await atWork(step.children) })))
  const open = all.filter(({ step, children }) => isOpen(step) || children.length > 0)
  // What lies between two lives was nobody's work.
  const view = open.length === 0 ? undefined : (await (await import('./reader.js')).liveView(run, folder)).view
  return {
    elapsedMs: lastMs - Date.parse(startedAt),
    running: open.map(({ id, children }) => {
      return { id, elapsedMs: atItMs(view?.steps.get(id) ?? {}, lastMs), ...(children.length === 0 ? {} : { children }) }
    }),
  }
}

function isOpen({ status }: StepState): boolean {
  return status === 'started' || status === 'intent' || status === 'applied'
}

/** Those that this machine has seen end are none; of another machine's nobody here can know. */
async function atWork(children: readonly ChildFacts[]): Promise<readonly ChildAtWork[]> {
  const seen = children.map(async ({ pid, host, started }): Promise<ChildAtWork | undefined> => {
    if (host !== processes.host) return { pid, host, life: 'unknown' }
    return (await processes.alive(pid, started)) ? { pid, host, life: 'alive' } : undefined
  })
  return (await Promise.all(seen)).filter((child) => child !== undefined)
}

/** Milliseconds of the run's clock since its start; undefined where its cloud cannot be asked what time it is there. */
export async function sinceStart(state: RunState): Promise<number | undefined> {
  const clock = await (await import('./reader.js')).ownClockOf(state)
  return clock === undefined ? undefined : clock.now().getTime() - Date.parse(state.startedAt)
}

/** Up to now, by the run's clock: what takes too long has no record yet that says so. */
export async function liveOf(run: string, { startedAt, steps }: RunState, folder: StateFolder): Promise<AtWork> {
  const { liveView } = await import('./reader.js')
  const { view, nowMs } = await liveView(run, folder)
  const end = endOf(view, nowMs)
  const shown = [...view.steps.values()]
  const stopping = view.stopping ? ['stopping: what is under way comes to a safe point'] : []
  const waits = [...stopping, ...view.awaited.map(({ said }) => said), ...shown.flatMap(({ id, phase, message }) => (phase === 'waiting' ? [`${id} ${message ?? 'waits'}`] : []))]
  const running = shown.filter(({ phase }) => phase === 'running').map(async (step) => {
    const stall = sayStall(step, nowMs)
    const children = await atWork(steps.get(step.id)?.children ?? [])
    return {
      id: step.id,
      elapsedMs: nowMs - (step.sinceMs ?? nowMs),
      ...(stall === undefined ? {} : { stall }),
      ...(step.message === undefined ? {} : { message: step.message }),
      ...(children.length === 0 ? {} : { children }),
    }
  })
  return {
    elapsedMs: nowMs - Date.parse(startedAt),
    running: await Promise.all(running),
    ...(waits.length === 0 ? {} : { waits }),
    ...(end === undefined || end.kind === 'past' || view.stopping
      ? {}
      : { end: { finishAt: new Date(end.ms).toISOString(), leftMs: end.ms - nowMs, ...(end.kind === 'least' ? { isLeast: true } : {}) } }),
  }
}

/**
 * Who is at work, or was: the lock knows, since it may have been taken over on another host; the journal only where nobody holds it.
 * `condition`: whether anybody still can be.
 */
export async function ownerOf(state: RunState, holder: Holder | undefined, condition: RunCondition): Promise<OwnerShown> {
  const { user, host, pid, started } = holder?.owner ?? state.owner
  const owner = { user, host, pid, started }
  if (holder !== undefined) return { ...owner, life: isSilent(holder) ? 'silent' : holder.life, silentMs: holder.silentMs }
  if (condition !== 'stopped') return owner
  const isGone = host === processes.host && !(await processes.alive(pid, started))
  return { ...owner, life: isGone ? 'dead' : 'unlocked' }
}
