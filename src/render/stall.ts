import type { StepView } from './run-view.js'
import { formatDuration } from './times.js'

/** A step that takes half as long again as it usually does, and a minute, is late. */
const lateFactor = 1.5
const leastLateMs = 60_000
/** So long a silence is worth a word, once a step is late. */
const silentMs = 2 * 60_000

/**
 * What is said of a step that takes longer than it usually does: `usually 6m; no news from Azure for 5m`. Undefined for one that is
 * in time, and for one of which nobody knows what is usual. An answer that all is as before is no news. `nowMs`: the run's clock.
 */
export function sayStall(step: StepView, nowMs: number): string | undefined {
  const usualMs = step.planned?.estimateMs ?? 0
  const { sinceMs, heardMs, planned, phase } = step
  if (phase !== 'running' || sinceMs === undefined || usualMs === 0 || planned?.changes.length === 0) return undefined
  const elapsedMs = nowMs - sinceMs
  if (elapsedMs < usualMs * lateFactor || elapsedMs - usualMs < leastLateMs) return undefined
  const quietMs = nowMs - (heardMs ?? sinceMs)
  const silence = quietMs < silentMs ? '' : `; no news ${from(step.uses)}for ${formatDuration(quietMs)}`
  // What earlier runs took is usual; a module's own guess is none.
  return `${planned?.estimatedFrom === undefined ? 'estimated' : 'usually'} ${formatDuration(usualMs)}${silence}`
}

function from(uses: string): string {
  if (uses.startsWith('azure/')) return 'from Azure '
  return uses.startsWith('helm/') ? 'from helm ' : ''
}
