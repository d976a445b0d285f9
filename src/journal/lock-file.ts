import { createHash, randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from './errno.js'
import type { Owner } from './records.js'

/**
 * The files of one lock: a folder in which every taker puts the next generation (`00000001`, `00000002`, …). The highest
 * one counts. Nobody ever removes or overwrites the highest, so whoever judged an old generation dead and comes too late
 * finds a higher one and has taken nothing. A file appears whole (written aside, then linked under its name, which fails if
 * the name is taken); its modification time is the holder's heartbeat.
 */
export interface LockKey {
  /** Name of the runbook. */
  readonly runbook: string
  /** The resource manager's endpoint: a rehearsal has its own and never blocks the real thing. */
  readonly resourceManager: string
  readonly subscription: string
}

export type LockOwner = Owner & {
  readonly run: string
}

export type LockState =
  | { readonly state: 'free'; readonly generation: number }
  | { readonly state: 'held'; readonly generation: number; readonly owner: LockOwner; readonly heartbeatAt: Date }
  /** A file that is not as it was written: nobody knows whose it is. */
  | { readonly state: 'unreadable'; readonly generation: number; readonly heartbeatAt: Date }

interface LockText {
  readonly v: 1
  readonly owner: LockOwner
  readonly takenAt: string
  readonly releasedAt?: string
}

/** Old generations are removed, but not the latest ones: a folder's listing that is read meanwhile must not miss them all. */
const keptGenerations = 8

/** The lock's folder under `folder`: readable by people, told apart by a digest of the whole key. */
export function lockFolder(folder: string, { runbook, resourceManager, subscription }: LockKey): string {
  const endpoint = resourceManager.toLowerCase().replace(/\/+$/, '')
  const digest = createHash('sha256').update(JSON.stringify([runbook, endpoint, subscription.toLowerCase()])).digest('hex')
  return join(folder, `${runbook.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 60)}-${digest.slice(0, 12)}`)
}

export async function readLock(folder: string): Promise<LockState> {
  for (;;) {
    const generation = await highestGeneration(folder)
    if (generation === 0) return { state: 'free', generation }
    try {
      const path = generationPath(folder, generation)
      const [text, { mtime }] = [await readFile(path, 'utf8'), await stat(path)]
      const lock = parseLock(text)
      if (lock === undefined) return { state: 'unreadable', generation, heartbeatAt: mtime }
      if (lock.releasedAt !== undefined) return { state: 'free', generation }
      return { state: 'held', generation, owner: lock.owner, heartbeatAt: mtime }
    } catch (error) {
      // Removed since it was listed: so there is a higher one by now.
      if (!isErrno(error, 'ENOENT')) throw error
    }
  }
}

/** Takes the generation after `generation`; false if another came first. */
export async function takeGeneration(folder: string, generation: number, owner: LockOwner, now: Date): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const mine = generation + 1
  const path = generationPath(folder, mine)
  const aside = await writeAside(folder, { v: 1, owner, takenAt: now.toISOString() }, now)
  try {
    await link(aside, path)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    await unlink(aside)
  }
  if ((await highestGeneration(folder)) !== mine) {
    await removeGeneration(folder, mine)
    return false
  }
  await removeUpTo(folder, mine - keptGenerations)
  return true
}

/** Says that the holder of `generation` lives; false if a higher one has taken the lock away. */
export async function beat(folder: string, generation: number, now: Date): Promise<boolean> {
  if ((await highestGeneration(folder)) !== generation) return false
  await utimes(generationPath(folder, generation), now, now)
  return true
}

/** Leaves the generation in place, marked as released: the next taker counts on from it. */
export async function releaseGeneration(folder: string, generation: number, owner: LockOwner, now: Date): Promise<void> {
  if ((await highestGeneration(folder)) !== generation) return
  const at = now.toISOString()
  const aside = await writeAside(folder, { v: 1, owner, takenAt: at, releasedAt: at }, now)
  await rename(aside, generationPath(folder, generation))
}

/** The file is synced before it gets its name, so that not even a power cut leaves a torn lock. */
async function writeAside(folder: string, text: LockText, now: Date): Promise<string> {
  const path = join(folder, `aside-${randomUUID()}`)
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(text)}\n`)
    await handle.utimes(now, now)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return path
}

function parseLock(text: string): LockText | undefined {
  try {
    const lock = JSON.parse(text) as Omit<LockText, 'v'> & { readonly v: unknown }
    const { pid, user, host, started, run } = lock.owner
    const sound = Number.isInteger(pid) && [user, host, started, run].every((part) => typeof part === 'string')
    return sound && lock.v === 1 ? { ...lock, v: 1 } : undefined
  } catch {
    return undefined
  }
}

async function highestGeneration(folder: string): Promise<number> {
  return Math.max(0, ...(await generations(folder)))
}

async function generations(folder: string): Promise<readonly number[]> {
  try {
    return (await readdir(folder)).filter((name) => /^\d{8,}$/.test(name)).map(Number)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

async function removeUpTo(folder: string, generation: number): Promise<void> {
  for (const old of await generations(folder)) if (old <= generation) await removeGeneration(folder, old)
}

async function removeGeneration(folder: string, generation: number): Promise<void> {
  await unlink(generationPath(folder, generation)).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error
  })
}

function generationPath(folder: string, generation: number): string {
  return join(folder, String(generation).padStart(8, '0'))
}
