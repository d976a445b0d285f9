import { parseAddress } from '../world/addresses.js'
import type { Host } from '../world/model.js'

type Export = Host['exports'][number]

/**
 * Whom a line of the table means, the more the fewer: an address, a network, everybody. Names (with wildcards or without) and netgroups
 * mean nobody here: no name server tells what a node is called.
 */
function rangeOf(clients: string): { readonly base: number; readonly mask: number } | undefined {
  if (clients === '*' || clients === '') return { base: 0, mask: 0 }
  const [name = '', width = '32'] = clients.split('/')
  const base = parseAddress(name)
  const mask = /^\d{1,2}$/.test(width) && Number(width) <= 32 ? 2 ** 32 - 2 ** (32 - Number(width)) : parseAddress(width)
  return base === undefined || mask === undefined ? undefined : { base, mask }
}

/** As mountd compares them: what stands behind the mask does not count. */
export function isFor({ clients }: Export, address: string): boolean {
  const [range, value] = [rangeOf(clients), parseAddress(address)]
  return range !== undefined && value !== undefined && ((range.base ^ value) & range.mask) === 0
}

/** The line by which mountd goes where several are for the same client: the longest path, and of one path the narrowest. */
export function deciding(table: readonly Export[]): Export | undefined {
  const width = ({ clients }: Export): number => rangeOf(clients)?.mask ?? 0
  return [...table].sort((one, other) => other.path.length - one.path.length || width(other) - width(one))[0]
}

/** Without a word, an export is for reading only (exports(5)). */
export function isWritable({ options }: Export): boolean {
  return options.split(',').some((one) => one.trim() === 'rw')
}
