import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { LifeboatError } from '../../contract/index.js'

/** `sha256:…` over a file, or over a folder's files in order with their relative paths. Throws `file.unreadable`. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for (const file of (await stat(path)).isDirectory() ? await filesIn(path) : [path]) {
      hash.update(`${relative(path, file)}\0`).update(await readFile(file)).update('\0')
    }
  } catch (cause) {
    throw new LifeboatError('file.unreadable', `${path} cannot be read`, { blame: 'user', cause })
  }
  return `sha256:${hash.digest('hex')}`
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort()
}
