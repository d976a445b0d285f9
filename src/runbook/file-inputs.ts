import { isAbsolute, resolve } from 'node:path'
import { isList, Unknown, type Value } from './evaluate.js'
import type { Shape } from './shape.js'

type Visit = (leaf: string | Unknown, path: readonly string[]) => Value

/** Replaces every value that a schema calls a file (contract `file`), however deep it stands. */
export function mapFiles(value: Value, shape: Shape, visit: Visit, path: readonly string[] = []): Value {
  if (typeof value === 'string' || value instanceof Unknown) return shape.isFile ? visit(value, path) : value
  if (typeof value !== 'object' || value === null) return value
  const inner = (part: Value, key: string): Value => {
    const child = shape.child(key)
    return child === undefined ? part : mapFiles(part, child, visit, [...path, key])
  }
  if (isList(value)) return value.map((item, index) => inner(item, String(index)))
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inner(part, key)]))
}

/** Relative paths begin at the runbook's folder, whatever the working directory is. */
export function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : resolve(folder, path)
}
