import type { Finished } from '../exec/exec.js'
import type { Revision } from './door.js'
import { helmError } from './errors.js'

/** Runs helm with these arguments, and withholds what it says where that may hold values. */
type Read = (args: readonly string[], withheld: boolean) => Promise<Finished>

interface RevisionJson {
  readonly revision: number
  readonly status: string
  readonly chart: string
  readonly description?: string
  /** When helm began with it. */
  readonly updated?: string
}

/** All revisions of a release, oldest first. */
export async function historyBy(read: Read, name: string): Promise<readonly Revision[]> {
  const { exitCode, stdout, stderr } = await read(['history', name], false)
  if (exitCode !== 0 && !isNotFound(stderr)) throw helmError(stderr)
  const revisions = exitCode === 0 ? revisionsOf(stdout) : []
  const newest = revisions.at(-1)
  if (newest?.status !== 'uninstalling') return revisions
  const { begunAt: _ofWhatGoes, ...rest } = newest
  return [...revisions.slice(0, -1), { ...rest, ...begun(await deletedBy(read, name)) }]
}

/** When its uninstallation began, which a history does not tell; undefined where it is over meanwhile. */
async function deletedBy(read: Read, name: string): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await read(['status', name], true)
  if (exitCode === 0) return (JSON.parse(stdout) as { readonly info?: { readonly deleted?: string } }).info?.deleted
  if (isNotFound(stderr)) return undefined
  throw helmError(stderr)
}

function revisionsOf(stdout: string): readonly Revision[] {
  return (JSON.parse(stdout) as RevisionJson[])
    .map(({ revision, status, chart, description, updated }) => ({ revision, status, chart, description: description ?? '', ...begun(updated) }))
    .sort((a, b) => a.revision - b.revision)
}

function begun(text: string | undefined): Pick<Revision, 'begunAt'> {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? {} : { begunAt: new Date(ms) }
}

function isNotFound(stderr: string): boolean {
  return /release: not found/i.test(stderr)
}
