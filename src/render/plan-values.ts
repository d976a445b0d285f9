import { isPending, type Change, type Planned } from '../contract/index.js'
import { cut, oneLine } from './text.js'

/** One line of a change's details: where in the resource, what it was, what it becomes. */
export interface Detail {
  readonly path: string
  readonly before?: string
  readonly after?: string
}

/** In a plan, which is an overview. */
const valueColumns = 100

/**
 * The values of a change, flattened to `path  before → after`. For an update only what differs; a value that only exists
 * after another step is `(known after step)`.
 */
export function detailsOf(change: Change, columns = valueColumns): Detail[] {
  const before = flatten(change.before, columns)
  const after = flatten(change.after, columns)
  const paths = [...new Set([...before.keys(), ...after.keys()])]
  return paths.flatMap((path): Detail[] => {
    const [was, is] = [before.get(path), after.get(path)]
    // What is the same before and after is no part of the difference: where something is run it still says what it is about.
    if (was !== undefined && was === is) return change.action === 'update' ? [] : [{ path, after: is }]
    return [{ path, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) }]
  })
}

function flatten(value: Planned | undefined, columns: number, path = '', into = new Map<string, string>()): Map<string, string> {
  if (value === undefined) return into
  const pending = pendingText(value)
  if (pending !== undefined) return into.set(path, pending)
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null && !isPending(item))) {
    for (const [index, item] of (value as readonly Planned[]).entries()) flatten(item, columns, `${path}[${index}]`, into)
    return into
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value as Readonly<Record<string, Planned | undefined>>)
    if (entries.length === 0) return into.set(path, '{}')
    for (const [key, item] of entries) flatten(item, columns, path === '' ? key : `${path}.${key}`, into)
    return into
  }
  return into.set(path, leaf(value, columns))
}

function leaf(value: Planned, columns: number): string {
  if (Array.isArray(value)) return cut(`[${(value as readonly Planned[]).map((item) => pendingText(item) ?? leaf(item, columns)).join(', ')}]`, columns)
  if (typeof value !== 'string') return JSON.stringify(value)
  if (value === '') return "''"
  const lines = value.trimEnd().split('\n')
  return lines.length === 1 ? cut(oneLine(value), columns) : `${cut(oneLine(lines[0] ?? ''), 60)} (${lines.length} lines)`
}

/** `(known after prod)` for a pending value, as it is in memory or as it stands in a journal. */
function pendingText(value: Planned): string | undefined {
  if (isPending(value)) return value.toString()
  if (typeof value !== 'object' || value === null || !('$pending' in value)) return undefined
  const steps: unknown = value.$pending
  return Array.isArray(steps) ? `(known after ${steps.join(', ')})` : undefined
}
