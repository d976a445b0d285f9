import type { Json, JsonObject } from '../../contract/index.js'

/** What is waited for, in the words of `kubectl wait --for`. */
export type Awaited =
  | { readonly kind: 'create' | 'delete' }
  /** `value` in lower case: conditions are compared without regard to case. */
  | { readonly kind: 'condition'; readonly name: string; readonly value: string }
  /** Without a value: that there is one at all. */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly text: string; readonly value?: string }

/**
 * `create`, `delete`, `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Bound`,
 * `jsonpath={.status.loadBalancer.ingress[0].ip}`. Undefined for what is none of these; of JSONPath only fields and indices
 * are understood.
 */
export function parseAwaited(text: string): Awaited | undefined {
  if (text === 'create' || text === 'delete') return { kind: text }
  const [, condition, status = 'true'] = /^condition=([\w.-]+)(?:=(\w+))?$/.exec(text) ?? []
  if (condition !== undefined) return { kind: 'condition', name: condition, value: status.toLowerCase() }
  const [, path, value] = /^jsonpath=\{?((?:\.[A-Za-z_][\w-]*|\['[^']+'\]|\[\d+\])+)\}?(?:=(.+))?$/.exec(text) ?? []
  if (path === undefined) return undefined
  const parts = [...path.matchAll(/\.([\w-]+)|\['([^']+)'\]|\[(\d+)\]/g)].map(([, name, quoted, index]) => name ?? quoted ?? index ?? '')
  return { kind: 'field', path: parts, text: path, ...(value === undefined ? {} : { value }) }
}

/** Does an object fulfil it? `value` is what was found where it does, `last` what stands there now. */
export type Fulfilment = { readonly holds: true; readonly value: string } | { readonly holds: false; readonly last: string }

/** Of a secret nothing is told but whether it is so: what is told stands in journals and on screens. */
export function fulfilment(wanted: Awaited, object: JsonObject | undefined, isSecret = false): Fulfilment {
  if (wanted.kind === 'delete') return object === undefined ? { holds: true, value: 'gone' } : { holds: false, last: 'it is still there' }
  if (object === undefined) return { holds: false, last: 'it is not there' }
  switch (wanted.kind) {
    case 'create':
      return { holds: true, value: 'there' }
    case 'condition':
      return conditionOf(wanted, object)
    case 'field': {
      const found = sayValue(at(object, wanted.path))
      if (found !== '' && (wanted.value === undefined || wanted.value === found)) return { holds: true, value: isSecret ? 'set' : found }
      return { holds: false, last: `${wanted.text} is ${found === '' ? 'not set' : isSecret ? 'another' : found}` }
    }
  }
}

/** A status that was written for an older generation speaks of what the object was before its last change. */
function conditionOf({ name, value }: Awaited & { kind: 'condition' }, object: JsonObject): Fulfilment {
  const conditions = at(object, ['status', 'conditions'])
  const all = Array.isArray(conditions) ? (conditions as readonly JsonObject[]) : []
  const found = all.find((one) => sayValue(one['type']).toLowerCase() === name.toLowerCase())
  if (found === undefined) return { holds: false, last: `it has no condition ${name} yet` }
  const generation = Number(at(object, ['metadata', 'generation']) ?? 0)
  const observed = found['observedGeneration'] ?? at(object, ['status', 'observedGeneration'])
  if (observed !== undefined && Number(observed) < generation) return { holds: false, last: 'its status is older than its last change' }
  const status = sayValue(found['status'])
  if (status.toLowerCase() === value) return { holds: true, value: status }
  const why = [found['reason'], found['message']].map(sayValue).filter((text) => text !== '')
  return { holds: false, last: `${name} is ${status}${why.length === 0 ? '' : ` (${why.join(': ')})`}` }
}

function at(value: Json | undefined, path: readonly string[]): Json | undefined {
  let here = value
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined
    here = (here as JsonObject)[part]
  }
  return here
}

/** Scalars as they are, everything else as JSON; empty for what is not there. What a server says must be fit for a terminal. */
function sayValue(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim().slice(0, 300)
}
