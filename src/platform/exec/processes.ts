import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { promisify } from 'node:util'
import type { Child } from '../scope.js'
import type { ProcessTable } from './starter.js'

const host = hostname()

export interface ProcessOwner {
  readonly user: string
  readonly host: string
  readonly pid: number
  readonly started: string
}

/** What the journal's lock must know of processes. */
export const processes = {
  host,
  machine,
  self: async (): Promise<ProcessOwner> => ({
    user: userInfo().username,
    host,
    pid: process.pid,
    started: (await processStart(process.pid)) ?? '',
  }),
  alive: async (pid: number, started: string): Promise<boolean> => {
    const now = await processStart(pid)
    return now !== undefined && now === started
  },
}

/** A digest of the operating system's own id of this machine (machine-id(5)), which is not to be shown as it is; else its name. */
async function machine(): Promise<string> {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return createHash('sha256').update(`lifeboat ${id.trim() === '' ? host : id.trim()}`).digest('hex').slice(0, 16)
}

/**
 * When a process was started, as the operating system tells it, or undefined if there is none. A pid may be given to
 * another process; a pid together with its start may not. A zombie counts as gone: it can do nothing any more.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  return process.platform === 'linux' ? linuxStart(pid) : psStart(pid)
}

/** Field 22 of /proc/PID/stat, clock ticks since boot, with the boot's id: see proc(5). */
async function linuxStart(pid: number): Promise<string | undefined> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    const fields = await statFields(pid)
    const [state, ticks] = [fields[0], fields[19]]
    return state === 'Z' || state === 'X' || ticks === undefined ? undefined : `${boot}:${ticks}`
  } catch {
    return undefined
  }
}

/** Fields of /proc/PID/stat from the third on: proc(5). */
async function statFields(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name in brackets may hold spaces and brackets itself: the fields begin behind the last one.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

async function psStart(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { LC_ALL: 'C' } })
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    return undefined
  }
}

/** The processes of this machine. */
export const thisMachine: ProcessTable = {
  host,
  startOf: processStart,
  signalGroup(pid, signal) {
    try {
      process.kill(-pid, signal)
    } catch {
      // It has ended by itself in between.
    }
  },
}

/** Environment variables that mark our children, so that those of a run whose journal is lost can be found. */
export const marks = { site: 'LIFEBOAT_CHILD_OF', survivor: 'LIFEBOAT_SURVIVOR' } as const

/**
 * Children of any life of a run of this site that still run: by their mark, so also those that no journal knows of. Linux
 * tells the environment of processes of the same user; elsewhere the answer is empty and the journal alone must do.
 */
export async function markedChildren(site: string): Promise<readonly Child[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map((pid) => markedChild(pid, site)))
  return found.filter((child) => child !== undefined)
}

/** What a child starts inherits its mark and its group, and ends with it. */
async function leadsItsGroup(pid: number): Promise<boolean> {
  return Number((await statFields(pid))[2]) === pid
}

async function markedChild(pid: number, site: string): Promise<Child | undefined> {
  try {
    const variables = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')
    if (!variables.includes(`${marks.site}=${site}`) || !(await leadsItsGroup(pid))) return undefined
    const started = await processStart(pid)
    if (started === undefined) return undefined
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, 3).join(' ')
    const survivor = variables.includes(`${marks.survivor}=await`) ? 'await' : 'end'
    return { pid, started, host, command, survivor }
  } catch {
    return undefined
  }
}
