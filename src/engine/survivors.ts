import type { RunState } from '../journal/index.js'
import type { ChildFacts } from '../journal/index.js'
import type { RunPorts } from './ports.js'
import type { Recorder } from './recorder.js'

/**
 * Children of earlier lives that may still be at work: those that the journal started and knows no end of, and those that
 * bear the site's mark, which finds them also when the journal was lost or its last record was never written. Each is ended
 * or awaited before anything is written: no proof, no write. What this run's journal does not know is of no step of it: no child
 * works before it is journaled, so it is another run's. So are those of the run that is put back (`undone`), which its own journal
 * knows. Rejects with the signal's reason when that is aborted.
 */
export async function settleSurvivors(
  state: RunState,
  recorder: Recorder,
  { survivors, signal, undone = new Map() }: Pick<RunPorts<unknown>, 'survivors' | 'signal' | 'undone'>,
): Promise<void> {
  const settle = async (child: ChildFacts, whose: { readonly step?: string }, until: AbortSignal): Promise<void> => {
    const { pid, command, survivor } = child
    const found = (): void => recorder.tell({ type: 'survivor.found', ...whose, pid, command, survivor })
    await recorder.record('survivor.handled', { ...whose, pid, command, how: await survivors.handle(child, found, until) })
  }
  const known = [...state.steps].flatMap(([step, { children }]) => children.map((child) => ({ child, step })))
  await allOf(known, signal, ({ child, step }, until) => settle(child, { step }, until))
  const others = [...undone.values()].flatMap(({ children }) => children)
  await allOf(others, signal, (child, until) => settle(child, {}, until))
  // Only now: what those have started bears the mark too, and mostly ends with them.
  await allOf(await survivors.marked(), signal, (child, until) => settle(child, {}, until))
}

/** All at once, so that all are told at once. The first that fails ends the others. */
async function allOf<T>(all: readonly T[], signal: AbortSignal, settle: (one: T, until: AbortSignal) => Promise<void>): Promise<void> {
  const failed = new AbortController()
  const until = AbortSignal.any([signal, failed.signal])
  const settled = await Promise.allSettled(
    all.map((one) => settle(one, until).catch((error: unknown) => {
      failed.abort(error)
      throw error
    })),
  )
  if (settled.some(({ status }) => status === 'rejected')) throw (signal.aborted ? signal.reason : failed.signal.reason) as Error
}
