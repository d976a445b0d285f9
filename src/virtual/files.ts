import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** What `node:fs` does at once with the same arguments, answers and error codes. Open files (`FileHandle`) are left as they are. */
const alike = [
  'access', 'appendFile', 'chmod', 'link', 'lstat', 'mkdir', 'mkdtemp', 'readFile', 'readdir', 'realpath', 'rename', 'rm', 'rmdir', 'stat',
  'statfs', 'unlink', 'utimes', 'writeFile',
] as const

type Work = (...given: readonly unknown[]) => unknown

/**
 * From now on this process works on files at once, also where it says that it waits for them. For one that plays worlds on a folder in
 * memory: nothing there is worth waiting for, a thread costs more than what it does, and the order of what is done is the program's own.
 */
export function workOnFilesAtOnce(): void {
  for (const name of alike) {
    const later = promises[name] as unknown as Work
    // The promise's own is the system's; the other one walks the path itself and fails in other words.
    const atOnce = (name === 'realpath' ? fs.realpathSync.native : fs[`${name}Sync`]) as unknown as Work
    const work = async (...given: readonly unknown[]): Promise<unknown> => (isPath(given[0]) ? atOnce(...given) : later(...given))
    Object.assign(promises, { [name]: work })
  }
  syncBuiltinESMExports()
}

function isPath(file: unknown): boolean {
  return typeof file === 'string' || file instanceof URL || Buffer.isBuffer(file)
}
