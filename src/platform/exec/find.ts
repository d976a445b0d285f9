import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/** The first executable file of that name on a PATH, or undefined. */
export async function findOnPath(name: string, path: string): Promise<string | undefined> {
  return (await findAllOnPath(name, path))[0]
}

/** All executable files of that name on a PATH, in its order. */
export async function findAllOnPath(name: string, path: string): Promise<readonly string[]> {
  // A relative folder would mean another program wherever one stands.
  const places = path.split(delimiter).filter(isAbsolute).map((folder) => join(folder, name))
  const found = await Promise.all(places.map(isExecutable))
  return places.filter((_, index) => found[index])
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
