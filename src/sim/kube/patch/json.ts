import { copy, isFields, same, type Fields } from '../object.js'
import { badRequest, KubeError } from '../status.js'

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const merged: Fields = isFields(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, key)
    else merged[key] = mergePatch(merged[key], value)
  }
  return merged
}

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** RFC 6902. Throws 422 for a path that is not there or a test that fails. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations')
  let root: unknown = copy(target)
  for (const operation of patch as Operation[]) root = apply(root, operation)
  return root
}

function apply(root: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case 'add':
      return put(root, path, value, true)
    case 'replace':
      look(root, path)
      return put(root, path, value, false)
    case 'remove':
      return drop(root, path)
    case 'copy':
      return put(root, path, copy(look(root, from ?? '')), true)
    case 'move': {
      const moved = look(root, from ?? '')
      return put(drop(root, from ?? ''), path, moved, true)
    }
    case 'test':
      if (!same(look(root, path), value)) throw impossible(`testing value ${path} failed: test failed`)
      return root
    default:
      throw badRequest(`unexpected kind of JSON patch operation: ${op}`)
  }
}

function impossible(why: string): KubeError {
  return new KubeError(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`)
}

function pointer(path: string): string[] {
  return path.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function look(root: unknown, path: string): unknown {
  let at = root
  for (const part of pointer(path)) {
    const next: unknown = Array.isArray(at) ? (at as unknown[])[Number(part)] : isFields(at) ? at[part] : undefined
    if (next === undefined) throw impossible(`${path} is missing`)
    at = next
  }
  return at
}

function parentOf(root: unknown, path: string): { parent: unknown; last: string } {
  const parts = pointer(path)
  const last = parts.pop() ?? ''
  return { parent: parts.length === 0 ? root : look(root, `/${path.split('/').slice(1, -1).join('/')}`), last }
}

function put(root: unknown, path: string, value: unknown, insert: boolean): unknown {
  if (path === '') return value
  const { parent, last } = parentOf(root, path)
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : Number(last)
    parent.splice(at, insert ? 0 : 1, value)
  } else if (isFields(parent)) parent[last] = value
  else throw impossible(`${path} is missing`)
  return root
}

function drop(root: unknown, path: string): unknown {
  look(root, path)
  const { parent, last } = parentOf(root, path)
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (isFields(parent)) Reflect.deleteProperty(parent, last)
  return root
}
