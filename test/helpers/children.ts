import { readdirSync, readFileSync } from 'node:fs'

/** Process ids of what a process has started and that still runs. */
export function childrenOf(parent: number | undefined): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    try {
      const [, parentOf] = /^\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      return Number(parentOf) === parent ? [Number(pid)] : []
    } catch {
      return []
    }
  })
}
