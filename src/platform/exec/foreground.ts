import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Has this process its terminal to itself? One in the background is stopped by the kernel when it reads from the terminal, or sets its
 * mode. True also where there is no job control, and where nobody can tell.
 */
export function inForeground(): boolean {
  try {
    const [own, terminals] = process.platform === 'linux' ? linuxGroups() : psGroups()
    return terminals === undefined || Number(terminals) <= 0 || own === terminals
  } catch {
    return true
  }
}

/** Process group, and the one that has the controlling terminal (-1 without one): fields 5 and 8 of /proc/PID/stat, see proc(5). */
function linuxGroups(): readonly (string | undefined)[] {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  // The name in brackets may hold spaces and brackets itself: the third field begins behind the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [fields[2], fields[5]]
}

function psGroups(): readonly (string | undefined)[] {
  return execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'utf8' }).trim().split(/\s+/)
}
