import type { Json, JsonObject } from '../../contract/index.js'

/** helm's own bound on list indices (helm.sh/helm, pkg/strvals). */
const mostIndex = 65_536

type Tree = { [key: string]: Node }
type Node = Tree | Node[] | Json | undefined

/**
 * A path as helm's `--set` takes it: keys with dots between them, `[n]` for an item of a list, and a backslash before a dot, bracket,
 * comma, `=` or backslash that belongs to a key. Undefined for what helm would not read as one path.
 */
export function parseSetPath(path: string): readonly (string | number)[] | undefined {
  const segments: (string | number)[] = []
  let rest = path
  for (;;) {
    const key = /^(?:\\.|[^\\.,=[\]])+/su.exec(rest)?.[0]
    if (key === undefined) return undefined
    segments.push(key.replace(/\\(.)/gsu, '$1'))
    rest = rest.slice(key.length)
    for (let item = /^\[(\d+)\]/.exec(rest); item !== null; item = /^\[(\d+)\]/.exec(rest)) {
      const index = Number(item[1])
      if (index > mostIndex) return undefined
      segments.push(index)
      rest = rest.slice(item[0].length)
    }
    if (rest === '') return segments
    if (!rest.startsWith('.')) return undefined
    rest = rest.slice(1)
  }
}

/**
 * `own` with values set at paths, later ones over earlier ones. An item that is set in a list which only stands in `below` (values
 * that these will be merged over) takes the whole list along, since helm merges mappings and replaces lists.
 */
export function withSet(own: JsonObject, below: JsonObject, set: Readonly<Record<string, Json>>): JsonObject {
  const tree = structuredClone(own) as Tree
  for (const [path, value] of Object.entries(set)) {
    const segments = parseSetPath(path)
    if (segments !== undefined) put(tree, below, segments, value)
  }
  return tree as JsonObject
}

function put(tree: Tree, below: Node, segments: readonly (string | number)[], value: Json): void {
  let here: Tree | Node[] = tree
  let under: Node = below
  for (const [at, segment] of segments.entries()) {
    if (at === segments.length - 1) {
      write(here, segment, value)
      return
    }
    under = childOf(under, segment)
    const wantsList = typeof segments[at + 1] === 'number'
    const there = childOf(here, segment)
    let next: Tree | Node[]
    if (wantsList) next = Array.isArray(there) ? there : Array.isArray(under) ? structuredClone(under) : []
    else next = isTree(there) ? there : {}
    write(here, segment, next)
    here = next
  }
}

function write(into: Tree | Node[], segment: string | number, value: Node): void {
  if (Array.isArray(into) && typeof segment === 'number') {
    // As helm does: what is skipped is null.
    while (into.length < segment) into.push(null)
    into[segment] = value
  } else if (isTree(into)) {
    into[segment] = value
  }
}

/** What stands at a path, or undefined. */
export function valueAt(values: JsonObject, path: string): Json | undefined {
  let here: Node = values
  for (const segment of parseSetPath(path) ?? []) here = childOf(here, segment)
  return here as Json | undefined
}

function childOf(value: Node, segment: string | number): Node {
  if (Array.isArray(value)) return typeof segment === 'number' ? (value)[segment] : undefined
  return isTree(value) && Object.hasOwn(value, segment) ? value[segment] : undefined
}

function isTree(value: Node): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
