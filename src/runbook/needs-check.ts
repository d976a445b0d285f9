import type { Findings } from './diagnostic.js'
import type { Draft } from './drafts.js'
import { ordered } from './graph.js'
import { quoted, suggestion } from './near.js'

/**
 * Checks what the steps need: that it is there, is not the step itself, and leads to no circle. Answers with the ids in
 * an order in which every step stands behind what it needs, or with nothing when there is none.
 */
export function checkNeeds(drafts: readonly Draft[], findings: Findings): readonly string[] | undefined {
  const byId = new Map<string, Draft>()
  for (const draft of drafts) if (draft.id !== undefined && !byId.has(draft.id)) byId.set(draft.id, draft)
  for (const { id, needs } of drafts) {
    for (const [need, at] of needs) {
      if (need === id) findings.error('needs-itself', at, `${need} needs itself`, 'remove it')
      else if (!byId.has(need)) findings.error('unknown-step', at, `there is no step ${quoted(need)}`, () => suggestion(need, byId.keys(), 'steps'))
    }
  }
  const edges = new Map([...byId].map(([id, draft]) => [id, allNeeds(draft).filter((need) => need !== id && byId.has(need))]))
  const result = ordered(edges)
  if ('order' in result) return result.order
  for (const cycle of result.cycles) {
    const [from, to] = [byId.get(cycle.at(-2) ?? ''), cycle.at(-1) ?? '']
    const at = from?.needs.get(to) ?? from?.refers.get(to) ?? from?.at
    if (at === undefined) continue
    findings.error('cycle', at, `these steps wait for each other: ${named(cycle)}`, 'remove one of these needs or references')
  }
  return undefined
}

/** Ids that a step waits for: those it lists and those it refers to, sorted. */
export function allNeeds(draft: Draft): readonly string[] {
  return [...new Set([...draft.needs.keys(), ...draft.refers.keys()])].sort()
}

function named(cycle: readonly string[]): string {
  const ids = cycle.length > 12 ? [...cycle.slice(0, 6), '…', ...cycle.slice(-5)] : cycle
  return ids.join(' → ')
}
