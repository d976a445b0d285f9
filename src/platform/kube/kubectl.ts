import type { Clock, JsonObject } from '../../contract/index.js'
import type { Exec, Finished } from '../exec/exec.js'
import { verbsOf } from '../exec/verbs.js'
import type { KubeAccess } from './access.js'
import type { KubeDoor } from './door.js'
import { kubeError } from './errors.js'
import type { Tools } from './tools.js'

export interface KubectlOptions {
  readonly exec: Exec
  readonly access: KubeAccess
  readonly tools: Tools
  readonly clock: Clock
}

/** Real milliseconds for one look. */
const timeoutMs = 60_000

/** The real kubectl as a door. */
export function openKube({ exec, access, tools }: KubectlOptions): KubeDoor {
  /** `changed`: what a command that changes something is about. */
  async function run(cluster: string, args: readonly string[], changed?: string): Promise<Finished> {
    const [{ path }, to] = await Promise.all([tools.kubectl(), access.to(cluster)])
    const flags = [...to.flags, '--context', to.kubeContext, '--request-timeout', '20s']
    return exec.run({
      file: path,
      args: [...args, ...flags],
      env: to.env,
      timeoutMs,
      // Objects hold what pods are given.
      withheld: true,
      say: ['kubectl', ...args].join(' '),
      ...(changed === undefined ? {} : { survivor: 'end' as const, writes: verbsOf([['kubectl', ...args]], changed) }),
    })
  }
  return {
    async get(cluster, namespace, kind, name) {
      const result = await run(cluster, ['get', kind, name, '-n', namespace, '-o', 'json'])
      if (result.exitCode === 0) return JSON.parse(result.stdout) as JsonObject
      if (isNotFound(result.stderr)) return undefined
      throw kubeError(result.stderr)
    },
    async list(cluster, namespace, kind) {
      const result = await run(cluster, ['get', kind, '-n', namespace, '-o', 'json'])
      if (result.exitCode !== 0) throw kubeError(result.stderr)
      return (JSON.parse(result.stdout) as { items: JsonObject[] }).items
    },
    async delete(cluster, namespace, kind, name) {
      const result = await run(cluster, ['delete', kind, name, '-n', namespace, '--ignore-not-found'], `${namespace}/${kind}/${name}`)
      if (result.exitCode !== 0) throw kubeError(result.stderr)
    },
    version: () => tools.kubectl(),
  }
}

/** The server's own `Error from server (NotFound)`; anything else is unknown, not absent. */
function isNotFound(stderr: string): boolean {
  return /^Error from server \(NotFound\)/m.test(stderr)
}
