import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../contract/index.js'
import { digestOf } from '../files/digest.js'
import type { ReleaseChart } from './door.js'

/**
 * `sha256:` and a digest over a chart (at `path` on this machine) and the values given to it. Where files lie does not count, nor the
 * order of keys in a runbook: it is the same release. Of a secret only its place counts: another machine must come to the same
 * digest without it, and its value is compared by itself. Throws `file.unreadable`.
 */
export async function releaseDigest(path: string, { valuesFiles = [], values = {}, set = {}, secrets = {} }: Omit<ReleaseChart, 'chart'>): Promise<string> {
  const hash = createHash('sha256').update(await digestOf(path)).update(canonical(values))
  for (const file of valuesFiles) hash.update(`file ${await digestOf(file)}`)
  // In order, since of two that overlap the later one wins.
  if (Object.keys(set).length > 0) hash.update(`set ${canonical(Object.entries(set))}`)
  if (Object.keys(secrets).length > 0) hash.update(`secrets ${canonical(Object.keys(secrets).sort())}`)
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
