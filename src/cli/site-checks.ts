import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock, Finding } from '../contract/index.js'

/** What the checks look at that belongs to no step: this machine's clock beside the cloud's, and room for the journal. */
export interface SiteFacts {
  readonly clock: Pick<Clock, 'realNow'>
  /** The resource manager's own clock: real time, to a second. */
  readonly serverTime: () => Promise<Date>
  /** Where journals go. It need not exist yet. */
  readonly stateRoot: string
  readonly freeBytes?: (path: string) => Promise<number>
  /** Groups in whose tags this login may not say who is at work. */
  readonly untaggable?: () => Promise<readonly string[]>
}

const skewLimitsMs = { warn: 60_000, stop: 5 * 60_000 } as const
const megabyte = 1_000_000
const roomLimits = { warn: 100 * megabyte, stop: 10 * megabyte } as const

/** The site as a whole, before the first change. Throws what keeps it from looking. */
export async function siteFindings(facts: SiteFacts): Promise<readonly Finding[]> {
  return (await Promise.all([clockFindings(facts), roomFindings(facts), tagFindings(facts)])).flat()
}

/** Tokens, signatures and certificates are valid by the wire's clock: a machine whose own is off is refused, or refuses. */
async function clockFindings({ clock, serverTime }: SiteFacts): Promise<Finding[]> {
  const before = clock.realNow().getTime()
  const there = (await serverTime()).getTime()
  const after = clock.realNow().getTime()
  // The answer was given at some moment in between, and its clock tells whole seconds: only what is beyond both counts.
  const behindMs = Math.max(0, there - after)
  const aheadMs = Math.max(0, before - (there + 999))
  const offMs = Math.max(behindMs, aheadMs)
  if (offMs <= skewLimitsMs.warn) return []
  const how = `${sayMinutes(offMs)} ${behindMs > 0 ? 'behind' : 'ahead of'} the cloud’s`
  return [
    {
      level: offMs > skewLimitsMs.stop ? 'stop' : 'warn',
      what: `the clock of this machine is ${how}: tokens and certificates are refused by clocks that differ`,
      mend: 'Set it, and keep it by NTP: `timedatectl set-ntp true` where systemd does it.',
    },
  ]
}

function sayMinutes(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const seconds = Math.floor((ms % 60_000) / 1000)
  return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`
}

/** A run stops when its journal cannot be written; better before the first change than after it. */
async function roomFindings({ stateRoot, freeBytes = freeBytesAt }: SiteFacts): Promise<Finding[]> {
  const free = await freeBytes(stateRoot)
  if (free >= roomLimits.warn) return []
  return [
    {
      level: free < roomLimits.stop ? 'stop' : 'warn',
      what: `only ${Math.floor(free / megabyte)} MB are free where the journal goes (${stateRoot})`,
      mend: 'Make room there, or give another folder with --state-dir: a run stops when its journal cannot be written.',
    },
  ]
}

/** Without its mark in the tags, nobody on another machine would see that this run is at work. */
async function tagFindings({ untaggable }: SiteFacts): Promise<Finding[]> {
  const groups = (await untaggable?.()) ?? []
  if (groups.length === 0) return []
  return [
    {
      level: 'stop',
      what: `this login has no right to ${tagAction} at ${groups.join(', ')}: nobody else would see that this run is at work`,
      mend: 'Have somebody who may (an owner) give it the role Tag Contributor there (az role assignment create); a role takes a while to be seen.',
    },
  ]
}

export const tagAction = 'Microsoft.Resources/tags/write'

/** Bytes that this user may still write at a path, or at the nearest folder above it that exists. */
export async function freeBytesAt(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    const above = dirname(path)
    if (above === path || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    return freeBytesAt(above)
  }
}
