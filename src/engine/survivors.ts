import type { RunState } from '../journal/index.js'
import type { Survivors } from './ports.js'
import type { Recorder } from './recorder.js'

/**
 * Children of earlier lives that may still be at work: those that the journal started and knows no end of, and those that
 * bear the site's mark, which finds them also when the journal was lost or its last record was never written. Each is ended
 * or awaited before anything is written: no proof, no write.
 */
export async function settleSurvivors(state: RunState, recorder: Recorder, survivors: Survivors): Promise<void> {
  for (const [step, { children }] of state.steps) {
    for (const child of children) {
      const { pid, command } = child
      await recorder.record('survivor.handled', { step, pid, command, how: await survivors.handle(child) })
    }
  }
  for (const child of await survivors.marked()) {
    const { pid, command } = child
    await recorder.record('survivor.handled', { step: 'unknown', pid, command, how: await survivors.handle(child) })
  }
}
