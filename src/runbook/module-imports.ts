import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** `from './a.mjs'`, `import './a.mjs'`, `import('./a.mjs')`. */
const relativeImport = /\b(?:from|import)\s*\(?\s*(['"])(\.\.?\/[^'"\n]+)\1/g

/** A module of a site's own has a handful of files; what has more was named by mistake, and its digest would take long. */
const mostFiles = 1000

/**
 * The files that a module imports by a relative path, and those that they import, absolute and without the module itself. Packages
 * and paths that are worked out while it runs are not found; nor is a file that is not there, which loading the module reports.
 */
export async function importsOf(module: string): Promise<readonly string[]> {
  const found = new Set([module])
  // A set gives what is added to it meanwhile in its turn, so that every file is read once.
  for (const file of found) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text === undefined) found.delete(file)
    for (const [, , path = ''] of text?.matchAll(relativeImport) ?? []) {
      if (found.size < mostFiles) found.add(resolve(dirname(file), path))
    }
  }
  found.delete(module)
  return [...found]
}
