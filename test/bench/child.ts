import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/**
 * Runs one of this folder's files as a process of its own, so that nobody's heap or caches weigh on another's figures, and
 * answers the JSON that it prints.
 */
export async function inChild<T>(file: string, args: readonly string[]): Promise<T> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path, ...args])
  return JSON.parse(stdout) as T
}
