import type { Kind } from '../kinds.js'
import { fields, isFields, items, type Fields } from '../object.js'
import { rootOf, structOf, type Struct, type Type } from '../schema/index.js'
import { mergePatch } from './json.js'

/**
 * A strategic merge patch, the patch of `kubectl apply` and of helm 3: like a merge patch, but items of lists are told apart by
 * their merge key, and `$patch`, `$retainKeys`, `$deleteFromPrimitiveList`, `$setElementOrder` are directives.
 */
export function strategicPatch(kind: Kind, target: Fields, patch: Fields): Fields {
  return struct(rootOf(kind), target, patch)
}

function struct(shape: Struct, target: Fields, patch: Fields): Fields {
  return merged((name) => shape.get(name), target, patch)
}

function merged(typeOf: (name: string) => Type | undefined, target: Fields, patch: Fields): Fields {
  const { $patch: directive, $retainKeys: retained, ...rest } = patch
  if (directive === 'replace') return rest
  if (directive === 'delete') return {}
  const result: Fields = Array.isArray(retained)
    ? Object.fromEntries(Object.entries(target).filter(([key]) => retained.includes(key)))
    : { ...target }
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith('$')) continue
    if (value === null) Reflect.deleteProperty(result, key)
    else result[key] = mergeValue(typeOf(key), result[key], value)
  }
  for (const [key, value] of Object.entries(rest)) {
    const [name, field = ''] = key.split('/', 2)
    if (!Array.isArray(value) || !Array.isArray(result[field])) continue
    const list = result[field] as unknown[]
    if (name === '$deleteFromPrimitiveList') result[field] = list.filter((one) => !value.includes(one))
    if (name === '$setElementOrder') result[field] = ordered(typeOf(field), list, value)
  }
  return result
}

function mergeValue(type: Type | undefined, target: unknown, patch: unknown): unknown {
  if (type?.is === 'struct' && isFields(patch)) return struct(structOf(type.name), fields(target), patch)
  if (type?.is === 'map' && isFields(patch)) return merged(() => type.of, fields(target), patch)
  if (type?.is === 'list' && type.keys.length > 0 && Array.isArray(patch)) return keyed(type, target, items(patch))
  if (type?.is === 'set' && Array.isArray(patch)) {
    return [...new Set([...(Array.isArray(target) ? (target as unknown[]) : []), ...(patch as unknown[])])]
  }
  return mergePatch(target, patch)
}

function keyed(type: Type & { is: 'list' }, target: unknown, patch: readonly Fields[]): Fields[] {
  const key = type.keys[0]?.name ?? 'name'
  const shape = type.of.is === 'struct' ? structOf(type.of.name) : new Map<string, Type>()
  if (patch.some((one) => one['$patch'] === 'replace')) return patch.filter((one) => one['$patch'] === undefined)
  const result = [...items(target)]
  for (const one of patch) {
    const at = result.findIndex((other) => other[key] === one[key])
    if (one['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1)
    } else if (at >= 0) result[at] = struct(shape, result[at] ?? {}, one)
    else result.push(struct(shape, {}, one))
  }
  return result
}

function ordered(type: Type | undefined, list: readonly unknown[], order: readonly unknown[]): unknown[] {
  const key = type?.is === 'list' ? type.keys[0]?.name : undefined
  const idOf = (one: unknown): unknown => (key === undefined ? one : fields(one)[key])
  const places = order.map(idOf)
  const placeOf = (one: unknown): number => {
    const at = places.indexOf(idOf(one))
    return at < 0 ? places.length : at
  }
  return [...list].sort((a, b) => placeOf(a) - placeOf(b))
}
