import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { LifeboatError, type Json, type JsonObject } from '../../contract/index.js'
import type { ReleaseChart } from './door.js'
import { withSet } from './set-path.js'

/**
 * Gives `use` the flags that hand a chart its values: the files as they are, and a private file with everything else, there only
 * while it is needed. Arguments can be seen by everybody on this machine. Throws `helm.values` for a file that is no YAML.
 */
export async function withValues<T>(folder: string, chart: ReleaseChart, use: (flags: readonly string[]) => Promise<T>): Promise<T> {
  const { valuesFiles = [] } = chart
  const given = await Promise.all(valuesFiles.map(readValuesFile))
  const path = join(folder, `values-${randomBytes(6).toString('hex')}.json`)
  await writeFile(path, JSON.stringify(ownValues(chart, given)), { mode: 0o600, flag: 'wx' })
  try {
    return await use([...valuesFiles, path].flatMap((file) => ['--values', inList(file)]))
  } finally {
    await rm(path, { force: true })
  }
}

/** What is laid over the files, secrets last. */
function ownValues({ values = {}, set = {}, secrets = {} }: ReleaseChart, files: readonly JsonObject[]): JsonObject {
  const revealed = Object.fromEntries(Object.entries(secrets).map(([path, secret]): [string, Json] => [path, secret.reveal()]))
  const below = files.reduce(merged, {})
  return withSet(withSet(values, below, set), below, revealed)
}

/** As helm lays one values file over another: mappings are merged, everything else is replaced. */
function merged(below: JsonObject, above: JsonObject): JsonObject {
  const result: Record<string, Json | undefined> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const under = result[key]
    result[key] = isMapping(value) && isMapping(under) ? merged(under, value) : value
  }
  return result
}

/** The option is a list with commas in it; a path with one has to be quoted as in CSV. */
function inList(path: string): string {
  return /[",]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path
}

/**
 * A values file, read as helm's YAML library does where that makes a difference to what is looked at here: YAML 1.1, merge keys,
 * and of a key that stands twice the last. Throws `helm.values` with the place, never with what stands there.
 */
export async function readValuesFile(path: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LifeboatError('helm.values', `the values file ${path} cannot be read`, { blame: 'user', cause })
  })
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { version: '1.1', merge: true, uniqueKeys: false, prettyErrors: false, logLevel: 'error', lineCounter })
  const [error] = document.errors
  if (error !== undefined) throw notValues(path, lineCounter.linePos(error.pos[0]), `is no YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`)
  const values: unknown = document.toJS({ maxAliasCount: 1000 })
  if (values === null || values === undefined) return {}
  if (isMapping(values)) return values
  throw notValues(path, { line: 1, col: 1 }, 'is YAML, but no mapping of values')
}

function notValues(path: string, { line, col }: { line: number; col: number }, what: string): LifeboatError {
  return new LifeboatError('helm.values', `${path}:${line}:${col}: this values file ${what}`, {
    blame: 'user',
    hint: 'Mend it there; `helm template` with the same file shows it too.',
  })
}

function isMapping(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
