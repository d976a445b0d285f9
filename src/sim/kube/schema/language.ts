/**
 * Types of the API in a short notation, from which strict validation, strategic merge and server-side apply are worked out.
 *
 * A struct is a line of fields, `name` or `name:type`; without a type it is a string. Types: `i` number, `b` boolean,
 * `q` quantity, `x` number or string, `any` (opaque, owned as a whole), a struct's name, `Name!` a struct owned as a whole,
 * `{t}` a map with free keys (`{t}!` owned as a whole), `t[]` a list owned as a whole, `t[*]` a set, and
 * `t[key,other=DEFAULT]` a list whose items are told apart by those fields.
 */
export type Type =
  | { readonly is: 'scalar'; readonly of: 'string' | 'number' | 'boolean' | 'quantity' | 'either' | 'any' }
  | { readonly is: 'struct'; readonly name: string; readonly atomic: boolean }
  | { readonly is: 'map'; readonly of: Type; readonly atomic: boolean }
  | { readonly is: 'list'; readonly of: Type; readonly keys: readonly Key[] }
  | { readonly is: 'set'; readonly of: Type }

/** One of the fields that tell the items of a list apart. */
export interface Key {
  readonly name: string
  readonly otherwise?: string
}

export type Struct = ReadonlyMap<string, Type>

const scalars: Readonly<Record<string, Type>> = {
  s: { is: 'scalar', of: 'string' },
  i: { is: 'scalar', of: 'number' },
  b: { is: 'scalar', of: 'boolean' },
  q: { is: 'scalar', of: 'quantity' },
  x: { is: 'scalar', of: 'either' },
  any: { is: 'scalar', of: 'any' },
}

function parseType(notation: string): Type {
  const map = /^\{(.*)\}(!?)$/.exec(notation)
  if (map) return { is: 'map', of: parseType(map[1] ?? 's'), atomic: map[2] === '!' }
  const list = /^(.*)\[([^\]]*)\]$/.exec(notation)
  if (list) {
    const of = parseType(list[1] ?? 's')
    if (list[2] === '*') return { is: 'set', of }
    return { is: 'list', of, keys: (list[2] ?? '').split(',').filter((key) => key !== '').map(parseKey) }
  }
  const atomic = notation.endsWith('!')
  return scalars[notation] ?? { is: 'struct', name: atomic ? notation.slice(0, -1) : notation, atomic }
}

function parseKey(notation: string): Key {
  const [name = '', otherwise] = notation.split('=')
  return otherwise === undefined ? { name } : { name, otherwise }
}

/** Reads a table of structs. */
export function parseStructs(table: Readonly<Record<string, string>>): [string, Struct][] {
  return Object.entries(table).map(([name, line]) => {
    const parts = line.trim().split(/\s+/).filter((part) => part !== '')
    return [
      name,
      new Map(
        parts.map((part) => {
          const colon = part.indexOf(':')
          return colon < 0 ? [part, parseType('s')] : [part.slice(0, colon), parseType(part.slice(colon + 1))]
        }),
      ),
    ]
  })
}
