import { parseDocument } from 'yaml'
import { LifeboatError, type Clock, type JsonObject } from '../../contract/index.js'
import { strikeOut } from '../command/strike.js'
import type { Exec, Finished } from '../exec/exec.js'
import { verbsOf } from '../exec/verbs.js'
import { digestOf } from '../files/digest.js'
import type { KubeAccess } from '../kube/access.js'
import type { Tools } from '../kube/tools.js'
import { Charts } from './charts.js'
import { releaseDigest } from './digest.js'
import type { HelmDoor, HelmOptions, ReleaseChart, ReleaseName, Rendered } from './door.js'
import { chartError, helmError, helmOverdue } from './errors.js'
import { historyBy } from './history.js'
import { limitsOf } from './limits.js'
import { withValues } from './values.js'

export interface OpenHelmOptions {
  readonly exec: Exec
  readonly access: KubeAccess
  readonly tools: Tools
  readonly clock: Clock
  /** Private folder of the run (0700). */
  readonly secrets: string
  /** Those of all steps, so that each is pulled once; their own if absent. */
  readonly charts?: Charts
  /** Real programs get at least this long, whatever the run's clock does (design §5); one minute if absent. */
  readonly leastRealMs?: number
}

const readMs = 60_000

interface Call {
  readonly release: ReleaseName
  readonly args: readonly string[]
  readonly realMs: number
  readonly signal?: AbortSignal
  /** Set for what writes. A rollback or an uninstall must never be broken off (facts/helm-wire). */
  readonly survivor?: 'end' | 'await'
  /** What it prints may hold values: so may a chart's notes. */
  readonly withheld?: boolean
}

/** The real helm as a door. */
export function openHelm(options: OpenHelmOptions): HelmDoor {
  const { exec, access, tools, clock, secrets, leastRealMs } = options
  const charts = options.charts ?? new Charts({ exec, tools, secrets })

  async function run({ release, args, realMs, signal, survivor, withheld = false }: Call): Promise<Finished> {
    const [{ path }, to] = await Promise.all([tools.helm(), access.to(release.cluster)])
    return exec.run({
      file: path,
      args: [...args, '-n', release.namespace, ...to.flags, '--kube-context', to.kubeContext],
      env: to.env,
      timeoutMs: realMs,
      withheld,
      say: sayOf(args, release, secrets),
      ...(signal === undefined ? {} : { signal }),
      ...(survivor === undefined ? {} : { survivor, writes: verbsOf([['helm', ...args]], `${release.namespace}/${release.name}`) }),
    })
  }

  async function write(release: ReleaseName, args: readonly string[], wish: HelmOptions, survivor: 'end' | 'await'): Promise<Finished> {
    const { timeoutMs, endMs } = limitsOf(wish.timeoutMs, clock, survivor === 'end', leastRealMs)
    const { signal } = wish
    const timeout = ['--timeout', `${Math.ceil(timeoutMs / 1000)}s`]
    return run({ release, args: [...args, ...timeout], realMs: endMs, signal, survivor, withheld: true })
  }

  return {
    history: (release) => historyBy((args, withheld) => run({ release, args: [...args, '-o', 'json'], realMs: readMs, withheld }), release.name),
    async values(release) {
      const result = await run({ release, args: ['get', 'values', release.name, '-o', 'json'], realMs: readMs, withheld: true })
      if (result.exitCode !== 0) throw helmError(result.stderr)
      return (JSON.parse(result.stdout) as JsonObject | null) ?? {}
    },
    async template({ namespace, name }, chart, { kubeVersion }) {
      const where = await charts.pathOf(chart.chart)
      const { path } = await tools.helm()
      return withValues(secrets, chart, async (values) => {
        const version = kubeVersion === undefined ? [] : ['--kube-version', kubeVersion]
        const args = ['template', name, where, '-n', namespace, ...values, ...version]
        const { exitCode, stdout, stderr } = await exec.run({ file: path, args, env: access.bareEnv(), timeoutMs: readMs, withheld: true })
        if (exitCode === 0) return { preInstallHooks: preInstallHooks(stdout) }
        throw chartError(struck(stderr, chart), where)
      })
    },
    digest: async (chart) => releaseDigest(await charts.pathOf(chart.chart), chart),
    pull: async (chart) => digestOf(await charts.pathOf(chart)),
    async upgrade(release, chart, wish) {
      const where = await charts.pathOf(chart.chart)
      const { exitCode, stderr } = await withValues(secrets, chart, (values) => {
        const args = ['upgrade', '--install', release.name, where, '--create-namespace', ...values, '--description', wish.description, '--wait']
        return write(release, args, wish, 'end').catch((error: unknown) => {
          throw isOverdue(error) ? helmOverdue(error) : error
        })
      })
      if (exitCode !== 0) throw helmError(struck(stderr, chart), where)
    },
    async uninstall(release, wish) {
      const { exitCode, stderr } = await write(release, ['uninstall', release.name, '--ignore-not-found', '--wait'], wish, 'await')
      if (exitCode !== 0) throw helmError(stderr)
    },
    async rollback(release, revision, wish) {
      // The hooks of a state that is gone through say nothing of use, and one that fails would keep it there.
      const how = wish.wait === false ? ['--no-hooks'] : ['--wait']
      const { exitCode, stderr } = await write(release, ['rollback', release.name, String(revision), ...how], wish, 'await')
      if (exitCode !== 0) throw helmError(stderr)
    },
    version: () => tools.helm(),
  }
}

const isOverdue = (error: unknown): error is LifeboatError => error instanceof LifeboatError && error.code === 'exec.timeout'

/** Values are in private files whose names say nothing, and which are gone when somebody reads this. */
function sayOf(args: readonly string[], { namespace }: ReleaseName, secrets: string): string {
  return ['helm', ...args.map((arg) => (arg.includes(secrets) ? '…' : arg)), '-n', namespace].join(' ')
}

/** helm shows values in what it says of a template or an object that is wrong. */
function struck(stderr: string, { secrets = {} }: ReleaseChart): string {
  return strikeOut(stderr, Object.values(secrets).map((secret) => secret.reveal()))
}

interface Manifest {
  readonly kind?: string
  readonly metadata?: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> }
}

/** A line that begins a document of a YAML stream; none within one can look like it, not even in a block of text (YAML 1.2, 9.1.2). */
const documentStart = /^---(?=\s|$)/m

/** Of what a chart renders to, as `Kind/name`. Only the documents that speak of hooks are parsed: most of a hub's are long and are none. */
function preInstallHooks(manifests: string): Rendered['preInstallHooks'] {
  const documents = manifests.split(documentStart).filter((document) => document.includes('helm.sh/hook'))
  const objects = documents.map((document) => parseDocument(document, { logLevel: 'error', uniqueKeys: false }).toJS() as Manifest | null)
  const hooks = objects.filter((one) => (one?.metadata?.annotations?.['helm.sh/hook'] ?? '').split(',').some((hook) => hook.trim() === 'pre-install'))
  return hooks.map((one) => `${one?.kind ?? '?'}/${one?.metadata?.name ?? '?'}`)
}
