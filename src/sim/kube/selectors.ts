import { count, fields, items, text, texts, type KubeObject } from './object.js'
import { badRequest } from './status.js'

export type Matches = (object: KubeObject) => boolean

const always: Matches = () => true

/** `app=hub,tier!=x,release in (a, b),canary,!old`. Throws a KubeError for what cannot be read. */
export function labelSelector(selector: string | null): Matches {
  if (selector === null || selector.trim() === '') return always
  const demands = selector.split(/,(?![^(]*\))/).map((part) => labelDemand(part.trim()))
  return (object) => demands.every((demand) => demand(object.metadata.labels ?? {}))
}

type Demand = (labels: Readonly<Record<string, string>>) => boolean

function labelDemand(part: string): Demand {
  const inSet = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part)
  if (inSet) {
    const [, key = '', how, list = ''] = inSet
    const values = list.split(',').map((one) => one.trim())
    return (labels) => values.includes(labels[key] ?? '') === (how === 'in') && (how === 'notin' || key in labels)
  }
  const equal = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(part)
  if (equal) {
    const [, key = '', how, value = ''] = equal
    return (labels) => (labels[key] === value) === (how !== '!=')
  }
  const exists = /^(!?)\s*([^=!\s]+)$/.exec(part)
  if (!exists) throw badRequest(`unable to parse requirement: ${part}`)
  const [, not, key = ''] = exists
  return (labels) => key in labels === (not === '')
}

/** `metadata.name=a,status.phase!=Running`: any field of the object, absent ones count as empty. */
export function fieldSelector(selector: string | null): Matches {
  if (selector === null || selector.trim() === '') return always
  const demands = selector.split(',').map((part) => {
    const read = /^([^=!]+)(==|=|!=)(.*)$/.exec(part)
    if (!read) throw badRequest(`invalid selector: ${part}`)
    const [, path = '', how, value = ''] = read
    return (object: KubeObject) => (valueAt(object, path) === value) === (how !== '!=')
  })
  return (object) => demands.every((demand) => demand(object))
}

function valueAt(object: KubeObject, path: string): string {
  let at: unknown = object
  for (const part of path.split('.')) at = fields(at)[part]
  if (typeof at === 'number' || typeof at === 'boolean') return String(at)
  return text(at)
}

/** A LabelSelector as it stands in a spec. An absent one selects nothing, an empty one everything. */
export function specSelector(selector: unknown): (labels: Readonly<Record<string, string>> | undefined) => boolean {
  if (selector === undefined || selector === null) return () => false
  const { matchLabels, matchExpressions } = fields(selector)
  const wanted = Object.entries(texts(matchLabels))
  const demands = items(matchExpressions).map((one): Demand => {
    const key = text(one['key'])
    const values = (Array.isArray(one['values']) ? one['values'] : []) as unknown[]
    switch (one['operator']) {
      case 'In':
        return (labels) => key in labels && values.includes(labels[key])
      case 'NotIn':
        return (labels) => !values.includes(labels[key])
      case 'Exists':
        return (labels) => key in labels
      default:
        return (labels) => !(key in labels)
    }
  })
  return (labels = {}) => wanted.every(([key, value]) => labels[key] === value) && demands.every((demand) => demand(labels))
}

const units: Readonly<Record<string, number>> = {
  n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}

/** A quantity (`40Gi`, `100m`, 2) as a number; 0 if it is none. */
export function quantity(value: unknown): number {
  if (typeof value === 'number') return value
  const read = /^([0-9.]+)([a-zA-Z]*)$/.exec(text(value))
  if (!read) return 0
  return count(Number(read[1])) * (units[read[2] ?? ''] ?? 1)
}
