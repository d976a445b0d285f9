import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
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
 * A journal in a file of mode 0600, made with its folders (0700) if it is not there; with `fresh` it must not be there. Rejects
 * with the system's own error.
 */
export async function localStore(path: string, { fresh = false } = {}): Promise<Store> {
  const file = resolve(path)
  const handle = await openSynced(file, fresh)
  return {
    name: file,
    async append(lines) {
      await handle.appendFile(lines, 'utf8')
      await handle.datasync()
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
  if (handle === undefined) return open(file, 'a', 0o600)
  try {
    await handle.sync()
    await syncFolder(dirname(file))
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
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
