import type { RunState } from '../journal/index.js'

/** What would go on without us if the process ended now, for the operator who presses Ctrl-C twice. */
export function inFlightOf(state: RunState): readonly string[] {
  return [...state.steps]
    .filter(([, step]) => step.open)
    .map(([id, step]) => {
      const children = step.children.map((child) => `pid ${child.pid}`)
      return children.length === 0 ? id : `${id} (${children.join(', ')})`
    })
}
