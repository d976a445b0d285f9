import { mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LifeboatError } from '../contract/index.js'
import { isErrno } from './errno.js'

/** Where a journal's bytes lie: a local file here, an append blob later. One writer at a time. */
export interface Store {
  /** Path or address, for messages. */
  readonly name?: string
  /** Adds one or more whole lines; resolves when they are synced to disk. After a rejection nothing is known of the tail. */
  append(lines: string): Promise<void>
  read(): Promise<string>
  /** Cuts the journal to its first `bytes` bytes; resolves when that is synced. */
  truncate(bytes: number): Promise<void>
  close(): Promise<void>
}

/**
 * A journal in a file of mode 0600, made with its folders (0700) if it is not there; with `fresh` it must not be there. One that is there
 * is taken over: whoever else has it open cannot add to it any more, and is told so (`journal.displaced`). Rejects with the system's own
 * error.
 */
export async function localStore(path: string, { fresh = false } = {}): Promise<Store> {
  const file = resolve(path)
  const handle = await openSynced(file, fresh)
  return {
    name: file,
    async append(lines) {
      await handle.appendFile(lines, 'utf8')
      await handle.datasync()
      if (!(await isAt(file, handle))) throw displaced(file)
    },
    read: () => readFile(file, 'utf8'),
    async truncate(bytes) {
      await handle.truncate(bytes)
      await handle.sync()
    },
    close: () => handle.close(),
  }
}

async function openSynced(file: string, fresh: boolean): Promise<FileHandle> {
  await makeFolders(dirname(file))
  const handle = await openNew(file, fresh)
  if (handle === undefined) return takenOver(file)
  try {
    await handle.sync()
    await syncFolder(dirname(file))
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * The same bytes in a new file at the same path. A process that was displaced and has not noticed still has the old one: what it adds
 * until the path leads elsewhere is taken along, and after that it finds out by `isAt` before it acts on what it has written.
 */
async function takenOver(file: string): Promise<FileHandle> {
  const old = await open(file, 'r')
  const next = `${file}.next`
  try {
    await rm(next, { force: true })
    const handle = await open(next, 'ax', 0o600)
    try {
      const before = await old.readFile()
      await handle.appendFile(before)
      await handle.sync()
      await rename(next, file)
      await syncFolder(dirname(file))
      const since = await old.readFile()
      if (since.length > 0) await handle.appendFile(since)
      if (since.length > 0) await handle.sync()
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  } finally {
    await old.close()
  }
}

/** Does the path still lead to what is open here? */
async function isAt(file: string, handle: FileHandle): Promise<boolean> {
  const [mine, there] = await Promise.all([
    handle.stat(),
    stat(file).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }),
  ])
  return there?.ino === mine.ino && there.dev === mine.dev
}

function displaced(file: string): LifeboatError {
  return new LifeboatError('journal.displaced', `the journal ${file} is not this process's any more: another one goes on with the run, or it was removed`, {
    blame: 'user',
    hint: 'This one stops where it is and changes nothing more. The status of the run says who is at work on it.',
  })
}

async function openNew(file: string, fresh: boolean): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'ax', 0o600)
  } catch (error) {
    if (isErrno(error, 'EEXIST') && !fresh) return undefined
    throw error
  }
}

/** Makes what is missing of the path (0700), each synced into the folder above it. */
async function makeFolders(path: string): Promise<void> {
  const folder = resolve(path)
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (firstMade === undefined) return
  const top = dirname(resolve(firstMade))
  for (let current = dirname(folder); ; current = dirname(current)) {
    await syncFolder(current)
    if (current === top) return
  }
}

/**
 * What was made in a folder survives a power cut only once the folder itself is synced. One that may not be read (a `/home` of
 * mode 711) cannot be synced by us; it is left to the system.
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
  }
}
