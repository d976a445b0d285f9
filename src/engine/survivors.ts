import type { RunState } from '../journal/index.js'
import type { ChildFacts } from '../journal/index.js'
import type { Survivors } from './ports.js'
import type { Recorder } from './recorder.js'

/**
 * Children of earlier lives that may still be at work: those that the journal started and knows no end of, and those that
 * bear the site's mark, which finds them also when the journal was lost or its last record was never written. Each is ended
 * or awaited before anything is written: no proof, no write. What this run's journal does not know is of no step of it: no child
 * works before it is journaled, so it is another run's. Rejects with the signal's reason when that is aborted.
 */
export async function settleSurvivors(state: RunState, recorder: Recorder, survivors: Survivors, signal: AbortSignal): Promise<void> {
  const settle = async (child: ChildFacts, whose: { readonly step?: string }): Promise<void> => {
    const { pid, command, survivor } = child
    const found = (): void => recorder.tell({ type: 'survivor.found', ...whose, pid, command, survivor })
    await recorder.record('survivor.handled', { ...whose, pid, command, how: await survivors.handle(child, found, signal) })
  }
  for (const [step, { children }] of state.steps) for (const child of children) await settle(child, { step })
  for (const child of await survivors.marked()) await settle(child, {})
}
