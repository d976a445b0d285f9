import type { Template } from './expression.js'
import { references } from './template.js'
import type { Runbook } from './types.js'

type Graph = Pick<Runbook, 'nodes'>

/** Everything that must be done before this node, directly or not. */
export function needsOf(runbook: Graph, id: string): Set<string> {
  const edges = new Map(runbook.nodes.map((node) => [node.id, node.needs]))
  return reach(id, edges)
}

/** Everything that waits for this node, directly or not. */
export function dependents(runbook: Graph, id: string): Set<string> {
  const edges = new Map<string, string[]>()
  for (const node of runbook.nodes) {
    for (const need of node.needs) {
      const waiting = edges.get(need)
      if (waiting === undefined) edges.set(need, [node.id])
      else waiting.push(node.id)
    }
  }
  return reach(id, edges)
}

/** Ids of the gates that must be passed before this node, in the runbook's order. A manual step is no gate. */
export function gatesBefore(runbook: Graph, id: string): readonly string[] {
  const before = needsOf(runbook, id)
  return runbook.nodes.filter((node) => node.kind === 'gate' && before.has(node.id)).map((node) => node.id)
}

/** Steps that refer to outputs of this one, in the runbook's order. */
export function takersOf(runbook: Graph, id: string): readonly string[] {
  const takes = (template: Template): boolean => references(template).some(({ reference }) => reference.root === 'steps' && reference.step === id)
  return runbook.nodes.flatMap((node) => (node.kind === 'step' && Object.values(node.with).some(takes) ? [node.id] : []))
}

function reach(from: string, edges: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>()
  const open = [from]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const next of edges.get(id) ?? []) {
      if (found.has(next)) continue
      found.add(next)
      open.push(next)
    }
  }
  return found
}

export type Ordered =
  | { readonly order: readonly string[] }
  /** Each as the ids along it, the first repeated at the end: `a` needs `b`, `b` needs `a`. */
  | { readonly cycles: readonly (readonly string[])[] }

/** Each needs mending, but nobody reads more of them at once. */
const maxCycles = 20

/**
 * Puts ids behind what they need and keeps their order otherwise. `edges` holds only ids that are keys of it.
 */
export function ordered(edges: ReadonlyMap<string, readonly string[]>): Ordered {
  const order: string[] = []
  const cycles: string[][] = []
  const state = new Map<string, 'open' | 'done'>()
  for (const start of edges.keys()) {
    if (state.has(start)) continue
    state.set(start, 'open')
    const trail = [{ id: start, next: 0 }]
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const need = edges.get(top.id)?.[top.next]
      top.next += 1
      if (need === undefined) {
        state.set(top.id, 'done')
        order.push(top.id)
        trail.pop()
      } else if (state.get(need) === 'open') {
        if (cycles.length >= maxCycles) return { cycles }
        const ids = trail.map(({ id }) => id)
        cycles.push([...ids.slice(ids.indexOf(need)), need])
      } else if (!state.has(need)) {
        state.set(need, 'open')
        trail.push({ id: need, next: 0 })
      }
    }
  }
  return cycles.length > 0 ? { cycles } : { order }
}
