import type { RunState } from '../journal/index.js'

export interface LeftAt {
  readonly host: string
  readonly resumeCommand: string
  /** Path of the run's log. */
  readonly log: string
}

/** What is said by a process that ends at once, for the operator who presses Ctrl-C twice. */
export function leavingLines(state: RunState, { host, resumeCommand, log }: LeftAt): readonly string[] {
  const left = inFlightOf(state)
  return [
    left.length === 0 ? 'Ended at once; nothing was in flight.' : `Ended at once. Still in flight on ${host} or in the cloud: ${left.join(', ')}`,
    ...(state.outcome === 'succeeded' ? [] : [`To go on: ${resumeCommand}`]),
    `Log of this run: ${log}`,
  ]
}

/** What goes on without us when the process ends now: Azure, helm and ssh do. A step that has failed does not: it waits for an answer. */
export function inFlightOf(state: RunState): readonly string[] {
  return [...state.steps]
    .filter(([, step]) => (step.open && step.status !== 'failed') || step.children.length > 0)
    .map(([id, step]) => {
      const children = step.children.map((child) => `pid ${child.pid}`)
      return children.length === 0 ? id : `${id} (${children.join(', ')})`
    })
}
