import { readdirSync, readFileSync, statSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Every file below a folder. What goes away meanwhile is not there. */
function filesIn(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesIn(path)
    return entry.isFile() ? [path] : []
  })
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Arguments of every process on this machine, as anybody on it can see them. */
function argumentsOfAll(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map((pid) => contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
}

/**
 * Listens while `work` goes on: to arguments of processes, and to files that come and go below `folders`. Where credentials may lie
 * for a while (`isPrivate`) only what others may read is looked at (tools cache there as they please), and in the end what is left.
 * Answers with what was heard, by place.
 */
export async function overhear(
  folders: readonly string[],
  isPrivate: (path: string) => boolean,
  work: () => Promise<unknown>,
): Promise<ReadonlyMap<string, string>> {
  const places = new Map<string, string>()
  const hear = (): void => argumentsOfAll().forEach((line) => places.set(`an argument: ${line}`, line))
  const look = (): void => {
    const files = folders.flatMap(filesIn)
    for (const path of files.filter((one) => !isPrivate(one) || isOpen(one))) places.set(path, contentOf(path))
  }
  const over = new AbortController()
  const working = work().finally(() => over.abort())
  for (let turn = 0; !over.signal.aborted; turn += 1) {
    hear()
    // Files stay longer than processes do, and take longer to read.
    if (turn % 10 === 0) look()
    await Promise.race([working.catch(() => undefined), setTimeout(100)])
  }
  await working
  look()
  for (const path of folders.flatMap(filesIn).filter(isPrivate)) places.set(path, contentOf(path))
  return places
}

function isOpen(path: string): boolean {
  try {
    return (statSync(path).mode & 0o077) !== 0
  } catch {
    return false
  }
}

/** Where one of the secrets stands, in a form in which it would be of use to somebody: as it is, by lines, in base64. */
export function foundIn(places: Iterable<readonly [string, string]>, secrets: Readonly<Record<string, string>>): string[] {
  const forms = Object.entries(secrets).flatMap(([name, secret]) =>
    [...secret.split('\n').filter((line) => line.length > 8 && !line.startsWith('-----')), Buffer.from(secret).toString('base64')].map((form) => [name, form] as const),
  )
  return [...places].flatMap(([place, text]) => forms.filter(([, form]) => text.includes(form)).map(([name]) => `${name} in ${place}`))
}
