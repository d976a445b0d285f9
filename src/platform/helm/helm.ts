import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LifeboatError, type Clock } from '../../contract/index.js'
import type { Exec, Finished } from '../exec/exec.js'
import type { KubeAccess } from '../kube/access.js'
import { lastLine } from '../kube/errors.js'
import type { Tools } from '../kube/tools.js'
import { releaseDigest } from './digest.js'
import type { HelmDoor, HelmOptions, ReleaseChart, ReleaseName, Revision } from './door.js'
import { helmError } from './errors.js'

export interface OpenHelmOptions {
  readonly exec: Exec
  readonly access: KubeAccess
  readonly tools: Tools
  readonly clock: Clock
  readonly secrets: string
  /** Real programs get at least this long, whatever the run's clock does (design §5); one minute if absent. */
  readonly leastRealMs?: number
}

/** What helm is given on top of its own timeout before it is ended from outside. */
const slackMs = 30_000
const readMs = 60_000

interface Call {
  readonly release: ReleaseName
  readonly args: readonly string[]
  readonly realMs: number
  readonly signal?: AbortSignal
  /** Set for what writes. A rollback or an uninstall must never be broken off (facts/helm-wire). */
  readonly survivor?: 'end' | 'await'
}

/** The real helm as a door. */
export function openHelm(options: OpenHelmOptions): HelmDoor {
  const { exec, access, tools, clock, secrets, leastRealMs = 60_000 } = options

  async function run({ release, args, realMs, signal, survivor }: Call): Promise<Finished> {
    const [{ path }, to] = await Promise.all([tools.helm(), access.to(release.cluster)])
    return exec.run({
      file: path,
      args: [...args, '-n', release.namespace, ...to.flags, '--kube-context', to.kubeContext],
      env: to.env,
      timeoutMs: realMs,
      say: ['helm', ...args, '-n', release.namespace].join(' '),
      ...(signal === undefined ? {} : { signal }),
      ...(survivor === undefined ? {} : { survivor }),
    })
  }

  async function write(release: ReleaseName, args: readonly string[], wish: HelmOptions, survivor: 'end' | 'await'): Promise<void> {
    const realMs = Math.max(leastRealMs, clock.toReal(wish.timeoutMs))
    const timeout = ['--wait', '--timeout', `${Math.ceil(realMs / 1000)}s`]
    const { signal } = wish
    const result = await run({ release, args: [...args, ...timeout], realMs: realMs + slackMs, signal, survivor })
    if (result.exitCode !== 0) throw helmError(result.stderr)
  }

  /** Values go by a file: arguments can be seen by everybody on this machine. */
  async function withValues<T>(values: ReleaseChart['values'], use: (path: string) => Promise<T>): Promise<T> {
    const path = join(secrets, `values-${randomBytes(6).toString('hex')}.json`)
    await writeFile(path, JSON.stringify(values), { mode: 0o600, flag: 'wx' })
    try {
      return await use(path)
    } finally {
      await rm(path, { force: true })
    }
  }

  return {
    async history(release) {
      const result = await run({ release, args: ['history', release.name, '-o', 'json'], realMs: readMs })
      if (result.exitCode === 0) return revisionsOf(result.stdout)
      if (/release: not found/i.test(result.stderr)) return []
      throw helmError(result.stderr)
    },
    template: ({ namespace, name }, { path: chart, values }) =>
      withValues(values, async (file) => {
        const { path } = await tools.helm()
        const args = ['template', name, chart, '-n', namespace, '--values', file]
        const result = await exec.run({ file: path, args, env: access.bareEnv(), timeoutMs: readMs })
        if (result.exitCode === 0) return
        throw new LifeboatError('helm.chart', `the chart ${chart} cannot be rendered: ${lastLine(result.stderr)}`, {
          blame: 'user',
          hint: `Try \`helm template ${chart}\` with the values of the runbook; a chart with dependencies needs \`helm dependency build\` first.`,
        })
      }),
    digest: ({ path, values }) => releaseDigest(path, values),
    upgrade: (release, { path, values, description }, wish) =>
      withValues(values, (file) => {
        const args = ['upgrade', '--install', release.name, path, '--create-namespace', '--values', file, '--description', description]
        return write(release, args, wish, 'end')
      }),
    uninstall: (release, wish) => write(release, ['uninstall', release.name, '--ignore-not-found'], wish, 'await'),
    rollback: (release, revision, wish) => write(release, ['rollback', release.name, String(revision)], wish, 'await'),
    version: () => tools.helm(),
  }
}

interface RevisionJson {
  readonly revision: number
  readonly status: string
  readonly chart: string
  readonly description?: string
}

function revisionsOf(stdout: string): readonly Revision[] {
  return (JSON.parse(stdout) as RevisionJson[])
    .map(({ revision, status, chart, description }) => ({ revision, status, chart, description: description ?? '' }))
    .sort((a, b) => a.revision - b.revision)
}
