import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** More than a chart, its values and a few keys ever have; a folder that exceeds it was named by mistake. */
const maxFiles = 10_000
const maxBytes = 256 * 1024 * 1024

/** Why a file or folder cannot be pinned. */
export class Unpinnable extends Error {}

/**
 * `sha256:` and the digest of a file's contents, or of a folder: the digests and relative paths of its files, sorted by
 * path, as `sha256sum` lists them. Links are followed, since Helm follows them; times and modes do not count.
 *
 * @throws the system's own error for what cannot be read, `Unpinnable` for what is too large or neither file nor folder.
 */
export async function digestOf(path: string): Promise<string> {
  const budget = { files: 0, bytes: 0 }
  const stats = await stat(path)
  if (!stats.isDirectory()) return `sha256:${await fileDigest(path, budget)}`
  const hash = createHash('sha256')
  for (const relative of await filesOf(path, '', new Set(), budget)) {
    hash.update(`${await fileDigest(join(path, relative), budget)}  ${relative}\n`)
  }
  return `sha256:${hash.digest('hex')}`
}

interface Budget {
  files: number
  bytes: number
}

async function fileDigest(path: string, budget: Budget): Promise<string> {
  const stats = await stat(path)
  if (!stats.isFile()) throw new Unpinnable('it is neither a file nor a folder')
  budget.files += 1
  budget.bytes += stats.size
  if (budget.files > maxFiles || budget.bytes > maxBytes) {
    throw new Unpinnable(`it has more than ${maxFiles} files or ${maxBytes / 1024 / 1024} MB`)
  }
  const hash: Hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Relative paths with `/`, sorted by code unit. `above` are the real folders that lead here: a link back is not followed. */
async function filesOf(root: string, relative: string, above: ReadonlySet<string>, budget: Budget): Promise<readonly string[]> {
  const folder = join(root, relative)
  const real = await realpath(folder)
  if (above.has(real)) throw new Unpinnable('a link in it leads back to a folder that it is in')
  const found: string[] = []
  for (const name of await readdir(folder)) {
    const inner = relative === '' ? name : `${relative}/${name}`
    const stats = await stat(join(root, inner))
    if (stats.isDirectory()) found.push(...(await filesOf(root, inner, new Set([...above, real]), budget)))
    else found.push(inner)
    if (found.length > maxFiles) throw new Unpinnable(`it has more than ${maxFiles} files`)
  }
  return found.sort()
}
