import { createHash } from 'node:crypto'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LifeboatError } from '../../contract/index.js'

/**
 * `sha256:…` over a file, or over a folder's files in one order everywhere, with their relative paths and lengths. Links are
 * followed, since helm follows them. Throws `file.unreadable`.
 */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for (const relative of await filesOf(path, '', new Set())) {
      const contents = await readFile(join(path, relative))
      hash.update(`${relative}\0${contents.length}\0`).update(contents)
    }
  } catch (cause) {
    throw new LifeboatError('file.unreadable', `${path} cannot be read`, { blame: 'user', cause })
  }
  return `sha256:${hash.digest('hex')}`
}

/** `above` are the real folders that lead here: a link back to one of them is not followed. */
async function filesOf(root: string, relative: string, above: ReadonlySet<string>): Promise<string[]> {
  const here = join(root, relative)
  if (!(await stat(here)).isDirectory()) return [relative]
  const real = await realpath(here)
  if (above.has(real)) return []
  const inside = new Set([...above, real])
  const found: string[] = []
  for (const name of (await readdir(here)).sort()) found.push(...(await filesOf(root, relative === '' ? name : `${relative}/${name}`, inside)))
  return found
}
