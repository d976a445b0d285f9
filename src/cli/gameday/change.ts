import { longestMs } from '../../gameday/index.js'
import type { Complaint } from '../../runbook/index.js'
import { timed } from '../../sim/world/durations.js'
import { duration, worldSchema } from '../../sim/world/spec.js'

/** What a scenario changes of a world that no world has, or that would not be another one by it. */
export function changeComplaints(change: Readonly<Record<string, unknown>> = {}): readonly Complaint[] {
  const keys = Object.keys(worldSchema.shape)
  const unknown = Object.keys(change).flatMap((key): Complaint[] => {
    if (keys.includes(key)) return []
    return [{ path: ['change', key], message: `a world has no ${JSON.stringify(key)}`, near: { word: key, among: keys, what: 'it has' } }]
  })
  const undone = Object.keys(mapOf(change['durations'])).flatMap((key): Complaint[] => {
    if (timed.includes(key)) return []
    const message = `a world does nothing that is called ${JSON.stringify(key)}`
    return [{ path: ['change', 'durations', key], message, near: { word: key, among: timed, what: 'it does' } }]
  })
  return [...unknown, ...undone, ...tooLong(change, 'durations'), ...tooLong(change, 'podsReady')]
}

function tooLong(change: Readonly<Record<string, unknown>>, of: 'durations' | 'podsReady'): readonly Complaint[] {
  return Object.entries(mapOf(change[of])).flatMap(([key, text]) => {
    const { data: ms = 0 } = duration.safeParse(text)
    return ms <= longestMs ? [] : [{ path: ['change', of, key], message: `${key} is ${String(text)}: at most 720h, thirty days` }]
  })
}

function mapOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}
