import type { Kind } from '../kinds.js'
import { fields, isFields, items, type Fields } from '../object.js'
import { rootOf, structOf, type Key, type Type } from '../schema/index.js'

/**
 * Paths of the fields that somebody owns, in the words of `managedFields`: `f:` a field, `k:` an item by its keys, `v:` a member of
 * a set. A path is its parts, joined by a character that no part holds.
 */
export type Path = string
const joint = '\u0000'

export function split(path: Path): string[] {
  return path.split(joint)
}

export function join(parts: readonly string[]): Path {
  return parts.join(joint)
}

/** Is `inner` the path `outer` or inside it? */
export function within(inner: Path, outer: Path): boolean {
  return inner === outer || inner.startsWith(outer + joint)
}

/** What of an object's metadata can be owned. The rest is identity or the server's own. */
const ownedMeta = new Set(['labels', 'annotations', 'finalizers', 'ownerReferences'])

/** The owned fields of an object and their values. Status is not owned: only controllers write it here. */
export function leavesOf(kind: Kind, object: Fields): Map<Path, unknown> {
  const leaves = new Map<Path, unknown>()
  for (const [name, type] of rootOf(kind)) {
    const value = object[name]
    if (value === undefined || name === 'apiVersion' || name === 'kind' || name === 'status') continue
    if (name !== 'metadata') walk(type, value, [`f:${name}`], leaves)
    else {
      for (const [key, one] of Object.entries(fields(value))) {
        const inner = structOf('ObjectMeta').get(key)
        if (ownedMeta.has(key) && inner) walk(inner, one, ['f:metadata', `f:${key}`], leaves)
      }
    }
  }
  return leaves
}

function walk(type: Type, value: unknown, path: string[], leaves: Map<Path, unknown>): void {
  if (type.is === 'list' && type.keys.length > 0 && Array.isArray(value) && value.length > 0) {
    for (const item of items(value)) {
      const at = [...path, keyPart(type.keys, item)]
      leaves.set(join(at), true)
      walk(type.of, item, at, leaves)
    }
    return
  }
  if (type.is === 'set' && Array.isArray(value) && value.length > 0) {
    for (const one of value as unknown[]) leaves.set(join([...path, `v:${JSON.stringify(one)}`]), one)
    return
  }
  const inner = innerType(type)
  if (inner && isFields(value) && Object.keys(value).length > 0) {
    for (const [name, one] of Object.entries(value)) {
      const innermost = inner(name)
      if (innermost) walk(innermost, one, [...path, `f:${name}`], leaves)
    }
    return
  }
  leaves.set(join(path), value)
}

/** The types inside a struct or map whose fields have owners of their own. */
function innerType(type: Type): ((name: string) => Type | undefined) | undefined {
  if (type.is === 'struct' && !type.atomic) return (name) => structOf(type.name).get(name)
  if (type.is === 'map' && !type.atomic) return () => type.of
  return undefined
}

/** `k:{"name":"hub"}`. */
export function keyPart(keys: readonly Key[], item: Fields): string {
  const found = keys.flatMap(({ name, otherwise }) => {
    const value = item[name] ?? otherwise
    return value === undefined ? [] : [[name, value] as const]
  })
  return `k:${JSON.stringify(Object.fromEntries(found))}`
}

/** Laid one in the other, as `managedFields` holds them. */
export function toFieldsV1(paths: Iterable<Path>): Fields {
  const root: Fields = {}
  const members = new Set(paths)
  for (const path of [...members].sort()) {
    let node = root
    const parts = split(path)
    parts.forEach((part, at) => {
      const known = node[part]
      const inner: Fields = isFields(known) ? known : {}
      node[part] = inner
      // Owned itself and something in it: told by a dot.
      if (at < parts.length - 1 && members.has(join(parts.slice(0, at + 1)))) inner['.'] = {}
      node = inner
    })
  }
  return root
}

export function fromFieldsV1(tree: unknown): Set<Path> {
  const paths = new Set<Path>()
  const visit = (node: Fields, parts: string[]): void => {
    const inner = Object.entries(node)
    if (parts.length > 0 && (inner.length === 0 || '.' in node)) paths.add(join(parts))
    for (const [part, one] of inner) if (part !== '.') visit(fields(one), [...parts, part])
  }
  visit(fields(tree), [])
  return paths
}

/** `.spec.template.spec.containers[name="hub"].image`, as conflicts name it. */
export function readable(path: Path): string {
  return split(path)
    .map((part) => {
      if (part.startsWith('f:')) return `.${part.slice(2)}`
      if (part.startsWith('v:')) return `[=${part.slice(2)}]`
      const keys = Object.entries(fields(JSON.parse(part.slice(2)))).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      return `[${keys.join(',')}]`
    })
    .join('')
}
