import type { Question } from './ask.js'
import { isGroup } from './pools.js'
import { failed, unreadable } from './run.js'

/** Properties that somebody has set on the file systems of a pool: dataset -> property -> value. */
export type SetProperties = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What is inherited or ZFS's own default is left out: it follows the server, not the pool. */
export const setProperties = (pool: string): Question<SetProperties> => {
  const command = ['sudo', '-n', 'zfs', 'get', '-H', '-p', '-r', '-t', 'filesystem', '-s', 'local,received', '-o', 'name,property,value', 'all', pool]
  return {
    command,
    read(result, { at }) {
      if (result.exitCode !== 0) throw failed(at, command, result)
      const found: Record<string, Record<string, string>> = {}
      for (const line of result.stdout.split('\n').filter((one) => one !== '')) {
        const [, dataset, property, value] = /^([^\t]+)\t([^\t]+)\t(.*)$/.exec(line) ?? []
        if (dataset === undefined || property === undefined || value === undefined) throw unreadable(at, 'zfs get', line)
        ;(found[dataset] ??= {})[property] = value
      }
      return found
    },
  }
}

/** How a pool's devices are put together, without their names, which differ from server to server: `mirror-0 of 2`. */
export const poolLayout = (pool: string): Question<readonly string[]> => {
  const command = ['sudo', '-n', 'zpool', 'status', pool]
  return {
    command,
    read(result, { at }) {
      if (result.exitCode !== 0) throw failed(at, command, result)
      const layout = parseLayout(result.stdout, pool)
      if (layout.length === 0) throw unreadable(at, 'zpool status', result.stdout)
      return layout
    },
  }
}

/** From the tree under `config:` of `zpool status`: each group with the number of its devices, those at the top as `stripe`. */
export function parseLayout(status: string, pool: string): readonly string[] {
  const rows = status.slice(status.search(/^ *config:/m)).split('\n').flatMap((line) => {
    const [, indent, name] = /^\t( *)(\S+)/.exec(line) ?? []
    return indent === undefined || name === undefined || name === 'NAME' ? [] : [{ depth: indent.length, name }]
  })
  const sizes = new Map<string, number>()
  let above: { depth: number; name: string }[] = []
  for (const row of rows) {
    above = above.filter(({ depth }) => depth < row.depth)
    if (row.name === pool && row.depth === 0) continue
    if (isGroup(row.name)) above.push(row)
    else sizes.set(groupName(above), (sizes.get(groupName(above)) ?? 0) + 1)
  }
  return [...sizes].map(([group, size]) => `${group} of ${size}`)
}

const groupName = (above: readonly { readonly name: string }[]): string => above.map(({ name }) => name).join(' ') || 'stripe'
