import type { Change } from '../contract/index.js'
import { scheduleOf } from '../engine/index.js'
import type { WorldOperation } from './world-control.js'

export interface StepSpan {
  readonly id: string
  readonly needs: readonly string[]
  readonly startedAt?: string
  readonly endedAt?: string
  readonly changes: readonly Change[]
}

/**
 * The critical path in the world's own durations (design §7): each step weighs the operations that the world carried out
 * while the step ran on the resources that its journaled changes name; side by side they count once.
 */
export function worldCriticalPathMs(steps: readonly StepSpan[], operations: readonly WorldOperation[]): number {
  const weights = new Map(steps.map((step) => [step.id, weightMs(step, operations)]))
  return scheduleOf(steps, (id) => weights.get(id) ?? 0).totalMs
}

function weightMs(step: StepSpan, operations: readonly WorldOperation[]): number {
  return unionMs(worldSpans(step, operations))
}

/** When, in milliseconds of the world's clock, the world was at work for a step. */
export function worldSpans(step: StepSpan, operations: readonly WorldOperation[]): { readonly from: number; readonly until: number }[] {
  if (step.startedAt === undefined || step.changes.length === 0) return []
  const from = Date.parse(step.startedAt)
  const until = step.endedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(step.endedAt)
  const named = JSON.stringify(step.changes).toLowerCase()
  return operations
    .filter((one) => named.includes(nameOf(one.resource)))
    .map((one) => ({ from: Date.parse(one.startedAt), until: Date.parse(one.startedAt) + one.durationMs }))
    .filter((span) => span.from >= from && span.from <= until)
}

/** The last word of an id: `nfsserver` of `/subscriptions/…/virtualMachines/nfsserver`. */
function nameOf(resource: string): string {
  return (resource.split('/').at(-1) ?? resource).toLowerCase()
}

function unionMs(spans: readonly { from: number; until: number }[]): number {
  let total = 0
  let reached = Number.NEGATIVE_INFINITY
  for (const { from, until } of [...spans].sort((a, b) => a.from - b.from)) {
    total += Math.max(0, until - Math.max(from, reached))
    reached = Math.max(reached, until)
  }
  return total
}
