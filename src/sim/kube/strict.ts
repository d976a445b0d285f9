import { isFields, type Fields, type KubeObject } from './object.js'
import type { Kind } from './kinds.js'
import { rootOf, structOf, type Struct, type Type } from './schema/index.js'

export interface Findings {
  /** Paths of fields that the kind does not have. */
  readonly unknown: string[]
  /** Values of a wrong type. */
  readonly wrong: { readonly path: string; readonly expected: string; readonly got: string }[]
}

export interface Decoded {
  /** The object without its unknown fields and without nulls, which mean "not set". */
  readonly object: KubeObject
  readonly findings: Findings
}

/** Reads an object as its kind: what it has that the kind has not, and what is of another type. How deep: schema/index.ts. */
export function decodeAs(kind: Kind, object: KubeObject): Decoded {
  const findings: Findings = { unknown: [], wrong: [] }
  const read = struct(rootOf(kind), object, '', findings)
  return { object: read as KubeObject, findings }
}

function struct(shape: Struct, value: Fields, path: string, findings: Findings): Fields {
  const read: Fields = {}
  for (const [name, field] of Object.entries(value)) {
    const type = shape.get(name)
    const at = path === '' ? name : `${path}.${name}`
    if (type === undefined) {
      findings.unknown.push(at)
      continue
    }
    if (field === null || field === undefined) continue
    read[name] = decode(type, field, at, findings)
  }
  return read
}

function decode(type: Type, value: unknown, path: string, findings: Findings): unknown {
  switch (type.is) {
    case 'scalar':
      if (!fits(type.of, value)) findings.wrong.push({ path, expected: type.of, got: nameOf(value) })
      return value
    case 'struct':
      if (isFields(value)) return struct(structOf(type.name), value, path, findings)
      findings.wrong.push({ path, expected: 'map', got: nameOf(value) })
      return value
    case 'map':
      if (!isFields(value)) {
        findings.wrong.push({ path, expected: 'map', got: nameOf(value) })
        return value
      }
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, one]) => one !== null)
          .map(([key, one]) => [key, decode(type.of, one, `${path}.${key}`, findings)]),
      )
    case 'list':
    case 'set':
      if (!Array.isArray(value)) {
        findings.wrong.push({ path, expected: 'list', got: nameOf(value) })
        return value
      }
      return value.map((one: unknown, index) => decode(type.of, one, `${path}[${index}]`, findings))
  }
}

function fits(of: string, value: unknown): boolean {
  switch (of) {
    case 'string':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'quantity':
      return typeof value === 'number' || (typeof value === 'string' && /^[+-]?[0-9.]+([eE][+-]?[0-9]+|[numkKMGTPE]i?)?$/.test(value))
    case 'either':
      return typeof value === 'number' || typeof value === 'string'
    default:
      return true
  }
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}
