import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../contract/index.js'
import { digestOf } from '../files/digest.js'

/**
 * `sha256:` and a digest over a chart's files and the values given to it. Where the chart lies does not count, nor the order
 * of keys in a runbook: it is the same release. Throws `file.unreadable`.
 */
export async function releaseDigest(chart: string, values: JsonObject): Promise<string> {
  const hash = createHash('sha256').update(await digestOf(chart)).update(canonical(values))
  return `sha256:${hash.digest('hex')}`
}

/** JSON with sorted keys. */
function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const entries = Object.entries(value as JsonObject).filter(([, inner]) => inner !== undefined)
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`
}
