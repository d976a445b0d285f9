import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync, type Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { secretMark } from '../../src/sim/world/secrets.js'

// All secrets of the tests, a world's and those that tests plant, can be told by their form (A125). What the suite leaves and says is
// searched for them.

/** A secret of a test's own. */
export const planted = (name: string): string => `${secretMark}-${name}-${secretMark}`

/** A text in base64, at each of the three places that it can have in a group, without the ends that depend on what stands beside it. */
function inBase64(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const code = Buffer.from(`${' '.repeat(before)}${text}`).toString('base64').replaceAll('=', '')
    const whole = Math.floor(((before + text.length) * 8) / 6)
    return code.slice(Math.ceil((before * 8) / 6), whole)
  })
}

/** How a text looks as it is, and wherever it stands in something that is in base64. */
export const formsOf = (text: string): readonly string[] => [text, ...inBase64(text)]

/** How a secret looks: by its mark, and private keys by their armour and by how their first line begins. */
export const leakForms: readonly string[] = [...formsOf(secretMark), 'PRIVATE KEY-----', 'b3BlbnNzaC1rZXktdjE']

/** The form of the first secret in a text; undefined where there is none. */
export function leakIn(text: string | Buffer): string | undefined {
  return leakForms.find((form) => text.includes(form))
}

/** The folder of this run of the suite, below which all its temporary folders lie. */
const suite = (): string | undefined => process.env['LIFEBOAT_TEST_SUITE']

const inSuite = (name: string): string | undefined => {
  const folder = suite()
  return folder === undefined ? undefined : join(folder, name)
}

export const foundFile = 'leaks-found'
const holdersFile = 'holders-of-secrets'

/** What has been said: a screen, output, events. Remembered for the end of the suite if there is a secret in it. */
export function searchSaid(what: string, text: string): void {
  const form = leakIn(text)
  const file = inSuite(foundFile)
  if (form === undefined || file === undefined) return
  const line = text.split('\n').find((one) => one.includes(form))
  appendFileSync(file, `${what} has ${form}: ${line?.slice(0, 200) ?? ''}\n`)
}

/** What makes a Node process look at the arguments of those that it starts, and at trials before their folders go. */
export function watchingProcesses(): Record<string, string> {
  const file = inSuite(foundFile)
  if (file === undefined) return {}
  const hook = fileURLToPath(new URL('watched.cjs', import.meta.url))
  return { NODE_OPTIONS: `--require=${hook}`, LEAK_FORMS: JSON.stringify(leakForms), LEAKS_FOUND: file }
}

/** A file, or a folder and all below it, where a secret belongs, and that nobody else may read. Answers it. */
export function holder(path: string): string {
  const file = inSuite(holdersFile)
  if (file !== undefined) appendFileSync(file, `${path}\n`)
  return path
}

/** Writes a file of mode 0600 where a secret belongs. Answers its path. */
export function writeSecret(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode: 0o600 })
  return holder(path)
}

/**
 * Searches all files below a folder, but for those where secrets belong: what `holder` was told, cloud files and what they refer to, the
 * disks of the lab's machines, and private folders of runs that did not come to their end. Answers where one was found that is none
 * of the place.
 */
export async function leaksBelow(folder: string): Promise<string[]> {
  const files = await filesBelow(folder)
  const noted = [holdersFile, foundFile].map((name) => join(folder, name))
  const holders = [...noted, ...linesOf(noted[0] ?? ''), ...files.filter(isCloudFile).flatMap((path) => [path, ...referredTo(path)])]
  const held = new Set(holders)
  const isHeld = (path: string): boolean => {
    for (let at = path; at.length >= folder.length; at = dirname(at)) if (held.has(at)) return true
    return isMachine(path) || isPrivateOfUnfinished(path)
  }
  const found: string[] = [...linesOf(noted[1] ?? '')]
  for (const path of files.filter((one) => !isHeld(one))) {
    const form = leakIn(await contentOf(path))
    if (form !== undefined) found.push(`${relative(folder, path)} has ${form}`)
  }
  return found
}

const isCloudFile = (path: string): boolean => /\/cloud\.json(\.changed\.json)?$/.test(path)
const isMachine = (path: string): boolean => /\/lab\/machine-\d+\//.test(path)

/** Paths of the client's secret, keys and folders that a cloud file names. */
function referredTo(cloudFile: string): string[] {
  try {
    const { credential, env } = JSON.parse(readFileSync(cloudFile, 'utf8')) as { credential?: { secret?: { file?: string } }; env?: Record<string, unknown> }
    return [credential?.secret?.file, ...Object.values(env ?? {})].filter((value) => typeof value === 'string' && value.startsWith('/')) as string[]
  } catch {
    return []
  }
}

/** Credentials lie there while a run is at work. One that was killed sweeps it when it is resumed; one that has ended has swept it. */
function isPrivateOfUnfinished(path: string): boolean {
  const [, state, run] = /^(.*)\/private\/([^/]+)\//.exec(path) ?? []
  if (state === undefined || run === undefined) return false
  const last = linesOf(join(state, 'runs', run, 'journal.ndjson')).at(-1)
  return last !== undefined && !last.includes('"type":"run.finished"')
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => [])
  const parts = entries.map(async (entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path)
    return entry.isFile() ? [path] : []
  })
  return (await Promise.all(parts)).flat()
}

async function contentOf(path: string): Promise<Buffer> {
  return readFile(path).catch(() => Buffer.alloc(0))
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter((line) => line !== '') : []
}
