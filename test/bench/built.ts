import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../helpers/cli.js'

/**
 * A module of the built program, typed as its source. What is measured is what is installed: compiled on the fly, the
 * compiler's memory would be measured with it.
 */
export async function built<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(root, 'dist', path)).href)) as T
}
