/** IPv4 ranges in CIDR notation. */
export interface Range {
  readonly first: number
  readonly last: number
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256))
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

/** `10.240.0.0/28`; undefined if it is none, or has bits behind its prefix. */
export function parseRange(text: string): Range | undefined {
  const [base = '', bits = ''] = text.split('/')
  const first = parseAddress(base)
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : 33
  if (first === undefined || prefix > 32) return undefined
  const size = 2 ** (32 - prefix)
  return first % size === 0 ? { first, last: first + size - 1 } : undefined
}

export const inside = (inner: Range, outer: Range): boolean => inner.first >= outer.first && inner.last <= outer.last
export const overlap = (one: Range, other: Range): boolean => one.first <= other.last && other.first <= one.last

/** A subnet keeps its first four addresses and its last for itself. */
export function usable(range: Range): Range {
  return { first: range.first + 4, last: range.last - 1 }
}
